"""What workers take jobs from, whatever tenant they belong to: PgQueuer hands out tickets, units begin the jobs.

Functions of the look-up role tell which leases have expired and which deadlines have passed: ids, nothing else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

import asyncpg
from asyncpg import Connection, Record
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.access.acting import system_caller
from db.engine import transaction
from db.errors import LOST, answering
from db.jobs import tickets
from db.jobs.statements import CHANNEL, GIVEN, HELD, QUEUES, RENEWED
from domain import jobs
from domain.access import Caller
from domain.errors import DomainError, Unavailable
from domain.jobs import LEASE, SLOT_OF, Beat, Claim, JobKind
from domain.unit import Units

if TYPE_CHECKING:
    from pgqueuer.queries import Queries

BATCH: Final = 100
CONNECT_SECONDS: Final = 5.0
COMMAND_SECONDS: Final = 30.0
# That a ticket was picked may be forgotten in a crash: it is handed out again, and the job's row decides.
SETTINGS: Final = {"synchronous_commit": "off"}
TICKET_SECONDS: Final = 30
"""A queued job that is older and has no ticket gets one."""
LOG_DAYS: Final = 1
"""How long PgQueuer's own log of what was picked is kept."""
SLOT_SECONDS: Final = 5.0
"""How often is looked for slots while there are none; whoever declares some says so besides."""
LONGEST_STEP: Final = 200
_UNLIMITED: Final = 0

_CAPACITY: Final = (
    "select kind, count(*) filter (where open and job_id is null) as free, bool_or(open) as open"
    " from slots group by kind"
)
_ABANDONED: Final = "select tenant_id, id from abandoned_jobs(:most)"
_OVERDUE: Final = "select tenant_id, id from overdue_jobs(:most)"
_UNTICKETED: Final = "select tenant_id, id from unticketed_jobs(:seconds, :most)"
_FORGET_LOG: Final = text(
    "delete from pgqueuer.pgqueuer_log where created < now() - make_interval(days => cast(:days as integer))"
)
# A job that a unit of its worker has locked is renewed by that unit.
_BEAT: Final = text(
    f"with held as (select jobs.id from jobs join {GIVEN} on given.id = jobs.id and given.token = jobs.lease_token"
    " where tenant_id = :tenant and status = 'RUNNING' and leased_until > now()"
    " order by jobs.id for no key update of jobs skip locked)"
    f" update jobs set leased_until = {RENEWED} from held where jobs.tenant_id = :tenant and jobs.id = held.id"
    " returning jobs.id"
)
_HELD: Final = text(
    "select jobs.id, cancel_requested_at is not null as cancelled from jobs"
    f" join {GIVEN} on given.id = jobs.id and given.token = jobs.lease_token"
    " where tenant_id = :tenant and status = 'RUNNING' and leased_until > now()"
)
_PROGRESS: Final = text(
    "update jobs set progress_value = :value, progress_max = :most, progress_step = :step"
    f" where tenant_id = :tenant and id = :id and {HELD}"
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A queue of the whole installation."""

    name: str
    depth: int
    running: int
    oldest_seconds: float
    finished_per_minute: float


async def waiting(engine: AsyncEngine) -> list[Waiting]:
    """Return what waits and runs of every tenant's work; raises Unavailable."""
    with answering():
        async with engine.connect() as connection:
            rows = await connection.execute(text(QUEUES))
            return [
                Waiting(row.name, row.depth, row.running, row.oldest_seconds or 0.0, row.finished_per_minute)
                for row in rows
            ]


class SqlJobQueue:
    """The port `JobQueue`. One connection picks tickets and hears of new ones; it is made anew when it is lost."""

    def __init__(
        self, dsn: str, engine: AsyncEngine, units: Units, lease: timedelta = LEASE, beats: AsyncEngine | None = None
    ) -> None:
        """Pick through a connection to `dsn`, read through `engine`, and begin jobs in `units`, each for a `lease`.

        Leases are renewed through `beats`, where a worker must not wait for what its jobs do.
        """
        self._dsn = dsn
        self._engine = engine
        self._beats = engine if beats is None else beats
        self._units = units
        self._lease = lease
        self._manager: Final = uuid4()
        self._callers: dict[UUID, Caller] = {}
        self._connection: Connection[Record] | None = None
        self._queries: Queries | None = None
        self._free: dict[str, int] = {}
        self._closed: frozenset[str] = frozenset()
        self._slots_known = False
        self._look_for_slots = 0.0
        self._woken: Final = asyncio.Event()
        self.stopping: Final[set[UUID]] = set()
        """Jobs of which was heard that they are to stop."""

    async def close(self) -> None:
        """Give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            await connection.close(timeout=CONNECT_SECONDS)

    async def claim(self, worker: str, kinds: Sequence[JobKind], most: int) -> list[Claim]:
        """Begin at most so many jobs whose turn it is; raises Unavailable."""
        found: dict[UUID, list[UUID]] = {}
        for tenant_id, job_id in await self._picked(kinds, most):
            found.setdefault(tenant_id, []).append(job_id)
        claims: list[Claim] = []
        failure: Exception | None = None
        for tenant_id, job_ids in found.items():
            # Whatever is the matter with one tenant, what has begun of another has to be run. Tickets that lead to
            # nothing are handed out again after a lease.
            try:
                claims += await self._begun(tenant_id, job_ids, worker)
            except Exception as error:  # noqa: BLE001 -- raised below, unless something has begun.
                failure = failure or error
        if failure is not None and not claims:
            raise failure
        return claims

    async def _begun(self, tenant_id: UUID, job_ids: Sequence[UUID], worker: str) -> list[Claim]:
        caller = await self._caller(tenant_id)
        try:
            return await self._begun_together(caller, job_ids, worker)
        except DomainError:
            raise
        except Exception:
            if len(job_ids) == 1:
                raise
        # One of them is nothing that this release can run: the others are not to share its lot.
        claims: list[Claim] = []
        for job_id in job_ids:
            with suppress(Exception):
                claims += await self._begun_together(caller, [job_id], worker)
        return claims

    async def _begun_together(self, caller: Caller, job_ids: Sequence[UUID], worker: str) -> list[Claim]:
        async with self._units.write(caller) as unit:
            begun = await jobs.begin(unit, job_ids, worker, self._lease)
        return [Claim(each.job, each.token, caller) for each in begun]

    async def wait(self, seconds: float) -> None:
        """Wait until there may be something to claim or to stop, at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        # What happens from here on is seen by whoever claims next, or wakes the next wait.
        self._woken.clear()

    def wake(self) -> None:
        """Let whoever waits look again."""
        self._woken.set()

    async def beat(self, claims: Sequence[Claim]) -> Beat:
        """Renew the leases of these jobs, and say which are lost and which are to stop."""
        lost, cancelled, missed = {claim.job.id for claim in claims}, set[UUID](), set[UUID]()
        for tenant_id in {claim.job.tenant_id for claim in claims}:
            own = [claim for claim in claims if claim.job.tenant_id == tenant_id]
            given = {"tenant": tenant_id, "ids": [each.job.id for each in own], "tokens": [each.token for each in own]}
            with answering():
                async with transaction(self._beats, tenant_id) as connection:
                    beaten = await connection.execute(_BEAT, {**given, "lease": self._lease.total_seconds()})
                    renewed = set(beaten.scalars())
                    held = (await connection.execute(_HELD, given)).all()
            lost -= {row.id for row in held}
            cancelled |= {row.id for row in held if row.cancelled}
            missed |= {row.id for row in held} - renewed
        return Beat(frozenset(lost), frozenset(cancelled), frozenset(missed))

    async def progress(self, claim: Claim, value: int, most: int, step: str | None) -> bool:
        """Store how far a job is; false where the lease is lost."""
        job = claim.job
        step = None if step is None else step[:LONGEST_STEP]
        with answering():
            async with transaction(self._engine, job.tenant_id) as connection:
                done = await connection.execute(
                    _PROGRESS,
                    {
                        "tenant": job.tenant_id, "id": job.id, "token": claim.token, "value": value, "most": most,
                        "step": step,
                    },
                )  # fmt: skip
        return done.rowcount == 1

    def abandoned(self) -> AsyncIterator[tuple[Caller, UUID]]:
        """Yield running jobs whose lease has expired."""
        return self._found(_ABANDONED, {})

    def overdue(self) -> AsyncIterator[tuple[Caller, UUID]]:
        """Yield queued jobs whose deadline has passed."""
        return self._found(_OVERDUE, {})

    def unticketed(self) -> AsyncIterator[tuple[Caller, UUID]]:
        """Yield queued jobs of which no worker would be told."""
        return self._found(_UNTICKETED, {"seconds": TICKET_SECONDS})

    async def forget_log(self) -> None:
        """Remove what PgQueuer noted of tickets that were picked long ago."""
        with answering():
            async with self._engine.begin() as connection:
                await connection.execute(_FORGET_LOG, {"days": LOG_DAYS})

    async def _picked(self, kinds: Sequence[JobKind], most: int) -> list[tuple[UUID, UUID]]:
        """Pick tickets: for those that need a slot, at most as many as slots are free."""
        entrypoint_type = import_module("pgqueuer.queries").EntrypointExecutionParameter
        try:
            queries = await self._connected()
            limits = await self._limits(queries, kinds)
            if not limits:
                return []
            found = await queries.dequeue(
                batch_size=most,
                entrypoints={name: entrypoint_type(concurrency_limit=limit) for name, limit in limits.items()},  # type: ignore[misc]  # PgQueuer's names are NewTypes of str.
                queue_manager_id=self._manager,  # type: ignore[arg-type]  # as above, of UUID.
                global_concurrency_limit=None,
                heartbeat_timeout=self._lease,
            )
        except (*LOST, asyncpg.InterfaceError, TimeoutError) as error:
            await self._lose()
            raise Unavailable from error
        return [tickets.led_to(each.payload or bytes(32)) for each in found]

    async def _limits(self, queries: Queries, kinds: Sequence[JobKind]) -> dict[str, int]:
        """Return how many tickets of each kind may be picked: where no slot was ever declared there is no limit."""
        if self._slots_known or time.monotonic() > self._look_for_slots:
            rows = await queries.driver.fetch(_CAPACITY)
            self._free = {str(row["kind"]): int(str(row["free"])) for row in rows}
            self._closed = frozenset(str(row["kind"]) for row in rows if not row["open"])
            self._slots_known = bool(rows)
            self._look_for_slots = time.monotonic() + SLOT_SECONDS
        limits: dict[str, int] = {}
        for kind in kinds:
            slot = SLOT_OF[kind]
            # What takes its slots as it goes would only hold a lease while all are closed.
            if slot.name not in self._closed:
                limits[tickets.entrypoint(kind, None)] = _UNLIMITED
            if self._free.get(slot.name) != 0:
                limits[tickets.entrypoint(kind, slot)] = self._free.get(slot.name, _UNLIMITED)
        return limits

    async def _connected(self) -> Queries:
        """Return PgQueuer's statements over a connection that hears of new tickets."""
        if self._queries is not None and self._connection is not None and not self._connection.is_closed():
            return self._queries
        self._connection = connection = await asyncpg.connect(
            self._dsn, timeout=CONNECT_SECONDS, command_timeout=COMMAND_SECONDS, server_settings=SETTINGS
        )
        try:
            connection.add_termination_listener(lambda _connection: self._woken.set())
            await connection.add_listener(tickets.CHANNEL, self._heard_of_tickets)
            await connection.add_listener(CHANNEL, self._heard)
            self._queries = await self._queries_over(connection)
        except BaseException:
            await self._lose()
            raise
        return self._queries

    async def _queries_over(self, connection: Connection[Record]) -> Queries:
        # Loaded by whoever works, and not by everybody who might: it takes a third of a second.
        builders = await asyncio.to_thread(import_module, "pgqueuer.adapters.persistence.qb")
        settings = import_module("pgqueuer.domain.settings").DBSettings(db_schema=tickets.SCHEMA)
        driver = import_module("pgqueuer.db").AsyncpgDriver(connection)
        queries: Queries = import_module("pgqueuer.queries").Queries(
            driver,
            qbe=builders.QueryBuilderEnvironment(settings),
            qbq=builders.QueryQueueBuilder(settings),
            qbs=builders.QuerySchedulerBuilder(settings),
        )
        return queries

    async def _lose(self) -> None:
        connection, self._connection, self._queries = self._connection, None, None
        if connection is not None:
            connection.terminate()

    def _heard_of_tickets(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        # Tickets that go are told of too, and call for nothing.
        if '"insert"' in str(payload) or '"update"' in str(payload):
            self._woken.set()

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        word, _, job_id = str(payload).partition(" ")
        if word == "slots":
            self._look_for_slots = 0.0
        if word == "stop" and job_id:
            self.stopping.add(UUID(job_id))
        self._woken.set()

    async def _found(self, statement: str, given: Mapping[str, object]) -> AsyncIterator[tuple[Caller, UUID]]:
        with answering():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(text(statement), {**given, "most": BATCH})).all()
        for tenant_id, job_id in rows:
            yield await self._caller(tenant_id), job_id

    async def _caller(self, tenant_id: UUID) -> Caller:
        if tenant_id not in self._callers:
            self._callers[tenant_id] = await system_caller(self._engine, tenant_id)
        return self._callers[tenant_id]
