"""The port `EventStream` over PostgreSQL: reading after a position, waking whoever follows, removing what is old."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson
from asyncpg import Record
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.errors import answering
from db.events.bus import EventBus
from db.reading.reads import Fetch
from domain.events import CursorExpired, Event, Hear, Kept, Wake

# The head's row is written by the unit that writes the events, so one statement sees both or neither.
KEPT: Final = """
select h.event_sequence as newest, coalesce(
    (select e.sequence - 1 from events e where e.tenant_id = $1 order by e.sequence limit 1), h.event_sequence
) as oldest
from tenant_heads h where h.tenant_id = $1
"""
AFTER: Final = """
select sequence, kind, subject_noun, subject_id, person_id, payload::text as payload
from events where tenant_id = $1 and sequence > $2 order by sequence limit $3
"""
FORGET: Final = text("select forget_events(:before, :most)")
FORGOTTEN_AT_ONCE: Final = 10_000
"""How many events of a tenant one transaction removes."""


class SqlEventStream:
    """Reads events through a pool, and is woken by a bus."""

    def __init__(self, pool: Fetch, engine: AsyncEngine, bus: EventBus) -> None:
        """Read through `pool`, remove through `engine`; `bus` says when there is something new."""
        self._pool = pool
        self._engine = engine
        self._bus = bus

    async def kept(self, tenant_id: UUID) -> Kept:
        """Return which part of the sequence is there."""
        [row] = await self._pool.fetch(tenant_id, KEPT, tenant_id)
        return Kept(row["oldest"], row["newest"])

    async def after(self, tenant_id: UUID, position: int, most: int) -> Sequence[Event]:
        """Return the events after a position. The sequence has no gaps, so a gap is what was removed."""
        rows = await self._pool.fetch(tenant_id, AFTER, tenant_id, position, most)
        if rows and rows[0]["sequence"] == position + 1:
            return [_event(row) for row in rows]
        kept = await self.kept(tenant_id)
        if not kept.oldest <= position <= kept.newest:
            raise CursorExpired(kept.oldest)
        # Nothing yet, or what came between the two statements: whoever asks again gets it.
        return []

    def watch(self, tenant_id: UUID, wake: Wake, hear: Hear) -> None:
        """Have `wake` called whenever there may be new events, and `hear` for each frame."""
        self._bus.watch(tenant_id, wake)
        self._bus.listen(tenant_id, hear)

    def unwatch(self, tenant_id: UUID, wake: Wake, hear: Hear) -> None:
        """Call them no more."""
        self._bus.unwatch(tenant_id, wake)
        self._bus.leave(tenant_id, hear)

    async def forget(self, before: datetime) -> int:
        """Remove events from before a moment, the oldest first."""
        total = 0
        while True:
            with answering():
                async with self._engine.begin() as connection:
                    most = {"before": before, "most": FORGOTTEN_AT_ONCE}
                    gone: int = await connection.scalar(FORGET, most) or 0
            total += gone
            if not gone:
                return total


def _event(row: Record) -> Event:
    return Event(
        row["sequence"], row["kind"], row["subject_noun"], row["subject_id"], row["person_id"],
        orjson.loads(row["payload"]),
    )  # fmt: skip
