"""The edge of the interaction use cases."""

from __future__ import annotations

from uuid import UUID

from domain import interactions
from domain.access import Permission
from resolvers.context import Context
from resolvers.guard import allow
from resolvers.performing import perform


@allow(Permission.INTERACTION_WRITE)
async def interaction_log(context: Context, command: interactions.InteractionLog, idempotency_key: str | None) -> UUID:
    """Log an interaction."""
    return await perform(context, interactions.log, command, idempotency_key)
