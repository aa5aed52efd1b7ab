"""Jobs run by hand: an attempt is begun, and its handler is given the lease that a worker would give it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from app.wiring import System
from app.worker.frames import Frames
from app.worker.leases import HeldLease, Holding
from db.access.acting import system_caller
from db.jobs.queue import SqlJobQueue
from db.jobs.slots import SqlSlots
from domain import jobs
from domain.inference import Completed, Completion, Models, OnText, Places
from domain.jobs import LEASE, Claim, JobHandler, Outcome
from tests.factories.access import Tenant
from tests.gpu.models import Scripted


@dataclass(frozen=True, slots=True)
class Everybodys:
    """The same models for every tenant."""

    models: Models

    def of(self, tenant_id: UUID, places: Places | None = None) -> Models:
        assert places is not None, tenant_id
        return self.models


@dataclass(slots=True)
class Interrupted(Scripted):
    """Answers once something else has happened."""

    meanwhile: Callable[[], Awaitable[None]] = field(kw_only=True)

    async def complete(self, request: Completion, *, on_text: OnText | None = None) -> Completed:
        await self.meanwhile()
        return await Scripted.complete(self, request, on_text=on_text)


async def begin(system: System, engine: AsyncEngine, tenant: Tenant, job_id: UUID) -> HeldLease:
    """Begin an attempt of a job."""
    acting = await system_caller(engine, tenant.id)
    async with system.units.write(acting) as unit:
        [begun] = await jobs.begin(unit, [job_id], "a test")
    queue = SqlJobQueue(system.database.app, engine, system.units)
    holding = Holding(queue, system.units, SqlSlots(engine), Frames(system.bus.say), LEASE)
    return HeldLease(Claim(begun.job, begun.token, acting), holding)


async def work(system: System, lease: HeldLease, handler: JobHandler) -> Outcome:
    """Run a handler, and settle the job with what it returns."""
    claim = lease.claim
    outcome = await handler.run(claim.job, lease)
    await lease.told()
    async with system.units.write(claim.caller) as unit:
        await jobs.finish(unit, [jobs.End(claim.job.id, claim.token, outcome, 0.0)])
    return outcome
