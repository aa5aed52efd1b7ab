"""Tickets: rows of PgQueuer that say whose turn it is. The job's own row is the truth; a ticket only leads to it.

A ticket is written in the transaction that queues its job, and goes in the one that begins or cancels it. Both hold the
lock of the job's row, so no queued job is without one. PgQueuer deletes without asking who owns a row and counts no
attempt of a worker that dies, so nothing rests on tickets: what lacks one gets one from the sweep.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.jobs import JobKind, SlotKind

SCHEMA: Final = "pgqueuer"
CHANNEL: Final = "ch_pgqueuer"
EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""PgQueuer serves the highest priority first, an integer of 32 bits: it is the seconds from a turn to this moment."""

_ADD: Final = text(
    "insert into pgqueuer.pgqueuer (priority, execute_after, status, entrypoint, dedupe_key, payload)"
    " values (:priority, coalesce(cast(:after as timestamptz), now()), 'queued', :entrypoint, :key, :payload)"
    " on conflict do nothing"
)
_DROP: Final = text("delete from pgqueuer.pgqueuer where dedupe_key = any(cast(:keys as text[]))")
_RETURN: Final = text(
    "update pgqueuer.pgqueuer set status = 'queued', queue_manager_id = null, slot = null, updated = now(),"
    " execute_after = greatest(execute_after, given.after)"
    " from unnest(cast(:keys as text[]), cast(:afters as timestamptz[])) as given(key, after)"
    " where dedupe_key = given.key"
)


def entrypoint(kind: JobKind, slot: SlotKind | None) -> str:
    """Return what PgQueuer calls the tickets of a kind of job: those that need a slot are counted out by free slots."""
    return kind.name if slot is None else f"{kind.name}/{slot.name}"


def priority(turn_at: datetime) -> int:
    """Return a turn as PgQueuer's priority."""
    return -int((turn_at - EPOCH).total_seconds())


def payload(tenant_id: UUID, job_id: UUID) -> bytes:
    """Return what a ticket leads to."""
    return tenant_id.bytes + job_id.bytes


def led_to(payload: bytes) -> tuple[UUID, UUID]:
    """Return the tenant and the job that a ticket leads to."""
    return UUID(bytes=payload[:16]), UUID(bytes=payload[16:])


async def add(
    connection: AsyncConnection, *, tenant_id: UUID, job_id: UUID, kind: JobKind, slot: SlotKind | None,
    turn_at: datetime, not_before: datetime | None,
) -> None:  # fmt: skip
    """Give a job a ticket, unless it has one."""
    await connection.execute(
        _ADD,
        {
            "priority": priority(turn_at), "after": not_before, "entrypoint": entrypoint(kind, slot),
            "key": str(job_id), "payload": payload(tenant_id, job_id),
        },
    )  # fmt: skip


async def drop(connection: AsyncConnection, job_ids: Iterable[UUID]) -> None:
    """Remove the tickets of jobs, whoever has picked them: the lock of the job's row is what counts."""
    await connection.execute(_DROP, {"keys": [str(job_id) for job_id in job_ids]})


async def put_back(connection: AsyncConnection, job_ids: Mapping[UUID, datetime | None]) -> None:
    """Let others pick the tickets of these jobs, each from a moment on where one is given."""
    await connection.execute(_RETURN, {"keys": [str(job_id) for job_id in job_ids], "afters": list(job_ids.values())})
