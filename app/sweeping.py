"""What time alone calls for: unused uploads and old events go, and what to do next is decided again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.database import CONNECT_SECONDS, Database, check_serves, database
from app.settings import Settings
from app.wiring import ports
from db.events.bus import EventBus
from db.events.stream import SqlEventStream
from db.people import next_best_action
from db.roles import set_tenant, tenant_ids
from domain.assets import UploadPorts, sweep
from domain.errors import DomainError
from domain.events import EventStream

log = structlog.get_logger()


async def swept(settings: Settings) -> tuple[int, int, int]:
    """Sweep once, for `velocity sweep`; return how many uploads and events were removed, and people decided for."""
    single = settings.model_copy(update={"read_connections": 1, "write_connections": 2})
    async with database(single) as found:
        await check_serves(found.app)
        async with ports(single, found) as opened:
            now = datetime.now(UTC)
            events = SqlEventStream(opened.pool, opened.engine, EventBus(found.app))
            uploads = await sweep(opened.uploads, now)
            forgotten = await events.forget(now - timedelta(days=settings.event_days))
            return uploads, forgotten, await decided(found, now)


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


async def sweep_regularly(uploads: UploadPorts, found: Database, seconds: float) -> None:
    """Sweep every so often until cancelled. A sweep that fails is tried again the next time."""
    while True:
        now = datetime.now(UTC)
        await _logged("uploads_swept", sweep(uploads, now))
        await _logged("people_decided", decided(found, now))
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
