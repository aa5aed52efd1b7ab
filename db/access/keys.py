"""How API keys are written within a unit, and looked up before there is a caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.access.source import API_KEYS
from db.access.tables import api_key_operations, api_keys, persisted_operations
from db.engine import transaction
from db.errors import answering
from db.reading.reads import Fetch
from domain.access import ApiKey, ApiKeyCreate, ApiKeyStanding, Role
from domain.errors import NotFound

if TYPE_CHECKING:
    from db.unit import SqlUnit

# The overlap of a rotated secret ends before the key does.
STANDING: Final = """
select k.id, k.role, k.last_used_at,
    case when k.secret_hash = $3 then k.expires_at else least(k.expires_at, k.previous_expires_at) end as good_until,
    array(
        select o.document_id from api_key_operations b
        join persisted_operations o on o.tenant_id = b.tenant_id and o.id = b.persisted_operation_id
        where b.tenant_id = k.tenant_id and b.api_key_id = k.id
    ) as operations
from api_keys k
where k.tenant_id = $1 and k.id = $2 and k.revoked_at is null
  and (k.secret_hash = $3 or k.previous_secret_hash = $3)
"""
OPERATIONS: Final = """
select id, name, document_id from persisted_operations
where tenant_id = $1 and (name = any($2) or document_id = any($2)) order by registered_at, id
"""
LISTED: Final = """
select id, display_name, prefix, role, last_used_at, expires_at, revoked_at from api_keys
where tenant_id = $1 order by created_at, id
"""
USED: Final = text(
    "update api_keys set last_used_at = :now where tenant_id = :tenant and id = :key"
    " and (last_used_at is null or last_used_at < :now)"
)


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key as an operator is told of it."""

    id: UUID
    display_name: str
    prefix: str
    role: str
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


class SqlApiKeys:
    """The API key store of one unit."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit

    async def add(self, key_id: UUID, command: ApiKeyCreate, prefix: str, hashed: bytes, now: datetime) -> None:
        """Store a key and its operations; raises NotFound naming `operationIds` for one that is not registered."""
        await self._unit.add(
            api_keys, id=key_id, display_name=command.display_name.strip(), prefix=prefix, secret_hash=hashed,
            role=command.role.name, created_at=now, expires_at=command.expires_at,
            created_by_id=self._unit.caller.as_user(),
        )  # fmt: skip
        wanted = sorted(set(command.operation_ids))
        found = await self._unit.connection.execute(
            select(func.count()).where(
                persisted_operations.c.tenant_id == self._unit.caller.tenant_id, persisted_operations.c.id.in_(wanted)
            )
        )
        if found.scalar_one() != len(wanted):
            raise NotFound(field="operationIds")
        for operation_id in wanted:
            await self._unit.add(api_key_operations, api_key_id=key_id, persisted_operation_id=operation_id)

    async def get_for_update(self, key_id: UUID) -> ApiKey:
        """Return a key and lock it; raises NotFound naming `apiKeyId`."""
        try:
            row = await self._unit.visible_row(API_KEYS, key_id)
        except NotFound:
            raise NotFound(field="apiKeyId") from None
        return ApiKey(row["id"], Role[row["role"]], row["expires_at"], row["revoked_at"])

    async def rotate(self, key_id: UUID, prefix: str, hashed: bytes, old_until: datetime) -> None:
        """Replace a key's secret; the one before it is good until a moment, any older one no more."""
        await self._unit.change(
            api_keys, key_id, prefix=prefix, secret_hash=hashed, previous_secret_hash=api_keys.c.secret_hash,
            previous_expires_at=old_until,
        )  # fmt: skip

    async def revoke(self, key_id: UUID, now: datetime) -> None:
        """Store that a key has ended."""
        await self._unit.change(api_keys, key_id, revoked_at=now)


class SqlApiKeyLookup:
    """The port `ApiKeys` over PostgreSQL."""

    def __init__(self, pool: Fetch, engine: AsyncEngine) -> None:
        """Read through `pool`, and store through `engine` when a key was used."""
        self._pool = pool
        self._engine = engine

    async def key_of(self, hashed: bytes, now: datetime) -> ApiKeyStanding | None:
        """Return whose secret has this hash, if the key is good now."""
        found = await self._pool.fetch(None, "select tenant_id, api_key_id from api_key_lookup($1)", hashed)
        for tenant_id, key_id in found:
            for row in await self._pool.fetch(tenant_id, STANDING, tenant_id, key_id, hashed):
                if row["good_until"] is None or row["good_until"] > now:
                    return ApiKeyStanding(
                        tenant_id=tenant_id,
                        id=row["id"],
                        role=Role[row["role"]],
                        operations=frozenset(row["operations"]),
                        good_until=row["good_until"],
                        last_used_at=row["last_used_at"],
                    )
        return None

    async def operations(self, tenant_id: UUID, named: Sequence[str]) -> dict[str, UUID]:
        """Return the registered documents that are named, or whose ids are; of one name, the newest."""
        rows = await self._pool.fetch(tenant_id, OPERATIONS, tenant_id, list(named))
        return {key: row["id"] for row in rows for key in (row["name"], row["document_id"]) if key in named}

    async def listed(self, tenant_id: UUID) -> list[ListedKey]:
        """Return a tenant's keys, the oldest first."""
        return [ListedKey(*row) for row in await self._pool.fetch(tenant_id, LISTED, tenant_id)]

    async def used(self, tenant_id: UUID, key_id: UUID, now: datetime) -> None:
        """Store that a key was used."""
        with answering():
            async with transaction(self._engine, tenant_id) as connection:
                await connection.execute(USED, {"tenant": tenant_id, "key": key_id, "now": now})
