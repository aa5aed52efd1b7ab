"""Batches that wait for the same connection are written by one statement: each whole or not at all, with its history.

A statement costs what it costs, whatever is in it, and a tenant's units are committed one after the other. What comes
while a statement is under way goes together into the next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Final
from uuid import UUID

import asyncpg

from db.engine import ReadPool
from db.perception.ingesting import columns_of, readings_of
from db.perception.sessions import PERCEPTION_SESSIONS
from db.perception.tables import perception_sessions
from db.reading.conditions import visible
from db.reading.writer import UNRESTRICTED, Writer
from domain.access import Caller
from domain.errors import Contended
from domain.perception import Batch

MOST_READINGS: Final = 500
"""How many readings one statement stores, but for a batch that is alone in it."""
AT_A_TIME: Final = 1
"""How many statements of one tenant are under way: the second would wait for the first one's commit."""
SESSIONS, MOMENTS, VIDEOS = "$2::uuid[]", "$5::timestamptz[]", "$27::timestamptz[]"
GIVEN: Final = 27
"""The tenant, seventeen arrays of what there is of each batch, eight of what there is of each reading, the videos."""

Committed = Callable[[UUID, int], None]
"""Is told, after a statement has committed, of its tenant and of how far the tenant's events have come."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A batch that is to be written, and the history of its unit."""

    session_id: UUID
    columns: tuple[object, ...]
    readings: Sequence[Sequence[object]]
    video_at: datetime | None
    written: asyncio.Future[None]


@dataclass(slots=True)
class Line:
    """Who waits behind the same statement."""

    caller: Caller
    waiting: deque[Waiting] = field(default_factory=deque)
    writing: set[asyncio.Task[None]] = field(default_factory=set)

    def next(self) -> list[Waiting]:
        """Return what goes into the next statement: one batch of each session, and no more than it should hold."""
        group: list[Waiting] = []
        sessions, readings, later = set[UUID](), 0, list[Waiting]()
        while self.waiting and readings < MOST_READINGS:
            each = self.waiting.popleft()
            if each.written.done():
                # Whoever asked has gone.
                continue
            if each.session_id in sessions:
                later.append(each)
                continue
            sessions.add(each.session_id)
            readings += len(each.readings[0])
            group.append(each)
        self.waiting.extendleft(reversed(later))
        return group


class Together:
    """Writes batches of one process."""

    def __init__(self, pool: ReadPool, committed: Committed) -> None:
        """Write through `pool`, and tell `committed`."""
        self._pool = pool
        self._committed = committed
        self._lines: Final[dict[Hashable, Line]] = {}

    async def write(self, caller: Caller, batch: Batch, video_at: datetime | None, history: str) -> None:
        """Write a batch and its history. Raises Contended where something has happened meanwhile, and Unavailable."""
        session, written = batch.session, asyncio.get_running_loop().create_future()
        columns = (*columns_of(batch), session.person_id, session.last_sequence, history)
        key = _scope(caller)
        line = self._lines.setdefault(key, Line(caller))
        line.waiting.append(Waiting(session.id, columns, readings_of(batch), video_at, written))
        if len(line.writing) < AT_A_TIME:
            task = asyncio.create_task(self._write(key, line))
            line.writing.add(task)
            task.add_done_callback(line.writing.discard)
        await written

    async def _write(self, key: Hashable, line: Line) -> None:
        while group := line.next():
            try:
                kept = await self._sent(line.caller, group)
            except Exception as error:  # noqa: BLE001 -- it is raised where each batch is waited for.
                for each in group:
                    _settle(each, _refused(error))
            else:
                for number, each in enumerate(group, start=1):
                    _settle(each, None if number in kept else Contended())
        if len(line.writing) == 1:
            self._lines.pop(key, None)

    async def _sent(self, caller: Caller, group: Sequence[Waiting]) -> frozenset[int]:
        """Send a statement; return the numbers of the batches that were written."""
        statement, behind = writing(caller)
        columns = [list(column) for column in zip(*(each.columns for each in group), strict=True)]
        whose = [number for number, each in enumerate(group, start=1) for _ in each.readings[0]]
        readings = [list(chain(*column)) for column in zip(*(each.readings for each in group), strict=True)]
        videos = [each.video_at for each in group]
        tenant_id = caller.tenant_id
        [row] = await self._pool.fetch_once(
            tenant_id, statement, tenant_id, *columns, whose, *readings, videos, *behind
        )
        if row["last"] is not None:
            self._committed(tenant_id, row["last"])
        return frozenset(row["kept"])


def writing(caller: Caller) -> tuple[str, list[object]]:
    """Write what stores batches that a caller may store, and return what fills it behind the arrays.

    Of each batch it looks again whether the caller may see the session, the consent stands and the video's scenes are
    as they were; the function looks at the rest under a lock.
    """
    w = Writer(caller)
    w.values.extend([None] * GIVEN)
    s, c, v = w.alias(perception_sessions), w.alias("consents"), w.alias("videos")
    passed = (
        f"select g.n::integer from unnest({SESSIONS}, {MOMENTS}, {VIDEOS}) with ordinality g (id, moment, video_at, n)"
        f" join perception_sessions {s.name} on {visible(w, PERCEPTION_SESSIONS, s, f'{s.id} = g.id')}"
        f" join consents {c.name} on {c.tenant_id} = {s.tenant_id} and {c.id} = {s.consent_id}"
        f" left join videos {v.name} on {v.tenant_id} = {s.tenant_id} and {v.id} = {s.video_id}"
        f" where coalesce({c.withdrawn_at} > g.moment, true) and coalesce({c.expires_at} > g.moment, true)"
        f" and {v.updated_at} is not distinct from g.video_at"
    )
    given = ", ".join(f"${number}" for number in range(2, GIVEN))
    return f"select kept, last from ingest_batches($1, array({passed}), {given})", w.values[GIVEN:]


def _scope(caller: Caller) -> Hashable:
    """Return what the statement depends on: callers with equal scopes write together."""
    own = None if caller.role in UNRESTRICTED else (caller.role, caller.actor.id, caller.members)
    return caller.tenant_id, own


def _refused(error: Exception) -> Exception:
    """Return what a batch fails with; where the database refused, the unit that does it again says what it means."""
    if not isinstance(error, asyncpg.PostgresError):
        return error
    contended = Contended()
    contended.__cause__ = error
    return contended


def _settle(each: Waiting, error: Exception | None) -> None:
    if each.written.done():
        return
    if error is None:
        each.written.set_result(None)
    else:
        each.written.set_exception(error)
