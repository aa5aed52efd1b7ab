"""Merged consents: whatever two people decided, the person they become allows no more than either."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.people.consents import HeldConsent, Narrowed, Standing, decision, narrowed
from domain.perception import ConsentPurpose, Modality

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
KEPT, ABSORBED = UUID(int=1), UUID(int=2)


def consent(
    number: int,
    person: UUID = KEPT,
    *,
    granted: int = -30,
    expires: int | None = None,
    withdrawn: int | None = None,
    purpose: ConsentPurpose = ConsentPurpose.MARKETING,
    modality: Modality = Modality.FACE,
) -> HeldConsent:
    """Return a consent; times are days from now."""
    return HeldConsent(
        UUID(int=100 + number),
        person,
        purpose,
        modality,
        NOW + granted * DAY,
        None if expires is None else NOW + expires * DAY,
        None if withdrawn is None else NOW + withdrawn * DAY,
    )


def test_withdrawn_by_one_is_withdrawn_for_both() -> None:
    standing, withdrawn = consent(1), consent(2, ABSORBED, withdrawn=-3)

    assert narrowed([standing, withdrawn], NOW) == (Narrowed(standing.id, withdrawn_at=NOW),)


def test_run_out_for_one_is_run_out_for_both() -> None:
    standing, expired = consent(1, expires=90), consent(2, ABSORBED, expires=-3)

    assert narrowed([standing, expired], NOW) == (Narrowed(standing.id, expires_at=NOW),)


def test_withdrawn_by_one_is_the_last_word_over_what_has_run_out() -> None:
    expired, withdrawn = consent(1, expires=-3), consent(2, ABSORBED, granted=-60, withdrawn=-5)

    assert narrowed([expired, withdrawn], NOW) == (Narrowed(expired.id, withdrawn_at=NOW),)


def test_a_consent_of_this_moment_cannot_run_out_and_is_withdrawn() -> None:
    standing, expired = consent(1, granted=0), consent(2, ABSORBED, expires=-3)

    assert narrowed([standing, expired], NOW) == (Narrowed(standing.id, withdrawn_at=NOW),)


def test_where_both_stand_both_end_with_the_first() -> None:
    endless, long, short = consent(1), consent(2, ABSORBED, expires=90, granted=-20), consent(3, UUID(int=3), expires=7)

    assert narrowed([endless, long, short], NOW) == (
        Narrowed(endless.id, expires_at=NOW + 7 * DAY),
        Narrowed(long.id, expires_at=NOW + 7 * DAY),
    )


def test_what_one_withdrew_before_deciding_again_does_not_count() -> None:
    assert narrowed([consent(1, granted=-40, withdrawn=-30), consent(2, granted=-10), consent(3, ABSORBED)], NOW) == ()


def test_other_purposes_and_modalities_are_left_alone() -> None:
    mine = [
        consent(1, purpose=ConsentPurpose.RECORDING),
        consent(2, modality=Modality.VOICE),
    ]

    assert narrowed([*mine, consent(3, ABSORBED, withdrawn=-1)], NOW) == ()


def test_somebody_who_never_decided_decides_nothing() -> None:
    assert narrowed([consent(1, expires=90)], NOW) == ()


@st.composite
def histories(draw: st.DrawFn) -> list[HeldConsent]:
    """A few consents of up to three people."""
    made = []
    for number in range(draw(st.integers(0, 8))):
        granted = draw(st.integers(-60, 0))
        expires = draw(st.none() | st.integers(granted + 1, 60))
        withdrawn = draw(st.none() | st.integers(granted, 0))
        made.append(
            consent(
                number,
                UUID(int=draw(st.integers(1, 3))),
                granted=granted,
                expires=expires,
                withdrawn=withdrawn,
                modality=draw(st.sampled_from([Modality.FACE, Modality.VOICE])),
            )
        )
    return made


def applied(consents: list[HeldConsent]) -> list[HeldConsent]:
    """Return the consents of the one person they become."""
    changes = {change.id: change for change in narrowed(consents, NOW)}
    assert len(changes) == len(narrowed(consents, NOW))
    merged = []
    for each in consents:
        change = changes.get(each.id)
        merged.append(
            HeldConsent(
                each.id,
                KEPT,
                each.purpose,
                each.modality,
                each.granted_at,
                (change.expires_at if change else None) or each.expires_at,
                (change.withdrawn_at if change else None) or each.withdrawn_at,
            )
        )
    return merged


def of(consents: list[HeldConsent], modality: Modality) -> list[HeldConsent]:
    return [each for each in consents if each.modality is modality]


@given(histories(), st.sampled_from([Modality.FACE, Modality.VOICE]), st.integers(0, 60))
def test_a_merge_never_allows_more_than_each_allowed(
    consents: list[HeldConsent], modality: Modality, days: int
) -> None:
    before, after = of(consents, modality), of(applied(consents), modality)
    if not before:
        return
    then = NOW + days * DAY
    decisions = [
        decision(each for each in before if each.person_id == person) for person in {each.person_id for each in before}
    ]
    strictest = min(each.standing(then) for each in decisions)

    assert decision(after).standing(then) <= strictest
    assert strictest is Standing.ACTIVE or all(each.standing(then) < Standing.ACTIVE for each in after)


@given(histories())
def test_a_merge_loses_no_consent_and_lengthens_none(consents: list[HeldConsent]) -> None:
    after = {each.id: each for each in applied(consents)}

    assert after.keys() == {each.id for each in consents}
    for before in consents:
        kept = after[before.id]
        assert kept.standing(NOW) <= before.standing(NOW)
        assert before.withdrawn_at is None or kept.withdrawn_at == before.withdrawn_at
        assert before.expires_at is None or (kept.expires_at is not None and kept.expires_at <= before.expires_at)
        assert kept.expires_at is None or kept.expires_at > kept.granted_at
        assert kept.withdrawn_at is None or kept.withdrawn_at >= kept.granted_at


@given(histories())
def test_merging_again_changes_nothing(consents: list[HeldConsent]) -> None:
    assert narrowed(applied(consents), NOW) == ()
