"""What `velocity worker` does: it works on the queues that it is given until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from app import logs
from app.beside import beside
from app.failures import CannotContinue
from app.fleet import report_regularly, reporting
from app.inference import routing, telling
from app.metrics.inference import Asked
from app.metrics.jobs import Working
from app.metrics.page import Page, shown
from app.ports import alone, listening
from app.settings import Settings
from app.worker.handlers import Handlers, Parts
from app.worker.handlers import handlers as shipped
from app.worker.handlers import opened as opened_parts
from app.worker.running import made
from db.inference.paces import SqlPaces
from db.inference.sightings import SqlSightings
from db.jobs.slots import SqlSlots
from db.unit import utc_now
from domain.jobs import JobKind

QUEUES: Final = {kind.name.lower(): kind for kind in JobKind}

log = structlog.get_logger()


def queues(text: str) -> list[JobKind]:
    """Return the kinds of job that `--queues` names; raises CannotContinue."""
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    strange = sorted(set(names) - QUEUES.keys())
    if strange or not names:
        raise CannotContinue(f"There is no queue {', '.join(strange) or '…'}. Choose among {', '.join(QUEUES)}.")
    return [QUEUES[name] for name in dict.fromkeys(names)]


async def work(settings: Settings, kinds: Sequence[JobKind], handlers: Callable[[Parts], Handlers] = shipped) -> None:
    """Work until SIGINT or SIGTERM comes, and then until what runs has ended. Raises CannotContinue."""
    logs.configure(settings.log_format)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(logs.unhandled)
    async with (
        alone(settings, writing=2) as (found, opened),
        listening(found.app, settings.look_seconds) as bus,
        routing(settings, opened.pool, SqlPaces(opened.brief)) as router,
        telling(router, SqlSightings(opened.brief)) as sightings,
    ):
        slots = SqlSlots(opened.engine)
        working = Working(opened.engine)
        machine = reporting(settings, opened.engine, utc_now, router)
        async with (
            opened_parts(settings, opened.uploads, slots, opened.units, router, machine=machine) as parts,
            beside(report_regularly(machine)),
            made(settings, found.app, bus, kinds, handlers(parts)) as worker,
            shown(settings, Page(working, Asked(router, sightings))),
        ):
            working.worker = worker
            for received in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(received, worker.drain)
            await worker.run()
