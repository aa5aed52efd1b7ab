"""How people are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from db.people import duplicates, learned, merge, next_best_action, owned, rows
from db.people.source import FACTS
from db.people.tables import facts, people
from db.tables import metadata, money_values
from domain.people import FactKind, FactSource, RecordKind
from domain.people.consents import HeldConsent, Narrowed
from domain.people.duplicates import Duplicate, Identity
from domain.people.facts import CERTAIN, Fact, FactLearn, Learned
from domain.people.records import Person
from domain.structured import Identity as Spelling
from domain.values import Money

if TYPE_CHECKING:
    from db.unit import SqlUnit


class SqlPeople:
    """The person store of one unit."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit
        self._tenant_id = unit.caller.tenant_id

    async def tenant_currency(self) -> str:
        """Return the currency of the tenant."""
        tenants = metadata.tables["tenants"]
        result = await self._unit.connection.execute(
            select(tenants.c.currency).where(tenants.c.tenant_id == self._tenant_id)
        )
        return str(result.scalar_one())

    async def get_for_update(self, person_id: UUID) -> Person:
        """Return a person, or who absorbed them, and lock their row; raises NotFound."""
        [person] = await rows.locked(self._unit, (await owned.heir(self._unit, person_id, None),))
        return person

    async def owned(self, person_id: UUID) -> UUID:
        """Return a person who is the caller's own, or who absorbed that person, and lock the row."""
        return await owned.owned(self._unit, person_id)

    async def is_own(self, person_id: UUID) -> bool:
        """Whether a person is the caller's own; nothing is locked."""
        return await owned.is_own(self._unit, person_id)

    async def own_phone(self, person_id: UUID) -> str | None:
        """Return the number of a person who is the caller's own, or of who absorbed them; nothing is locked."""
        return await owned.own_phone(self._unit, person_id)

    async def get_all_for_update(self, person_ids: Sequence[UUID]) -> list[Person]:
        """Return people and lock their rows, and first what other units lock before its person."""
        await merge.lock_belongings(self._unit.connection, self._tenant_id, person_ids)
        return await rows.locked(self._unit, person_ids)

    async def add(self, person: Person, now: datetime) -> None:
        """Store a new person."""
        await self._unit.add(people, id=person.id, created_at=now, updated_at=now, **rows.columns(person))

    async def save(self, person: Person, now: datetime) -> None:
        """Store a person's details."""
        await self._unit.change(people, person.id, updated_at=now, **rows.columns(person))

    async def candidates(self, identity: Identity) -> list[Identity]:
        """Return everybody else with the same phone number, address or name key."""
        return await duplicates.candidates(self._unit, identity)

    async def set_duplicates(self, person_id: UUID, found: Sequence[Duplicate], now: datetime) -> None:
        """Keep who somebody may be, on both sides, instead of what was kept before."""
        await duplicates.keep(self._unit.connection, self._tenant_id, person_id, found, now)

    async def belongings(self, person_ids: Sequence[UUID]) -> Mapping[RecordKind, int]:
        """Return how many records of each kind these people have."""
        return await merge.belongings(self._unit.connection, self._tenant_id, person_ids)

    async def absorb(self, survivor_id: UUID, absorbed_ids: Sequence[UUID], now: datetime) -> None:
        """Move all that belongs to the absorbed people, and lead their ids to the survivor."""
        await merge.absorb(self._unit.connection, self._tenant_id, survivor_id, absorbed_ids, now)

    async def consents(self, person_ids: Sequence[UUID]) -> list[HeldConsent]:
        """Return the consents of these people and lock them."""
        return await merge.consents(self._unit.connection, self._tenant_id, person_ids)

    async def narrow(self, changes: Sequence[Narrowed]) -> None:
        """End consents earlier."""
        await merge.narrow(self._unit.connection, self._tenant_id, changes)

    async def get_fact_for_update(self, fact_id: UUID) -> Fact:
        """Return a fact that the caller may see and lock its row; raises NotFound."""
        row = await self._unit.visible_row(FACTS, fact_id)
        amount = row["amount_amount"]
        return Fact(
            id=row["id"],
            person_id=row["person_id"],
            kind=FactKind[row["kind"]],
            text=row["text"],
            confidence=row["confidence"],
            source=FactSource[row["source"]],
            amount=None if amount is None else Money(amount, row["amount_currency"]),
            dismissed_at=row["dismissed_at"],
        )

    async def save_fact(self, fact: Fact, now: datetime) -> None:
        """Store a corrected fact."""
        await self._unit.change(
            facts, fact.id, text=fact.text, confidence=fact.confidence, source=fact.source.name,
            amount_amount=fact.amount and fact.amount.amount, amount_currency=fact.amount and fact.amount.currency,
            dismissed_at=fact.dismissed_at, updated_at=now,
        )  # fmt: skip

    async def has_fact(self, person_id: UUID, kind: FactKind, text: str) -> bool:
        """Whether a person has a fact of a kind with these words, in any case, that was not dismissed."""
        found = await self._unit.connection.execute(
            select(facts.c.id)
            .where(
                facts.c.tenant_id == self._tenant_id,
                facts.c.person_id == person_id,
                facts.c.kind == kind.name,
                func.lower(facts.c.text) == text.lower(),
                facts.c.dismissed_at.is_(None),
            )
            .limit(1)
        )
        return found.first() is not None

    async def learned(self, person_id: UUID) -> list[Learned]:
        """Return the newest facts of a person that were not dismissed, a hundred at most."""
        return await learned.facts(self._unit.connection, self._tenant_id, person_id)

    async def spellings(self, person_id: UUID) -> list[Spelling]:
        """Return whoever may be named in what was said with a person."""
        return await learned.spellings(self._unit.connection, self._tenant_id, person_id)

    async def learn_fact(self, fact_id: UUID, command: FactLearn, now: datetime) -> None:
        """Store a fact, or what one says now."""
        said = {
            "text": command.text, "quote": command.quote, "confidence": CERTAIN, "source": command.source.name,
            "interaction_id": command.interaction_id, "extracted_at": command.extracted_at, "updated_at": now,
            **money_values("amount", command.amount),
        }  # fmt: skip
        await self._unit.connection.execute(
            insert(facts)
            .values(
                tenant_id=self._tenant_id, id=fact_id, person_id=command.person_id, kind=command.kind.name,
                created_at=now, **said,
            )
            .on_conflict_do_update(index_elements=["tenant_id", "id"], set_=said)
        )  # fmt: skip

    async def touch(self, *person_ids: UUID) -> None:
        """Compute again when people were last contacted and what to do next for them."""
        await next_best_action.refresh(self._unit.connection, self._tenant_id, person_ids, self._unit.now)
