"""What hangs on leads: shares and deals."""

from typing import Any
from uuid import UUID

from asyncpg import Connection, Record

from domain.values import new_id
from tests.factories.access import Tenant
from tests.factories.rows import insert


async def share(owner: "Connection[Record]", of: Tenant, *, lead_id: UUID, user_id: UUID) -> None:
    """Share a lead with a user."""
    await insert(owner, "lead_shares", of.id, lead_id=lead_id, user_id=user_id)


async def opportunity(
    owner: "Connection[Record]", of: Tenant, *, lead_id: UUID, person_id: UUID, **values: Any
) -> UUID:
    """Make a deal, OPEN unless told otherwise."""
    opportunity_id = new_id()
    values = {"stage": "OPEN", **values}
    await insert(owner, "opportunities", of.id, id=opportunity_id, lead_id=lead_id, person_id=person_id, **values)
    return opportunity_id
