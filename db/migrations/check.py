"""Whether the migrations make what the tables declare: `python -m db.migrations.check` says what differs.

Alembic's own comparison sees no CHECK constraint and guesses at expressions. So both are made, each in a database of
its own, and PostgreSQL is asked to describe them.
"""

import asyncio
import sys
from typing import Final

import asyncpg
from asyncpg import Connection, Record
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db.migrations import migrate
from db.migrations.declared import metadata
from db.roles import OWNER, SUPERUSER
from db.server import PostgresServer, temporary_server

DESCRIPTION: Final = """
WITH ours AS (
    SELECT oid, relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
      AND relname <> 'alembic_version'
)
SELECT format('table %s: partitioned by %s', relname, coalesce(pg_get_partkeydef(oid), 'nothing')) FROM ours
UNION ALL
SELECT format('column %s.%s: %s%s%s%s', relname, attname, format_type(atttypid, atttypmod),
              CASE WHEN attnotnull THEN ' not null' END, CASE attgenerated WHEN 's' THEN ' generated' END,
              ' default ' || pg_get_expr(adbin, adrelid))
FROM ours JOIN pg_attribute ON attrelid = ours.oid
LEFT JOIN pg_attrdef ON adrelid = ours.oid AND adnum = attnum
WHERE attnum > 0 AND NOT attisdropped
UNION ALL
SELECT format('constraint %s.%s: %s', relname, conname, pg_get_constraintdef(pg_constraint.oid))
FROM ours JOIN pg_constraint ON conrelid = ours.oid
UNION ALL
SELECT pg_get_indexdef(indexrelid) FROM ours JOIN pg_index ON indrelid = ours.oid
"""


async def describe(connection: "Connection[Record]") -> set[str]:
    """One line for each table, column, constraint and index that is ours."""
    return {row[0] for row in await connection.fetch(DESCRIPTION)}


async def drift(server: PostgresServer) -> list[str]:
    """What the migrated database lacks, or has beyond the tables; empty if nothing. `server` is a temporary one."""
    await migrate(server.addresses.owner)
    superuser = await asyncpg.connect(server.addresses.superuser)
    try:
        await superuser.execute("DROP DATABASE IF EXISTS declared")
        await superuser.execute(f"CREATE DATABASE declared OWNER {OWNER}")
        migrated = await describe(superuser)
    finally:
        await superuser.close()
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(server.address(SUPERUSER, "declared")),
        poolclass=NullPool,
    )
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    scratch = await asyncpg.connect(server.address(SUPERUSER, "declared"))
    try:
        declared = await describe(scratch)
    finally:
        await scratch.close()
    missing = [f"The migrations lack: {line}" for line in sorted(declared - migrated)]
    return missing + [f"No table declares: {line}" for line in sorted(migrated - declared)]


def main() -> int:
    with temporary_server() as server:
        found = asyncio.run(drift(server))
    for line in found:
        sys.stderr.write(f"{line}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
