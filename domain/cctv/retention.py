"""How long camera events are kept, and evidence to which nobody agrees any more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from domain.audit import AuditAction, Change

if TYPE_CHECKING:
    from domain.access import Caller
    from domain.unit import Units

AT_ONCE: Final = 1_000
"""How many events one unit removes, and how many it unties: it holds their locks until it ends."""


class WatchedTenants(Protocol):
    """Finds tenants."""

    def watched(self) -> AsyncIterator[tuple[Caller, UUID]]:
        """Yield the tenants that keep camera events, each with who acts."""


async def sweep(units: Units, tenants: WatchedTenants, before: datetime, most: int = AT_ONCE) -> int:
    """Remove the events from before a moment, and untie those to which nobody agrees any more; return how many.

    A unit that did something says so once: an entry for each event would outlive what it is about.
    """
    total = 0
    async for caller, tenant_id in tenants.watched():
        done = most
        while done >= most:
            async with units.write(caller) as unit:
                done = await unit.cctv.forget(before, unit.now, most)
                if done:
                    fields = ("cctvEvents",)
                    unit.record(Change(AuditAction.DELETE, "CctvEventsForgotten", "tenants", tenant_id, fields))
            total += done
    return total
