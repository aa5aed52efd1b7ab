"""Events in PostgreSQL: gapless, read after a position, forgotten from the front, and told to other processes."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from asyncpg import Connection, Record

from app.wiring import System
from db.events.bus import EventBus
from db.unit import SqlUnits
from domain.audit import AuditAction, Change
from domain.events import CursorExpired, Kept
from tests.factories.access import Tenant
from tests.serving import PATIENCE

NOBODY_LOOKS = 3600


async def happen(units: SqlUnits, tenant: Tenant, number: int = 1) -> None:
    """Let one unit write so many events."""
    async with units.write(tenant.caller()) as unit:
        for n in range(number):
            unit.record(Change(AuditAction.UPDATE, f"Tested{n}", "tenants", tenant.id, payload=(("n", str(n)),)))


async def woken(wakes: asyncio.Queue[int], sequence: int) -> None:
    """Wait until a number was told."""
    async with asyncio.timeout(PATIENCE):
        while await wakes.get() != sequence:
            pass


async def test_events_are_read_after_a_position(system: System, tenant: Tenant) -> None:
    assert await system.events.kept(tenant.id) == Kept(0, 0)
    assert await system.events.after(tenant.id, 0, 10) == []
    await happen(system.units, tenant, 3)
    first, second = await system.events.after(tenant.id, 0, 2)
    assert (first.sequence, first.kind, first.entry("n"), first.entry("subject_id")) == (
        1,
        "Tested0",
        "0",
        str(tenant.id),
    )
    assert (second.sequence, second.entry("person_id")) == (2, None)
    assert [each.sequence for each in await system.events.after(tenant.id, 2, 10)] == [3]
    assert await system.events.after(tenant.id, 3, 10) == []
    with pytest.raises(CursorExpired):
        await system.events.after(tenant.id, 4, 10)


async def test_what_is_forgotten_leaves_no_gap(
    system: System, tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    # What others left.
    await system.events.forget(datetime.now(UTC) - timedelta(days=30))
    await happen(system.units, tenant, 5)
    past = datetime.now(UTC) - timedelta(days=40)
    # The third began early and committed late: it is young, and the fourth old.
    await owner_connection.execute(
        "UPDATE events SET at = $2 WHERE tenant_id = $1 AND sequence IN (1, 2, 4)", tenant.id, past
    )
    assert await system.events.forget(datetime.now(UTC) - timedelta(days=30)) == 2
    assert await system.events.kept(tenant.id) == Kept(2, 5)
    assert [each.sequence for each in await system.events.after(tenant.id, 2, 10)] == [3, 4, 5]
    with pytest.raises(CursorExpired) as refused:
        await system.events.after(tenant.id, 1, 10)
    assert refused.value.oldest == 2
    await owner_connection.execute("UPDATE events SET at = $2 WHERE tenant_id = $1", tenant.id, past)
    assert await system.events.forget(datetime.now(UTC) - timedelta(days=30)) == 3
    assert await system.events.kept(tenant.id) == Kept(5, 5)
    assert await system.events.after(tenant.id, 5, 10) == []


async def test_another_process_is_told(system: System, tenant: Tenant, other_tenant: Tenant) -> None:
    wakes: asyncio.Queue[int] = asyncio.Queue()
    other = EventBus(system.database.app, look_seconds=NOBODY_LOOKS)
    other.watch(tenant.id, wakes.put_nowait)
    other.start()
    try:
        # It has connected.
        await woken(wakes, 0)
        await happen(system.units, other_tenant)
        await happen(system.units, tenant, 2)
        await woken(wakes, 2)
        # A unit of a process without a bus tells by itself.
        await happen(SqlUnits(system.units._engine), tenant)
        await woken(wakes, 3)
        other.unwatch(tenant.id, wakes.put_nowait)
        assert other._wakes == {}
    finally:
        await other.close()


async def test_a_lost_connection_is_made_again(
    system: System, tenant: Tenant, superuser_connection: "Connection[Record]"
) -> None:
    wakes: asyncio.Queue[int] = asyncio.Queue()
    other = EventBus(system.database.app, look_seconds=NOBODY_LOOKS)
    other.watch(tenant.id, wakes.put_nowait)
    other.start()
    try:
        await woken(wakes, 0)
        await superuser_connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE (query LIKE 'LISTEN%' OR query LIKE '%pg_notify%') AND pid <> pg_backend_pid()"
        )
        # Whoever watches looks once more after the gap.
        await woken(wakes, 0)
        assert other.connections == 2
        await happen(SqlUnits(system.units._engine), tenant)
        await woken(wakes, 1)
    finally:
        await other.close()


class Network:
    """What lies between a process and PostgreSQL, and may drop a connection without telling either side."""

    def __init__(self, dsn: str) -> None:
        self._to = urlsplit(dsn)
        self._dropped = asyncio.Event()
        self._carrying: set[asyncio.Task[None]] = set()

    def drop(self) -> None:
        """Carry nothing more on the connections that are open; new ones work."""
        self._dropped.set()
        self._dropped = asyncio.Event()

    async def carry(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Be one connection."""
        given = parse_qs(self._to.query)
        if "host" in given:
            there = await asyncio.open_unix_connection(f"{given['host'][0]}/.s.PGSQL.{given['port'][0]}")
        else:
            there = await asyncio.open_connection(self._to.hostname, self._to.port)
        for source, target in ((reader, there[1]), (there[0], writer)):
            task = asyncio.create_task(self._carry(source, target, self._dropped))
            self._carrying.add(task)

    async def _carry(self, source: StreamReader, target: StreamWriter, dropped: asyncio.Event) -> None:
        try:
            while (sent := await source.read(65_536)) and not dropped.is_set():
                target.write(sent)
            if dropped.is_set():
                await asyncio.Event().wait()
        finally:
            target.close()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Where PostgreSQL is found through it."""
        server = await asyncio.start_server(self.carry, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        user = self._to.netloc.rpartition("@")[0]
        try:
            yield f"postgresql://{user}@127.0.0.1:{port}{self._to.path}"
        finally:
            server.close()
            for task in self._carrying:
                task.cancel()
            await asyncio.gather(*self._carrying, return_exceptions=True)


async def connected(bus: EventBus, wakes: asyncio.Queue[int], times: int) -> None:
    """Wait until a bus has connected so many times."""
    async with asyncio.timeout(PATIENCE):
        while bus.connections < times:
            await wakes.get()


async def test_a_connection_that_is_dropped_without_a_word_is_made_again(system: System, tenant: Tenant) -> None:
    wakes: asyncio.Queue[int] = asyncio.Queue()
    network = Network(system.database.app)
    async with network.open() as dsn:
        other = EventBus(dsn, look_seconds=0.2, answer_seconds=2)
        other.watch(tenant.id, wakes.put_nowait)
        other.start()
        try:
            await connected(other, wakes, 1)
            # It is asked with each look, and answers.
            for _ in range(3):
                await woken(wakes, 0)
            await happen(SqlUnits(system.units._engine), tenant)
            await woken(wakes, 1)
            assert other.connections == 1
            network.drop()
            await connected(other, wakes, 2)
            await happen(SqlUnits(system.units._engine), tenant)
            await woken(wakes, 2)
            assert other.connections == 2
        finally:
            await other.close()


async def test_what_nobody_told_is_looked_for(system: System, tenant: Tenant) -> None:
    wakes: asyncio.Queue[int] = asyncio.Queue()
    nowhere = EventBus("postgresql://velocity_app@127.0.0.1:1/velocity", look_seconds=0.01)
    nowhere.watch(tenant.id, wakes.put_nowait)
    nowhere.start()
    await woken(wakes, 0)
    await nowhere.close()
    assert nowhere.connections == 0
