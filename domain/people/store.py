"""The port that keeps people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from domain.people.consents import HeldConsent, Narrowed
    from domain.people.duplicates import Duplicate, Identity
    from domain.people.facts import Fact, FactLearn, Learned
    from domain.people.kinds import FactKind, RecordKind
    from domain.people.records import Person
    from domain.structured import Identity as Spelling


class PersonStore(Protocol):
    """People of the unit's tenant that its caller may see."""

    async def tenant_currency(self) -> str:
        """Return the currency of the tenant, ISO 4217."""

    async def get_for_update(self, person_id: UUID) -> Person:
        """Return a person, or who absorbed them, and lock their row; raises NotFound."""

    async def owned(self, person_id: UUID) -> UUID:
        """Return a person who is the caller's own, or who absorbed that person, and lock the row.

        Raises NotFound, or NotAllowed for a person of others.
        """

    async def is_own(self, person_id: UUID) -> bool:
        """Whether a person is the caller's own; nothing is locked."""

    async def own_phone(self, person_id: UUID) -> str | None:
        """Return the number, E.164, of a person who is the caller's own, or of who absorbed them; nothing is locked.

        Raises NotFound, or NotAllowed for a person of others.
        """

    async def get_all_for_update(self, person_ids: Sequence[UUID]) -> list[Person]:
        """Return people and lock their rows, and first their leads, deals, tasks and threads; every unit locks in this
        order. Raises NotFound if one is missing.
        """

    async def add(self, person: Person, now: datetime) -> None:
        """Store a new person."""

    async def save(self, person: Person, now: datetime) -> None:
        """Store a person's details."""

    async def candidates(self, identity: Identity) -> list[Identity]:
        """Return everybody else with the same phone number, address or name key, whoever's they are.

        Two units that ask about the same number, address or key wait for one another, so that neither misses the
        other's person.
        """

    async def set_duplicates(self, person_id: UUID, found: Sequence[Duplicate], now: datetime) -> None:
        """Keep who somebody may be, on both sides, instead of what was kept before."""

    async def belongings(self, person_ids: Sequence[UUID]) -> Mapping[RecordKind, int]:
        """Return how many records of each kind these people have."""

    async def absorb(self, survivor_id: UUID, absorbed_ids: Sequence[UUID], now: datetime) -> None:
        """Move all that belongs to the absorbed people, and lead their ids to the survivor."""

    async def consents(self, person_ids: Sequence[UUID]) -> list[HeldConsent]:
        """Return the consents of these people and lock them."""

    async def narrow(self, changes: Sequence[Narrowed]) -> None:
        """End consents earlier."""

    async def get_fact_for_update(self, fact_id: UUID) -> Fact:
        """Return a fact and lock its row; raises NotFound."""

    async def save_fact(self, fact: Fact, now: datetime) -> None:
        """Store a corrected fact."""

    async def has_fact(self, person_id: UUID, kind: FactKind, text: str) -> bool:
        """Whether a person has a fact of a kind with these words, in any case, that was not dismissed."""

    async def learned(self, person_id: UUID) -> list[Learned]:
        """Return the newest facts of a person that were not dismissed, a hundred at most."""

    async def spellings(self, person_id: UUID) -> list[Spelling]:
        """Return whoever may be named in what was said with a person: them, their relations and household, the team."""

    async def learn_fact(self, fact_id: UUID, command: FactLearn, now: datetime) -> None:
        """Store a fact, or what one says now."""

    async def touch(self, *person_ids: UUID) -> None:
        """Compute again when people were last contacted and what to do next for them, from what the unit has written.

        Call it last in a use case that changed their leads, interactions, tasks, threads or scores. It asks for
        no visibility: it follows a change that was allowed. A person who was absorbed or does not exist is left alone.
        """
