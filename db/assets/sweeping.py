"""Removing what nobody keeps any more: objects that a statement finds, in whatever tenant, a batch at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, TextClause
from sqlalchemy.ext.asyncio import AsyncEngine

from db.errors import answering

BATCH: Final = 100


async def swept(
    engine: AsyncEngine, statement: TextClause, before: datetime, sweep: Callable[[Row[Any]], Awaitable[bool]]
) -> int:
    """Sweep what `statement` finds from before a moment; return how many `sweep` removed.

    One that another process is sweeping is left to it. Raises Unavailable.
    """
    count = 0
    while True:
        with answering():
            async with engine.connect() as connection:
                found = (await connection.execute(statement, {"before": before, "most": BATCH})).all()
        removed = [await sweep(row) for row in found]
        count += sum(removed)
        if len(found) < BATCH or not any(removed):
            return count
