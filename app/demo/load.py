"""Loads batches of rows by COPY, while the next batch is being generated."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Final

from asyncpg import Connection, Record

from app.demo.rows import COLUMNS, Batch
from db.roles import copy_rows

_REFERRED_TO: Final = (
    "users", "projects", "properties", "households", "accounts", "people", "leads", "threads", "thread_messages",
    "interactions",
)  # fmt: skip


async def load(owner: Connection[Record], batches: Iterator[Batch]) -> Counter[str]:
    """Load batches of one tenant, which must be set on the connection; returns how many rows each table got."""
    loaded: Counter[str] = Counter()
    batch, number, measure_at = await asyncio.to_thread(next, batches, None), 0, 1
    while batch is not None:
        following = asyncio.create_task(asyncio.to_thread(next, batches, None))
        try:
            loaded += await _load_batch(owner, batch)
            number += 1
            if number == measure_at:
                # The plans of foreign-key checks were made for empty tables, and may read an index from end to end.
                await owner.execute(f"ANALYZE {', '.join(_REFERRED_TO)}")
                measure_at *= 4
        finally:
            batch = await following
    return loaded


async def _load_batch(owner: Connection[Record], batch: Batch) -> Counter[str]:
    loaded: Counter[str] = Counter()
    for table in COLUMNS:
        rows = batch.rows[table]
        if rows:
            await copy_rows(owner, table, batch.column_names(table), rows)
            loaded[table] = len(rows)
    return loaded
