"""What brings a mode about reads and writes: machines, what serves slots, and the slots themselves. Of no tenant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.errors import answering
from db.fleet.store import CURRENT
from db.jobs.statements import FREED
from domain.fleet import (
    STALE_AFTER,
    FleetMode,
    GpuMemory,
    ModeSet,
    Release,
    Resource,
    Runtime,
    Serving,
    Situation,
    TelemetrySource,
    WorkerKind,
    WorkerSeen,
    WorkerStatus,
)

GONE_AFTER: Final = timedelta(minutes=10)
"""What nobody has found for so long takes no GPU: it was removed from the settings, or nothing that knew of it runs."""
_WORKERS: Final = text("""
    select w.kind, w.name, w.url, w.runtime, w.on_premise, w.gpu, s.open, s.held
    from fleet_workers w left join (
        select kind, resource, bool_or(open) as open, count(job_id) as held from slots group by kind, resource
    ) s on s.kind = w.kind and s.resource = w.name
    where w.seen_at > :since order by w.kind, w.name
""")
_RELEASES: Final = text(
    "select worker_id, asked_at, used_mib, refusal, confirmed_at from fleet_releases where mode_id = :mode"
)
_STATES: Final = text("""
    select w.kind, w.name, case
        when not w.answers or coalesce(w.expected_by < now(), true) then 'DOWN'
        when s.held is null or s.held = 0 then 'IDLE' when s.open then 'BUSY' else 'DRAINING' end as status
    from fleet_workers w left join (
        select kind, resource, bool_or(open) as open, count(job_id) as held from slots group by kind, resource
    ) s on s.kind = w.kind and s.resource = w.name
    order by w.kind, w.name
""")
_MEMORY: Final = text(
    "select distinct on (uuid) uuid, source, sampled_at, memory_used_mib, memory_total_mib from gpus"
    " where uuid in (select gpu from fleet_workers) order by uuid, sampled_at desc"
)
_SWITCH: Final = text(
    "update slots set open = :to where kind = :kind and resource = :resource and open <> :to"
    f" and (select id from ({CURRENT}) newest) = :mode"
)
_RELEASED: Final = text("""
    insert into fleet_releases (mode_id, worker_id, asked_at, used_mib, refusal)
    values (:mode, :worker, :asked_at, :used_mib, :refusal) on conflict (mode_id, worker_id) do nothing
""")
_CONFIRMED: Final = text(
    "update fleet_releases set confirmed_at = :now where mode_id = :mode and worker_id = :worker"
    " and confirmed_at is null"
)
_REGISTER: Final = text("""
    insert into fleet_workers (
        id, kind, name, url, runtime, on_premise, gpu, answers, queue_depth, seen_at, expected_by)
    values (:id, :kind, :name, :url, :runtime, :on_premise, :gpu, :answers, :queue_depth, :now,
        now() + make_interval(secs => :silent))
    on conflict (id) do update set url = excluded.url, runtime = excluded.runtime, on_premise = excluded.on_premise,
        gpu = excluded.gpu, answers = excluded.answers, queue_depth = excluded.queue_depth, seen_at = excluded.seen_at,
        expected_by = excluded.expected_by
""")


@dataclass(frozen=True, slots=True)
class WorkerState:
    """How something that serves slots is, as `fleet { workers }` says it."""

    kind: WorkerKind
    name: str
    status: WorkerStatus


async def worker_states(engine: AsyncEngine) -> list[WorkerState]:
    """Return how everything is that serves slots; raises Unavailable."""
    with answering():
        async with engine.connect() as connection:
            rows = await connection.execute(_STATES)
            return [WorkerState(WorkerKind[row.kind], row.name, WorkerStatus[row.status]) for row in rows]


class SqlFleetState:
    """The port `FleetState`."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Read and write through `engine`."""
        self._engine = engine

    async def situation(self, now: datetime) -> Situation:
        """Return everything that decides what comes next."""
        with answering():
            async with self._engine.connect() as connection:
                mode = await _mode(connection)
                workers = (await connection.execute(_WORKERS, {"since": now - GONE_AFTER})).all()
                releases = (await connection.execute(_RELEASES, {"mode": mode.id})).all()
                memory = (await connection.execute(_MEMORY)).all()
        resources = [
            Resource(WorkerKind[each.kind], each.name, each.url, Runtime[each.runtime], each.on_premise, each.gpu)
            for each in workers
        ]
        return Situation(
            mode=mode,
            resources=resources,
            serving={
                resource.id: Serving(row.open, row.held)
                for resource, row in zip(resources, workers, strict=True)
                if row.open is not None
            },
            releases={
                row.worker_id: Release(row.asked_at, row.used_mib, row.refusal, row.confirmed_at is not None)
                for row in releases
            },
            memory={
                row.uuid: GpuMemory(
                    TelemetrySource[row.source], row.sampled_at, row.memory_used_mib, row.memory_total_mib
                )
                for row in memory
            },
            now=now,
        )

    async def switch(self, mode_id: UUID, resource: Resource, *, to: bool) -> None:
        """Open or close a resource's slots, unless another mode was set since."""
        given = {"mode": mode_id, "kind": resource.kind.name, "resource": resource.name, "to": to}
        with answering():
            async with self._engine.begin() as connection:
                await connection.execute(_SWITCH, given)
                await connection.execute(FREED)

    async def released(self, mode_id: UUID, resource: Resource, release: Release) -> None:
        """Store that a resource was asked for its memory."""
        given = {
            "mode": mode_id, "worker": resource.id, "asked_at": release.asked_at, "used_mib": release.used_mib,
            "refusal": release.refusal,
        }  # fmt: skip
        with answering():
            async with self._engine.begin() as connection:
                await connection.execute(_RELEASED, given)

    async def confirmed(self, mode_id: UUID, resource: Resource, now: datetime) -> None:
        """Store that telemetry shows the memory free."""
        with answering():
            async with self._engine.begin() as connection:
                await connection.execute(_CONFIRMED, {"mode": mode_id, "worker": resource.id, "now": now})

    async def register(self, seen: Sequence[WorkerSeen], now: datetime, silent: timedelta = STALE_AFTER) -> None:
        """Store what serves slots, as it was found; it counts as found for as long as `silent`."""
        with answering():
            async with self._engine.begin() as connection:
                # In one order, so that two processes do not wait for each other.
                for each in sorted(seen, key=lambda one: one.resource.id):
                    of = each.resource
                    given = {
                        "id": of.id, "kind": of.kind.name, "name": of.name, "url": of.url, "runtime": of.runtime.name,
                        "on_premise": of.on_premise, "gpu": of.gpu, "answers": each.answers,
                        "queue_depth": each.queue_depth, "now": now, "silent": silent.total_seconds(),
                    }  # fmt: skip
                    await connection.execute(_REGISTER, given)


async def _mode(connection: AsyncConnection) -> ModeSet:
    row = (await connection.execute(text(CURRENT))).one()
    return ModeSet(row.id, FleetMode[row.mode], row.since)
