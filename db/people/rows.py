"""People as the rules know them: read with what the caller may see of them, written with what they are found by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import RowMapping

from db.people.source import PEOPLE
from db.people.tables import people
from db.reading.writer import Writer
from db.visibility import known_person, own_person
from domain.errors import NotFound
from domain.people import ContactType
from domain.people.emails import Email
from domain.people.phones import Phone
from domain.people.records import Person

if TYPE_CHECKING:
    from db.unit import SqlUnit


async def locked(unit: SqlUnit, person_ids: Sequence[UUID]) -> list[Person]:
    """Return people whom the caller may see, their rows locked by id, so that no two units wait for each other.

    Raises NotFound if one of them is missing or was absorbed. They are locked first and read afterwards, for what was
    committed while the locks were waited for.
    """
    w = Writer(unit.caller)
    t = w.alias(people)
    chosen = f"{t.tenant_id} = {w.tenant} and {t.id} = any({w.bind(list(person_ids), 'uuid[]')})"
    await unit.connection.exec_driver_sql(
        f"select from people {t.name} where {chosen} order by {t.id} for no key update", tuple(w.values)
    )
    known, own = known_person()(w, t) or "true", own_person()(w, t) or "true"
    visible = PEOPLE.visible(w, t) or "true"
    result = await unit.connection.exec_driver_sql(
        f"select {t.name}.*, {known} as known, {own} as own from people {t.name} where {chosen} and {visible}"
        f" order by {t.id}",
        tuple(w.values),
    )
    found = [_person(row) for row in result.mappings()]
    if len(found) != len(set(person_ids)):
        raise NotFound
    return found


def _person(row: RowMapping) -> Person:
    e164, address = row["primary_phone_e164"], row["primary_email"]
    return Person(
        id=row["id"],
        full_name=row["full_name"],
        phone=Phone(e164, row["primary_phone_country"], row["primary_phone_raw"] or e164) if e164 else None,
        email=Email(address, row["primary_email_normalised"] or address.lower()) if address else None,
        city=row["city"],
        contact_type=ContactType[row["contact_type"]] if row["contact_type"] else None,
        household_id=row["household_id"],
        known=row["known"],
        own=row["own"],
    )


def columns(person: Person) -> dict[str, object]:
    """Return the columns that hold a person's details."""
    return {
        "full_name": person.full_name,
        "name_key": person.identity.name_key,
        "primary_phone_e164": person.phone and person.phone.e164,
        "primary_phone_country": person.phone and person.phone.country,
        "primary_phone_raw": person.phone and person.phone.raw,
        "primary_email": person.email and person.email.address,
        "primary_email_normalised": person.email and person.email.normalised,
        "city": person.city,
        "contact_type": person.contact_type and person.contact_type.name,
        "household_id": person.household_id,
    }
