"""Everything joined: settings and a database become the system that serves requests."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from starlette.requests import HTTPConnection

from app.database import Database
from app.metrics import Metrics
from app.secrets import kept
from app.settings import Settings
from db.engine import ReadPool, create_write_engine
from db.reading.cursors import CursorKey
from db.reading.reads import SqlReads
from db.sources import CATALOGUE, disagreements
from db.unit import SqlUnits
from domain.access import Caller
from domain.signing import AssetKey
from graph.context import GraphContext
from graph.declarations import declarations
from graph.schema import Schema, build

GARBAGE_THRESHOLD: Final = 50_000
"""Every request makes many short-lived objects; the default of 700 would walk all live ones far too often."""


class DeclarationsDisagree(Exception):
    """The schema promises what the database layer does not keep."""


@dataclass(frozen=True, slots=True)
class System:
    """What one process is made of."""

    settings: Settings
    database: Database
    schema: Schema
    pool: ReadPool
    reads: SqlReads
    units: SqlUnits
    metrics: Metrics

    def context(self, connection: HTTPConnection) -> GraphContext:
        """Make the context of one request; its caller was verified before."""
        caller: Caller | None = connection.scope.get("velocity.caller")
        return GraphContext(caller_or_none=caller, reads=self.reads, units=self.units)


def proven_schema() -> Schema:
    """Build the schema; raises DeclarationsDisagree naming every field that `db` does not answer as promised."""
    schema = build()
    if found := disagreements(CATALOGUE, declarations()):
        raise DeclarationsDisagree("\n".join(found))
    return schema


@asynccontextmanager
async def system(settings: Settings, database: Database) -> AsyncIterator[System]:
    """Open the connections of one process and close them afterwards."""
    secret = settings.signing_key or kept(settings.data_dir / "signing.key")
    schema = proven_schema()
    pool = await ReadPool.open(
        database.app, size=settings.read_connections, deadline=settings.statement_seconds
    )  # fmt: skip
    engine = create_write_engine(database.app, size=settings.write_connections)
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    try:
        yield System(
            settings=settings,
            database=database,
            schema=schema,
            pool=pool,
            reads=SqlReads(CATALOGUE, pool, CursorKey(secret.encode()), AssetKey(secret.encode())),
            units=SqlUnits(engine),
            metrics=Metrics(pool),
        )
    finally:
        await engine.dispose()
        await pool.close()


State = Mapping[str, System]
"""What Starlette's lifespan yields."""
