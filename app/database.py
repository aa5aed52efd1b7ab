"""Which database this process uses: the operator's, or the embedded one under the data folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.settings import Settings
from db.server import PostgresServer


class SettingMissing(Exception):
    """A setting that this needs is not set."""


@dataclass(frozen=True, slots=True)
class Database:
    """Addresses of the database: `app` serves, `owner` migrates and seeds."""

    app: str
    owner_or_none: str | None
    embedded: bool

    @property
    def owner(self) -> str:
        """The owner's address; raises SettingMissing."""
        if self.owner_or_none is None:
            raise SettingMissing("Set DATABASE_OWNER_URL to the same database as its owner: migrations need it.")
        return self.owner_or_none


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[Database]:
    """Find the database, starting the embedded server where none is configured, and stopping it afterwards."""
    if settings.database_url is not None:
        yield Database(settings.database_url, settings.database_owner_url, embedded=False)
        return
    server = PostgresServer(settings.data_dir / "postgres")
    await asyncio.to_thread(server.start)
    try:
        addresses = server.addresses
        yield Database(addresses.app, addresses.owner, embedded=True)
    finally:
        await asyncio.to_thread(server.stop)
