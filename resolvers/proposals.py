"""The edge of the proposal use cases."""

from __future__ import annotations

from uuid import UUID

from domain import proposals
from domain.access import Permission
from resolvers.context import Context
from resolvers.guard import allow
from resolvers.performing import perform


@allow(Permission.PROPOSAL_DECIDE)
async def proposal_decide(context: Context, command: proposals.ProposalDecide) -> UUID:
    """Decide a proposal. One that is refused as overtaken expires, in a unit of its own: the first is undone."""
    try:
        return await perform(context, proposals.decide, command)
    except proposals.ProposalOvertaken:
        await perform(context, proposals.expire_overtaken, command.proposal_id)
        raise
