"""Jobs run by hand: an attempt is begun, and its handler is given a lease that is checked as a worker's is."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from app.wiring import System
from db.access.acting import system_caller
from domain import jobs
from domain.access import Caller
from domain.inference import Models
from domain.jobs import Begun, JobHandler, Outcome, Slot, SlotKind
from domain.unit import Unit
from tests.factories.access import Tenant


@dataclass(frozen=True, slots=True)
class Everybodys:
    """The same models for every tenant."""

    models: Models

    def of(self, _tenant_id: UUID) -> Models:
        return self.models


@dataclass(slots=True)
class HeldLease:
    """A lease of an attempt; what is told of its progress is dropped."""

    system: System
    acting: Caller
    begun: Begun
    token: UUID
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[Unit]:
        async with self.system.units.write(self.acting) as unit:
            await unit.jobs.leased(self.begun.job.id, self.token)
            yield unit

    async def progress(self, value: int, most: int, step: str | None = None) -> None:
        pass

    async def delta(self, request_id: str, text: str) -> None:
        pass

    def slot(self, kind: SlotKind, resources: Sequence[str]) -> AbstractAsyncContextManager[Slot]:
        raise NotImplementedError


async def begin(system: System, engine: AsyncEngine, tenant: Tenant, job_id: UUID) -> HeldLease:
    """Begin an attempt of a job."""
    acting = await system_caller(engine, tenant.id)
    async with system.units.write(acting) as unit:
        [begun] = await jobs.begin(unit, [job_id], "a test")
    return HeldLease(system, acting, begun, begun.token)


async def work(lease: HeldLease, handler: JobHandler) -> Outcome:
    """Run a handler, and settle the job with what it returns."""
    outcome = await handler.run(lease.begun.job, lease)
    async with lease.system.units.write(lease.acting) as unit:
        await jobs.finish(unit, lease.begun.job.id, lease.begun.token, outcome, 0.0)
    return outcome
