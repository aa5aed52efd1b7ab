"""What leads allow: every step between two stages, who assigns to whom, how tags are written, which bands there are."""

from decimal import Decimal
from itertools import product
from uuid import UUID

import pytest

from domain.access import Caller, Role
from domain.errors import DomainError, Invalid
from domain.leads import (
    OPEN_STAGES,
    Lead,
    LeadLostReason,
    LeadMove,
    LeadStage,
    OutsideTeam,
    StageMoved,
    StageNotAllowed,
    budget_bounds,
    check_assignee,
    check_move,
    check_taking,
    normalised_tags,
)
from domain.values import new_id

TENANT, ME, MATE, STRANGER = new_id(), new_id(), new_id(), new_id()

REOPENED = {LeadStage.NEW, LeadStage.CONTACTED, LeadStage.QUALIFIED}
ALLOWED = {
    *((before, after) for before, after in product(OPEN_STAGES, OPEN_STAGES) if before is not after),
    *((before, LeadStage.LOST) for before in OPEN_STAGES),
    (LeadStage.NEGOTIATION, LeadStage.WON),
    *product((LeadStage.WON, LeadStage.LOST), REOPENED),
}


def lead(stage: LeadStage = LeadStage.NEW, assignee_id: UUID | None = ME) -> Lead:
    return Lead(new_id(), new_id(), assignee_id, stage)


def caller(role: Role) -> Caller:
    return Caller(TENANT, ME, role, (ME, MATE) if role is Role.SENIOR_BROKER else (ME,))


def refusal(stage: LeadStage, command: LeadMove) -> type[DomainError] | None:
    try:
        check_move(lead(stage), command)
    except DomainError as error:
        return type(error)
    return None


def move(to: LeadStage, **values: object) -> LeadMove:
    reason = LeadLostReason.PRICE if to is LeadStage.LOST else None
    return LeadMove(new_id(), to, **{"lost_reason": reason, **values})  # type: ignore[arg-type]  # one per test


@pytest.mark.parametrize(("before", "after"), list(product(LeadStage, LeadStage)))
def test_every_step_is_allowed_or_refused(before: LeadStage, after: LeadStage) -> None:
    expected = None if (before, after) in ALLOWED else StageNotAllowed

    assert refusal(before, move(after)) is expected


def test_the_table_of_steps_has_its_size() -> None:
    assert len(ALLOWED) == 5 * 4 + 5 + 1 + 2 * 3


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (move(LeadStage.LOST, lost_reason=None), Invalid),
        (move(LeadStage.VISIT, lost_reason=LeadLostReason.PRICE), Invalid),
        (move(LeadStage.VISIT, expected_stage=LeadStage.NEW), None),
        (move(LeadStage.VISIT, expected_stage=LeadStage.CONTACTED), StageMoved),
        # Who moved it first is told before anything else about the move.
        (move(LeadStage.WON, expected_stage=LeadStage.NEGOTIATION), StageMoved),
    ],
)
def test_reasons_and_expectations(command: LeadMove, expected: type[DomainError] | None) -> None:
    assert refusal(LeadStage.NEW, command) is expected


def test_a_refused_move_names_the_stage_that_the_lead_is_in() -> None:
    with pytest.raises(StageMoved) as caught:
        check_move(lead(LeadStage.VISIT), move(LeadStage.NEGOTIATION, expected_stage=LeadStage.NEW))

    assert (caught.value.message, caught.value.field) == (
        "Somebody moved this lead to VISIT first.",
        "expectedStage",
    )


@pytest.mark.parametrize(
    ("role", "assignee", "allowed"),
    [
        (Role.ADMIN, STRANGER, True),
        (Role.ADMIN, None, True),
        (Role.SALES_DIRECTOR, STRANGER, True),
        (Role.SALES_DIRECTOR, None, True),
        (Role.SENIOR_BROKER, ME, True),
        (Role.SENIOR_BROKER, MATE, True),
        (Role.SENIOR_BROKER, STRANGER, False),
        (Role.SENIOR_BROKER, None, False),
        (Role.JUNIOR_BROKER, ME, True),
        (Role.JUNIOR_BROKER, MATE, False),
        (Role.JUNIOR_BROKER, None, False),
    ],
)
def test_who_may_be_given_a_lead(role: Role, assignee: UUID | None, allowed: bool) -> None:  # noqa: FBT001 -- pytest passes it by name
    if allowed:
        check_assignee(caller(role), assignee)
        return
    with pytest.raises(OutsideTeam) as caught:
        check_assignee(caller(role), assignee)
    assert caught.value.field == "assigneeId"


@pytest.mark.parametrize(
    ("role", "assignee", "allowed"),
    [
        (Role.SALES_DIRECTOR, STRANGER, True),
        (Role.SENIOR_BROKER, MATE, True),
        (Role.SENIOR_BROKER, None, True),
        (Role.SENIOR_BROKER, STRANGER, False),
    ],
)
def test_from_whom_a_lead_may_be_taken(role: Role, assignee: UUID | None, allowed: bool) -> None:  # noqa: FBT001 -- pytest passes it by name
    taken = lead(assignee_id=assignee)
    if allowed:
        check_taking(caller(role), taken)
        return
    with pytest.raises(OutsideTeam) as caught:
        check_taking(caller(role), taken)
    assert caught.value.field == "leadId"


def test_tags_are_single_spaced_and_unique_whatever_their_case() -> None:
    assert normalised_tags(["  Sea \t view", "sea view", "NRI", "Cafe\u0301", "CAFÉ"]) == ["Sea view", "NRI", "Café"]


def test_fifty_tags_are_the_most() -> None:
    assert len(normalised_tags([f"t{number}" for number in range(50)] + ["T0"])) == 50
    with pytest.raises(Invalid) as caught:
        normalised_tags([f"t{number}" for number in range(51)])
    assert [(issue.field, issue.message) for issue in caught.value.issues] == [
        ("tags", "A lead has at most 50 tags; 51 were sent.")
    ]


def test_every_bad_tag_is_an_issue() -> None:
    with pytest.raises(Invalid) as caught:
        normalised_tags(["fine", " ", "x" * 51, "y" * 50])
    assert [issue.field for issue in caught.value.issues] == ["tags.1", "tags.2"]


@pytest.mark.parametrize(
    ("currency", "first", "last", "bands"),
    [("INR", "10000000", "1000000000", 8), ("AED", "1000000", "50000000", 7), ("USD", "250000", "10000000", 7)],
)
def test_bands_follow_the_currency(currency: str, first: str, last: str, bands: int) -> None:
    bounds = budget_bounds(currency)

    assert (bounds[0], bounds[-1], len(bounds) + 1) == (Decimal(first), Decimal(last), bands)
    assert list(bounds) == sorted(set(bounds))


@pytest.mark.parametrize("currency", ["", "inr", "XXX", "INR\0", "Rupees"])
def test_what_is_no_currency_has_no_bands(currency: str) -> None:
    with pytest.raises(Invalid) as caught:
        budget_bounds(currency)
    assert caught.value.field == "currency"
