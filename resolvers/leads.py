"""The edge of the lead use cases."""

from __future__ import annotations

from uuid import UUID

from domain import leads, proposals
from domain.access import Permission
from resolvers.context import Context
from resolvers.guard import allow
from resolvers.performing import perform


@allow(Permission.LEAD_WRITE)
async def lead_create(context: Context, command: leads.LeadCreate, idempotency_key: str | None) -> UUID:
    """Open a lead."""
    return await perform(context, leads.create, command, idempotency_key)


@allow(Permission.LEAD_WRITE)
async def lead_move(context: Context, command: leads.LeadMove) -> UUID:
    """Move a lead along the pipeline."""
    return await perform(context, leads.move, command)


@allow(Permission.LEAD_WRITE)
async def lead_update(context: Context, command: leads.LeadUpdate) -> UUID:
    """Store what is known better about a lead."""
    return await perform(context, leads.update, command)


@allow(Permission.LEAD_ASSIGN)
async def lead_assign(context: Context, command: leads.LeadAssign) -> UUID:
    """Give a lead to somebody, or to nobody."""
    return await perform(context, leads.assign, command)


@allow(Permission.LEAD_WRITE)
async def lead_tag(context: Context, command: proposals.LeadTag, idempotency_key: str | None) -> UUID:
    """Let a model look for tags of a lead."""
    return await perform(context, proposals.request, command, idempotency_key)


@allow(Permission.LEAD_WRITE)
async def property_interest_set(context: Context, command: leads.PropertyInterestSet) -> UUID:
    """Note how much a person wants a property or a project."""
    return await perform(context, leads.set_interest, command)
