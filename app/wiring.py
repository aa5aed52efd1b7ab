"""Everything joined: settings and a database become the system that serves requests."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import HTTPConnection

from app.database import Database
from app.failures import CannotContinue
from app.fleet import InstalledFleet, Reporting, reporting
from app.inference import routing, telling
from app.metrics.inference import Asked
from app.metrics.jobs import Working
from app.metrics.server import Metrics
from app.outside.mock import MockMessenger
from app.ports import Ports, listening, ports
from app.settings import Settings
from app.sources import trusted_sources
from db.engine import ReadPool
from db.events.bus import EventBus
from db.events.stream import SqlEventStream
from db.fleet.view import SqlFleetView
from db.inference.paces import SqlPaces
from db.inference.sightings import SqlSightings
from db.jobs.slots import SqlSlots
from db.perception.overdue import SqlOverdue
from db.reading.answers import SqlAnswers
from db.reading.cursors import CursorKey
from db.reading.reads import Keys, SqlReads
from db.sources import CATALOGUE, disagreements
from db.unit import SqlUnits, utc_now
from domain.access import Caller, Callers, SignInPorts
from domain.assets import UploadPorts
from domain.canvases import SourceReader
from domain.cctv import Cameras
from domain.cctv.matching import finalise
from domain.fleet import Fleet
from domain.inference import Providers
from domain.jobs import SlotKind
from domain.perception import Then, request_refining
from domain.signing import EventKey
from domain.threads import MessageProvider, Messengers
from domain.unit import Unit
from gpu.inference.overview import Overview
from gpu.inference.router import Router
from graph.canvases.sources import NoSources
from graph.context import GraphContext
from graph.declarations import declarations
from graph.schema import Schema, build

GARBAGE_THRESHOLD: Final = 50_000
"""Every request makes many short-lived objects; the default of 700 would walk all live ones far too often."""


class DeclarationsDisagree(CannotContinue):
    """The schema promises what the database layer does not keep."""


@dataclass(frozen=True, slots=True)
class System:
    """What one process is made of."""

    settings: Settings
    database: Database
    schema: Schema
    pool: ReadPool
    engine: AsyncEngine
    reads: SqlReads
    answers: SqlAnswers
    events: SqlEventStream
    event_key: EventKey
    bus: EventBus
    units: SqlUnits
    sign_in: SignInPorts
    uploads: UploadPorts
    cameras: Cameras
    overdue: SqlOverdue
    messengers: Messengers
    router: Router
    providers: Providers
    sources: SourceReader
    fleet: Fleet
    reporting: Reporting
    """What this machine reports of itself."""
    context_for: Callable[[Caller], GraphContext]
    """Makes the context of what is answered for a caller without a request."""
    metrics: Metrics

    @property
    def callers(self) -> Callers:
        """What tells who bears an access token."""
        return self.sign_in.callers

    @property
    def after_session(self) -> Then:
        """What follows the end of a session."""
        return after_session(self.settings)

    def context(self, connection: HTTPConnection) -> GraphContext:
        """Make the context of one request; its caller was verified before."""
        caller: Caller | None = connection.scope.get("velocity.caller")
        address = connection.client.host if connection.client is not None else ""
        return GraphContext(
            caller_or_none=caller,
            reads=self.reads,
            units=self.units,
            sign_in=self.sign_in,
            uploads=self.uploads,
            cameras=self.cameras,
            messengers=self.messengers,
            providers=self.providers,
            sources=self.sources,
            after_session=self.after_session,
            fleet=self.fleet,
            address=address,
        )


def after_session(settings: Settings) -> Then:
    """Return what follows the end of a session: who may have come, and a model's opinion if settings want one."""
    return _finalise_and_refine if settings.refine_qd else finalise


async def _finalise_and_refine(unit: Unit, session_id: UUID) -> None:
    await finalise(unit, session_id)
    await request_refining(unit, session_id)


def proven_schema() -> Schema:
    """Build the schema; raises DeclarationsDisagree naming every field that `db` does not answer as promised."""
    schema = build()
    if found := disagreements(CATALOGUE, declarations()):
        raise DeclarationsDisagree("\n".join(found))
    return schema


def _collect_rarely() -> None:
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)


def _keys(opened: Ports) -> Keys:
    secrets = [key.encode() for key in opened.keys]
    return Keys(CursorKey(*secrets), opened.uploads.key, EventKey(*secrets))


@asynccontextmanager
async def system(settings: Settings, database: Database) -> AsyncIterator[System]:
    """Open the system of one process and close it afterwards; raises DeclarationsDisagree."""
    schema = proven_schema()
    async with (
        ports(settings, database) as opened,
        listening(database.app, settings.look_seconds) as bus,
        routing(settings, opened.pool, SqlPaces(opened.brief)) as router,
        telling(router, SqlSightings(opened.brief)) as sightings,
    ):
        keys = _keys(opened)
        _collect_rarely()
        reads, answers = SqlReads(CATALOGUE, opened.pool, keys), SqlAnswers(CATALOGUE, opened.pool, keys)
        units = SqlUnits(opened.engine, committed=bus.committed, pool=opened.brief)
        providers = Overview(router, partial(SqlSlots(opened.engine).held, SlotKind.LLM), sightings)
        messengers = {MessageProvider.MOCK: MockMessenger()}
        machine = reporting(settings, opened.engine, utc_now, router)
        fleet = InstalledFleet(machine.state, SqlFleetView(opened.pool), machine.runtimes, utc_now)

        def context(caller: Caller) -> GraphContext:
            return GraphContext(
                caller_or_none=caller, reads=reads, units=units, sign_in=opened.sign_in, uploads=opened.uploads,
                cameras=opened.cameras, messengers=messengers, providers=providers, sources=NoSources(), fleet=fleet,
                address="",
            )  # fmt: skip

        yield System(
            settings=settings,
            database=database,
            schema=schema,
            pool=opened.pool,
            engine=opened.engine,
            reads=reads,
            answers=answers,
            events=SqlEventStream(opened.pool, opened.engine, bus),
            event_key=keys.event,
            bus=bus,
            units=units,
            sign_in=opened.sign_in,
            uploads=opened.uploads,
            cameras=opened.cameras,
            overdue=opened.overdue,
            messengers=messengers,
            router=router,
            providers=providers,
            sources=trusted_sources(settings, schema, answers, opened.pool, context),
            fleet=fleet,
            reporting=machine,
            context_for=context,
            metrics=Metrics(opened.pool, Working(opened.engine), Asked(router, sightings)),
        )
