"""A worker of this installation: made of settings and a database, inside `velocity serve` or as `velocity worker`."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from app.settings import Settings
from app.worker.frames import Frames
from app.worker.handlers import Handlers
from app.worker.leases import Holding
from app.worker.working import Rules, Worker
from db.engine import create_write_engine
from db.events.bus import EventBus
from db.jobs.queue import SqlJobQueue
from db.jobs.slots import SqlSlots
from db.unit import SqlUnits
from domain.jobs import JobKind

CONNECTIONS: Final = 4
"""Connections of a worker for what its jobs write, beside the one that listens and the one that renews leases."""


def worker_name() -> str:
    """Return a name that no other worker has: the machine, the process and some chance."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"


@asynccontextmanager
async def made(
    settings: Settings, dsn: str, bus: EventBus, kinds: Sequence[JobKind], handlers: Handlers
) -> AsyncIterator[Worker]:
    """Make a worker with connections of its own: a busy server must not keep leases from being renewed."""
    lease = timedelta(seconds=settings.lease_seconds)
    # Who is silent within a unit for as long as a lease lasts has lost it; others wait for what the unit has locked.
    engine = create_write_engine(dsn, size=CONNECTIONS, silent=lease)
    units = SqlUnits(engine, committed=bus.committed)
    # However many units of its jobs wait for something, their leases are renewed.
    beats = create_write_engine(dsn, size=1, silent=lease)
    queue = SqlJobQueue(dsn, engine, units, lease, beats)
    holding = Holding(queue, units, SqlSlots(engine), Frames(bus.say), lease)
    rules = Rules(
        most=settings.worker_jobs, poll_seconds=settings.worker_poll_seconds,
        sweep_seconds=settings.lease_seconds / 6, grace_seconds=settings.worker_grace_seconds,
    )  # fmt: skip
    try:
        yield Worker(worker_name(), kinds, handlers, holding, rules)
    finally:
        await queue.close()
        await beats.dispose()
        await engine.dispose()
