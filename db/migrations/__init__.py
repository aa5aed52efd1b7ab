"""Bringing a database to the newest shape: roles, revisions, partitions. Safe to run at once, and under traffic."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import asyncpg
from asyncpg import Connection, Record
from sqlalchemy.exc import DBAPIError

from db.partitions import ensure_partitions
from db.roles import ensure_roles

VERSIONS: Final = Path(__file__).parent / "versions"
HEAD: Final = "head"
ATTEMPTS: Final = 30
LOCK_NOT_AVAILABLE: Final = "55P03"
ONE_AT_A_TIME: Final = 7_032_188_604
"""The advisory lock that a migrating process holds. Any number would do."""


async def migrate(owner_dsn: str, revision: str = HEAD) -> None:
    """Create the roles, run the revisions that are missing, and make the partitions that will be needed soon.

    A revision that does not get its lock within `upgrading.LOCK_TIMEOUT` is rolled back and tried again. Raises
    RolesMissing where the owner may not create roles, and the database's error where a revision fails.
    """
    async with _alone(owner_dsn) as connection:
        await ensure_roles(connection)
        if revision != HEAD or await current_revision(connection) != newest_revision():
            await _upgrade(owner_dsn, revision)
        if await connection.fetchval("SELECT to_regclass('qd_scores') IS NOT NULL"):
            await ensure_partitions(connection)


async def _upgrade(owner_dsn: str, revision: str) -> None:
    from db.migrations.upgrading import upgrade  # noqa: PLC0415 -- Alembic takes long to import, and is rarely needed.

    for remaining in reversed(range(ATTEMPTS)):
        try:
            await upgrade(owner_dsn, revision)
            break
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE or not remaining:
                raise
            await asyncio.sleep(0.2)


async def current_revision(connection: "Connection[Record]") -> str | None:
    """The revision that the database is at, or None before the first."""
    if not await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL"):
        return None
    found: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    return found


def newest_revision() -> str:
    """The revision that this release needs: files are named by their time and their revision."""
    return max(revisions().items())[1]


def is_known(revision: str) -> bool:
    """Whether this release has a revision; a database of a newer release is at one that it has not."""
    return revision in revisions().values()


def revisions() -> dict[str, str]:
    """Return the revisions of this release by their times."""
    return {time: revision for time, _, revision in (path.stem.partition("_") for path in VERSIONS.glob("*.py"))}


@asynccontextmanager
async def _alone(owner_dsn: str) -> AsyncIterator["Connection[Record]"]:
    """Hold the advisory lock, on a connection that idles outside a transaction.

    It asks again and again: a statement that waited for the lock would hold a snapshot, and an index that the holder
    builds concurrently would wait for that.
    """
    connection: Connection[Record] = await asyncpg.connect(owner_dsn)
    try:
        ask = "SELECT pg_try_advisory_lock($1)"
        while not await connection.fetchval(ask, ONE_AT_A_TIME):  # noqa: ASYNC110 the other is in another process
            await asyncio.sleep(0.1)
        yield connection
    finally:
        await connection.close()
