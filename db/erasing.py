"""Erasures, and units that keep copies of what they read, wait for each other, each tenant for itself.

A copy is read before it is kept. An erasure that ran in between would not find it, and what was erased would come back.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_KEY: Final = "hashtextextended('erasures of ' || cast(:tenant as text), 0)"


async def hold_off(connection: AsyncConnection, tenant_id: UUID) -> None:
    """Let no erasure begin until this transaction ends, and wait for one that has begun."""
    await connection.execute(text(f"select pg_advisory_xact_lock_shared({_KEY})"), {"tenant": str(tenant_id)})


async def begin(connection: AsyncConnection, tenant_id: UUID) -> None:
    """Wait for the transactions that hold erasures off; those that come later wait until this one ends."""
    await connection.execute(text(f"select pg_advisory_xact_lock({_KEY})"), {"tenant": str(tenant_id)})
