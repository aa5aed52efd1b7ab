"""The edge of the fleet's use cases."""

from __future__ import annotations

from collections.abc import Sequence

from domain import fleet as domain
from domain.access import Permission
from resolvers.context import Context
from resolvers.guard import allow
from resolvers.performing import perform


@allow(Permission.FLEET_READ)
async def fleet(context: Context) -> domain.FleetView:
    """Return the machines and what they do."""
    return await context.fleet.view()


@allow(Permission.FLEET_MODE_SET)
async def fleet_mode_set(context: Context, command: domain.FleetModeSet) -> tuple[domain.FleetView, Sequence[str]]:
    """Set the mode and bring it about as far as a few seconds go."""
    await perform(context, domain.set_mode, command)
    unconfirmed = await context.fleet.settle()
    return await context.fleet.view(), unconfirmed
