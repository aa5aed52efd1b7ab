"""How attempts end: what ends together is written together, one unit for all jobs of a tenant."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from app.worker.leases import HeldLease
from domain import jobs
from domain.access import Caller
from domain.errors import DomainError
from domain.jobs import End, Outcome, Settled
from domain.unit import Units

PAUSE_SECONDS: Final = 0.2
MOST: Final = 100
"""How many jobs one unit ends."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Ending:
    lease: HeldLease
    outcome: Outcome
    settled: asyncio.Future[Settled | None]


class Ends:
    """Writes how attempts end, again and again until the database takes it or the lease is over."""

    def __init__(self, units: Units) -> None:
        """Write in `units`."""
        self._units = units
        self._waiting: dict[Caller, list[_Ending]] = {}
        self._writing: dict[Caller, asyncio.Task[None]] = {}

    async def end(self, lease: HeldLease, outcome: Outcome) -> Settled | None:
        """End an attempt; return where the job stands, or None where it was not this worker's any more."""
        ending = _Ending(lease, outcome, asyncio.get_running_loop().create_future())
        caller = lease.claim.caller
        self._waiting.setdefault(caller, []).append(ending)
        if caller not in self._writing:
            # Each tenant has a writer of its own: one that has to wait keeps no other waiting.
            self._writing[caller] = asyncio.create_task(self._write(caller))
        return await ending.settled

    async def _write(self, caller: Caller) -> None:
        try:
            while together := self._waiting.pop(caller, []):
                for start in range(0, len(together), MOST):
                    await self._write_for(caller, together[start : start + MOST])
        finally:
            del self._writing[caller]

    async def _write_for(self, caller: Caller, endings: list[_Ending]) -> None:
        try:
            after = await self._written(caller, endings)
        except Exception as error:  # noqa: BLE001 -- whoever waits for an end hears why there is none.
            if len(endings) > 1:
                # One of them cannot be written: the others are not to share its lot.
                for ending in endings:
                    await self._write_for(caller, [ending])
            elif not endings[0].settled.done():
                endings[0].settled.set_exception(error)
        else:
            for ending in endings:
                if not ending.settled.done():
                    ending.settled.set_result(after.get(ending.lease.claim.job.id))

    async def _written(self, caller: Caller, endings: list[_Ending]) -> dict[UUID, Settled]:
        while True:
            for ending in endings:
                ending.lease.check()
            held = [ending for ending in endings if not ending.lease.lost.is_set()]
            if not held:
                return {}
            try:
                async with self._units.write(caller) as unit:
                    return await jobs.finish(unit, [_end(each) for each in held])
            except DomainError as error:
                log.warning("jobs_not_ended", error=type(error).__name__, count=len(held))
                await asyncio.sleep(PAUSE_SECONDS)


def _end(ending: _Ending) -> End:
    claim = ending.lease.claim
    # Chance only spreads what is tried again; nobody gains by guessing it.
    return End(claim.job.id, claim.token, ending.outcome, random.random())  # noqa: S311 -- as said above.
