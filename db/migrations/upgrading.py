"""Running revisions by Alembic, on a connection of its own."""

from pathlib import Path
from typing import Final

import asyncpg
from alembic import command
from alembic.config import Config
from asyncpg import Connection, Record
from sqlalchemy import Connection as SyncConnection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

LOCK_TIMEOUT: Final = "2s"
"""A revision that cannot have its lock gives up, so that nobody queues behind it for longer than this."""


async def upgrade(owner_dsn: str, revision: str) -> None:
    """Run the revisions that are missing up to one; raises DBAPIError where one of them fails."""

    async def connect() -> "Connection[Record]":
        settings = {"lock_timeout": LOCK_TIMEOUT, "timezone": "UTC"}
        return await asyncpg.connect(owner_dsn, server_settings=settings)

    def run(connection: SyncConnection) -> None:
        settings = configuration()
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run)


def configuration() -> Config:
    """Return where Alembic finds the revisions."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent))
    return settings
