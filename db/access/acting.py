"""The system as a caller: who acts where nobody asked."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import transaction
from db.errors import answering
from domain.access import Caller, Role


async def system_caller(engine: AsyncEngine, tenant_id: UUID) -> Caller:
    """Return the system as a caller of a tenant."""
    with answering():
        async with transaction(engine, tenant_id) as connection:
            actor: UUID = (
                await connection.execute(
                    text("select id from system_actors where tenant_id = :tenant order by created_at, id limit 1"),
                    {"tenant": tenant_id},
                )
            ).scalar_one()
    return Caller(tenant_id, None, Role.ADMIN, (), system_actor_id=actor)
