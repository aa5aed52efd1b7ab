"""Whose person somebody is: what is written about a person is written by those who own one of the person's leads."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from db.people.tables import people
from db.reading.writer import Writer
from db.visibility import own_person
from domain.errors import NotAllowed, NotFound

if TYPE_CHECKING:
    from db.unit import SqlUnit


async def heir(unit: SqlUnit, person_id: UUID, field: str | None) -> UUID:
    """Lock a person and return their id, or that of who absorbed them; raises NotFound naming `field`.

    Whoever waits for a lock is given the newest row, but only of the table that is locked: what else a statement looked
    at is as old as its snapshot. So nothing is asked here but the row itself, and each answer is followed anew.
    """
    while True:
        w = Writer(unit.caller)
        t = w.alias(people)
        result = await unit.connection.exec_driver_sql(
            f"select {t.merged_into_id} from people {t.name} where {t.tenant_id} = {w.tenant}"
            f" and {t.id} = {w.bind(person_id, 'uuid')} for no key update",
            tuple(w.values),
        )
        row = result.one_or_none()
        if row is None:
            raise NotFound(field=field)
        if row.merged_into_id is None:
            return person_id
        person_id = row.merged_into_id


async def owned(unit: SqlUnit, person_id: UUID) -> UUID:
    """Return a person who is the caller's own, or who absorbed that person, and lock the row.

    Raises NotFound, or NotAllowed for a person of others: everybody sees who exists, so this tells nothing new.
    """
    found = await heir(unit, person_id, "personId")
    # A statement of its own, for what was committed while the lock was waited for.
    if not await is_own(unit, found):
        raise _not_yours()
    return found


async def is_own(unit: SqlUnit, person_id: UUID) -> bool:
    """Whether a person who exists is the caller's own."""
    w = Writer(unit.caller)
    t = w.alias(people)
    rule = own_person()(w, t)
    if rule is None:
        return True
    result = await unit.connection.exec_driver_sql(
        f"select {rule} from people {t.name} where {t.tenant_id} = {w.tenant} and {t.id} = {w.bind(person_id, 'uuid')}",
        tuple(w.values),
    )
    return bool(result.scalar_one())


async def own_phone(unit: SqlUnit, person_id: UUID) -> str | None:
    """Return the number of a person who is the caller's own, or of who absorbed them; nothing is locked."""
    w = Writer(unit.caller)
    given, t = w.alias(people), w.alias(people)
    result = await unit.connection.exec_driver_sql(
        f"select {t.primary_phone_e164} as phone, {own_person()(w, t) or 'true'} as own from people {given.name}"
        f" join people {t.name} on {t.tenant_id} = {given.tenant_id}"
        f" and {t.id} = coalesce({given.merged_into_id}, {given.id})"
        f" where {given.tenant_id} = {w.tenant} and {given.id} = {w.bind(person_id, 'uuid')}",
        tuple(w.values),
    )
    row = result.one_or_none()
    if row is None:
        raise NotFound(field="personId")
    if not row.own:
        raise _not_yours()
    phone: str | None = row.phone
    return phone


def _not_yours() -> NotAllowed:
    return NotAllowed("This person is not yours: open a lead of theirs, or have one shared.", field="personId")
