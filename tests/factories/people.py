"""People and leads."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from asyncpg import Connection, Record

from domain.values import new_id
from tests.factories.access import Tenant
from tests.factories.rows import insert


async def person(owner: "Connection[Record]", of: Tenant, *, full_name: str = "Asha Rao", **values: Any) -> UUID:
    """Make a person."""
    person_id = new_id()
    await insert(owner, "people", of.id, id=person_id, full_name=full_name, **values)
    return person_id


async def lead(owner: "Connection[Record]", of: Tenant, *, person_id: UUID, **values: Any) -> UUID:
    """Make a lead, NEW from the website unless told otherwise."""
    lead_id = new_id()
    values = {"stage": "NEW", "source": "WEBSITE", "stage_changed_at": datetime.now(UTC), **values}
    await insert(owner, "leads", of.id, id=lead_id, person_id=person_id, **values)
    return lead_id
