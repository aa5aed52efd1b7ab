"""Units that are one statement: nothing is locked before it, and it is its own transaction.

A use case reads, decides and hands over what is to be written; the statement that writes it writes nothing where what
was read is no longer so. Whatever goes beyond that is done again in a unit with a transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NoReturn

import asyncpg

from db.engine import ReadPool
from db.history import history
from db.perception.ingesting import INGEST, BriefPerception, given_of
from domain.access import Caller
from domain.audit import Change
from domain.errors import Contended


class BriefUnit:
    """As much of a unit as one statement can write: a batch of packets with its history."""

    def __init__(self, pool: ReadPool, caller: Caller, now: datetime) -> None:
        """Read and write through `pool`."""
        self.caller: Final = caller
        self.now: Final = now
        self.perception: Final = BriefPerception(caller, pool.fetch_once)
        self._pool = pool
        self._changes: list[Change] = []

    def __getattr__(self, _name: str) -> NoReturn:
        """Leave everything else to a unit with a transaction."""
        raise Contended

    def record(self, change: Change) -> None:
        """Note what was done."""
        self._changes.append(change)

    async def end(self) -> int:
        """Write everything, or nothing; return the tenant's last event. Raises Contended."""
        batch = self.perception.kept
        if batch is None:
            raise Contended
        tenant_id, actor, session = self.caller.tenant_id, self.caller.actor, batch.session
        given = (
            *given_of(tenant_id, batch), session.person_id, session.last_sequence, actor.noun, actor.id,
            history(tenant_id, actor, self.now, self._changes),
        )  # fmt: skip
        try:
            [row] = await self._pool.fetch_once(tenant_id, INGEST, *given)
        except asyncpg.PostgresError as error:
            # Nothing of it is left: the unit that does it again says what it means.
            raise Contended from error
        if row[0] is None:
            raise Contended
        last: int = row[0]
        return last
