"""What time alone calls for: old events and files that nobody came back for go, what to do next is decided again.

What is kept too long is erased, sessions that nobody ended are completed, people are told of tasks that are due, and
proposals that nobody decided expire.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.database import CONNECT_SECONDS, Database
from app.ports import alone
from app.settings import Settings
from app.wiring import after_session
from db.events.bus import EventBus
from db.events.stream import SqlEventStream
from db.people import next_best_action
from db.perception.overdue import SqlOverdue
from db.renders import SqlLeftFiles
from db.roles import set_tenant, tenant_ids
from domain import assets, cctv, jobs, notifications, perception, proposals, renders
from domain.assets import UploadPorts
from domain.errors import DomainError
from domain.events import EventStream
from domain.renders import LeftFiles
from domain.unit import Units

log = structlog.get_logger()

Sweep: TypeAlias = Callable[[], Awaitable[int]]
"""Returns how much it did."""


@dataclass(frozen=True, slots=True)
class Sweeps:
    """What a sweep needs; the settings say how long what is kept."""

    uploads: UploadPorts
    database: Database
    units: Units
    overdue: SqlOverdue
    left_files: LeftFiles
    settings: Settings

    def each(self, now: datetime) -> Mapping[str, Sweep]:
        """Return every sweep, by what its log line is called."""
        units, overdue, settings = self.units, self.overdue, self.settings
        idle = timedelta(seconds=settings.session_idle_seconds)
        return {
            "uploads_swept": lambda: assets.sweep(self.uploads, now),
            "renders_swept": lambda: renders.sweep(self.left_files, self.uploads.objects, now),
            "people_decided": lambda: decided(self.database, now),
            "erasures_finished": lambda: perception.sweep(units, overdue, now),
            "sessions_completed": lambda: perception.complete_left(units, overdue, now - idle, after_session(settings)),
            "cctv_events_forgotten": lambda: cctv.sweep(units, overdue, now - timedelta(days=settings.cctv_days)),
            "jobs_forgotten": lambda: jobs.sweep(units, overdue, now - timedelta(days=settings.inference_days)),
            "tasks_told_of": lambda: tell_due(units, overdue, now),
            "proposals_expired": lambda: proposals.expire_left(
                units, overdue, now - timedelta(days=settings.proposal_days)
            ),
        }


async def swept(settings: Settings) -> dict[str, int]:
    """Sweep once, for `velocity sweep`; return how much each sweep did."""
    async with alone(settings, writing=2) as (found, opened):
        now = datetime.now(UTC)
        left_files = SqlLeftFiles(opened.engine)
        sweeps = Sweeps(opened.uploads, found, opened.units, opened.overdue, left_files, settings)
        events = SqlEventStream(opened.pool, opened.engine, EventBus(found.app))
        done = {event: await sweep() for event, sweep in sweeps.each(now).items()}
        return done | {"events_forgotten": await events.forget(now - timedelta(days=settings.event_days))}


async def decided(found: Database, now: datetime) -> int:
    """Decide again, in every tenant, where time alone may have changed what to do next; return for how many people.

    That crosses tenants, which only the owner may: without its address nothing is decided.
    """
    if found.owner_or_none is None:
        return 0
    owner = await asyncpg.connect(found.owner_or_none, timeout=CONNECT_SECONDS)
    try:
        people = 0
        for tenant_id in await tenant_ids(owner):
            await set_tenant(owner, tenant_id)
            people += await next_best_action.sweep(owner, tenant_id, now)
        return people
    finally:
        await owner.close()


async def tell_due(units: Units, overdue: SqlOverdue, now: datetime) -> int:
    """Tell people of their tasks that are due; return of how many."""
    told = 0
    async for caller, task_id in overdue.tasks(now):
        async with units.write(caller) as unit:
            told += await notifications.tell_due(unit, task_id)
    return told


async def sweep_regularly(sweeps: Sweeps, seconds: float) -> None:
    """Sweep every so often until cancelled. A sweep that fails is tried again the next time."""
    while True:
        for event, sweep in sweeps.each(datetime.now(UTC)).items():
            await _logged(event, sweep())
        await asyncio.sleep(seconds)


async def forget_regularly(events: EventStream, kept: timedelta, seconds: float) -> None:
    """Remove events that are older than `kept`, every so often until cancelled."""
    while True:
        await _logged("events_forgotten", events.forget(datetime.now(UTC) - kept))
        await asyncio.sleep(seconds)


async def _logged(event: str, sweeping: Awaitable[int]) -> None:
    try:
        count = await sweeping
    except (DomainError, OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        log.warning("sweep_failed", wanted=event, error=type(error).__name__)
    else:
        if count:
            log.info(event, count=count)
