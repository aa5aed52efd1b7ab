"""What a worker does with its jobs: how they end, what is told of them meanwhile, and when they have to stop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeAlias, cast
from uuid import UUID, uuid4

import pytest
from asyncpg import Connection, Record
from sqlalchemy import text

from app.commands.worker import queues
from app.failures import CannotContinue
from app.wiring import System
from app.worker.declaring import declaring
from app.worker.ends import Ends
from app.worker.leases import HeldLease, Holding
from app.worker.running import CONNECTIONS, made
from app.worker.working import Rules, Worker
from db.access.acting import system_caller
from db.jobs.queue import SqlJobQueue
from db.jobs.slots import SqlSlots
from db.roles import set_tenant
from db.unit import SqlUnit
from domain import jobs
from domain.access import Caller, Role
from domain.errors import Unavailable
from domain.jobs import (
    Beat,
    Cancelled,
    Claim,
    Failed,
    InferenceTask,
    JobHandler,
    JobKind,
    Lease,
    NewJob,
    Outcome,
    Partial,
    RenderWorkflow,
    RunningJob,
    SlotKind,
    Succeeded,
    Work,
)
from domain.unit import Units
from tests.factories.access import Tenant
from tests.factories.rows import rows_of
from tests.serving import PATIENCE

Owner: TypeAlias = "Connection[Record]"
CHAT = NewJob(kind=JobKind.INFERENCE, task=InferenceTask.CHAT, takes_slot=False)
LEASE = timedelta(seconds=30)


@dataclass(slots=True)
class Told:
    """Frames that a worker told."""

    progress: list[tuple[int, int, str | None]] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)

    def progressed(self, _job: RunningJob, value: int, most: int, step: str | None) -> None:
        self.progress.append((value, most, step))

    def grown(self, _job: RunningJob, request_id: str, text: str) -> None:
        self.texts.append((request_id, text))

    async def until(self, count: int) -> None:
        """Wait for so much progress."""
        async with asyncio.timeout(PATIENCE):
            while len(self.progress) < count:
                await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.01)


@dataclass(slots=True)
class Doing:
    """A handler that does what a test says."""

    do: Callable[[RunningJob, Lease], Awaitable[Outcome]]

    async def run(self, job: RunningJob, lease: Lease) -> Outcome:
        return await self.do(job, lease)


@dataclass(slots=True)
class Shop:
    """A worker in this process that takes the fresh tenant's jobs and no others."""

    system: System
    tenant: Tenant
    owner: Owner
    told: Told
    holding: Holding

    async def enqueue(self, job: NewJob = CHAT) -> UUID:
        async with self.system.units.write(self.tenant.caller(Role.JUNIOR_BROKER)) as unit:
            return await unit.jobs.enqueue(job)

    async def done(
        self, do: Callable[[RunningJob, Lease], Awaitable[Outcome]] | None, *, within: float | None = None
    ) -> Record:
        """Have one job done, within so many seconds; return its row."""
        job_id = await self.enqueue()
        handlers: dict[Work, JobHandler] = {}
        if do is not None:
            handlers[Work(JobKind.INFERENCE, InferenceTask.CHAT)] = Doing(do)
        worker = Worker("test", [JobKind.INFERENCE], handlers, self.holding, Rules(grace_seconds=0))
        async with self.system.units.write(await self.caller()) as unit:
            [begun] = await jobs.begin(unit, [job_id], "test")
        job = begun.job if within is None else replace(begun.job, seconds_left=within)
        lease = HeldLease(jobs.Claim(job, begun.token, await self.caller()), self.holding)
        worker.running[job_id] = lease
        await worker._run(lease)
        return await self.row(job_id)

    async def caller(self) -> Caller:
        return await system_caller(self.system.engine, self.tenant.id)

    async def row(self, job_id: UUID) -> Record:
        [row] = [each for each in await rows_of(self.owner, "jobs", self.tenant.id) if each["id"] == job_id]
        return row


@pytest.fixture
async def shop(system: System, tenant: Tenant, owner_connection: Owner, nobodys_jobs: None) -> AsyncIterator[Shop]:
    queue, told = SqlJobQueue(system.database.app, system.engine, system.units), Told()
    holding = Holding(queue, system.units, SqlSlots(system.engine), told, LEASE)
    yield Shop(system, tenant, owner_connection, told, holding)
    await queue.close()


def ending(outcome: Outcome | BaseException) -> Callable[[RunningJob, Lease], Awaitable[Outcome]]:
    async def do(_job: RunningJob, _lease: Lease) -> Outcome:
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return do


@pytest.mark.parametrize(
    ("outcome", "status", "code"),
    [
        (Succeeded(), "SUCCEEDED", None),
        (Partial(), "PARTIAL", None),
        (Cancelled(), "CANCELLED", None),
        (Failed("REFUSED", "The model refused.", retryable=False), "FAILED", "REFUSED"),
        (Failed("BUSY", "The model is busy.", retryable=True), "QUEUED", "BUSY"),
        (Unavailable("No model is there."), "QUEUED", "UNAVAILABLE"),
        (ZeroDivisionError(), "QUEUED", "INTERNAL"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else value,
)
async def test_jobs_end_as_their_handlers_say(
    shop: Shop, outcome: Outcome | Exception, status: str, code: str | None
) -> None:
    row = await shop.done(ending(outcome))
    assert (row["status"], row["error_code"]) == (status, code)


async def test_a_job_that_nobody_knows_how_to_do_waits_for_somebody_who_does(shop: Shop) -> None:
    row = await shop.done(None)
    assert (row["status"], row["error_code"]) == ("QUEUED", "NO_HANDLER")


async def test_what_a_handler_writes_is_written_under_its_lease(shop: Shop) -> None:
    async def do(job: RunningJob, lease: Lease) -> Outcome:
        async with lease.unit() as unit:
            await unit.jobs.count(job.id, completed=2, failed=1)
        return Partial()

    row = await shop.done(do)
    assert (row["completed_count"], row["failed_count"], row["status"]) == (2, 1, "PARTIAL")


async def test_a_lost_lease_ends_the_handler_and_leaves_nothing(shop: Shop) -> None:
    async def do(job: RunningJob, lease: Lease) -> Outcome:
        await set_tenant(shop.owner, shop.tenant.id)
        await shop.owner.execute("UPDATE jobs SET leased_until = now() WHERE id = $1", job.id)
        async with lease.unit() as unit:
            await unit.jobs.count(job.id, completed=1)
        raise AssertionError("Nobody gets here.")

    row = await shop.done(do)
    assert (row["status"], row["completed_count"]) == ("RUNNING", 0)


async def test_the_newest_progress_and_gathered_text_are_told_and_nothing_is_lost_at_the_end(shop: Shop) -> None:
    async def do(_job: RunningJob, lease: Lease) -> Outcome:
        for number in range(1, 51):
            await lease.progress(number, 50, f"Step {number}")
            await lease.delta("a", f"{number} ")
        return Succeeded()

    row = await shop.done(do)
    assert shop.told.progress[-1] == (50, 50, "Step 50")
    assert len(shop.told.progress) <= 2
    assert "".join(text for _, text in shop.told.texts) == "".join(f"{number} " for number in range(1, 51))
    assert (row["progress_value"], row["progress_max"], row["progress_step"]) == (50, 50, "Step 50")


async def test_progress_that_cannot_be_stored_ends_nothing(shop: Shop) -> None:
    async def do(_job: RunningJob, lease: Lease) -> Outcome:
        await lease.progress(1, 2, "s" * 500)
        await shop.told.until(1)
        await lease.progress(-1, 0)
        return Succeeded()

    row = await shop.done(do)
    assert (row["status"], row["progress_value"], row["progress_step"]) == ("SUCCEEDED", 1, "s" * 200)


async def test_a_handler_that_was_cancelled_by_something_else_has_failed(shop: Shop) -> None:
    row = await shop.done(ending(asyncio.CancelledError()))
    assert (row["status"], row["error_code"]) == ("QUEUED", "INTERNAL")


async def ends_of(shop: Shop, *tenants: Tenant) -> list[HeldLease]:
    """Begin a job for each of these tenants; return the leases."""
    leases = []
    for each in tenants:
        acting = await system_caller(shop.system.engine, each.id)
        async with shop.system.units.write(acting) as unit:
            [begun] = await jobs.begin(unit, [await unit.jobs.enqueue(CHAT)], "test")
        leases.append(HeldLease(jobs.Claim(begun.job, begun.token, acting), shop.holding))
    return leases


async def test_an_end_that_cannot_be_written_keeps_no_other_from_being_written(shop: Shop, tenant: Tenant) -> None:
    ends, leases = Ends(shop.system.units), await ends_of(shop, tenant, tenant, tenant)
    strange = cast("Outcome", object())
    after = await asyncio.gather(
        *(ends.end(*each) for each in zip(leases, (Succeeded(), strange, Partial()), strict=True)),
        return_exceptions=True,
    )
    assert [isinstance(each, jobs.Settled) for each in after] == [True, False, True]
    statuses = [(await shop.row(lease.claim.job.id))["status"] for lease in leases]
    assert statuses == ["SUCCEEDED", "RUNNING", "PARTIAL"]


async def test_a_tenant_that_waits_keeps_no_other_waiting(shop: Shop, tenant: Tenant, other_tenant: Tenant) -> None:
    ends, [waiting, going] = Ends(shop.system.units), await ends_of(shop, tenant, other_tenant)
    async with shop.owner.transaction(), asyncio.timeout(PATIENCE):
        await set_tenant(shop.owner, tenant.id)
        await shop.owner.execute("SELECT FROM tenant_heads WHERE tenant_id = $1 FOR UPDATE", tenant.id)
        first = asyncio.create_task(ends.end(waiting, Succeeded()))
        assert await ends.end(going, Succeeded()) == jobs.Settled(jobs.JobStatus.SUCCEEDED)
        assert not first.done()
    assert await first == jobs.Settled(jobs.JobStatus.SUCCEEDED)


async def test_a_handler_waits_for_a_slot_and_gives_it_back(shop: Shop) -> None:
    resource, slots = f"near-{uuid4()}", SqlSlots(shop.system.engine)
    await slots.declare(SlotKind.LLM, resource, 1)
    await slots.open(SlotKind.LLM, resource, to=False)

    async def do(_job: RunningJob, lease: Lease) -> Outcome:
        waiting = asyncio.create_task(held(lease))
        await slots.open(SlotKind.LLM, resource, to=True)
        assert await waiting == resource
        return Succeeded()

    async def held(lease: Lease) -> str:
        async with lease.slot(SlotKind.LLM, [resource]) as slot:
            assert await slots.held(SlotKind.LLM, resource) == 1
            return slot.resource

    assert (await shop.done(do))["status"] == "SUCCEEDED"
    assert await slots.held(SlotKind.LLM, resource) == 0
    await slots.declare(SlotKind.LLM, resource, 0)


async def never(_job: RunningJob, _lease: Lease) -> Outcome:
    await asyncio.Event().wait()
    return Succeeded()


async def test_a_job_is_stopped_at_its_deadline(shop: Shop) -> None:
    row = await shop.done(never, within=0.2)
    assert (row["status"], row["error_code"]) == ("FAILED", "DEADLINE_PASSED")


async def test_a_cancelled_job_is_stopped_even_if_its_handler_does_not_listen(shop: Shop) -> None:
    async def do(job: RunningJob, lease: Lease) -> Outcome:
        async with shop.system.units.write(shop.tenant.caller(Role.JUNIOR_BROKER)) as unit:
            await jobs.cancel(unit, jobs.JobCancel(job.id))
        assert isinstance(lease, HeldLease)
        lease.cancelled.set()
        return await never(job, lease)

    assert (await shop.done(do))["status"] == "CANCELLED"


@asynccontextmanager
async def at_work(
    system: System, handler: JobHandler, lease: timedelta, queue: SqlJobQueue | None = None, most: int = 100
) -> AsyncIterator[Worker]:
    """A worker that takes whatever there is."""
    queue = queue or SqlJobQueue(system.database.app, system.engine, system.units, lease)
    holding = Holding(queue, system.units, SqlSlots(system.engine), Told(), lease)
    handlers = {Work(JobKind.INFERENCE, task): handler for task in InferenceTask}
    rules = Rules(most=most, poll_seconds=60)
    worker = Worker("test", tuple(JobKind), {**handlers, Work(JobKind.RENDER): handler}, holding, rules)
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.drain()
        worker.drain()
        await running
        await queue.close()


async def test_a_worker_hears_of_new_jobs_and_of_those_that_are_to_stop(shop: Shop, tenant: Tenant) -> None:
    began: asyncio.Queue[UUID] = asyncio.Queue()

    async def do(job: RunningJob, lease: Lease) -> Outcome:
        if job.tenant_id == tenant.id:
            began.put_nowait(job.id)
            await lease.cancelled.wait()
        return Cancelled()

    async with at_work(shop.system, Doing(do), LEASE) as worker, asyncio.timeout(PATIENCE):
        first = await shop.enqueue()
        assert await began.get() == first
        # It looks by itself once a minute: of this one it is told.
        second = await shop.enqueue()
        assert await began.get() == second
        async with shop.system.units.write(tenant.caller(Role.JUNIOR_BROKER)) as unit:
            await jobs.cancel(unit, jobs.JobCancel(first))
        while first in worker.running:
            await shop.row(first)
        assert second in worker.running
    assert (await shop.row(first))["status"] == "CANCELLED"
    assert (await shop.row(second))["status"] == "QUEUED"


RENDER = NewJob(kind=JobKind.RENDER, workflow=RenderWorkflow.STAGING, takes_slot=False)


@pytest.mark.usefixtures("nobodys_jobs")
async def test_no_kind_of_job_waits_for_those_of_another_to_end(shop: Shop, tenant: Tenant) -> None:
    began: asyncio.Queue[JobKind] = asyncio.Queue()

    async def do(job: RunningJob, _lease: Lease) -> Outcome:
        assert job.tenant_id == tenant.id
        began.put_nowait(job.kind)
        await asyncio.Event().wait()
        return Succeeded()

    async with at_work(shop.system, Doing(do), LEASE, most=1) as worker, asyncio.timeout(PATIENCE):
        for job in (CHAT, CHAT, RENDER):
            await shop.enqueue(job)
        assert {await began.get(), await began.get()} == set(JobKind)
        assert (len(worker.running), worker.most) == (2, 2)


class Failing(SqlJobQueue):
    """A queue with a defect, now and then."""

    claimed, beaten, swept = 0, 0, 0

    async def claim(self, worker: str, kinds: Sequence[JobKind], most: int) -> list[Claim]:
        self.claimed += 1
        if self.claimed == 1:
            self.wake()
            raise ZeroDivisionError
        return await super().claim(worker, kinds, most)

    async def beat(self, claims: Sequence[Claim]) -> Beat:
        self.beaten += 1
        if self.beaten == 1:
            raise ZeroDivisionError
        return await super().beat(claims)


async def test_no_defect_keeps_a_worker_from_going_on(shop: Shop, tenant: Tenant) -> None:
    queue = Failing(shop.system.database.app, shop.system.engine, shop.system.units, timedelta(seconds=1))

    async def do(job: RunningJob, lease: Lease) -> Outcome:
        while job.tenant_id == tenant.id and queue.beaten < 4:
            async with lease.unit():
                pass
        return Succeeded()

    async with at_work(shop.system, Doing(do), timedelta(seconds=1), queue), asyncio.timeout(PATIENCE):
        job_id = await shop.enqueue()
        while (await shop.row(job_id))["status"] != "SUCCEEDED":
            pass
    assert queue.claimed > 1


async def test_capacity_is_declared_again_and_again_whatever_fails_in_between() -> None:
    said: asyncio.Queue[int] = asyncio.Queue()

    async def declare() -> None:
        said.put_nowait(said.qsize())
        if said.qsize() == 2:
            raise Unavailable

    async with declaring(declare, seconds=0.01), asyncio.timeout(PATIENCE):
        while said.qsize() < 4:
            await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.01)


async def test_a_worker_lets_slots_go_that_nobody_declares_any_more(shop: Shop) -> None:
    resources, slots = [f"removed-{uuid4()}", f"kept-{uuid4()}"], SqlSlots(shop.system.engine)
    for resource in resources:
        await slots.declare(SlotKind.LLM, resource, 1)
    await shop.owner.execute(
        "UPDATE slots SET declared_at = now() - interval '11 minutes' WHERE resource = $1", resources[0]
    )
    left = "SELECT resource FROM slots WHERE resource = any($1)"
    async with at_work(shop.system, Doing(ending(Succeeded())), LEASE), asyncio.timeout(PATIENCE):
        while len(rows := await shop.owner.fetch(left, resources)) > 1:
            pass
    assert [row["resource"] for row in rows] == resources[1:]
    await slots.declare(SlotKind.LLM, resources[1], 0)


async def test_a_worker_that_lost_its_connection_hears_of_new_jobs_again(
    shop: Shop, tenant: Tenant, superuser_connection: Owner
) -> None:
    began: asyncio.Queue[UUID] = asyncio.Queue()

    async def do(job: RunningJob, _lease: Lease) -> Outcome:
        if job.tenant_id == tenant.id:
            began.put_nowait(job.id)
        return Succeeded()

    queue = SqlJobQueue(shop.system.database.app, shop.system.engine, shop.system.units, LEASE)
    async with at_work(shop.system, Doing(do), LEASE, queue), asyncio.timeout(PATIENCE):
        first = await shop.enqueue()
        assert await began.get() == first
        lost = queue._connection
        assert lost is not None
        await superuser_connection.execute("SELECT pg_terminate_backend($1)", lost.get_server_pid())
        # It looks by itself once a minute: it has noticed, and listens again.
        second = await shop.enqueue()
        assert await began.get() == second
        third = await shop.enqueue()
        assert await began.get() == third
        assert queue._connection is not lost


async def test_leases_are_renewed_though_units_have_every_other_connection(shop: Shop, tenant: Tenant) -> None:
    began, go = asyncio.Event(), asyncio.Event()

    async def do(job: RunningJob, _lease: Lease) -> Outcome:
        if job.tenant_id == tenant.id:
            began.set()
            await go.wait()
        return Succeeded()

    async def busy(units: Units) -> None:
        async with units.write(await shop.caller()) as unit:
            await cast("SqlUnit", unit).connection.execute(text("select pg_sleep(2.5)"))

    settings = shop.system.settings.model_copy(update={"lease_seconds": 1, "worker_grace_seconds": 0})
    handlers = {Work(JobKind.INFERENCE, InferenceTask.CHAT): Doing(do)}
    dsn, bus = shop.system.database.app, shop.system.bus
    async with made(settings, dsn, bus, [JobKind.INFERENCE], handlers) as worker, asyncio.timeout(PATIENCE):
        running = asyncio.create_task(worker.run())
        job_id = await shop.enqueue()
        await began.wait()
        await asyncio.gather(*(busy(worker._holding.units) for _ in range(CONNECTIONS)))
        go.set()
        while (await shop.row(job_id))["status"] == "RUNNING":
            pass
        worker.drain()
        await running
    row = await shop.row(job_id)
    assert (row["status"], row["attempt"]) == ("SUCCEEDED", 1)


async def test_leases_of_running_jobs_are_renewed(shop: Shop, tenant: Tenant) -> None:
    began, go = asyncio.Event(), asyncio.Event()

    async def do(job: RunningJob, _lease: Lease) -> Outcome:
        if job.tenant_id == tenant.id:
            began.set()
            await go.wait()
        return Succeeded()

    async with at_work(shop.system, Doing(do), timedelta(seconds=4)), asyncio.timeout(PATIENCE):
        job_id = await shop.enqueue()
        await began.wait()
        at_first = (await shop.row(job_id))["leased_until"]
        # It is renewed thrice while it would have lasted once: this is the second time.
        while (await shop.row(job_id))["leased_until"] < at_first + timedelta(seconds=2):
            pass
        go.set()
        while (await shop.row(job_id))["status"] == "RUNNING":
            pass
    assert (await shop.row(job_id))["status"] == "SUCCEEDED"


def test_a_queue_that_is_none_is_named() -> None:
    assert queues(" render,inference,render ") == [JobKind.RENDER, JobKind.INFERENCE]
    for wrong in ("", "inference,gpu"):
        with pytest.raises(CannotContinue, match="Choose among inference, render"):
            queues(wrong)
