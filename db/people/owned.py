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


async def owned(unit: SqlUnit, person_id: UUID) -> UUID:
    """Return a person who is the caller's own, or who absorbed that person, and lock the row.

    Raises NotFound, or NotAllowed for a person of others: everybody sees who exists, so this tells nothing new.
    """
    w = Writer(unit.caller)
    given, heir = w.alias(people), w.alias(people)
    rule = own_person()(w, heir)
    result = await unit.connection.exec_driver_sql(
        f"select {heir.id} as id, {rule or 'true'} as own from people {given.name} join people {heir.name}"
        f" on {heir.tenant_id} = {given.tenant_id} and {heir.id} = coalesce({given.merged_into_id}, {given.id})"
        f" where {given.tenant_id} = {w.tenant} and {given.id} = {w.bind(person_id, 'uuid')}"
        f" for no key update of {heir.name}",
        tuple(w.values),
    )
    row = result.one_or_none()
    if row is None:
        raise NotFound(field="personId")
    if not row.own:
        raise NotAllowed("This person is not yours: open a lead of theirs, or have one shared.", field="personId")
    found: UUID = row.id
    return found
