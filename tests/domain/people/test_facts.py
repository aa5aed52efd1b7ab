"""Corrected facts: who vouches for them afterwards, and what is refused."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from domain.errors import Invalid
from domain.people import FactKind, FactSource
from domain.people.facts import Fact, FactCorrect, corrected
from domain.values import Money

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FACT = Fact(UUID(int=1), UUID(int=2), FactKind.BUDGET, "About 4 crore", 0.7, FactSource.MODEL, Money(Decimal(4), "INR"))
FIVE = Money(Decimal(5), "INR")


def test_a_person_vouches_for_what_they_said() -> None:
    assert corrected(FACT, FactCorrect(FACT.id, text="  About\n5 crore ", amount=FIVE), NOW) == replace(
        FACT, text="About 5 crore", amount=FIVE, source=FactSource.PERSON, confidence=1.0
    )


def test_an_amount_is_taken_away() -> None:
    assert corrected(FACT, FactCorrect(FACT.id, amount=None), NOW).amount is None


def test_the_same_again_changes_nothing() -> None:
    assert corrected(FACT, FactCorrect(FACT.id, text=FACT.text, amount=FACT.amount), NOW) == FACT


def test_a_dismissed_fact_keeps_its_words_and_its_source() -> None:
    assert corrected(FACT, FactCorrect(FACT.id, dismissed=True), NOW) == replace(FACT, dismissed_at=NOW)


def test_a_fact_that_was_dismissed_stays_dismissed_since_then() -> None:
    earlier = datetime(2026, 2, 1, tzinfo=UTC)

    assert corrected(replace(FACT, dismissed_at=earlier), FactCorrect(FACT.id, dismissed=True), NOW).dismissed_at == (
        earlier
    )


def test_whoever_brings_a_fact_back_vouches_for_it() -> None:
    assert corrected(replace(FACT, dismissed_at=NOW), FactCorrect(FACT.id, dismissed=False), NOW) == replace(
        FACT, source=FactSource.PERSON, confidence=1.0
    )


@pytest.mark.parametrize(
    ("kind", "command", "field"),
    [
        (FactKind.BUDGET, FactCorrect(FACT.id, text=" \n "), "text"),
        (FactKind.BUDGET, FactCorrect(FACT.id, text="x" * 1001), "text"),
        (FactKind.PREFERENCE, FactCorrect(FACT.id, amount=FIVE), "amount"),
    ],
)
def test_what_is_no_fact_is_refused(kind: FactKind, command: FactCorrect, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        corrected(replace(FACT, kind=kind, amount=None), command, NOW)

    assert refused.value.field == field
