"""What time alone calls for: old events and uploads that nobody came back for go, what to do next is decided again.

What is kept too long is erased, sessions that nobody ended are completed, people are told of tasks that are due, and
proposals that nobody decided expire.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.database import CONNECT_SECONDS, Database, check_serves, database
from app.ports import ports
from app.settings import Settings
from app.wiring import after_session
from db.events.bus import EventBus
from db.events.stream import SqlEventStream
from db.people import next_best_action
from db.perception.overdue import SqlOverdue
from db.roles import set_tenant, tenant_ids
from domain import assets, cctv, notifications, perception, proposals
from domain.assets import UploadPorts
from domain.errors import DomainError
from domain.events import EventStream
from domain.perception import Then
from domain.unit import Units

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did: uploads and events removed, people decided for, erasures, sessions, tasks told, proposals."""

    cameras: int
    uploads: int
    events: int
    people: int
    erasures: int
    sessions: int
    tasks: int
    proposals: int


@dataclass(frozen=True, slots=True)
class Sweeps:
    """What a sweep needs."""

    uploads: UploadPorts
    database: Database
    units: Units
    overdue: SqlOverdue
    session_idle: timedelta
    """A session of which nothing has come for so long is completed."""
    proposal_wait: timedelta
    """A proposal that nobody has decided for so long expires."""
    cctv_kept: timedelta
    """Camera events that are older are removed."""
    after_session: Then | None = None
    """What follows the end of a session."""


async def swept(settings: Settings) -> Swept:
    """Sweep once, for `velocity sweep`."""
    single = settings.model_copy(update={"read_connections": 1, "write_connections": 2})
    async with database(single) as found:
        await check_serves(found.app)
        async with ports(single, found) as opened:
            now = datetime.now(UTC)
            stream = SqlEventStream(opened.pool, opened.engine, EventBus(found.app))
            return Swept(
                cameras=await cctv.sweep(opened.units, opened.overdue, now - cctv_kept(settings)),
                uploads=await assets.sweep(opened.uploads, now),
                events=await stream.forget(now - timedelta(days=settings.event_days)),
                people=await decided(found, now),
                erasures=await perception.sweep(opened.units, opened.overdue, now),
                sessions=await perception.complete_left(
                    opened.units, opened.overdue, now - session_idle(settings), after_session(settings)
                ),
                tasks=await tell_due(opened.units, opened.overdue, now),
                proposals=await proposals.expire_left(opened.units, opened.overdue, now - proposal_wait(settings)),
            )


def cctv_kept(settings: Settings) -> timedelta:
    """Return how long camera events are kept."""
    return timedelta(days=settings.cctv_days)


def session_idle(settings: Settings) -> timedelta:
    """Return how long a session may be silent before it is taken for left."""
    return timedelta(seconds=settings.session_idle_seconds)


def proposal_wait(settings: Settings) -> timedelta:
    """Return how long a proposal waits."""
    return timedelta(days=settings.proposal_days)


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
        now = datetime.now(UTC)
        await _logged("uploads_swept", assets.sweep(sweeps.uploads, now))
        await _logged("people_decided", decided(sweeps.database, now))
        await _logged("erasures_finished", perception.sweep(sweeps.units, sweeps.overdue, now))
        left = perception.complete_left(
            sweeps.units, sweeps.overdue, now - sweeps.session_idle, sweeps.after_session
        )  # fmt: skip
        await _logged("sessions_completed", left)
        kept = cctv.sweep(sweeps.units, sweeps.overdue, now - sweeps.cctv_kept)
        await _logged("cctv_events_forgotten", kept)
        await _logged("tasks_told_of", tell_due(sweeps.units, sweeps.overdue, now))
        waited = proposals.expire_left(sweeps.units, sweeps.overdue, now - sweeps.proposal_wait)
        await _logged("proposals_expired", waited)
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
