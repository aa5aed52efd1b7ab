"""What of a model's answer becomes a tag: nothing without words that stand where the model says they do."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domain.interactions import Direction, Heard, InteractionKind
from domain.leads import Described, Lead, LeadSource, LeadStage
from domain.people import FactKind
from domain.people.facts import Learned
from domain.proposals import Evidence
from domain.proposals.tagging import Dossier, supported, variables
from domain.values import Money, new_id

AT = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)
CALL, NOTE = new_id(), new_id()


def dossier(tags: tuple[str, ...] = ("nri",)) -> Dossier:
    lead = Lead(new_id(), new_id(), None, LeadStage.CONTACTED, tags)
    money = Money(Decimal("50000000.00"), "INR")
    return Dossier(
        Described(lead, LeadSource.REFERRAL, None, money, ("cash", "Sea View", "nri")),
        [Learned(FactKind.PREFERENCE, "Wants a sea view", "we must see the water")],
        [
            Heard(
                CALL, InteractionKind.CALL, Direction.INBOUND, AT, "Buyer: We pay in cash,\nall of it.\nAgent: Good."
            ),
            Heard(NOTE, InteractionKind.NOTE, None, AT, "Café meeting; wants no loan."),
        ],
        [],
    )


def answer(tag: str, *evidence: tuple[str | None, str]) -> dict[str, Any]:
    quotes = [{"interaction": name, "quote": quote} for name, quote in evidence]
    return {"tags": [{"tag": tag, "confidence": 0.9, "reason": "They said so.", "evidence": quotes}]}


@pytest.mark.parametrize(
    ("tag", "evidence", "kept"),
    [
        ("cash", ("c1", "We pay in cash"), [("cash", Evidence("We pay in cash", CALL))]),
        ("CASH", ("c1", "we pay  in CASH, all of it."), [("cash", Evidence("we pay in CASH, all of it.", CALL))]),
        ("sea view", (None, "we must see the water"), [("Sea View", Evidence("we must see the water"))]),
        ("cash", ("c2", "Cafe\u0301 meeting"), [("cash", Evidence("Cafe\u0301 meeting", NOTE))]),
        # Not in that interaction, in no interaction, under a name that was never given, or nothing at all.
        ("cash", ("c2", "We pay in cash"), []),
        ("cash", ("c1", "We pay by wire"), []),
        ("cash", ("c3", "We pay in cash"), []),
        ("cash", (str(CALL), "We pay in cash"), []),
        ("cash", (None, "We pay in cash"), []),
        ("cash", ("c1", "..."), []),
        # A tag that the catalogue lacks, and one that the lead has.
        ("vip", ("c1", "We pay in cash"), []),
        ("NRI", ("c1", "We pay in cash"), []),
    ],
)
def test_a_tag_rests_on_words_that_are_there(
    tag: str, evidence: tuple[str | None, str], kept: list[tuple[str, Evidence]]
) -> None:
    found = supported(answer(tag, evidence), dossier())
    assert [(each.tag, *each.evidence) for each in found] == kept


def test_only_the_evidence_that_holds_is_kept() -> None:
    given = answer("cash", ("c1", "We pay in cash"), ("c1", "Money is no object"), ("c2", "wants no loan"))
    [found] = supported(given, dossier())
    assert found.evidence == (Evidence("We pay in cash", CALL), Evidence("wants no loan", NOTE))


def test_a_tag_that_is_named_twice_is_one() -> None:
    twice = answer("cash", ("c1", "We pay in cash"))["tags"] + answer("Cash", ("c2", "wants no loan"))["tags"]
    [found] = supported({"tags": twice}, dossier())
    assert found.evidence == (Evidence("We pay in cash", CALL),)


def test_the_prompt_is_told_what_is_known_and_no_ids() -> None:
    given = variables(dossier())
    assert given["lead"] == {
        "stage": "CONTACTED", "source": "REFERRAL", "budget": "50000000.00 INR", "qualification": None, "tags": ["nri"],
    }  # fmt: skip
    assert given["facts"] == [{"kind": "PREFERENCE", "text": "Wants a sea view", "quote": "we must see the water"}]
    assert given["allowed_tags"] == ["cash", "Sea View", "nri"]
    interactions: Any = given["interactions"]
    assert [each["id"] for each in interactions] == ["c1", "c2"]
    assert interactions[1] == {
        "id": "c2", "kind": "NOTE", "direction": None, "at": "2026-11-03T09:30+00:00",
        "text": "Café meeting; wants no loan.",
    }  # fmt: skip
    assert not any(isinstance(each, UUID) for each in given.values())
