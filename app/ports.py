"""What a process has in common that serves nobody: connections, the bus, files and keys, without the graph."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from app.access.callers import CheckedCallers
from app.access.keys import CheckedKeys
from app.access.passwords import Argon2Passwords
from app.access.secrets import kept
from app.access.tokens import JwtTokens, signing_keys
from app.assets.contents import FileContents
from app.assets.objects import object_store, upload_rules
from app.database import Database, check_serves
from app.database import database as opened_database
from app.settings import Settings
from db.access.accounts import SqlAccounts
from db.access.keys import SqlApiKeyLookup
from db.assets.receipts import SqlReceipts
from db.engine import BRIEF_SETTINGS, ReadPool, create_write_engine
from db.events.bus import EventBus
from db.migrations.declared import NOUNS
from db.perception.overdue import SqlOverdue
from db.unit import SqlUnits, utc_now
from domain.access import SignInPorts, SignInRules
from domain.assets import UploadPorts
from domain.cctv import Cameras, PlateKey
from domain.signing import AssetKey

TABLES: Final = NOUNS
"""Where every table is declared: statements name those of other nouns, which are known once they are imported."""
BRIEF_CONNECTIONS: Final = 4
"""Units that are one statement hold a connection for hardly longer than PostgreSQL works."""


@dataclass(frozen=True, slots=True)
class Ports:
    """What reaches the database and the keys: enough for a command that serves nobody."""

    pool: ReadPool
    brief: ReadPool
    """What units write through that are one statement."""
    engine: AsyncEngine
    keys: tuple[str, ...]
    units: SqlUnits
    sign_in: SignInPorts
    uploads: UploadPorts
    cameras: Cameras
    overdue: SqlOverdue


@asynccontextmanager
async def ports(settings: Settings, database: Database) -> AsyncIterator[Ports]:
    """Open the connections of one process and close them afterwards."""
    keys = signing_keys(settings.signing_key or kept(settings.data_dir / "signing.key"))
    pool = await ReadPool.open(database.app, size=settings.read_connections, deadline=settings.statement_seconds)
    engine = create_write_engine(database.app, size=settings.write_connections)
    brief = await ReadPool.open(
        database.app, size=min(BRIEF_CONNECTIONS, settings.write_connections), settings=BRIEF_SETTINGS
    )
    passwords = Argon2Passwords()
    tokens = JwtTokens(keys)
    accounts = SqlAccounts(pool, engine, keys[-1].encode(), utc_now)
    rules = SignInRules(
        access_token=timedelta(seconds=settings.access_token_seconds),
        refresh_token=timedelta(seconds=settings.refresh_token_seconds),
    )
    seconds = settings.recheck_seconds
    api_keys = CheckedKeys(SqlApiKeyLookup(pool, engine), recheck_seconds=seconds, clock=utc_now)
    callers = CheckedCallers(tokens, accounts, api_keys, recheck_seconds=seconds, clock=utc_now)
    sign_in = SignInPorts(accounts=accounts, passwords=passwords, tokens=tokens, callers=callers, rules=rules)
    contents = FileContents(settings.upload_pixels)
    try:
        async with object_store(settings) as objects:
            uploads = UploadPorts(
                objects=objects,
                receipts=SqlReceipts(engine),
                contents=contents,
                key=AssetKey(*(key.encode() for key in keys)),
                rules=upload_rules(settings),
            )
            yield Ports(
                pool=pool, brief=brief, engine=engine, keys=keys, units=SqlUnits(engine), sign_in=sign_in,
                uploads=uploads, overdue=SqlOverdue(engine),
                cameras=Cameras(PlateKey(*(key.encode() for key in keys)), frozenset(settings.cctv_arrival_cameras)),
            )  # fmt: skip
    finally:
        contents.close()
        passwords.close()
        await engine.dispose()
        await brief.close()
        await pool.close()


@asynccontextmanager
async def alone(settings: Settings, *, writing: int = 1) -> AsyncIterator[tuple[Database, Ports]]:
    """Open the database and the ports of a command, with few connections; raises CannotContinue."""
    few = settings.model_copy(update={"read_connections": 1, "write_connections": writing})
    async with opened_database(few) as found:
        await check_serves(found.app)
        async with ports(few, found) as opened:
            yield found, opened


@asynccontextmanager
async def listening(dsn: str, look_seconds: float) -> AsyncIterator[EventBus]:
    """Open the bus of one process and close it afterwards."""
    bus = EventBus(dsn, look_seconds=look_seconds)
    bus.start()
    try:
        yield bus
    finally:
        await bus.close()
