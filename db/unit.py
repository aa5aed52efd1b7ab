"""Units of work over PostgreSQL: one transaction, and at its end the audit chain, the events and the activity feed.

The tenant's head row is locked last, so units of one tenant wait for each other only while they write their history;
its two counters make the chain and the event sequence gapless and in commit order.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import RowMapping, Table, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.access.keys import SqlApiKeys
from db.access.store import SqlAccess
from db.access.tables import idempotency_keys
from db.assets.store import SqlUploads
from db.brief import Brief, BriefUnit
from db.canvases.store import SqlCanvases
from db.cctv.store import SqlCctv
from db.engine import ReadPool, transaction
from db.errors import answering
from db.events.bus import CHANNEL, note
from db.fleet.store import SqlFleet
from db.history import history, told
from db.inference.store import SqlInference
from db.interactions.store import SqlInteractions
from db.jobs.store import SqlJobs
from db.leads.store import SqlLeads
from db.notifications import SqlNotifications
from db.opportunities import SqlOpportunities
from db.people.store import SqlPeople
from db.perception.consents import SqlConsents
from db.perception.store import SqlPerception
from db.properties.store import SqlProperties
from db.proposals import SqlProposals
from db.reading.source import Source
from db.reading.writer import Writer
from db.renders import SqlRenders
from db.tables import metadata
from db.tasks import SqlTasks
from db.threads.store import SqlThreads
from db.videos import SqlVideos
from domain.access import AccessStore, ApiKeyStore, Caller
from domain.assets import UploadStore
from domain.audit import Change
from domain.canvases import CanvasStore
from domain.cctv import CctvStore
from domain.errors import Contended, DomainError, NotFound
from domain.fleet import FleetStore
from domain.inference import InferenceStore
from domain.interactions import InteractionStore
from domain.jobs import JobStore
from domain.leads import LeadStore
from domain.notifications import NotificationStore
from domain.opportunities import OpportunityStore
from domain.people import PersonStore
from domain.perception import ConsentStore, PerceptionStore
from domain.properties import PropertyStore
from domain.proposals import ProposalStore
from domain.renders import RenderStore
from domain.tasks import TaskStore
from domain.threads import ThreadStore
from domain.unit import Recorded, Unit
from domain.videos import VideoStore

Clock = Callable[[], datetime]
Committed = Callable[[UUID, int], None]
"""Is told, after a unit has committed, of its tenant and of how far the tenant's events have come."""


WRITE_HISTORY: Final = "select write_history($1::uuid, $2::timestamptz, $3::text, $4::uuid, $5::text::json)"
WRITE_EVENTS: Final = "select write_events($1::uuid, $2::timestamptz, $3::text, $4::uuid, $5::text::json)"


def utc_now() -> datetime:
    """Return the present moment, UTC."""
    return datetime.now(UTC)


class SqlUnit:
    """An open transaction with its stores."""

    def __init__(self, connection: AsyncConnection, caller: Caller, now: datetime) -> None:
        """Bind the stores to one connection."""
        self.connection: Final = connection
        self.caller: Final = caller
        self.now: Final = now
        self._changes: Final[list[Change]] = []
        self.access: Final[AccessStore] = SqlAccess(self)
        self.api_keys: Final[ApiKeyStore] = SqlApiKeys(self)
        self.assets: Final[UploadStore] = SqlUploads(self)
        self.canvases: Final[CanvasStore] = SqlCanvases(self)
        self.cctv: Final[CctvStore] = SqlCctv(self)
        self.consents: Final[ConsentStore] = SqlConsents(self)
        self.fleet: Final[FleetStore] = SqlFleet(self)
        self.inference: Final[InferenceStore] = SqlInference(self)
        self.interactions: Final[InteractionStore] = SqlInteractions(self)
        self.jobs: Final[JobStore] = SqlJobs(self)
        self.leads: Final[LeadStore] = SqlLeads(self)
        self.notifications: Final[NotificationStore] = SqlNotifications(self)
        self.opportunities: Final[OpportunityStore] = SqlOpportunities(self)
        self.people: Final[PersonStore] = SqlPeople(self)
        self.perception: Final[PerceptionStore] = SqlPerception(self)
        self.properties: Final[PropertyStore] = SqlProperties(self)
        self.proposals: Final[ProposalStore] = SqlProposals(self)
        self.renders: Final[RenderStore] = SqlRenders(self)
        self.tasks: Final[TaskStore] = SqlTasks(self)
        self.threads: Final[ThreadStore] = SqlThreads(self)
        self.videos: Final[VideoStore] = SqlVideos(self)

    def record(self, change: Change) -> None:
        """Note what was done."""
        self._changes.append(change)

    async def visible_row(
        self, source: Source, row_id: UUID, *, lock: bool = True, columns: Sequence[str] = ()
    ) -> RowMapping:
        """Return a row that the caller may see, locked unless told otherwise; raises NotFound."""
        w = Writer(self.caller)
        t = w.alias(source.table)
        seen = source.visible(w, t)
        where = [f"{t.tenant_id} = {w.tenant}", f"{t.id} = {w.bind(row_id, 'uuid')}", *([f"({seen})"] if seen else [])]
        picked = ", ".join(getattr(t, column) for column in columns) or f"{t.name}.*"
        statement = f"select {picked} from {source.table.name} {t.name} where {' and '.join(where)}"
        result = await self.connection.exec_driver_sql(
            f"{statement} for update of {t.name}" if lock else statement, tuple(w.values)
        )
        row = result.mappings().one_or_none()
        if row is None:
            raise NotFound
        return row

    async def exists(self, table: str, row_id: UUID, field: str, *, column: str = "id") -> object:
        """Return a column of a row of the tenant, whoever may see it; raises NotFound naming `field`."""
        named = metadata.tables[table]
        result = await self.connection.execute(
            select(named.c[column]).where(named.c.tenant_id == self.caller.tenant_id, named.c.id == row_id)
        )
        row = result.one_or_none()
        if row is None:
            raise NotFound(field=field)
        found: object = row[0]
        return found

    async def add(self, table: Table, **values: Any) -> None:  # noqa: ANN401 -- a row's values have any column's type.
        """Insert one row of the unit's tenant."""
        await self.connection.execute(insert(table).values(tenant_id=self.caller.tenant_id, **values))

    async def change(self, table: Table, row_id: UUID, **values: Any) -> None:  # noqa: ANN401 -- as above.
        """Update one row of the unit's tenant; it must exist."""
        result = await self.connection.execute(
            update(table).where(table.c.tenant_id == self.caller.tenant_id, table.c.id == row_id).values(**values)
        )
        if result.rowcount != 1:
            raise NotFound

    async def claim_key(self, operation: str, key: str, payload_hash: str) -> Recorded | None:
        """Reserve an idempotency key. The unique key makes a second unit wait until the first has ended."""
        table = idempotency_keys
        result = await self.connection.execute(
            text(
                "insert into idempotency_keys (tenant_id, actor_id, key, operation, payload_hash)"
                " values (:tenant, :actor, :key, :operation, decode(:hash, 'hex'))"
                " on conflict do nothing"
            ),
            {
                "tenant": self.caller.tenant_id, "actor": self.caller.actor.id, "key": key,
                "operation": operation, "hash": payload_hash,
            },
        )  # fmt: skip
        if result.rowcount == 1:
            return None
        row = (
            await self.connection.execute(
                select(table.c.operation, table.c.payload_hash, text("result::text")).where(
                    table.c.tenant_id == self.caller.tenant_id,
                    table.c.actor_id == self.caller.actor.id,
                    table.c.key == key,
                )
            )
        ).one()
        same = row.operation == operation
        return Recorded(row.payload_hash.hex() if same else "", row[2])

    async def keep_result(self, operation: str, key: str, result: str) -> None:
        """Store the result under a claimed key."""
        await self.connection.execute(
            text(
                "update idempotency_keys set result = cast(:result as json)"
                " where tenant_id = :tenant and actor_id = :actor and key = :key and operation = :operation"
            ),
            {
                "tenant": self.caller.tenant_id, "actor": self.caller.actor.id, "key": key,
                "operation": operation, "result": result,
            },
        )  # fmt: skip

    async def write_history(self) -> int:
        """Write the audit entries, events and activity of this unit, in the tenant's order; return its last event.

        One statement, because what it locks stays locked until the commit.
        """
        tenant, actor, now = self.caller.tenant_id, self.caller.actor, self.now
        audited = [change for change in self._changes if change.audited]
        others = [change for change in self._changes if not change.audited]
        last = 0
        if audited:
            rows = history(tenant, actor, now, audited)
            result = await self.connection.exec_driver_sql(WRITE_HISTORY, (tenant, now, actor.noun, actor.id, rows))
            last = result.scalar_one()
        if others:
            result = await self.connection.exec_driver_sql(
                WRITE_EVENTS, (tenant, now, actor.noun, actor.id, told(others))
            )
            last = result.scalar_one()
        return last


class SqlUnits:
    """Opens units on an engine."""

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Clock = utc_now,
        committed: Committed | None = None,
        pool: ReadPool | None = None,
    ) -> None:
        """Use `engine` for every unit, and tell `committed`; where nobody is given, each unit notifies by itself.

        Brief units need both a `pool` that writes and somebody to tell.
        """
        self._engine = engine
        self._clock = clock
        self._committed = committed
        self._brief = Brief(pool, committed) if pool is not None and committed is not None else None

    @asynccontextmanager
    async def brief(self, caller: Caller) -> AsyncIterator[Unit]:
        """Open a unit that is written by one statement when it ends. Raises Contended, and Unavailable."""
        if self._brief is None:
            raise Contended
        unit = BriefUnit(self._brief, caller, self._clock())
        try:
            yield cast("Unit", unit)
        except DomainError as error:
            if not unit.perception.was_known:
                raise
            # What was known may be over: whoever reads it says what is so.
            raise Contended from error
        await unit.end()

    @asynccontextmanager
    async def write(self, caller: Caller) -> AsyncIterator[Unit]:
        """Open a unit; leaving it normally commits everything, an error undoes everything. Raises Unavailable."""
        with answering():
            async with transaction(self._engine, caller.tenant_id) as connection:
                unit = SqlUnit(connection, caller, self._clock())
                yield unit
                last = await unit.write_history()
                if last and self._committed is None:
                    await connection.execute(
                        text("select pg_notify(:channel, :note)"),
                        {"channel": CHANNEL, "note": note(caller.tenant_id, last)},
                    )
        if last and self._committed is not None:
            self._committed(caller.tenant_id, last)
