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
    w = Writer(unit.caller)
    t = w.alias(people)
    rule = own_person()(w, t)
    if rule is not None:
        # A statement of its own, for what was committed while the lock was waited for.
        result = await unit.connection.exec_driver_sql(
            f"select {rule} from people {t.name} where {t.tenant_id} = {w.tenant} and {t.id} = {w.bind(found, 'uuid')}",
            tuple(w.values),
        )
        if not result.scalar_one():
            raise NotAllowed("This person is not yours: open a lead of theirs, or have one shared.", field="personId")
    return found
