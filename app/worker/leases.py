"""What a handler holds while it runs a job: a lease that a beat renews, and everything that is only its to do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypeVar

import structlog

from app.worker.frames import Telling
from app.worker.turns import Turns
from domain import jobs
from domain.errors import Unavailable
from domain.jobs import (
    Cancelled,
    Claim,
    JobQueue,
    Lease,
    LeaseLost,
    Outcome,
    Slot,
    SlotKind,
    Slots,
    SlotsClosed,
)
from domain.unit import Unit, Units

FRAME_SECONDS: Final = 0.25
"""Progress and text are told of at most four times a second."""
SLOT_SECONDS: Final = 0.25
"""How often whoever is first in line looks for a slot that nobody told of, and everybody for the lease."""

log = structlog.get_logger()

Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Holding:
    """What leases are made of."""

    queue: JobQueue
    units: Units
    slots: Slots
    frames: Telling
    lease: timedelta
    turns: Turns = field(default_factory=Turns)


class Happening(asyncio.Event):
    """An event that does something when it happens, so that nobody has to wait for it in a task."""

    def __init__(self, then: Callable[[], object]) -> None:
        """Call `then` once it happens."""
        super().__init__()
        self._then = then

    def set(self) -> None:
        """Let it happen; the second time, nothing does."""
        if not self.is_set():
            super().set()
            self._then()


class HeldLease:
    """The port `Lease`."""

    def __init__(self, claim: Claim, holding: Holding, asked: float | None = None, grace_seconds: float = 0) -> None:
        """Hold what was claimed, which was asked for at a moment of the monotonic clock: now, unless it is given.

        Once it is cancelled, its handler has `grace_seconds` to stop.
        """
        self.claim: Final = claim
        self.stopped: Final[asyncio.Future[Outcome | None]] = asyncio.get_running_loop().create_future()
        """How the attempt ends though its handler has not: None where the lease is lost."""
        self.lost: Final = Happening(lambda: self.stop(None))
        self.cancelled: Final = Happening(lambda: self.stop_after(grace_seconds, Cancelled()))
        self._timers: list[asyncio.TimerHandle] = []
        self._holding = holding
        self._until = (time.monotonic() if asked is None else asked) + holding.lease.total_seconds()
        self._progress: tuple[int, int, str | None] | None = None
        self._texts: dict[str, list[str]] = {}
        self._alone = asyncio.Lock()
        self._telling: asyncio.Task[None] | None = None
        self._places = 0
        """How many slots it holds beside the one that came with the job."""

    def stop(self, outcome: Outcome | None) -> None:
        """Have the attempt end, unless it was stopped before."""
        if not self.stopped.done():
            self.stopped.set_result(outcome)

    def stop_after(self, seconds: float, outcome: Outcome) -> None:
        """Have the attempt end so, if it has not by then."""
        self._timers.append(asyncio.get_running_loop().call_later(max(0, seconds), self.stop, outcome))

    def over(self) -> None:
        """Have nothing stop the attempt any more: it has ended."""
        for timer in self._timers:
            timer.cancel()
        self.stopped.cancel()

    def renewed(self, asked: float) -> None:
        """Note that the lease was renewed, which was asked for at a moment of the monotonic clock."""
        self._until = max(self._until, asked + self._holding.lease.total_seconds())

    def check(self) -> None:
        """Lose the lease where nobody could renew it in time."""
        if time.monotonic() >= self._until:
            self.lost.set()

    def unit(self) -> AbstractAsyncContextManager[Unit]:
        """Open a unit as the system; raises LeaseLost."""
        return self._unit()

    @asynccontextmanager
    async def _unit(self) -> AsyncIterator[Unit]:
        self._insist()
        asked = time.monotonic()
        async with self._holding.units.write(self.claim.caller) as unit:
            try:
                await jobs.hold(unit, self.claim.job.id, self.claim.token, self._holding.lease)
            except LeaseLost:
                self.lost.set()
                raise
            self.renewed(asked)
            yield unit

    async def progress(self, value: int, most: int, step: str | None = None) -> None:
        """Tell how far the work is, soon; raises LeaseLost."""
        self._insist()
        self._progress = (value, most, step)
        self._tell_soon()

    async def delta(self, request_id: str, text: str) -> None:
        """Tell of more text of an item, soon."""
        if text and not self.lost.is_set():
            self._texts.setdefault(request_id, []).append(text)
            self._tell_soon()

    def slot(self, kind: SlotKind, resources: Sequence[str]) -> AbstractAsyncContextManager[Slot]:
        """Wait for a free open slot of one of these resources and hold it; raises LeaseLost and SlotsClosed."""
        return self._slot(kind, resources)

    @asynccontextmanager
    async def _slot(self, kind: SlotKind, resources: Sequence[str]) -> AsyncIterator[Slot]:
        slots, claim, turns, closed = self._holding.slots, self.claim, self._holding.turns, False
        with turns.stand(resources) as standing:
            while not standing.first or (slot := await slots.take(claim, kind, resources)) is None:
                self._insist()
                before, closed = closed, standing.first and not self._places and await slots.closed(kind)
                # Seen twice, so that what was answered in a place just now can be stored.
                if before and closed:
                    raise SlotsClosed
                await standing.wait(SLOT_SECONDS)
        self._places += 1
        try:
            yield slot
        finally:
            self._places -= 1
            # A slot that cannot be given back is freed when the attempt ends.
            with suppress(Unavailable):
                await slots.give_back(claim, slot)
            turns.call(slot.resource)

    async def told(self) -> None:
        """Tell at once what there is to tell, and nothing after it."""
        await self._tell()
        if self._telling is not None:
            self._telling.cancel()

    def _insist(self) -> None:
        self.check()
        if self.lost.is_set():
            raise LeaseLost

    def _tell_soon(self) -> None:
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell_until_nothing_is_left())

    async def _tell_until_nothing_is_left(self) -> None:
        try:
            while self._progress is not None or self._texts:
                await self._tell()
                await asyncio.sleep(FRAME_SECONDS)
        finally:
            self._telling = None

    async def _tell(self) -> None:
        """Tell the newest progress and the text that has gathered. What the database does not take is not repeated."""
        async with self._alone:
            progress, self._progress = self._progress, None
            texts, self._texts = self._texts, {}
            job, frames = self.claim.job, self._holding.frames
            if progress is not None and not self.lost.is_set():
                value, most, step = progress
                # Whatever keeps it from being stored, the work goes on.
                try:
                    if not await self._holding.queue.progress(self.claim, value, most, step):
                        self.lost.set()
                        return
                except Exception as error:  # noqa: BLE001 -- as said above.
                    log.warning("progress_not_stored", job=str(job.id), error=type(error).__name__)
                frames.progressed(job, value, most, step)
            for request_id, parts in texts.items():
                frames.grown(job, request_id, "".join(parts))


class LeasedPlaces:
    """The places of providers that running jobs of all processes share: the slots that a lease can have."""

    def __init__(self, lease: Lease) -> None:
        """Take slots for the job of `lease`."""
        self._lease = lease

    def place(self, provider: str) -> AbstractAsyncContextManager[object]:
        """Wait for a slot of a provider, and hold it."""
        return self._lease.slot(SlotKind.LLM, [provider])


async def until_ended(lease: Lease, work: Coroutine[object, object, Done]) -> Done | Cancelled:
    """Return what comes of work, or Cancelled once somebody asked to stop; raises LeaseLost, and what the work raises.

    Work that nobody wants any more is cancelled, and has ended when this returns; what it made at the last moment is
    not wanted either.
    """
    working = asyncio.ensure_future(work)
    ends = [asyncio.ensure_future(signal.wait()) for signal in (lease.lost, lease.cancelled)]
    try:
        await asyncio.wait([working, *ends], return_when=asyncio.FIRST_COMPLETED)
        if lease.lost.is_set():
            raise LeaseLost
        return Cancelled() if lease.cancelled.is_set() else working.result()
    finally:
        for task in (working, *ends):
            task.cancel()
        await asyncio.gather(working, *ends, return_exceptions=True)
