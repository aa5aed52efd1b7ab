"""The worker's loop: it takes jobs while there is room, runs them, renews their leases, and sweeps up after others."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from app.worker.ends import Ends
from app.worker.handlers import Handlers
from app.worker.leases import Happening, HeldLease, Holding
from domain import jobs
from domain.access import Caller
from domain.errors import DomainError, Unavailable
from domain.jobs import (
    DEADLINE_PASSED,
    Claim,
    Failed,
    Interrupted,
    JobHandler,
    JobKind,
    LeaseLost,
    Outcome,
    RunningJob,
    SlotsClosed,
    Work,
)
from domain.unit import Unit

NO_HANDLER: Final = Failed("NO_HANDLER", "This worker does not know how to do that.", retryable=True)
INTERNAL: Final = Failed("INTERNAL", "Something went wrong in the worker; its log says what.", retryable=True)
MOST_CLAIMED: Final = 100
"""How many jobs are begun by one unit: those after them are begun while the first run."""
LOST: Final = "LOST"
BEATS: Final = 3
"""How often a lease is renewed before it would expire."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Rules:
    """What an installation decides about a worker."""

    most: int = 16
    """How many jobs of each kind it runs at once."""
    poll_seconds: float = 2
    """How often it looks for work of which nobody told it."""
    sweep_seconds: float = 5
    """How often it looks for leases that have expired and deadlines that have passed."""
    tidy_seconds: float = 60
    grace_seconds: float = 30
    """How long running jobs may go on once the worker is to stop, and a job once it is cancelled."""


class Worker:
    """Takes jobs of some kinds and runs their handlers."""

    def __init__(
        self, name: str, kinds: Sequence[JobKind], handlers: Handlers, holding: Holding, rules: Rules | None = None
    ) -> None:
        """Be known by `name`."""
        self.name: Final = name
        self.kinds: Final = tuple(kinds)
        self.running: Final[dict[UUID, HeldLease]] = {}
        self.ended: Final[Counter[str]] = Counter()
        """How many attempts ended, by where they left their job; LOST where it was another's by then."""
        self._handlers = handlers
        self._holding = holding
        self._rules = rules or Rules()
        self._ends = Ends(holding.units)
        self._draining = asyncio.Event()
        self._leaving = Happening(self._interrupt)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def most(self) -> int:
        """How many jobs it runs at once."""
        return self._rules.most * len(self.kinds)

    @property
    def draining(self) -> bool:
        """Whether it takes no more jobs."""
        return self._draining.is_set()

    def drain(self) -> None:
        """Take no more jobs and let the running ones end; asked twice, give those back at once."""
        if self._draining.is_set():
            self._leaving.set()
        else:
            log.info("worker_draining", worker=self.name, running=len(self.running))
        self._draining.set()
        self._holding.queue.wake()

    def _interrupt(self) -> None:
        for lease in self.running.values():
            lease.stop(Interrupted())

    async def run(self) -> None:
        """Work until it is told to drain and nothing runs any more."""
        log.info("worker_started", worker=self.name, queues=[kind.name for kind in self.kinds])
        beside = [asyncio.create_task(each) for each in (self._beat(), self._sweep(), self._tidy())]
        try:
            await self._claim()
            await self._let_end()
        finally:
            for task in (*beside, *self._tasks):
                task.cancel()
            await asyncio.gather(*beside, *self._tasks, return_exceptions=True)
            log.info("worker_stopped", worker=self.name)

    async def _claim(self) -> None:
        while not self.draining:
            free = self._free()
            most = min(free.values(), default=0)
            asked = time.monotonic()
            claims = await self._claimed(list(free), most) if most else []
            for claim in claims:
                lease = HeldLease(claim, self._holding, asked, self._rules.grace_seconds)
                if (earlier := self.running.get(claim.job.id)) is not None:
                    # It was taken from us, and comes back before we heard of that.
                    earlier.lost.set()
                self.running[claim.job.id] = lease
                task = asyncio.create_task(self._run(lease))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            if not most or len(claims) < most:
                await self._holding.queue.wait(self._rules.poll_seconds)
            self._hear_of_stops()

    def _free(self) -> dict[JobKind, int]:
        """Return how many more jobs may begin of each kind that has room: none waits for those of another to end."""
        busy = Counter(lease.claim.job.kind for lease in self.running.values())
        return {
            kind: min(self._rules.most - busy[kind], MOST_CLAIMED)
            for kind in self.kinds
            if busy[kind] < self._rules.most
        }

    async def _claimed(self, kinds: Sequence[JobKind], most: int) -> list[Claim]:
        try:
            return await self._holding.queue.claim(self.name, kinds, most)
        except Exception as error:  # noqa: BLE001 -- whatever it is, a worker looks again.
            _failed("claim_failed", error)
            return []

    def _hear_of_stops(self) -> None:
        stopping = self._holding.queue.stopping
        for job_id in stopping & self.running.keys():
            self.running[job_id].cancelled.set()
        stopping.clear()
        # Whatever woke this worker, it may have been a slot that another process gave back.
        self._holding.turns.call()

    async def _run(self, lease: HeldLease) -> None:
        job = lease.claim.job
        try:
            outcome = await self._outcome(lease)
            await lease.told()
            settled = None if outcome is None else await self._ends.end(lease, outcome)
        except Exception as error:  # noqa: BLE001 -- the lease expires, and the job is tried again.
            _failed("job_not_ended", error)
        else:
            self.ended[LOST if settled is None else settled.status.name] += 1
            if settled is None:
                log.warning("lease_lost", job=str(job.id), attempt=job.attempt)
            elif settled.error is not None:
                log.info("job_failed", job=str(job.id), attempt=job.attempt, code=settled.error.code)
        finally:
            lease.over()
            if self.running.get(job.id) is lease:
                del self.running[job.id]
            self._holding.queue.wake()

    async def _outcome(self, lease: HeldLease) -> Outcome | None:
        """Run the handler; return how it ended, or None where the lease was lost."""
        job = lease.claim.job
        handler = self._handlers.get(Work(job.kind, job.task))
        if handler is None:
            return NO_HANDLER
        if self._leaving.is_set():
            lease.stop(Interrupted())
        if job.seconds_left is not None:
            lease.stop_after(job.seconds_left, DEADLINE_PASSED)
        running = asyncio.ensure_future(_run(handler, job, lease))
        try:
            await asyncio.wait((running, lease.stopped), return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                running.cancel()
                await asyncio.wait((running,))
                return lease.stopped.result()
            return _result(running)
        except LeaseLost:
            lease.lost.set()
            return None
        except DomainError as error:
            return Failed(error.code, error.message, retryable=True)
        except Exception:
            log.exception("handler_failed", job=str(job.id), attempt=job.attempt)
            return INTERNAL
        finally:
            running.cancel()

    async def _beat(self) -> None:
        """Renew the leases of what runs. What could not be renewed in time is lost, whoever has it."""
        while True:
            await asyncio.sleep(self._holding.lease.total_seconds() / BEATS)
            leases = list(self.running.values())
            if not leases:
                continue
            asked = time.monotonic()
            try:
                beat = await self._holding.queue.beat([lease.claim for lease in leases])
            except Exception as error:  # noqa: BLE001 -- whatever it is, the next beat may succeed.
                _failed("beat_failed", error)
                for lease in leases:
                    lease.check()
                continue
            for lease in leases:
                if lease.claim.job.id in beat.lost:
                    lease.lost.set()
                elif lease.claim.job.id not in beat.missed:
                    lease.renewed(asked)
                if lease.claim.job.id in beat.cancelled:
                    lease.cancelled.set()

    async def _sweep(self) -> None:
        """Do what no worker does for itself, every so often; several workers may, each job is one's."""
        queue, each = self._holding.queue, self._each

        async def sweep() -> None:
            await each(queue.abandoned(), self._recover)
            await each(queue.overdue(), jobs.expire)

        await self._regularly(sweep, self._rules.sweep_seconds)

    async def _tidy(self) -> None:
        """Look for what should not be, now and then."""
        queue, each = self._holding.queue, self._each

        async def tidy() -> None:
            await each(queue.unticketed(), jobs.announce)
            await queue.forget_log()
            await self._holding.slots.retire()

        await self._regularly(tidy, self._rules.tidy_seconds)

    async def _regularly(self, work: Callable[[], Awaitable[None]], seconds: float) -> None:
        while True:
            try:
                await work()
            except Exception as error:  # noqa: BLE001 -- whatever it is, the next time it may not be so.
                _failed("sweep_failed", error)
            await asyncio.sleep(seconds * random.uniform(0.8, 1.2))  # noqa: S311 -- only spread out.

    async def _each(
        self, found: AsyncIterator[tuple[Caller, UUID]], use_case: Callable[[Unit, UUID], Awaitable[object]]
    ) -> None:
        async for caller, job_id in found:
            try:
                async with self._holding.units.write(caller) as unit:
                    await use_case(unit, job_id)
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 -- the others are not to wait for what ails this one.
                _failed("sweep_failed", error)

    async def _recover(self, unit: Unit, job_id: UUID) -> None:
        settled = await jobs.recover(unit, job_id, random.random())  # noqa: S311 -- only spread out.
        if settled is not None:
            log.warning("lease_expired", job=str(job_id), status=settled.status.name)

    async def _let_end(self) -> None:
        """Wait for what runs, as long as the rules say, and give back what is left."""
        if not self._tasks:
            return
        everything = set(self._tasks)
        leaving = asyncio.create_task(self._leaving.wait())
        ended = asyncio.ensure_future(asyncio.wait(everything))
        await asyncio.wait([leaving, ended], timeout=self._rules.grace_seconds, return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        self._leaving.set()
        await ended


async def _run(handler: JobHandler, job: RunningJob, lease: HeldLease) -> Outcome:
    """Run a handler; what it needs and the mode has closed is waited for in the queue."""
    try:
        return await handler.run(job, lease)
    except SlotsClosed:
        return Interrupted()


def _result(ended: asyncio.Future[Outcome]) -> Outcome:
    """Return what a handler said, or raise what it raised: a cancellation that nobody here asked for is a defect."""
    if ended.cancelled():
        raise RuntimeError("The handler was cancelled by something else.")
    return ended.result()


def _failed(event: str, error: Exception) -> None:
    """Log what a worker goes on after: in one line where it passes, and whole where it is a defect."""
    if isinstance(error, (DomainError, OSError)):
        log.warning(event, error=type(error).__name__)
    else:
        log.error(event, exc_info=error)
