"""Units that are one statement: nothing is locked before it, and several may be written by the same one.

A use case reads, decides and hands over what is to be written; the statement that writes it writes nothing of it where
what was read is no longer so. Whatever goes beyond that is done again in a unit with a transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NoReturn
from uuid import UUID

from db.engine import ReadPool
from db.history import told_of
from db.perception.ingesting import Seen, seen, watching
from db.perception.remembering import Remembered
from db.perception.together import Committed, Together
from domain.access import Caller
from domain.audit import Change
from domain.errors import Contended
from domain.perception import Batch, Watched


class Brief:
    """What the brief units of one process share."""

    def __init__(self, pool: ReadPool, committed: Committed) -> None:
        """Read and write through `pool`; `committed` is told of what was written."""
        self.pool: Final = pool
        self.remembered: Final = Remembered()
        self.together: Final = Together(pool, committed)


class BriefPerception:
    """Knows a session or reads it without a lock, and keeps the batch that was made of it until the unit ends."""

    def __init__(self, shared: Brief, caller: Caller) -> None:
        """Read as `caller`."""
        self.kept: Batch | None = None
        self.seen: Seen | None = None
        self.was_known = False
        """Whether the session was not read, but known from the batch before."""
        self._shared = shared
        self._caller = caller

    def __getattr__(self, _name: str) -> NoReturn:
        """Leave everything else to a unit with a transaction."""
        raise Contended

    async def watched(self, session_id: UUID, before: int | None = None) -> Watched:
        """Return a session as it is now, or as the batch before has left it; raises NotFound."""
        if before is not None:
            self.seen = self._shared.remembered.before(self._caller, session_id, before)
            self.was_known = self.seen is not None
        if self.seen is None:
            statement, values = watching(self._caller, session_id, lock=False)
            rows = await self._shared.pool.fetch_once(self._caller.tenant_id, statement, *values)
            self.seen = seen(rows[0] if rows else None)
        return self.seen.watched()

    async def ingest(self, batch: Batch) -> None:
        """Keep a batch."""
        self.kept = batch


class BriefUnit:
    """As much of a unit as one statement can write: a batch of packets with its history."""

    def __init__(self, shared: Brief, caller: Caller, now: datetime) -> None:
        """Use what the brief units of the process share."""
        self.caller: Final = caller
        self.now: Final = now
        self.perception: Final = BriefPerception(shared, caller)
        self._shared = shared
        self._changes: list[Change] = []

    def __getattr__(self, _name: str) -> NoReturn:
        """Leave everything else to a unit with a transaction."""
        raise Contended

    def record(self, change: Change) -> None:
        """Note what was done."""
        self._changes.append(change)

    async def end(self) -> None:
        """Write everything, or nothing. Raises Contended, and Unavailable."""
        batch, read = self.perception.kept, self.perception.seen
        if batch is None or read is None:
            raise Contended
        history = told_of(self.caller.tenant_id, self.caller.actor, self.now, self._changes)
        await self._shared.together.write(self.caller, batch, read.video_at, history)
        self._shared.remembered.keep(self.caller, read.after(batch))
