"""Backup and restore: what comes back is what was there, to the last byte, or nothing changes and it says so."""

import asyncio
import hashlib
import tarfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import asyncpg
import pytest
from asyncpg import Connection, Record

from db.dumps import DumpFailed, dump
from db.migrations import migrate
from db.migrations.check import describe
from db.roles import OWNER
from db.server import temporary_server
from tests.clusters import copied
from tests.db.catalogue import faults
from tests.factories import access
from tests.installation import Installation, refusal

Result = TypeVar("Result")

# The order of rows is not part of what they say.
DIGEST = """
SELECT count(*)::text || ' ' || coalesce(md5(string_agg(row_text, '' ORDER BY row_text)), '')
FROM (SELECT t::text AS row_text FROM "{table}" t) AS rows
"""
TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname
"""
FUNCTIONS = """
SELECT proname, pg_get_userbyid(proowner)::text,
       (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(proacl) a)::text
FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY proname
"""
GRANTS = """
SELECT relname, relrowsecurity, relforcerowsecurity,
       (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(relacl) a)::text
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname
"""
SCHEMA = "SELECT nspowner::regrole::text, nspacl::text FROM pg_namespace WHERE nspname = 'public'"
DATABASE = "SELECT datacl::text FROM pg_database WHERE datname = current_database()"


def ask(installation: Installation, question: Callable[["Connection[Record]"], Awaitable[Result]]) -> Result:
    """Ask an installation's database as its superuser, who sees every row."""

    async def asked() -> Result:
        connection = await asyncpg.connect(server.addresses.superuser)
        try:
            return await question(connection)
        finally:
            await connection.close()

    with installation.server as server:
        return asyncio.run(asked())


async def content(connection: "Connection[Record]") -> dict[str, str]:
    """The number of rows and a digest of each table, partitions included."""
    tables = [row["relname"] for row in await connection.fetch(TABLES)]
    return {table: await connection.fetchval(DIGEST.format(table=table)) for table in tables}


async def shape(connection: "Connection[Record]") -> dict[str, object]:
    """Everything about the database but its rows: tables, policies, owners, grants."""
    return {
        "tables": await describe(connection),
        "faults": await faults(connection, "public"),
        **{query: await connection.fetch(query) for query in (FUNCTIONS, GRANTS, SCHEMA, DATABASE)},
    }


async def add_tenant(connection: "Connection[Record]") -> None:
    await access.tenant(connection)


async def damage(connection: "Connection[Record]") -> None:
    await connection.execute("UPDATE people SET full_name = 'Changed'")
    await connection.execute("DELETE FROM property_interests")
    await connection.execute("CREATE TABLE left_over (id integer)")
    await connection.execute("DROP FUNCTION public.all_tenant_ids()")


def files(installation: Installation) -> dict[str, str]:
    """A digest of every asset."""
    assets = installation.folder / "assets"
    return {
        str(path.relative_to(assets)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(assets.rglob("*"))
        if path.is_file()
    }


def test_what_was_backed_up_comes_back(folder: Path, seeded: Path) -> None:
    installation, file = Installation(folder / "var"), folder / "velocity.backup"
    copied(seeded, installation.folder)
    rows, made, assets = ask(installation, content), ask(installation, shape), files(installation)
    assert int(rows["people"].split()[0]) > 10
    assert len(assets) > 3

    assert installation.run("backup", str(file)).stdout == f"Wrote {file}.\n"
    assert file.stat().st_mode & 0o777 == 0o600

    ask(installation, damage)
    picture = installation.folder / "assets" / next(iter(assets))
    picture.write_bytes(b"changed")
    (installation.folder / "assets" / "new").write_bytes(b"new")

    assert installation.run("restore", str(file)).stdout == f"Restored {file}.\n"
    assert ask(installation, content) == rows
    assert ask(installation, shape) == made
    assert files(installation) == assets

    elsewhere = Installation(folder / "elsewhere")
    assert elsewhere.run("restore", str(file)).stdout == f"Restored {file}.\n"
    assert ask(elsewhere, content) == rows
    assert ask(elsewhere, shape) == made
    assert files(elsewhere) == assets
    token = elsewhere.run("token", "--email", "senior@saffron.example")
    assert (token.returncode, token.stdout.count(".")) == (0, 2)

    with elsewhere.serving():
        assert refusal(elsewhere.run("restore", str(file))) == "Velocity serves this database. Stop it first."


def test_a_damaged_file_changes_nothing(folder: Path, blank: Path) -> None:
    installation, file, spoilt = Installation(folder / "var"), folder / "velocity.backup", folder / "spoilt.backup"
    copied(blank, installation.server.directory)
    (installation.folder / "assets").mkdir()
    (installation.folder / "assets" / "picture").write_bytes(b"picture" * 1000)
    assert installation.run("backup", str(file)).returncode == 0
    ask(installation, add_tenant)
    rows, assets = ask(installation, content), files(installation)

    whole = file.read_bytes()
    with tarfile.open(file) as archive:
        inside = [archive.getmember(name).offset_data + 100 for name in ("database.dump", "assets/picture")]
    damaged = [whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :] for place in inside]
    for harm, reason in (
        *((bent, "is damaged: what it holds is not what was written.") for bent in damaged),
        (whole[: len(whole) // 2], "is not a whole backup of Velocity."),
        (b"no backup at all" * 100, "is not a whole backup of Velocity."),
    ):
        spoilt.write_bytes(harm)
        line = refusal(installation.run("restore", str(spoilt)))
        assert line == f"{spoilt} {reason} Nothing was changed."
    missing = folder / "missing"
    assert refusal(installation.run("restore", str(missing))) == f"There is no file {missing}."

    assert ask(installation, content) == rows
    assert files(installation) == assets
    assert rows["tenants"].startswith("1 ")


def test_a_place_that_cannot_be_written_to(folder: Path) -> None:
    line = refusal(Installation(folder / "var").run("backup", str(folder / "nowhere" / "file")))
    assert line == f"{folder / 'nowhere' / 'file'} cannot be written: No such file or directory."


async def test_an_owner_bound_by_row_level_security_is_told_what_is_missing(folder: Path) -> None:
    with temporary_server(tcp=True) as server:
        await migrate(server.addresses.owner)
        with pytest.raises(DumpFailed) as refused:
            await dump(server.addresses.owner, folder / "dump")
        assert str(refused.value) == (
            f"Row-level security binds the role {OWNER}, so it cannot copy every tenant's rows."
            f' Let an administrator run `ALTER ROLE "{OWNER}" BYPASSRLS`,'
            " or let DATABASE_OWNER_URL name an owner that has it, for as long as this takes."
        )
        superuser = await asyncpg.connect(server.addresses.superuser)
        await superuser.execute(f"ALTER ROLE {OWNER} BYPASSRLS")
        await superuser.close()
        dumped = await dump(server.addresses.owner, folder / "dump")
        assert dumped.owner == OWNER
        assert (folder / "dump").stat().st_size > 10_000
