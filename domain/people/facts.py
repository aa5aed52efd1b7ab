"""What is known about a person, how it is learned, and how somebody who knows better corrects it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from domain.audit import AuditAction, Change
from domain.errors import Invalid
from domain.people.kinds import FactKind, FactSource
from domain.values import UNSET, Money, Unset, given, new_id

if TYPE_CHECKING:
    from domain.unit import Unit

LONGEST_TEXT: Final = 1000
CERTAIN: Final = 1.0


@dataclass(frozen=True, slots=True)
class Fact:
    """A statement about a person; `amount` is what a BUDGET fact says, `dismissed_at` when it was found wrong."""

    id: UUID
    person_id: UUID
    kind: FactKind
    text: str
    confidence: float
    source: FactSource
    amount: Money | None = None
    dismissed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Learned:
    """What is on file about a person, and the words that it rests on."""

    kind: FactKind
    text: str
    quote: str | None


@dataclass(frozen=True, slots=True)
class FactCorrect:
    """What is wrong about a fact: its text, its amount, or the whole of it. None stays, but takes an amount away."""

    fact_id: UUID
    text: str | None = None
    amount: Money | Unset | None = UNSET
    dismissed: bool | None = None


@dataclass(frozen=True, slots=True)
class FactLearn:
    """What was read about a person and is approved: where it was said, in which words, and when it was read.

    With `fact_id` it takes the place of what that fact says.
    """

    person_id: UUID
    kind: FactKind
    text: str
    source: FactSource
    extracted_at: datetime
    amount: Money | None = None
    interaction_id: UUID | None = None
    quote: str | None = None
    fact_id: UUID | None = None


def corrected(fact: Fact, command: FactCorrect, now: datetime) -> Fact:
    """Return the fact as somebody says it is: from then on a person vouches for it, with full confidence.

    Dismissing alone leaves its words and their source as they were. Raises Invalid.
    """
    text = fact.text if command.text is None else " ".join(command.text.split())
    if not 1 <= len(text) <= LONGEST_TEXT:
        raise Invalid(f"The text of a fact has 1 to {LONGEST_TEXT} characters.", field="text")
    amount = given(command.amount, fact.amount)
    if amount is not None and fact.kind is not FactKind.BUDGET:
        raise Invalid("Only a BUDGET fact has an amount.", field="amount")
    said = (text, amount) != (fact.text, fact.amount) or command.dismissed is False
    dismissed_at = fact.dismissed_at
    if command.dismissed is not None:
        dismissed_at = (fact.dismissed_at or now) if command.dismissed else None
    changed = replace(fact, text=text, amount=amount, dismissed_at=dismissed_at)
    return replace(changed, source=FactSource.PERSON, confidence=CERTAIN) if said else changed


async def correct(unit: Unit, command: FactCorrect) -> UUID:
    """Correct a fact, or dismiss it."""
    if command.text is None and command.amount is UNSET and command.dismissed is None:
        raise Invalid("Say what is wrong: the text, the amount, or all of it.", field="text")
    before = await unit.people.get_fact_for_update(command.fact_id)
    fact = corrected(before, command, unit.now)
    names = ("text", "amount", "source", "confidence", "dismissed_at")
    fields = tuple(name for name in names if getattr(before, name) != getattr(fact, name))
    if not fields:
        return fact.id
    await unit.people.save_fact(fact, unit.now)
    unit.record(
        Change(
            action=AuditAction.UPDATE,
            event="FactCorrected",
            noun="facts",
            id=fact.id,
            fields=tuple("dismissedAt" if name == "dismissed_at" else name for name in fields),
            person_id=fact.person_id,
        )
    )
    return fact.id


async def learn(unit: Unit, command: FactLearn) -> UUID:
    """Keep a fact with its source and the words that prove it, at full confidence: a person has approved it.

    Raises NotFound and NotAllowed for a person who is not the caller's own.
    """
    person_id = await unit.people.owned(command.person_id)
    fact_id, new = command.fact_id or new_id(), command.fact_id is None
    await unit.people.learn_fact(fact_id, replace(command, person_id=person_id), unit.now)
    amount = ("amount",) if command.amount is not None else ()
    unit.record(
        Change(
            action=AuditAction.CREATE if new else AuditAction.UPDATE,
            event="FactLearned" if new else "FactCorrected",
            noun="facts",
            id=fact_id,
            fields=("kind", "text", "source", "quote", *amount) if new else ("text", "source", "quote", *amount),
            person_id=person_id,
        )
    )
    return fact_id
