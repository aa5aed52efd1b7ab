"""How persisted operations are read and registered.

Only the owner registers: what runs in a tenant is an operator's decision, and the application cannot change it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol
from uuid import UUID

from asyncpg import Connection, Record

from db.roles import set_tenant, tenant_ids
from domain.access.operations import OperationKind, PersistedOperation
from domain.values import new_id

READ: Final = """
    select document_id, name, kind, text, alias from persisted_operations
    where tenant_id = $1 order by registered_at, id
"""
REGISTER: Final = """
    insert into persisted_operations (tenant_id, id, document_id, name, kind, text, alias)
    values ($1, $2, $3, $4, $5, $6, $7)
    on conflict (tenant_id, document_id) do update set alias = coalesce(excluded.alias, persisted_operations.alias)
    returning (xmax = 0) as added
"""


class Pool(Protocol):
    """Runs one statement as one tenant."""

    async def fetch(self, tenant_id: UUID | None, sql: str, *arguments: object) -> list[Record]:
        """Return the rows."""


class SqlRegistered:
    """The port `Registered`."""

    def __init__(self, pool: Pool) -> None:
        """Read with `pool`."""
        self._pool = pool

    async def of(self, tenant_id: UUID) -> Sequence[PersistedOperation]:
        """Return a tenant's documents, oldest first."""
        return [operation_of(row) for row in await self._pool.fetch(tenant_id, READ, tenant_id)]


def operation_of(row: Record) -> PersistedOperation:
    """Return a row of `READ`."""
    return PersistedOperation(row["document_id"], row["name"], OperationKind(row["kind"]), row["text"], row["alias"])


async def register(owner: Connection[Record], operations: Iterable[PersistedOperation], tenant_id: UUID) -> int:
    """Register documents in a tenant, in one transaction; return how many are new. One that is there stays as it is."""
    added = 0
    async with owner.transaction():
        await set_tenant(owner, tenant_id)
        for each in operations:
            added += await owner.fetchval(
                REGISTER, tenant_id, new_id(), each.document_id, each.name, each.kind.name, each.text, each.alias
            )
    return added


async def register_everywhere(owner: Connection[Record], operations: Sequence[PersistedOperation]) -> int:
    """Register documents in every tenant; return how many registrations are new."""
    return sum([await register(owner, operations, tenant_id) for tenant_id in await tenant_ids(owner)])


async def registered(owner: Connection[Record], tenant_id: UUID) -> list[PersistedOperation]:
    """Return a tenant's documents, read by the owner."""
    await set_tenant(owner, tenant_id)
    return [operation_of(row) for row in await owner.fetch(READ, tenant_id)]
