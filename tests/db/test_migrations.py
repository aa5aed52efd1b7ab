"""Migrations run from empty, over data under traffic, and make exactly what the tables declare."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from itertools import count, pairwise
from pathlib import Path

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from asyncpg import CheckViolationError, Connection, Record

from db.migrations import current_revision, is_known, migrate, newest_revision, revisions
from db.migrations.check import drift
from db.migrations.upgrading import configuration
from db.partitions import ensure_partitions
from db.roles import OWNER, SUPERUSER, set_tenant
from db.server import PostgresServer, temporary_server
from domain.values import new_id
from tests.serving import PATIENCE

VERSIONS = Path("db/migrations/versions")
PEOPLE_AT_SCALE_10 = 20_000
TENANT = new_id()
NAMES = count()
INDEX = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('ix_people_tenant_id_search_name')"


@pytest.fixture
async def empty(server: PostgresServer) -> AsyncIterator[str]:
    """The name of a database with nothing in it."""
    name = f"empty_{next(NAMES)}"
    superuser = await asyncpg.connect(server.address(SUPERUSER))
    await superuser.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
    yield name
    await superuser.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await superuser.close()


@pytest.fixture
async def foundation(server: PostgresServer, empty: str) -> AsyncIterator[tuple[str, "Connection[Record]"]]:
    """A database at the first revision with the people of scale 10: its owner's address and a superuser in it."""
    owner = server.address(OWNER, empty)
    await migrate(owner, "foundation")
    superuser = await asyncpg.connect(server.address(SUPERUSER, empty))
    await superuser.execute(
        "INSERT INTO tenants (tenant_id, id, name, time_zone, currency) VALUES ($1, $1, 'Meridian', 'UTC', 'AED')",
        TENANT,
    )
    await superuser.execute(
        "INSERT INTO people (tenant_id, id, full_name)"
        " SELECT $1, gen_random_uuid(), 'Person ' || n FROM generate_series(1, $2::integer) AS n",
        TENANT,
        PEOPLE_AT_SCALE_10,
    )
    yield owner, superuser
    await superuser.close()


def test_the_newest_revision_is_told_by_its_file_and_alembic_agrees() -> None:
    scripts = ScriptDirectory.from_config(configuration())

    assert newest_revision() == scripts.get_current_head()
    assert set(revisions().values()) == {script.revision for script in scripts.walk_revisions()}
    assert is_known(newest_revision())
    assert not is_known("of_a_newer_release")


async def _add_person(connection: "Connection[Record]") -> None:
    statement = "INSERT INTO people (tenant_id, id, full_name) VALUES ($1, $2, 'Somebody new')"
    await connection.execute(statement, TENANT, new_id())


async def test_two_processes_may_migrate_an_empty_database_at_once(server: PostgresServer, empty: str) -> None:
    owner = server.address(OWNER, empty)

    await asyncio.gather(migrate(owner), migrate(owner))

    connection = await asyncpg.connect(owner)
    assert await current_revision(connection) == newest_revision()
    assert await connection.fetchval(INDEX) is True
    await connection.close()


async def test_an_empty_database_has_no_revision(server: PostgresServer, empty: str) -> None:
    connection = await asyncpg.connect(server.address(OWNER, empty))
    assert await current_revision(connection) is None
    await connection.close()


async def test_a_migration_runs_under_traffic(
    server: PostgresServer, foundation: tuple[str, "Connection[Record]"], empty: str
) -> None:
    owner, superuser = foundation
    app = await asyncpg.connect(server.address("velocity_app", empty))
    await set_tenant(app, TENANT)
    migrating = asyncio.create_task(migrate(owner))
    written = 0
    while not migrating.done():
        await _add_person(app)
        written += 1
    await migrating
    await app.close()

    assert written > 0
    assert await superuser.fetchval("SELECT count(*) FROM people") == PEOPLE_AT_SCALE_10 + written
    assert await current_revision(superuser) == newest_revision()
    assert await superuser.fetchval(INDEX) is True


async def test_a_migration_that_waits_holds_nobody_up_gives_way_and_tries_again(
    server: PostgresServer, foundation: tuple[str, "Connection[Record]"], empty: str
) -> None:
    owner, superuser = foundation
    slow, app = [await asyncpg.connect(server.address("velocity_app", empty)) for _ in range(2)]
    for connection in (slow, app):
        await set_tenant(connection, TENANT)
    transaction = slow.transaction()
    await transaction.start()
    await _add_person(slow)

    migrating = asyncio.create_task(migrate(owner))
    # The first attempt has left an invalid index, and the second waits to drop it.
    waits_again = (
        "SELECT EXISTS (SELECT FROM pg_stat_activity"
        " WHERE query LIKE 'DROP INDEX CONCURRENTLY%' AND wait_event_type = 'Lock' AND datname = current_database())"
    )
    async with asyncio.timeout(2 * PATIENCE):
        while not await superuser.fetchval(waits_again):
            await _add_person(app)
    assert await superuser.fetchval(INDEX) is False
    await transaction.commit()
    await migrating

    assert await superuser.fetchval(INDEX) is True
    assert await current_revision(superuser) == newest_revision()
    await slow.close()
    await app.close()


async def test_partitions_are_made_once_and_take_their_month(server: PostgresServer, empty: str) -> None:
    await migrate(server.address(OWNER, empty))
    superuser = await asyncpg.connect(server.address(SUPERUSER, empty))
    first, last = date(2019, 11, 30), date(2020, 2, 1)

    assert await ensure_partitions(superuser, first, last) == 4
    assert await ensure_partitions(superuser, first, last) == 0
    assert await ensure_partitions(superuser) == 0

    person = new_id()
    await superuser.execute(
        "INSERT INTO tenants (tenant_id, id, name, time_zone, currency) VALUES ($1, $1, 'Meridian', 'UTC', 'AED')",
        TENANT,
    )
    await superuser.execute("INSERT INTO people (tenant_id, id, full_name) VALUES ($1, $2, 'A')", TENANT, person)
    insert = (
        "INSERT INTO qd_scores (tenant_id, id, person_id, at, kind, source, score)"
        " VALUES ($1, $2, $3, $4, 'LIVE', 'RULES', 50) RETURNING tableoid::regclass::text"
    )
    last_instant = datetime(2019, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert await superuser.fetchval(insert, TENANT, new_id(), person, last_instant) == "qd_scores_2019_12"
    new_year = datetime(2020, 1, 1, tzinfo=UTC)
    assert await superuser.fetchval(insert, TENANT, new_id(), person, new_year) == "qd_scores_2020_01"
    with pytest.raises(CheckViolationError, match="no partition of relation"):
        await superuser.fetchval(insert, TENANT, new_id(), person, datetime(2018, 1, 1, tzinfo=UTC))
    await superuser.close()


async def test_the_migrations_make_what_the_tables_declare_and_a_difference_is_found() -> None:
    by_budget = (
        "CREATE INDEX ix_leads_tenant_id_budget_hundredths_id ON public.leads USING btree"
        " (tenant_id, budget_hundredths, id)"
    )
    length = "CHECK (((char_length(name) >= 1) AND (char_length(name) <= 50)))"
    with temporary_server() as server:
        assert await drift(server) == []

        superuser = await asyncpg.connect(server.addresses.superuser)
        await superuser.execute(
            "ALTER TABLE tags ADD COLUMN colour text; ALTER TABLE tags ALTER description SET NOT NULL;"
            "ALTER TABLE tags DROP CONSTRAINT ck_tags_name_length; DROP INDEX ix_leads_tenant_id_budget_hundredths_id"
        )
        await superuser.close()

        assert await drift(server) == [
            f"The migrations lack: {by_budget}",
            "The migrations lack: column tags.description: text",
            f"The migrations lack: constraint tags.ck_tags_name_length: {length}",
            "No table declares: column tags.colour: text",
            "No table declares: column tags.description: text not null",
            "No table declares: constraint tags.tags_description_not_null: NOT NULL description",
        ]


def test_revisions_are_named_in_their_order_and_wait_for_no_lock_for_long() -> None:
    files = sorted(VERSIONS.glob("*.py"))
    texts = [file.read_text() for file in files]

    for earlier, later in pairwise(texts):
        revision = earlier.partition('revision = "')[2].partition('"')[0]
        assert f'down_revision = "{revision}"' in later
    for file, content in zip(files, texts, strict=True):
        assert "SET LOCAL lock_timeout" in content or "autocommit_block()" in content, file.name
