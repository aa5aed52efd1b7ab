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
        self._waiting: list[_Ending] = []
        self._writing: asyncio.Task[None] | None = None

    async def end(self, lease: HeldLease, outcome: Outcome) -> Settled | None:
        """End an attempt; return where the job stands, or None where it was not this worker's any more."""
        ending = _Ending(lease, outcome, asyncio.get_running_loop().create_future())
        self._waiting.append(ending)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await ending.settled

    async def _write(self) -> None:
        try:
            while self._waiting:
                together, self._waiting = self._waiting, []
                by_tenant: dict[Caller, list[_Ending]] = {}
                for ending in together:
                    by_tenant.setdefault(ending.lease.claim.caller, []).append(ending)
                for caller, endings in by_tenant.items():
                    for start in range(0, len(endings), MOST):
                        await self._write_for(caller, endings[start : start + MOST])
        finally:
            self._writing = None

    async def _write_for(self, caller: Caller, endings: list[_Ending]) -> None:
        try:
            after = await self._written(caller, endings)
        except Exception as error:  # noqa: BLE001 -- whoever waits for an end hears why there is none.
            for ending in endings:
                ending.settled.set_exception(error)
        else:
            for ending in endings:
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
