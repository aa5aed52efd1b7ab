"""Reading connections remember their tenant, and never the wrong one; writing connections keep JSON as it was."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import cast
from uuid import UUID

import asyncpg
import pytest
from asyncpg import Connection, Record
from sqlalchemy import JSON, bindparam, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from db.access.accounts import SqlAccounts
from db.engine import ReadConnection, ReadPool, create_write_engine, transaction
from db.roles import set_tenant
from db.unit import SqlUnits, utc_now
from domain.errors import Unavailable
from domain.values import new_id
from tests.factories.access import Tenant
from tests.serving import PATIENCE

CURRENT = "SELECT current_setting('app.tenant_id', true)"
GONE = "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $1"
CHEAT = "SELECT set_config('app.tenant_id', $1, false)"


@pytest.fixture
async def pool(app_dsn: str) -> AsyncIterator[ReadPool]:
    """A pool of one connection, so that every statement meets what the one before left."""
    opened = await ReadPool.open(app_dsn, size=1, deadline=PATIENCE)
    yield opened
    await opened.close()


@asynccontextmanager
async def lent(pool: ReadPool) -> AsyncIterator[ReadConnection]:
    connection = await pool._lend()
    yield cast("ReadConnection", connection)
    await pool._give_up(connection)


async def _current(pool: ReadPool, tenant: UUID | None) -> str:
    [row] = await pool.fetch(tenant, CURRENT)
    return str(row[0])


async def test_the_tenant_is_set_when_it_changes_and_only_then(pool: ReadPool) -> None:
    one, other = new_id(), new_id()

    assert await _current(pool, one) == str(one)
    assert await _current(pool, other) == str(other)
    await pool.fetch(other, CHEAT, str(one))
    assert await _current(pool, other) == str(one), "the same tenant was set again"
    assert await _current(pool, None) == ""
    assert await _current(pool, other) == str(other)
    assert pool.statements == 6


async def test_a_statement_that_could_not_be_sent_keeps_no_lock(
    pool: ReadPool, owner_connection: "Connection[Record]"
) -> None:
    [[pid]] = await pool.fetch(new_id(), "SELECT pg_backend_pid()")

    with pytest.raises(asyncpg.DataError, match="value out of int32 range"):
        await pool.fetch(new_id(), "SELECT FROM leads LIMIT $1::int", 2**40)

    held = await owner_connection.fetchval("SELECT count(*) FROM pg_locks WHERE pid = $1", pid)
    assert held == 0


async def test_who_waits_for_a_connection_gets_it_in_turn(pool: ReadPool) -> None:
    told: list[str] = []

    async def ask(name: str, times: int) -> None:
        for _ in range(times):
            await pool.fetch(None, "SELECT")
            told.append(name)

    await asyncio.gather(ask("one", 3), ask("other", 2))

    assert told == ["one", "other", "one", "other", "one"]


async def test_who_stops_waiting_for_a_connection_passes_it_on(pool: ReadPool) -> None:
    async with lent(pool):
        first, second = (asyncio.create_task(pool.fetch(None, "SELECT")) for _ in range(2))
        await asyncio.wait((first, second), timeout=0.01)
        first.cancel()

    assert len(await second) == 1
    assert first.cancelled()
    assert len(await pool.fetch(None, "SELECT")) == 1


async def test_an_error_makes_it_forget(pool: ReadPool) -> None:
    tenant = new_id()
    await pool.fetch(tenant, CHEAT, str(new_id()))

    with pytest.raises(asyncpg.DivisionByZeroError):
        await pool.fetch(tenant, "SELECT 1 / 0")

    assert await _current(pool, tenant) == str(tenant)


async def test_a_reset_empties_the_setting_and_makes_it_forget(pool: ReadPool) -> None:
    tenant = new_id()
    assert await _current(pool, tenant) == str(tenant)

    async with lent(pool) as connection:
        await connection.reset()
        assert await connection.fetchval(CURRENT) == ""

    assert await _current(pool, tenant) == str(tenant)


async def test_a_tenant_is_not_set_inside_a_transaction_because_rollback_restores_the_older(pool: ReadPool) -> None:
    one, other = new_id(), new_id()
    assert await _current(pool, one) == str(one)

    async with lent(pool) as connection:
        await connection.execute("BEGIN")
        await connection.execute(f"SET app.tenant_id = '{other}'")
        await connection.execute("ROLLBACK")
        assert await connection.fetchval(CURRENT) == str(one)
        await connection.execute("BEGIN")
        with pytest.raises(RuntimeError, match="inside a transaction"):
            await connection.fetch_for(other, CURRENT)
        await connection.execute("ROLLBACK")

    assert await _current(pool, other) == str(other)


async def test_a_cancelled_statement_leaves_a_usable_connection(
    pool: ReadPool, superuser_connection: "Connection[Record]"
) -> None:
    tenant = new_id()
    reading = asyncio.create_task(pool.fetch(tenant, "SELECT pg_sleep(600)"))
    await _until(superuser_connection, "SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'")

    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert await _current(pool, tenant) == str(tenant)
    await _until(
        superuser_connection,
        "SELECT count(*) = 0 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'",
    )


async def test_a_statement_past_its_deadline_fails_and_the_next_one_does_not(app_dsn: str) -> None:
    pool = await ReadPool.open(app_dsn, size=1, deadline=1)
    tenant = new_id()
    try:
        with pytest.raises(Unavailable, match="in time"):
            await pool.fetch(tenant, "SELECT pg_sleep(600)")
        assert await _current(pool, tenant) == str(tenant)
    finally:
        await pool.close()


async def test_a_lost_connection_is_replaced(pool: ReadPool, superuser_connection: "Connection[Record]") -> None:
    tenant = new_id()
    [row] = await pool.fetch(tenant, "SELECT pg_backend_pid()")
    await superuser_connection.execute("SELECT pg_terminate_backend($1)", row[0])
    await _until(superuser_connection, GONE, row[0])

    assert await _current(pool, tenant) == str(tenant)


async def test_no_failure_costs_a_connection(app_dsn: str) -> None:
    pool = await ReadPool.open(app_dsn, size=2)
    for _ in range(3):
        with pytest.raises(asyncpg.DivisionByZeroError):
            await pool.fetch(None, "SELECT 1 / 0")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await pool.warm([("SELECT 1", ()), ("SELECT 1 / 0", ())])
        cancelled = asyncio.create_task(pool.fetch(None, "SELECT pg_sleep(600)"))
        await pool.fetch(None, "SELECT")
        cancelled.cancel()
        await asyncio.wait([cancelled])

    both = await asyncio.gather(*(pool.fetch(None, "SELECT pg_sleep(0.1), pg_backend_pid() AS pid") for _ in range(2)))

    assert len({row["pid"] for [row] in both}) == 2
    await pool.close()
    with pytest.raises(asyncpg.InterfaceError, match="pool is closed"):
        await pool.fetch(None, "SELECT 1")


async def test_tenants_side_by_side_see_their_own(read_pool: ReadPool, owner_connection: "Connection[Record]") -> None:
    tenants = [new_id() for _ in range(6)]
    for tenant in tenants:
        await set_tenant(owner_connection, tenant)
        await owner_connection.execute(
            "INSERT INTO tenants (tenant_id, id, name, time_zone, currency) VALUES ($1, $1, 'Meridian', 'UTC', 'AED')",
            tenant,
        )

    asked = tenants * 30
    found = await asyncio.gather(*(read_pool.fetch(tenant, "SELECT id FROM tenants") for tenant in asked))

    assert [[row["id"] for row in rows] for rows in found] == [[tenant] for tenant in asked]
    assert await read_pool.fetch(None, "SELECT id FROM tenants") == []


async def test_a_reading_connection_cannot_write(pool: ReadPool) -> None:
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await pool.fetch(new_id(), "DELETE FROM people")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("plan_cache_mode", "force_generic_plan"),
        ("random_page_cost", "1.1"),
        ("jit", "off"),
        ("TimeZone", "UTC"),
    ],
)
async def test_a_reading_connection_has_the_planner_settings(pool: ReadPool, setting: str, value: str) -> None:
    [row] = await pool.fetch(None, "SELECT current_setting($1)", setting)

    assert row[0] == value


async def test_a_column_that_changes_its_type_is_read_on(
    pool: ReadPool, superuser_connection: "Connection[Record]"
) -> None:
    await superuser_connection.execute(
        "CREATE SCHEMA moving; GRANT USAGE ON SCHEMA moving TO velocity_app; CREATE TABLE moving.t AS SELECT 1 AS n;"
        " GRANT SELECT ON moving.t TO velocity_app"
    )
    try:
        before = await pool.fetch(None, "SELECT * FROM moving.t")
        await superuser_connection.execute("ALTER TABLE moving.t ALTER n TYPE text, ADD m boolean DEFAULT true")
        after = await pool.fetch(None, "SELECT * FROM moving.t")
    finally:
        await superuser_connection.execute("DROP SCHEMA moving CASCADE")

    assert [tuple(row) for row in before] == [(1,)]
    assert [tuple(row) for row in after] == [("1", True)]


async def test_the_write_engine_keeps_json_and_time(write_engine: AsyncEngine) -> None:
    value = {"before": None, "after": ["ü", 1.5, 10**15]}
    statement = text("SELECT CAST(:value AS json), current_setting('TimeZone'), current_user")

    async with write_engine.connect() as connection:
        row = (await connection.execute(statement.bindparams(bindparam("value", value, JSON)))).one()

    assert tuple(row)[1:] == ("UTC", "velocity_app")
    assert row[0] == value


async def test_the_write_engine_replaces_a_lost_connection(
    app_dsn: str, superuser_connection: "Connection[Record]"
) -> None:
    engine = create_write_engine(app_dsn, size=1)
    try:
        async with engine.connect() as connection:
            pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            lost = (await connection.get_raw_connection()).driver_connection
        assert lost is not None
        await superuser_connection.execute("SELECT pg_terminate_backend($1)", pid)
        await _until(superuser_connection, GONE, pid)
        # The farewell is on its way to us: a unit that meets it in between is the next test's.
        while not lost.is_closed():
            await superuser_connection.execute("SELECT 1")
        async with engine.connect() as connection:
            assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
    finally:
        await engine.dispose()


async def test_a_unit_begins_although_every_connection_has_just_been_ended(
    app_dsn: str, tenant: Tenant, superuser_connection: "Connection[Record]"
) -> None:
    engine = create_write_engine(app_dsn, size=3)
    units, pids = SqlUnits(engine), set[int]()

    async def used(both: asyncio.Barrier) -> None:
        async with transaction(engine, tenant.id) as connection:
            pids.add((await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one())
            await both.wait()

    try:
        both = asyncio.Barrier(3)
        await asyncio.gather(*(used(both) for _ in range(3)))
        await superuser_connection.execute("SELECT pg_terminate_backend(pid, 5000) FROM unnest($1::int[]) pid", pids)
        async with units.write(tenant.caller()) as unit:
            assert await unit.people.tenant_currency() == "INR"
    finally:
        await engine.dispose()
    assert len(pids) == 3


async def test_a_transaction_is_its_tenants_and_leaves_nothing(app_dsn: str, tenant: Tenant) -> None:
    engine = create_write_engine(app_dsn, size=1)
    try:
        async with transaction(engine, tenant.id) as connection:
            assert (await connection.execute(text(CURRENT))).scalar_one() == str(tenant.id)
        async with transaction(engine, tenant.id):
            pass
        with pytest.raises(ValueError, match="undone"):
            async with transaction(engine, tenant.id):
                raise ValueError("undone")
        async with engine.connect() as connection:
            assert (await connection.execute(text(CURRENT))).scalar_one() == ""
    finally:
        await engine.dispose()


async def test_a_writing_connection_neither_waits_nor_works_for_long(write_engine: AsyncEngine) -> None:
    statement = text("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")

    async with write_engine.connect() as connection:
        assert tuple((await connection.execute(statement)).one()) == ("10s", "30s")


async def test_an_error_does_not_tell_what_a_statement_was_given(write_engine: AsyncEngine) -> None:
    statement, values = text("SELECT 1 / cast(:zero AS int), cast(:name AS text)"), {"zero": 0, "name": "Asha"}

    with pytest.raises(DBAPIError) as refused:
        async with write_engine.connect() as connection:
            await connection.execute(statement, values)

    assert "Asha" not in str(refused.value)


async def test_a_database_that_is_not_there_is_unavailable(read_pool: ReadPool, tenant: Tenant) -> None:
    engine = create_write_engine("postgresql://nobody@127.0.0.1:1/none")
    accounts = SqlAccounts(read_pool, engine, b"key", utc_now)

    for attempt in (
        SqlUnits(engine).write(tenant.caller()).__aenter__(),
        accounts.attempt("asha@test.example", "", timedelta(minutes=1)),
    ):
        with pytest.raises(Unavailable, match="not reachable"):
            await attempt


async def test_a_unit_whose_connection_is_ended_is_unavailable(
    write_engine: AsyncEngine, tenant: Tenant, superuser_connection: "Connection[Record]"
) -> None:
    pid = "SELECT pid FROM pg_stat_activity WHERE usename = 'velocity_app' AND state = 'idle in transaction'"

    async def cut_off() -> None:
        async with SqlUnits(write_engine).write(tenant.caller()) as unit:
            await superuser_connection.execute(f"SELECT pg_terminate_backend(pid) FROM ({pid}) open")
            await unit.people.tenant_currency()

    with pytest.raises(Unavailable, match="not reachable"):
        await cut_off()


async def test_a_read_without_a_database_is_unavailable() -> None:
    nowhere = await asyncpg.create_pool("postgresql://nobody@127.0.0.1:1/none", min_size=0)
    try:
        with pytest.raises(Unavailable, match="not reachable"):
            await ReadPool(nowhere).fetch(None, "SELECT 1")
    finally:
        await nowhere.close()


async def _until(connection: "Connection[Record]", condition: str, *arguments: object) -> None:
    """Wait until a statement answers true; the test's own time limit is the deadline."""
    async with asyncio.timeout(PATIENCE):
        while not await connection.fetchval(condition, *arguments):
            pass
