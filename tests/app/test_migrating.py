"""The newest revisions run over demo data while the demo's tenant is read and written, and no statement fails.

VELOCITY_TEST_SCALE sets how much data: 10 is the full size, 0.2 what every run takes.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from asyncpg import Connection, Record

from app.demo.generate import generate
from app.demo.pipeline import OLDEST
from app.demo.rows import COLUMNS
from app.demo.team import SAFFRON
from db.migrations import current_revision, migrate, newest_revision
from db.migrations.upgrading import LOCK_TIMEOUT
from db.partitions import ensure_partitions
from db.roles import APP, OWNER, copy_rows, set_tenant
from db.server import PostgresServer
from domain.values import new_id

SCALE = float(os.environ.get("VELOCITY_TEST_SCALE", "0.2"))
READ = """
SELECT l.id, p.full_name FROM leads l JOIN people p ON p.tenant_id = l.tenant_id AND p.id = l.person_id
WHERE l.tenant_id = $1 ORDER BY l.created_at DESC LIMIT 20
"""
WRITE = "INSERT INTO people (tenant_id, id, full_name) VALUES ($1, $2, 'Somebody new')"
KINDS = 3
CHANGE = "UPDATE people SET full_name = full_name || '.' WHERE tenant_id = $1 AND id = $2"


@pytest.fixture
async def seeded(server: PostgresServer) -> AsyncIterator[tuple[str, UUID]]:
    """The name of a database at the first revision with the demo in it, and the demo's tenant."""
    superuser = await asyncpg.connect(server.address("postgres"))
    await superuser.execute(f"CREATE DATABASE traffic OWNER {OWNER}")
    address = server.address(OWNER, "traffic")
    await migrate(address, "foundation")
    owner = await asyncpg.connect(address)
    tenant_id = await seeded_as_then(owner)
    await owner.close()
    yield "traffic", tenant_id
    await superuser.execute("DROP DATABASE traffic WITH (FORCE)")
    await superuser.close()


async def seeded_as_then(owner: "Connection[Record]") -> UUID:
    """Load what of the demo the tables and columns of a revision hold; the newest revision's seed knows newer ones."""
    now = datetime.now(UTC)
    await ensure_partitions(owner, (now - OLDEST - timedelta(days=60)).date(), now.date())
    found = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    has = {tuple(row) for row in await owner.fetch(found)}
    tenant_id = SAFFRON.tenant_id(now)
    await set_tenant(owner, tenant_id)
    async with owner.transaction():
        for batch in generate(SAFFRON, SCALE, "none", now):
            for table in COLUMNS:
                names = batch.column_names(table)
                kept = [number for number, name in enumerate(names) if (table, name) in has]
                if kept and batch.rows[table]:
                    rows = [tuple(row[number] for number in kept) for row in batch.rows[table]]
                    await copy_rows(owner, table, [names[number] for number in kept], rows)
    return tenant_id


class Traffic:
    """Statements that go on until told to stop. Each waits for a lock no longer than a migration may hold one up."""

    def __init__(self, address: str, tenant_id: UUID) -> None:
        self.address = address
        self.tenant_id = tenant_id
        self.done: Counter[str] = Counter()
        self.failed: list[str] = []
        self.flowing = asyncio.Event()
        """Set once there was a statement of each kind."""
        self.stopping = False

    async def connect(self) -> "Connection[Record]":
        connection = await asyncpg.connect(self.address, server_settings={"lock_timeout": LOCK_TIMEOUT})
        await set_tenant(connection, self.tenant_id)
        return connection

    async def read(self) -> None:
        connection = await self.connect()
        while not self.stopping:
            await self.count("read", connection.fetch(READ, self.tenant_id))
        await connection.close()

    async def write(self) -> None:
        connection = await self.connect()
        while not self.stopping:
            person_id = new_id()
            await self.count("written", connection.execute(WRITE, self.tenant_id, person_id))
            await self.count("changed", connection.execute(CHANGE, self.tenant_id, person_id))
        await connection.close()

    async def count(self, kind: str, statement: Awaitable[object]) -> None:
        try:
            await statement
        except asyncpg.PostgresError as error:
            self.failed.append(f"{kind}: {error.sqlstate}")
        else:
            self.done[kind] += 1
            if len(self.done) == KINDS:
                self.flowing.set()


async def test_revisions_run_over_demo_data_under_traffic(server: PostgresServer, seeded: tuple[str, UUID]) -> None:
    name, tenant_id = seeded
    owner = await asyncpg.connect(server.address(OWNER, name))
    await set_tenant(owner, tenant_id)
    people = await owner.fetchval("SELECT count(*) FROM people WHERE tenant_id = $1", tenant_id)
    traffic = Traffic(server.address(APP, name), tenant_id)

    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(traffic.read())
            group.create_task(traffic.write())
        await traffic.flowing.wait()
        before = traffic.done.total()
        await migrate(server.address(OWNER, name))
        meanwhile = traffic.done.total() - before
        traffic.stopping = True

    assert traffic.failed == []
    assert meanwhile > 0
    assert await current_revision(owner) == newest_revision()
    after = await owner.fetchval("SELECT count(*) FROM people WHERE tenant_id = $1", tenant_id)
    assert after == people + traffic.done["written"]
    await owner.close()
