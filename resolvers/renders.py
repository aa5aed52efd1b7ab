"""The edge of the render use cases."""

from __future__ import annotations

from uuid import UUID

from domain import renders
from domain.access import Permission
from resolvers.context import Context
from resolvers.guard import allow
from resolvers.performing import perform


@allow(Permission.JOB_WRITE)
async def render_submit(context: Context, command: renders.RenderSubmit, idempotency_key: str | None) -> UUID:
    """Have a photograph rendered."""
    return await perform(context, renders.submit, command, idempotency_key)
