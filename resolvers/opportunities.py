"""The edge of the opportunity use cases."""

from __future__ import annotations

from uuid import UUID

from domain import opportunities
from domain.access import Permission
from resolvers.context import Context
from resolvers.guard import allow
from resolvers.performing import perform


@allow(Permission.OPPORTUNITY_WRITE)
async def opportunity_create(
    context: Context, command: opportunities.OpportunityCreate, idempotency_key: str | None
) -> UUID:
    """Open a deal for a lead."""
    return await perform(context, opportunities.create, command, idempotency_key)


@allow(Permission.OPPORTUNITY_WRITE)
async def opportunity_update(context: Context, command: opportunities.OpportunityUpdate) -> UUID:
    """Let a deal go on."""
    return await perform(context, opportunities.update, command)
