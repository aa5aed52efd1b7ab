"""The fleet joined: what clients ask of it, and what this machine reports of itself."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.settings import KernelLog, Settings
from db.fleet.reports import SqlReports
from db.fleet.state import SqlFleetState
from db.fleet.view import SqlFleetView
from domain.errors import DomainError
from domain.fleet import (
    STALE_AFTER,
    FleetState,
    FleetView,
    HostReports,
    HostSample,
    Machine,
    Resource,
    Runtime,
    Runtimes,
    Sensors,
    TelemetrySource,
    WorkerKind,
    WorkerSeen,
    XidSeen,
    settle,
)
from domain.inference import ProviderKind, ProviderStatus
from domain.values import new_id
from gpu.fleet.kernel_log import LogUnreadable, from_journal, from_kmsg
from gpu.fleet.nvml import NvmlSensors
from gpu.fleet.runtimes import HttpRuntimes
from gpu.fleet.scenarios import Scenario, SimulatedSensors, simulated_xid
from gpu.inference.router import Router
from gpu.renders.pool import ComfyPool

log = structlog.get_logger()
T = TypeVar("T")

MACHINE_ID: Final = Path("/etc/machine-id")
PATIENCE_SECONDS: Final = 5.0
"""How long a mutation waits for a mode to come about; the rest follows without it."""
PAUSE_SECONDS: Final = 0.2
SILENT_SAMPLES: Final = 3
"""After so many samples at least that a process did not store, another one takes over."""
ASK_LOG_AGAIN_SECONDS: Final = 300.0
FORGET_SECONDS: Final = 3600.0
START_SECONDS: Final = 3.0
FAILURES: Final = (DomainError, OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError)

RUNTIMES: Final = {ProviderKind.OLLAMA: Runtime.OLLAMA, ProviderKind.LLAMA_CPP: Runtime.LLAMACPP}
"""What can be asked for its memory; every other kind of server holds it."""

XidLog = Callable[[], AsyncIterator[XidSeen]]
Found = Callable[[], Awaitable[Sequence[WorkerSeen]]]
"""Returns what serves slots, as it was found last."""


class InstalledFleet:
    """The port `Fleet`."""

    def __init__(
        self,
        state: FleetState,
        view: SqlFleetView,
        runtimes: Runtimes,
        clock: Callable[[], datetime],
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """Wait at most `patience` seconds for a mode to come about."""
        self._state = state
        self._view = view
        self._runtimes = runtimes
        self._clock = clock
        self._patience = patience

    async def view(self) -> FleetView:
        """Return the fleet as it is."""
        return await self._view.read(await self._state.situation(self._clock()))

    async def settle(self) -> Sequence[str]:
        """Bring the mode about as far as a few seconds go."""
        until = time.monotonic() + self._patience
        while True:
            made = await settle(self._state, self._runtimes, self._clock())
            if made.settled:
                return made.unconfirmed
            if time.monotonic() >= until:
                return made.unconfirmed or ["The machines are still changing over."]
            if not (made.close or made.release):
                await asyncio.sleep(PAUSE_SECONDS)


@dataclass(slots=True)
class Reporting:
    """What this machine reports of itself, and of what serves slots."""

    reports: HostReports
    state: FleetState
    runtimes: Runtimes
    sensors: Sensors
    machine: Machine
    clock: Callable[[], datetime]
    seconds: float
    kept: timedelta
    silent: timedelta = STALE_AFTER
    """How long this machine may be silent before it counts as gone."""
    scenario: Scenario | None = None
    xid_log: XidLog | None = None
    founds: list[Found] = field(default_factory=list)
    """What finds whatever serves slots: every part adds its own."""
    reporter: UUID = field(default_factory=new_id)
    log_problem: str | None = None
    pending: list[XidSeen] = field(default_factory=list)


def reporting(settings: Settings, engine: AsyncEngine, clock: Callable[[], datetime], router: Router) -> Reporting:
    """Return what this machine reports by the settings: of itself, and of the language models of `router`."""
    scenario = None if settings.fleet_simulation is None else Scenario[settings.fleet_simulation]
    sensors: Sensors = NvmlSensors(clock) if scenario is None else SimulatedSensors(scenario, clock)
    return Reporting(
        reports=SqlReports(engine),
        state=SqlFleetState(engine),
        runtimes=HttpRuntimes(),
        sensors=sensors,
        machine=this_machine(settings.fleet_hostname),
        clock=clock,
        seconds=settings.fleet_seconds,
        kept=timedelta(days=settings.fleet_days),
        silent=timedelta(seconds=max(SILENT_SAMPLES * settings.fleet_seconds, settings.fleet_silent_seconds)),
        scenario=scenario,
        xid_log=None if scenario is not None else xid_log(settings.kernel_log),
        founds=[language_models(router, settings.gpu_placements)],
    )


def language_models(router: Router, placed: Iterable[tuple[str, str]]) -> Found:
    """Return what finds the servers of language models; `placed` says on which GPU some of them stand, by name."""
    placements = dict(placed)

    async def found() -> list[WorkerSeen]:
        endpoints = list(router.endpoints.values())
        looks = await asyncio.gather(*(each.look() for each in endpoints))
        return [
            WorkerSeen(
                Resource(
                    WorkerKind.LLM,
                    each.settings.name,
                    each.settings.url,
                    RUNTIMES.get(each.settings.kind, Runtime.KEEPS),
                    on_premise=each.settings.stays,
                    gpu=placements.get(each.settings.name),
                ),
                answers=look.status is not ProviderStatus.DOWN,
                queue_depth=each.waiting + (look.waiting or 0),
            )
            for each, look in zip(endpoints, looks, strict=True)
        ]

    return found


def render_workers(pool: ComfyPool, placed: Iterable[tuple[str, str]]) -> Found:
    """Return what finds render workers; `placed` says on which GPU some of them stand, by name."""
    placements = dict(placed)

    async def found() -> list[WorkerSeen]:
        return [
            WorkerSeen(
                Resource(WorkerKind.COMFYUI, each.name, each.url, Runtime.COMFYUI, gpu=placements.get(each.name)),
                answers=each.problem is None,
                queue_depth=each.load,
            )
            for each in await pool.health()
        ]

    return found


def this_machine(hostname: str | None = None, path: Path = MACHINE_ID) -> Machine:
    """Return how this machine tells itself from others: by its id and its name, since containers may share the id.

    Its name is its own unless another is given.
    """
    try:
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        key = ""
    name = hostname or socket.gethostname() or "unnamed"
    return Machine(f"{key}:{name}"[:200], name)


def xid_log(way: KernelLog) -> XidLog | None:
    """Return how the kernel's log is read here."""
    return {"auto": _either_log, "kmsg": from_kmsg, "journal": from_journal, "off": None}[way]


async def _either_log() -> AsyncIterator[XidSeen]:
    """Read the kernel's log itself, or the journal where that is kept from this process."""
    try:
        async for seen in from_kmsg():
            yield seen
    except LogUnreadable as unreadable:
        try:
            async for seen in from_journal():
                yield seen
        except LogUnreadable as neither:
            raise LogUnreadable(f"{unreadable} {neither}") from neither


async def report_regularly(made: Reporting) -> None:
    """Sample this machine and bring modes about, until cancelled. What fails is tried again the next time."""
    tasks = [asyncio.create_task(_sample_regularly(made)), asyncio.create_task(_look_regularly(made))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await made.sensors.close()
    for task in tasks:
        task.result()


async def _sample_regularly(made: Reporting) -> None:
    following: asyncio.Task[None] | None = None
    forgotten = time.monotonic()
    # Whoever starts a server waits for its first answer, and not for this.
    await asyncio.sleep(min(made.seconds, START_SECONDS))
    try:
        while True:
            sample = await _logged("machine_sampled", report(made))
            if following is None and made.xid_log is not None and sample is not None and _has_gpu(sample):
                following = asyncio.create_task(_follow_xids(made, made.xid_log))
            if time.monotonic() - forgotten >= FORGET_SECONDS:
                forgotten = time.monotonic()
                await _logged("samples_forgotten", made.reports.forget(made.clock() - made.kept))
            await asyncio.sleep(made.seconds)
    finally:
        if following is not None:
            following.cancel()
            await asyncio.wait([following])


async def _look_regularly(made: Reporting) -> None:
    while True:
        await _logged("workers_found", look(made))
        await asyncio.sleep(made.seconds)


async def look(made: Reporting) -> None:
    """Store what serves slots as it is found, and do what can be done now to bring the mode about."""
    seen = await asyncio.gather(*(found() for found in made.founds))
    await made.state.register([worker for each in seen for worker in each], made.clock(), made.silent)
    await settle(made.state, made.runtimes, made.clock())


async def report(made: Reporting) -> HostSample | None:
    """Sample this machine once; return the sample, None where another process samples it."""
    now = made.clock()
    host = await made.reports.claim(made.machine, made.reporter, now, made.silent)
    if host is None:
        made.pending.clear()
        return None
    sample = await made.sensors.sample()
    if made.log_problem is not None:
        problem = f"XIDs are not seen: {made.log_problem}"
        sample = replace(sample, problem=problem if sample.problem is None else f"{sample.problem} {problem}")
    await made.reports.store(host, made.reporter, sample)
    if made.scenario is not None:
        seen = simulated_xid(made.scenario, now)
        made.pending += [seen] if seen is not None else []
    if made.pending:
        xids, made.pending = made.pending, []
        source = TelemetrySource.NVML if made.scenario is None else TelemetrySource.SIMULATED
        await made.reports.store_xids(host, source, xids)
    return sample


def _has_gpu(sample: HostSample) -> bool:
    """Whether there is a GPU, or a driver that does not answer: a machine without either logs no XID."""
    return sample.source is TelemetrySource.NVML or sample.problem is not None


async def _follow_xids(made: Reporting, read: XidLog) -> None:
    while True:
        try:
            async for seen in read():
                made.log_problem = None
                made.pending.append(seen)
        except LogUnreadable as error:
            made.log_problem = str(error)
        await asyncio.sleep(ASK_LOG_AGAIN_SECONDS)


async def _logged(event: str, doing: Awaitable[T]) -> T | None:
    try:
        return await doing
    except FAILURES as error:
        log.warning("fleet_failed", wanted=event, error=type(error).__name__)
        return None
