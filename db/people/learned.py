"""What a model is told of a person, and whoever may be named in it: their spellings never leave the premises."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.people import FactKind
from domain.people.facts import Learned
from domain.structured import Identity

_FACTS: Final = text("""
    select kind, text, quote from facts where tenant_id = :tenant and person_id = :person and dismissed_at is null
    order by created_at desc, id desc limit 100
""")

# Somebody who was absorbed may have been called otherwise.
_PEOPLE: Final = text("""
    select full_name, primary_phone_e164, primary_phone_raw, primary_email from people p
    where p.tenant_id = :tenant and (p.id = :person or p.merged_into_id = :person
        or p.id in (select other_id from relationships where tenant_id = :tenant and person_id = :person
            union select person_id from relationships where tenant_id = :tenant and other_id = :person)
        or p.household_id = (select household_id from people where tenant_id = :tenant and id = :person))
    order by p.id
""")
_TEAM: Final = text("select full_name, email from users where tenant_id = :tenant order by id")


async def facts(connection: AsyncConnection, tenant_id: UUID, person_id: UUID) -> list[Learned]:
    """Return the newest facts of a person."""
    rows = await connection.execute(_FACTS, {"tenant": tenant_id, "person": person_id})
    return [Learned(FactKind[row.kind], row.text, row.quote) for row in rows]


async def spellings(connection: AsyncConnection, tenant_id: UUID, person_id: UUID) -> list[Identity]:
    """Return a person, those who are tied to them, and everybody of the team."""
    people = await connection.execute(_PEOPLE, {"tenant": tenant_id, "person": person_id})
    team = await connection.execute(_TEAM, {"tenant": tenant_id})
    return [
        *(
            Identity(
                names=(row.full_name,),
                phones=tuple({number for number in (row.primary_phone_e164, row.primary_phone_raw) if number}),
                emails=(row.primary_email,) if row.primary_email else (),
            )
            for row in people
        ),
        *(Identity(names=(row.full_name,), emails=(row.email,)) for row in team),
    ]
