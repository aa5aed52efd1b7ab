"""Two records of one person become one: everything moves to the one that is kept, and no consent grows by it.

What is kept of the details is the survivor's own; only what the survivor lacks is taken over, from the absorbed people
in the order in which they are named.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

from domain.audit import AuditAction, Change, CrmActivityKind
from domain.errors import Invalid
from domain.people.consents import narrowed
from domain.people.details import find_duplicates
from domain.people.kinds import RecordKind
from domain.people.records import Person, PersonNotYours

if TYPE_CHECKING:
    from domain.unit import Unit

MOST_ABSORBED: Final = 20


@dataclass(frozen=True, slots=True)
class PersonMerge:
    """Who is kept and who is absorbed; a dry run only tells what would move."""

    keep_person_id: UUID
    absorb_person_ids: Sequence[UUID]
    dry_run: bool = True


@dataclass(frozen=True, slots=True)
class Moved:
    """How many records of a kind the absorbed people have: they move, or join the same record of the survivor."""

    kind: RecordKind
    count: int


@dataclass(frozen=True, slots=True)
class PersonMerged:
    """What a merge did, or would do."""

    person_id: UUID
    absorbed_ids: tuple[UUID, ...]
    moved: tuple[Moved, ...]
    dry_run: bool


async def merge(unit: Unit, command: PersonMerge) -> PersonMerged:
    """Merge people into one, or preview it. The caller must see all of them in full: a merge shows one to the other.

    Raises Invalid, NotFound (also for somebody who was absorbed before) and PersonNotYours.
    """
    absorbed_ids = _absorbed(command)
    people = {
        person.id: person for person in await unit.people.get_all_for_update((command.keep_person_id, *absorbed_ids))
    }
    if not all(person.own for person in people.values()):
        raise PersonNotYours("Your role merges only people of your own and your teams' leads.")
    counts = await unit.people.belongings(absorbed_ids)
    moved = tuple(Moved(kind, counts[kind]) for kind in RecordKind if counts.get(kind))
    merged = PersonMerged(command.keep_person_id, absorbed_ids, moved, command.dry_run)
    if not command.dry_run:
        survivor = completed(people[command.keep_person_id], [people[each] for each in absorbed_ids])
        await _carry_out(unit, survivor, absorbed_ids)
    return merged


def completed(survivor: Person, absorbed: Iterable[Person]) -> Person:
    """Return the survivor with the details that only absorbed people have."""
    for person in absorbed:
        survivor = replace(
            survivor,
            phone=survivor.phone or person.phone,
            email=survivor.email or person.email,
            city=survivor.city or person.city,
            contact_type=survivor.contact_type or person.contact_type,
            household_id=survivor.household_id or person.household_id,
        )
    return survivor


def _absorbed(command: PersonMerge) -> tuple[UUID, ...]:
    absorbed = tuple(dict.fromkeys(command.absorb_person_ids))
    if not 1 <= len(absorbed) <= MOST_ABSORBED:
        raise Invalid(f"A merge absorbs 1 to {MOST_ABSORBED} people.", field="absorbPersonIds")
    if command.keep_person_id in absorbed:
        raise Invalid("The person who is kept cannot be absorbed.", field="absorbPersonIds")
    return absorbed


async def _carry_out(unit: Unit, survivor: Person, absorbed_ids: tuple[UUID, ...]) -> None:
    changes = narrowed(await unit.people.consents((survivor.id, *absorbed_ids)), unit.now)
    await unit.people.narrow(changes)
    await unit.people.absorb(survivor.id, absorbed_ids, unit.now)
    await unit.people.save(survivor, unit.now)
    await find_duplicates(unit, survivor)
    await unit.people.touch(survivor.id)
    for change in changes:
        unit.record(
            Change(
                action=AuditAction.WITHDRAW,
                event="ConsentNarrowed",
                noun="consents",
                id=change.id,
                fields=("withdrawnAt",) if change.withdrawn_at is not None else ("expiresAt",),
                person_id=survivor.id,
            )
        )
    for absorbed_id in absorbed_ids:
        unit.record(
            Change(
                action=AuditAction.MERGE,
                event="PersonMerged",
                noun="people",
                id=absorbed_id,
                fields=("mergedInto",),
                person_id=survivor.id,
                activity=CrmActivityKind.PERSON_MERGED,
                summary="Two people merged into one",
            )
        )
