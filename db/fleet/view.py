"""The fleet as it is at a moment: the mode, the ids of machines and workers, and what waits of every tenant's work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from db.engine import ReadPool
from db.fleet.store import CURRENT
from db.jobs.statements import QUEUES
from domain.access import Actor
from domain.fleet import (
    FleetMode,
    FleetView,
    HostSeen,
    HostStatus,
    ModeSet,
    QueueState,
    Situation,
    WorkerKind,
    waits_for,
)

MOST: Final = 100
HOST_IDS: Final = (
    "select id, sampled_at, coalesce(expected_by >= now(), false) as expected from hosts"
    f" order by hostname, id limit {MOST}"
)
WORKER_IDS: Final = f"select id from fleet_workers order by kind, name limit {MOST}"
SERVED_BY: Final = {"INFERENCE": WorkerKind.LLM, "RENDER": WorkerKind.COMFYUI}


class SqlFleetView:
    """Reads the fleet; nothing here is a tenant's."""

    def __init__(self, pool: ReadPool) -> None:
        """Read through `pool`."""
        self._pool = pool

    async def read(self, situation: Situation) -> FleetView:
        """Return the fleet; what its work waits for follows from the situation of its mode."""
        [mode] = await self._pool.fetch(None, CURRENT)
        hosts = await self._pool.fetch(None, HOST_IDS)
        workers = await self._pool.fetch(None, WORKER_IDS)
        by = None if mode["set_by_id"] is None else Actor(mode["set_by_noun"], mode["set_by_id"])
        return FleetView(
            mode=ModeSet(mode["id"], FleetMode[mode["mode"]], mode["since"]),
            set_by=by,
            hosts={row["id"]: _seen(row["sampled_at"], expected=row["expected"]) for row in hosts},
            workers=[row["id"] for row in workers],
            queues=await self.queues(situation),
        )

    async def queues(self, situation: Situation) -> Sequence[QueueState]:
        """Return what waits and runs."""
        return [
            QueueState(
                name=row["name"],
                depth=row["depth"],
                running=row["running"],
                oldest_seconds=row["oldest_seconds"],
                finished_per_minute=row["finished_per_minute"],
                waits_for=waits_for(situation, SERVED_BY[row["name"]]) if row["depth"] else None,
            )
            for row in await self._pool.fetch(None, QUEUES)
        ]


def _seen(sampled_at: datetime | None, *, expected: bool) -> HostSeen:
    return HostSeen(sampled_at, HostStatus.ONLINE if expected else HostStatus.OFFLINE)
