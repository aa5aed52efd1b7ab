"""How many jobs a second are enqueued and finished, and how soon one begins: beside bare PgQueuer in one database.

Both do nothing in a handler, in this process, one after the other in each round. Bare PgQueuer keeps no result, tells
nobody and holds no lease; a job of Velocity's has its row, three events, two audit entries, and a lease with its token.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from statistics import quantiles
from typing import Final

import asyncpg
import structlog
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.db import AsyncpgDriver
from pgqueuer.domain.models import Job
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import Channel
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries

from app.wiring import System, system
from app.worker.running import made
from bench.live.place import Lively
from domain.access import Caller
from domain.jobs import InferenceTask, JobKind, Lease, NewJob, Outcome, RunningJob, Succeeded, Work

TOGETHER: Final = 100
"""Jobs of one transaction, and jobs that are taken at once; twice as many run at once. The same for both."""
PER_SECOND: Final = 500
"""How many jobs are done for each second of a round."""
ALONE: Final = 40
"""How many jobs come one by one, each once the one before it was begun."""
NOTHING: Final = NewJob(kind=JobKind.INFERENCE, task=InferenceTask.CHAT, takes_slot=False)
LEFT: Final = (
    "SELECT EXISTS (SELECT FROM jobs WHERE status = 'QUEUED') OR EXISTS (SELECT FROM jobs WHERE status = 'RUNNING')"
)
BARE: Final = DBSettings(db_schema="bench_bare", channel=Channel("ch_bench_bare"))


@dataclass(frozen=True, slots=True)
class Worked:
    """Jobs a second, and milliseconds from a commit to the beginning of its job's handler."""

    enqueued_per_second: float
    finished_per_second: float
    claim_p50_ms: float
    claim_p95_ms: float


class Handled:
    """What handlers have begun."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.count = 0
        self._wanted = 0
        self._there: asyncio.Future[float] | None = None

    def note(self) -> None:
        """Note that a job has begun."""
        self.count += 1
        if self._there is not None and self.count >= self._wanted and not self._there.done():
            self._there.set_result(time.perf_counter())

    def after(self, more: int) -> asyncio.Future[float]:
        """Return what is told the moment at which so many more have begun."""
        self._wanted = self.count + more
        self._there = asyncio.get_running_loop().create_future()
        return self._there


async def measured(place: Lively, seconds: float) -> dict[str, Worked]:
    """Measure both, bare PgQueuer first."""
    count = round(PER_SECOND * seconds)
    return {"pgqueuer": await _bare(place, count), "velocity": await _ours(place, count)}


async def _bare(place: Lively, count: int) -> Worked:
    owner = await asyncpg.connect(place.addresses.owner)
    working = await asyncpg.connect(place.addresses.owner)
    handled = Handled()
    try:
        queries = _queries(owner)
        await owner.execute("DROP SCHEMA IF EXISTS bench_bare CASCADE")
        await queries.install()
        manager = QueueManager(_queries(working), channel=BARE.channel)

        @manager.entrypoint("nothing")
        async def nothing(_job: Job) -> None:
            handled.note()

        async def enqueue(how_many: int) -> None:
            many = how_many
            await queries.enqueue(["nothing"] * many, [b"{}"] * many, [0] * many)

        async def done() -> bool:
            left: int = await owner.fetchval("SELECT count(*) FROM bench_bare.pgqueuer")
            return left == 0

        @asynccontextmanager
        async def works() -> AsyncIterator[None]:
            running = asyncio.create_task(
                manager.run(
                    batch_size=TOGETHER, max_concurrent_tasks=2 * TOGETHER, dequeue_timeout=timedelta(seconds=2)
                )
            )
            try:
                yield
            finally:
                manager.shutdown.set()
                await running

        return await _worked(enqueue, works, done, handled, count)
    finally:
        await working.close()
        await owner.execute("DROP SCHEMA IF EXISTS bench_bare CASCADE")
        await owner.close()


def _queries(connection: asyncpg.Connection[asyncpg.Record]) -> Queries:
    return Queries(
        AsyncpgDriver(connection),
        qbe=QueryBuilderEnvironment(BARE),
        qbq=QueryQueueBuilder(BARE),
        qbs=QuerySchedulerBuilder(BARE),
    )


class Nothing:
    """A handler that has nothing to do."""

    def __init__(self, handled: Handled) -> None:
        """Note what begins."""
        self._handled = handled

    async def run(self, _job: RunningJob, _lease: Lease) -> Outcome:
        """Do nothing."""
        self._handled.note()
        return Succeeded()


async def _ours(place: Lively, count: int) -> Worked:
    handled = Handled()
    settings = place.settings.model_copy(update={"worker_jobs": 2 * TOGETHER})
    # A line for each job would be measured too.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    async with system(settings, place.database) as opened:
        caller = await opened.callers.caller_for(place.token)
        owner = await asyncpg.connect(place.addresses.owner)
        await owner.execute("SELECT set_config('app.tenant_id', $1, false)", str(caller.tenant_id))

        async def enqueue(how_many: int) -> None:
            await _enqueue(opened, caller, how_many)

        async def done() -> bool:
            # What has ended stays, so that looking must not cost more from round to round: these are index scans.
            return not await owner.fetchval(LEFT)

        @asynccontextmanager
        async def works() -> AsyncIterator[None]:
            handlers = {Work(JobKind.INFERENCE, InferenceTask.CHAT): Nothing(handled)}
            async with made(settings, place.addresses.app, opened.bus, [JobKind.INFERENCE], handlers) as worker:
                running = asyncio.create_task(worker.run())
                try:
                    yield
                finally:
                    worker.drain()
                    await running

        try:
            return await _worked(enqueue, works, done, handled, count)
        finally:
            await owner.close()


async def _enqueue(opened: System, caller: Caller, how_many: int) -> None:
    async with opened.units.write(caller) as unit:
        await unit.jobs.enqueue_all([NOTHING] * how_many)


async def _worked(
    enqueue: Callable[[int], Awaitable[None]],
    works: Callable[[], AbstractAsyncContextManager[None]],
    done: Callable[[], Awaitable[bool]],
    handled: Handled,
    count: int,
) -> Worked:
    began = time.perf_counter()
    for _ in range(count // TOGETHER):
        await enqueue(TOGETHER)
    enqueued = time.perf_counter() - began
    waits = []
    everything = handled.after(count // TOGETHER * TOGETHER)
    async with works():
        began = time.perf_counter()
        await everything
        await _until(done)
        finished = time.perf_counter() - began
        for _ in range(ALONE):
            begun = handled.after(1)
            await enqueue(1)
            committed = time.perf_counter()
            waits.append(max(0.0, await begun - committed) * 1000)
            await _until(done)
    cuts = quantiles(waits, n=20)
    return Worked(count / enqueued, count / finished, cuts[9], cuts[18])


async def _until(done: Callable[[], Awaitable[bool]]) -> None:
    while not await done():  # noqa: ASYNC110 -- what is waited for is in the database.
        await asyncio.sleep(0.005)
