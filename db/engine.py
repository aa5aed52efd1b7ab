"""The two ways to the database: a pool of reading connections that remember their tenant, and an engine for writing."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final, Literal, Self, TypeAlias, cast
from uuid import UUID

import asyncpg
import orjson
from asyncpg import Connection, Pool, Record
from asyncpg.pool import PoolConnectionProxy
from asyncpg.transaction import Transaction
from sqlalchemy import AdaptedConnection, QueuePool, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from db.errors import LOST, answering

SET_TENANT: Final = "SELECT set_config('app.tenant_id', $1, false)"

# For a `LIMIT $1`, PostgreSQL thinks every custom plan cheaper and would plan anew on each execution. At the default
# random_page_cost it would rather hash a whole small table than descend an index once per row.
READ_SETTINGS: Final = {
    "plan_cache_mode": "force_generic_plan",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "default_transaction_read_only": "on",
}
# A unit holds locks, so it neither waits nor works for long.
# One that is silent for so long was stopped or cut off in the middle, and others wait for what it has locked.
WRITE_SETTINGS: Final = {
    "jit": "off",
    "timezone": "UTC",
    "lock_timeout": "10s",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "30s",
}
# A unit that is one statement is the same few statements for everybody.
BRIEF_SETTINGS: Final = {**WRITE_SETTINGS, "plan_cache_mode": "force_generic_plan"}
CONNECT_SECONDS: Final = 10.0


class ReadConnection(Connection):
    """A connection that remembers which tenant its setting names, and sets it only when that changes."""

    remembered: UUID | None = None
    """None: no tenant, or not known. Both are set anew where a tenant is asked for."""
    interrupted: bool = False
    """Whether a statement may have been parsed and then never run."""

    async def fetch_for(self, tenant_id: UUID | None, sql: str, *arguments: object) -> list[Record]:
        # Inside a transaction, a rollback would restore the older setting and nobody would notice.
        if self.is_in_transaction():
            raise RuntimeError("A tenant is never set inside a transaction.")
        try:
            if tenant_id is None or self.remembered != tenant_id:
                self.remembered = None
                await self._set_tenant(tenant_id)
                self.remembered = tenant_id
            rows: list[Record] = await self.fetch(sql, *arguments)
            return rows
        except asyncpg.InternalClientError:
            # The server's farewell came just before the statement: what asyncpg holds is over, and it does not know.
            self.terminate()
            raise
        except BaseException:
            self.remembered = None
            self.interrupted = True
            raise

    async def finish(self) -> None:
        """End what an interrupted statement began.

        asyncpg parses without a Sync: where the arguments then cannot be sent, the server stays within a transaction
        whose locks on the statement's tables keep every migration waiting.
        """
        if self.interrupted:
            await self.execute("SELECT")
            self.interrupted = False

    async def _set_tenant(self, tenant_id: UUID | None) -> None:
        await self.fetchval(SET_TENANT, "" if tenant_id is None else str(tenant_id))

    async def reset(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 asyncpg's signature
        """Empty every setting, the tenant among them."""
        self.remembered = None
        await super().reset(timeout=timeout)


_Isolation: TypeAlias = Literal["read_uncommitted", "read_committed", "repeatable_read", "serializable"]

Lent = PoolConnectionProxy
"""The pool lends proxies, which pass on what they do not know."""


class _Idle:
    """The connections that nobody uses, the last one used on top; who waits for one gets it in turn.

    A queue of asyncio's would let whoever returns one and asks again at once pass by all who wait.
    """

    def __init__(self) -> None:
        self._idle: Final[list[Lent[Record] | None]] = []
        self._waiting: Final[deque[asyncio.Future[Lent[Record] | None]]] = deque()

    async def get(self) -> "Lent[Record] | None":
        if self._idle:
            return self._idle.pop()
        waiting: asyncio.Future[Lent[Record] | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            return await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled():
                self.put_nowait(waiting.result())
            raise

    def put_nowait(self, connection: "Lent[Record] | None") -> bool:
        """Take a connection back; return whether somebody waited for it."""
        while self._waiting:
            first = self._waiting.popleft()
            if not first.done():
                first.set_result(connection)
                return True
        self._idle.append(connection)
        return False


class ReadPool:
    """Runs single read statements, each for one tenant, on connections that cannot write."""

    def __init__(self, pool: "Pool[Record]") -> None:
        self._pool = pool
        # The pool's connections, borrowed for good: lending and returning one per statement would cost as much again as
        # sending a small one. None stands for a connection that the pool has to give anew.
        self._idle: Final[_Idle] = _Idle()
        for _ in range(pool.get_max_size()):
            self._idle.put_nowait(None)
        self.statements = 0
        """How many statements were sent for callers; setting the tenant is not counted."""

    @classmethod
    async def open(
        cls, dsn: str, *, size: int = 4, deadline: float = 30, settings: Mapping[str, str] = READ_SETTINGS
    ) -> Self:
        """Connect `size` connections. A statement that runs longer than `deadline` seconds raises Unavailable."""
        pool = await asyncpg.create_pool(
            dsn,
            min_size=size,
            max_size=size,
            # A connection is dear: each statement is planned once on each.
            max_queries=1_000_000_000,
            max_inactive_connection_lifetime=0,
            statement_cache_size=1000,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=0,
            command_timeout=deadline,
            server_settings=dict(settings),
            connection_class=ReadConnection,
            reset=_keep,
        )
        return cls(pool)

    async def close(self) -> None:
        """Wait for the statements under way, then disconnect."""
        for _ in range(self._pool.get_max_size()):
            connection = await self._idle.get()
            if connection is not None:
                await self._pool.release(connection)
        await self._pool.close()
        # Who asks now is told so by the pool.
        self._idle.put_nowait(None)

    async def fetch(self, tenant_id: UUID | None, sql: str, *arguments: object) -> list[Record]:
        """Run one statement for a tenant; for none, row-level security hides every tenant's rows.

        A statement whose connection was lost under it, or which a migration deadlocked with, runs once more: it only
        reads. Raises Unavailable.
        """
        self.statements += 1
        with answering():
            try:
                return await self._fetch(tenant_id, sql, *arguments)
            except TimeoutError:
                raise
            except (*LOST, asyncpg.DeadlockDetectedError):
                return await self._fetch(tenant_id, sql, *arguments)

    async def fetch_once(self, tenant_id: UUID | None, sql: str, *arguments: object) -> list[Record]:
        """Run one statement for a tenant or for none, and never again: it may write. Raises Unavailable."""
        self.statements += 1
        with answering():
            return await self._fetch(tenant_id, sql, *arguments)

    async def warm(self, statements: Sequence[tuple[str, Sequence[object]]]) -> None:
        """Parse and plan statements on every connection, one connection after the other, by running each for nobody."""
        lent: list[Lent[Record]] = []
        try:
            for _ in range(self._pool.get_max_size()):
                lent.append(await self._lend())  # noqa: PERF401 -- those lent so far are given back if one fails.
            while lent:
                for sql, arguments in statements:
                    await cast("ReadConnection", lent[-1]).fetch_for(None, sql, *arguments)
                self._idle.put_nowait(lent.pop())
        finally:
            for each in lent:
                await self._give_up(each)

    async def _fetch(self, tenant_id: UUID | None, sql: str, *arguments: object) -> list[Record]:
        connection = await self._lend()
        try:
            rows = await cast("ReadConnection", connection).fetch_for(tenant_id, sql, *arguments)
        except BaseException:
            await self._give_up(connection)
            raise
        if self._idle.put_nowait(connection):
            # Who waited sends its statement before these rows become an answer: PostgreSQL works meanwhile.
            await asyncio.sleep(0)
        return rows

    async def _lend(self) -> "Lent[Record]":
        connection = await self._idle.get()
        try:
            if connection is not None:
                if _open(connection):
                    return connection
                await self._pool.release(connection)
            return await self._pool.acquire()
        except BaseException:
            self._idle.put_nowait(None)
            raise

    async def _give_up(self, connection: "Lent[Record]") -> None:
        """Return a connection whose statement failed to the pool, which settles it or connects anew."""
        try:
            await self._pool.release(connection)
        finally:
            self._idle.put_nowait(None)


def _open(connection: "Lent[Record]") -> bool:
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:
        # It was lost while nobody used it, and the pool has taken it back.
        return False


class WriteConnection(Connection):
    """A connection on which a transaction begins for a tenant in one round trip, before SQLAlchemy knows of it."""

    async def begin_for(self, tenant_id: UUID) -> None:
        """Begin a transaction of a tenant."""
        await self.execute(f"BEGIN; SELECT set_config('app.tenant_id', '{tenant_id}', true)")

    def transaction(
        self, *, isolation: _Isolation | None = None, readonly: bool = False, deferrable: bool = False
    ) -> Transaction:
        """Return the transaction that has begun, or one that begins when it is told to."""
        return _Begun(self) if self.is_in_transaction() else Transaction(self, isolation, readonly, deferrable)


class _Begun(Transaction):
    """A transaction that `begin_for` has begun: SQLAlchemy ends it."""

    def __init__(self, connection: WriteConnection) -> None:
        super().__init__(connection, None, readonly=False, deferrable=False)
        self._writing = connection

    async def start(self) -> None:
        """Leave it as it is."""

    async def commit(self) -> None:
        await self._writing.execute("COMMIT")

    async def rollback(self) -> None:
        await self._writing.execute("ROLLBACK")


@asynccontextmanager
async def transaction(engine: AsyncEngine, tenant_id: UUID) -> AsyncIterator[AsyncConnection]:
    """Open a transaction of one tenant: leaving it normally commits, an error undoes everything."""
    async with engine.connect() as connection:
        driver = await _begun(engine, connection, tenant_id)
        try:
            async with connection.begin():
                yield connection
        finally:
            # Where no statement was sent, SQLAlchemy knows of nothing that it could end.
            if not driver.is_closed() and driver.is_in_transaction():
                await driver.execute("ROLLBACK")


async def _begun(engine: AsyncEngine, connection: AsyncConnection, tenant_id: UUID) -> WriteConnection:
    """Begin a transaction; a connection that was lost while nobody used it is replaced. So nothing has to be pinged."""
    left = cast("QueuePool", engine.pool).size()
    while True:
        driver = cast("WriteConnection", (await connection.get_raw_connection()).driver_connection)
        try:
            await driver.begin_for(tenant_id)
        except LOST:
            if not left:
                raise
            left -= 1
            await connection.invalidate()
        else:
            return driver


def create_write_engine(dsn: str, *, size: int = 8, silent: timedelta | None = None) -> AsyncEngine:
    """The engine that units write with. It takes the same address as asyncpg, sslmode and all.

    A unit that says nothing for `silent` is undone by the server. A statement that cannot connect raises Unavailable.
    """
    settings = dict(WRITE_SETTINGS)
    if silent is not None:
        settings["idle_in_transaction_session_timeout"] = f"{round(silent.total_seconds() * 1000)}ms"

    async def connect() -> "Connection[Record]":
        with answering():
            return await asyncpg.connect(
                dsn, server_settings=settings, timeout=CONNECT_SECONDS, connection_class=WriteConnection
            )

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=size,
        max_overflow=0,
        # What a statement was given is personal, and errors are logged.
        hide_parameters=True,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
    )
    event.listen(engine.sync_engine, "checkout", _replace_closed)
    return engine


def _replace_closed(lent: AdaptedConnection, _record: object, _proxy: object) -> None:
    """Have the pool connect anew where a connection was closed while nobody used it."""
    if lent.driver_connection.is_closed():
        raise DisconnectionError


async def _keep(connection: "Connection[Record]") -> None:
    """Between loans a connection keeps its tenant: asyncpg's own reset would cost a round trip and empty it."""
    await cast("ReadConnection", connection).finish()
