"""A whole database into one file and back, by `pg_dump` and `pg_restore`, owners and grants included.

The owner cannot restore what belongs to LOOKUP, so those functions are given back to it, with their grants, by
statements of ours. Everything happens in one transaction.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg
from asyncpg import Connection, Record

from db.migrations import current_revision
from db.roles import APP, LOOKUP, ensure_roles
from db.server import programs

# Only what serves could be waited for, and it is refused beforehand.
LOCK_TIMEOUT: Final = "10s"

QUEUE: Final = "pgqueuer"
"""The schema that PgQueuer has to itself."""

MAY_COPY: Final = "SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = current_user"
SERVED: Final = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = $1"
LOOKUPS: Final = """
SELECT format('public.%I(%s)', p.proname, pg_get_function_identity_arguments(p.oid)) AS name,
       array_agg(pg_get_userbyid(a.grantee)::text ORDER BY 1) AS grantees
FROM pg_proc p, aclexplode(p.proacl) a
WHERE p.proowner = $1::regrole AND p.pronamespace = 'public'::regnamespace AND a.grantee <> p.proowner
GROUP BY p.oid ORDER BY 1
"""
BEFORE: Final = f"""\
SET lock_timeout = '{LOCK_TIMEOUT}';
SET client_min_messages = warning;
DROP SCHEMA public CASCADE;
DROP SCHEMA IF EXISTS {QUEUE} CASCADE;
CREATE SCHEMA public;
GRANT USAGE ON SCHEMA public TO PUBLIC;
GRANT CREATE ON SCHEMA public TO {LOOKUP};
REVOKE TEMPORARY ON DATABASE "{{database}}" FROM PUBLIC;
"""
AFTER: Final = f"""\
REVOKE CREATE ON SCHEMA public FROM {LOOKUP};
ALTER SCHEMA public OWNER TO pg_database_owner;
"""


class DumpFailed(Exception):
    """The database cannot be dumped or restored. The message says why, and what to do where that is known."""


@dataclass(frozen=True, slots=True)
class Dumped:
    """What a dump needs beside its file: the revision, the owner, and who may call each of LOOKUP's functions."""

    revision: str
    owner: str
    lookups: dict[str, list[str]]


async def dump(owner_dsn: str, file: Path) -> Dumped:
    """Write the database to a file; raises DumpFailed."""
    connection: Connection[Record] = await asyncpg.connect(owner_dsn)
    try:
        owner = await _owner_who_may_copy(connection)
        revision = await current_revision(connection)
        if revision is None:
            raise DumpFailed("The database is empty: there is nothing to back up.")
        lookups = {row["name"]: row["grantees"] for row in await connection.fetch(LOOKUPS, LOOKUP)}
    finally:
        await connection.close()
    await _program("pg_dump", owner_dsn, "--format=custom", "--schema=public", f"--schema={QUEUE}", f"--file={file}")
    return Dumped(revision, owner, lookups)


async def restore(owner_dsn: str, file: Path, dumped: Dumped) -> None:
    """Replace everything in the database by a dump, or raise DumpFailed with nothing changed."""
    connection: Connection[Record] = await asyncpg.connect(owner_dsn)
    try:
        owner = await _owner_who_may_copy(connection)
        if await connection.fetchval(SERVED, APP):
            raise DumpFailed("Velocity serves this database. Stop it first.")
        await ensure_roles(connection)
        database = await connection.fetchval("SELECT current_database()")
    finally:
        await connection.close()
    before, content, after = (file.with_name(name) for name in ("before.sql", "content.sql", "after.sql"))
    before.write_text(BEFORE.format(database=database), encoding="utf-8")
    after.write_text(_given_back(dumped, owner) + AFTER, encoding="utf-8")
    await _script(file, content)
    # One transaction, and psql stops at the first error: all of it or nothing.
    steps = [f"--file={step}" for step in (before, content, after)]
    await _program("psql", owner_dsn, "-X", "-q", "--set=ON_ERROR_STOP=1", "--single-transaction", *steps)


async def _owner_who_may_copy(connection: Connection[Record]) -> str:
    """Return the name of the connection's role; raises DumpFailed where row-level security would hide rows from it."""
    name: str = await connection.fetchval("SELECT current_user::text")
    if not await connection.fetchval(MAY_COPY):
        raise DumpFailed(
            f"Row-level security binds the role {name}, so it cannot copy every tenant's rows."
            f' Let an administrator run `ALTER ROLE "{name}" BYPASSRLS`,'
            " or let DATABASE_OWNER_URL name an owner that has it, for as long as this takes."
        )
    return name


def _given_back(dumped: Dumped, owner: str) -> str:
    """Return the statements that give LOOKUP its functions; the owner of then is the owner of now."""
    lines = [f"ALTER FUNCTION {name} OWNER TO {LOOKUP};" for name in dumped.lookups]
    lines.append(f"SET ROLE {LOOKUP};")
    for name, grantees in dumped.lookups.items():
        roles = ", ".join(f'"{owner if grantee == dumped.owner else grantee}"' for grantee in grantees)
        lines += [f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC;", f"GRANT EXECUTE ON FUNCTION {name} TO {roles};"]
    return "\n".join([*lines, "RESET ROLE;", ""])


async def _script(file: Path, content: Path) -> None:
    """Write a dump as SQL, without what only LOOKUP may grant and without the schema that stands already."""
    listing = file.with_name("listing")
    await _program("pg_restore", None, "--list", f"--file={listing}", str(file))
    kept = [
        line
        for line in listing.read_text(encoding="utf-8").splitlines()
        if not re.search(rf" (?:ACL .* {LOOKUP}|SCHEMA - public .*)$", line)
    ]
    listing.write_text("\n".join(kept) + "\n", encoding="utf-8")
    await _program("pg_restore", None, "--no-owner", f"--use-list={listing}", f"--file={content}", str(file))


async def _program(name: str, address: str | None, *arguments: str) -> None:
    """Run one of PostgreSQL's programs; raises DumpFailed with what it says. No password is on its command line."""
    environment, target = dict(os.environ), list[str]()
    if address is not None:
        parts = urlsplit(address)
        user, _, host = parts.netloc.rpartition("@")
        user, _, password = user.partition(":")
        if password:
            environment["PGPASSWORD"] = unquote(password)
        target = [f"--dbname={urlunsplit(parts._replace(netloc=f'{user}@{host}' if user else host))}"]
    await _run([str(programs() / name), *target, *arguments], environment)


async def _run(command: Sequence[str], environment: dict[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaint = await process.communicate()
    if process.returncode != 0:
        raise DumpFailed(complaint.decode(errors="replace").strip() or f"{Path(command[0]).name} failed.")
