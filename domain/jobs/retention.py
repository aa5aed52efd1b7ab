"""How long work for models is kept once it has ended: what was asked and answered is personal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from domain.audit import AuditAction, Change

if TYPE_CHECKING:
    from domain.access import Caller
    from domain.unit import Unit, Units

AT_ONCE: Final = 50
"""How many jobs one unit removes, each with up to a thousand items: it holds their locks until it ends."""


class OldJobs(Protocol):
    """Finds tenants."""

    def old_jobs(self, before: datetime) -> AsyncIterator[tuple[Caller, UUID]]:
        """Yield the tenants that keep work for models which ended before a moment, each with who acts."""


async def sweep(units: Units, tenants: OldJobs, before: datetime, most: int = AT_ONCE) -> int:
    """Remove inference jobs that ended before a moment, with their items; return how many went.

    A job that a proposal names as its source loses its items only: it has no word of anybody itself. Renders stay with
    their pictures. A unit that did something says so once: an entry for each job would outlive what it is about.
    """
    total = 0
    async for caller, tenant_id in tenants.old_jobs(before):
        done = most
        while done >= most:
            async with units.write(caller) as unit:
                done = await _forget(unit, tenant_id, before, most)
            total += done
    return total


async def _forget(unit: Unit, tenant_id: UUID, before: datetime, most: int) -> int:
    done = await unit.jobs.forget(before, most)
    if done:
        unit.record(Change(AuditAction.DELETE, "JobsForgotten", "tenants", tenant_id, ("jobs",)))
    return done
