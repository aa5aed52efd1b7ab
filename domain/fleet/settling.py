"""How a mode comes about: drain, free, confirm, open. Each look says what can be done now, from what is stored.

Nothing is kept in between, so a process that dies in the middle of a change leaves it to whoever looks next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from domain.fleet.modes import FleetMode, Resource, WorkerSeen, is_served, place_of, served
from domain.fleet.telemetry import STALE_AFTER, TelemetrySource

PATIENCE: Final = timedelta(seconds=30)
"""How long telemetry may take to show that memory was freed, before the other slots open without it."""
FREED_MIB: Final = 1024
"""How far a GPU's memory falls when something is unloaded from it; a runtime's own needs are less."""
IDLE_MIB: Final = 2048
IDLE_SHARE: Final = 0.1
"""What a GPU on which nothing is loaded still has in use, in MiB or as a share of its memory."""


@dataclass(frozen=True, slots=True)
class ModeSet:
    """The mode that counts, and since when."""

    id: UUID
    mode: FleetMode
    since: datetime


@dataclass(frozen=True, slots=True)
class Serving:
    """The slots of a resource: whether they are open, and how many are leased."""

    open: bool
    held: int


@dataclass(frozen=True, slots=True)
class Release:
    """That a resource was asked for its memory, and what became of it; `used_mib` is what its GPU had in use then."""

    asked_at: datetime
    used_mib: int | None = None
    refusal: str | None = None
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class GpuMemory:
    """What telemetry says of a GPU's memory."""

    source: TelemetrySource
    at: datetime
    used_mib: int | None
    total_mib: int | None


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that decides what comes next. A resource without slots is in no `serving`."""

    mode: ModeSet
    resources: Sequence[Resource]
    serving: Mapping[UUID, Serving]
    releases: Mapping[UUID, Release]
    memory: Mapping[str, GpuMemory]
    """By the GPU's UUID, and of GPUs alone on which a resource is known to stand."""
    now: datetime


@dataclass(slots=True)
class Steps:
    """What can be done now, in this order, and what is left to say."""

    close: list[Resource] = field(default_factory=list)
    release: list[Resource] = field(default_factory=list)
    confirm: list[Resource] = field(default_factory=list)
    open: list[Resource] = field(default_factory=list)
    unconfirmed: list[str] = field(default_factory=list)
    settled: bool = True
    """Whether every slot is as the mode has it. What could not be confirmed may remain."""


class FleetState(Protocol):
    """What is stored of machines and their work, for whoever brings a mode about. It belongs to no tenant."""

    async def situation(self, now: datetime) -> Situation:
        """Return everything that decides what comes next; raises Unavailable."""

    async def switch(self, mode_id: UUID, resource: Resource, *, to: bool) -> None:
        """Open or close a resource's slots, unless another mode was set since."""

    async def released(self, mode_id: UUID, resource: Resource, release: Release) -> None:
        """Store that a resource was asked for its memory."""

    async def confirmed(self, mode_id: UUID, resource: Resource, now: datetime) -> None:
        """Store that telemetry shows the memory free."""

    async def register(self, seen: Sequence[WorkerSeen], now: datetime, silent: timedelta = STALE_AFTER) -> None:
        """Store what serves slots, as it was found; it counts as found for as long as `silent`."""


class Runtimes(Protocol):
    """What runs models, as far as asking it for its memory goes."""

    async def release(self, resource: Resource) -> str | None:
        """Ask a resource to free its memory; return why it could not be asked, or None."""


def steps(found: Situation) -> Steps:
    """Return what can be done now to bring the mode about."""
    wanted = served(found.mode.mode, found.resources)
    made, waiting = Steps(), set[str | None]()
    for each in found.resources:
        if not is_served(each, wanted) and not _let_go(found, each, made):
            waiting.add(place_of(each))
            made.settled = False
    for each in found.resources:
        slots = found.serving.get(each.id)
        if slots is None or slots.open or not is_served(each, wanted):
            continue
        if place_of(each) in waiting:
            made.settled = False
        else:
            made.open.append(each)
    return made


def _let_go(found: Situation, each: Resource, made: Steps) -> bool:
    """Whether a resource that is not served has let go of its GPU; note what is to be done, and said, until then."""
    slots = found.serving.get(each.id)
    if slots is not None and slots.open:
        made.close.append(each)
        return False
    if slots is not None and slots.held:
        jobs = "A job is" if slots.held == 1 else f"{slots.held} jobs are"
        made.unconfirmed.append(f"{jobs} still running on {each.name}; its GPU changes over when that has ended.")
        return False
    release = found.releases.get(each.id)
    if release is None:
        made.release.append(each)
        return False
    return release.confirmed or _freed(found, each, release, made)


def _freed(found: Situation, each: Resource, release: Release, made: Steps) -> bool:
    """Whether the other slots may open: the memory is free, or nothing will ever show that it is."""
    memory = found.memory.get(each.gpu or "")
    if release.refusal is not None:
        made.unconfirmed.append(f"{each.name} could not be asked to free its memory: {release.refusal}")
        return True
    if memory is None or memory.source is not TelemetrySource.NVML or memory.used_mib is None:
        made.unconfirmed.append(f"{each.name} was asked to free its memory; no telemetry of its GPU confirms it.")
        return True
    if memory.at > release.asked_at and is_free(memory, release):
        made.confirm.append(each)
        return True
    said = f"its GPU still has {memory.used_mib} of {memory.total_mib} MiB in use."
    made.unconfirmed.append(f"{each.name} was asked to free its memory; {said}")
    return found.now - release.asked_at >= PATIENCE


def is_free(memory: GpuMemory, release: Release) -> bool:
    """Whether a GPU's memory shows that something was unloaded: it is idle, or fell by more than a gigabyte."""
    used = memory.used_mib or 0
    if used <= max(IDLE_MIB, IDLE_SHARE * (memory.total_mib or 0)):
        return True
    return release.used_mib is not None and release.used_mib - used >= FREED_MIB


async def settle(state: FleetState, runtimes: Runtimes, now: datetime) -> Steps:
    """Do what can be done now to bring the mode about; return what that was. Done twice, it has the same effect."""
    found = await state.situation(now)
    made, mode_id = steps(found), found.mode.id
    for each in made.close:
        await state.switch(mode_id, each, to=False)
    for each in made.release:
        memory = found.memory.get(each.gpu or "")
        used = None if memory is None else memory.used_mib
        await state.released(mode_id, each, Release(now, used, await runtimes.release(each)))
    for each in made.confirm:
        await state.confirmed(mode_id, each, now)
    for each in made.open:
        await state.switch(mode_id, each, to=True)
    return made
