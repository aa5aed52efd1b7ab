"""Verifies every tenant's audit chain against the rows: a changed, missing or moved entry does not fit its hash."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

import asyncpg
from asyncpg import Connection, Record

from db.roles import set_tenant, tenant_ids
from domain.access import Actor
from domain.audit import BrokenLink, ChainCheck, Entry

ENTRIES: Final = """
select id, sequence, at, action, actor_noun, actor_id, subject_noun, subject_id, changed_fields, previous_hash, hash
from audit_entries where tenant_id = $1 order by sequence
"""
HEAD: Final = "select audit_sequence, audit_hash from tenant_heads where tenant_id = $1"


async def broken_links(owner_dsn: str, tenant_id: UUID | None = None) -> AsyncIterator[BrokenLink]:
    """Yield every place where a chain does not hold, tenant by tenant, or in one tenant only."""
    connection = await asyncpg.connect(owner_dsn)
    try:
        for tenant in await tenant_ids(connection) if tenant_id is None else [tenant_id]:
            await set_tenant(connection, tenant)
            async for link in _of_tenant(connection, tenant):
                yield link
    finally:
        await connection.close()


async def _of_tenant(connection: Connection[Record], tenant_id: UUID) -> AsyncIterator[BrokenLink]:
    check = ChainCheck(tenant_id)
    # One snapshot: entries that are added meanwhile are in neither the rows nor the head.
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        async for row in connection.cursor(ENTRIES, tenant_id, prefetch=1000):
            for link in check.follow(_entry(tenant_id, row), row["previous_hash"], row["hash"]):
                yield link
        head = await connection.fetchrow(HEAD, tenant_id)
    if head is None:
        yield BrokenLink(tenant_id, 0, "The tenant has no head.")
        return
    for link in check.end(head["audit_sequence"], head["audit_hash"]):
        yield link


def _entry(tenant_id: UUID, row: Record) -> Entry:
    return Entry(
        tenant_id=tenant_id,
        sequence=row["sequence"],
        id=row["id"],
        at=row["at"],
        action=row["action"],
        actor=_pointer(row, "actor"),
        subject=_pointer(row, "subject"),
        changed_fields=tuple(row["changed_fields"]),
    )


def _pointer(row: Record, name: str) -> Actor | None:
    noun = row[f"{name}_noun"]
    return None if noun is None else Actor(noun, row[f"{name}_id"])
