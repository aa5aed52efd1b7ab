"""Let every tenant know of the providers that are configured, so that what they answered can name them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import asyncpg

from db.roles import set_tenant, tenant_ids
from domain.inference import Provider

CONNECT_SECONDS: Final = 10
_KNOW: Final = (
    "INSERT INTO inference_providers (tenant_id, id, name, kind) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (tenant_id, id) DO UPDATE SET kind = excluded.kind WHERE inference_providers.kind <> excluded.kind"
)


async def register_providers(owner: str, providers: Sequence[Provider]) -> None:
    """Write a row for each tenant and provider, as the owner; what was switched stays."""
    connection = await asyncpg.connect(owner, timeout=CONNECT_SECONDS)
    try:
        for tenant_id in await tenant_ids(connection):
            await set_tenant(connection, tenant_id)
            await connection.executemany(
                _KNOW, [(tenant_id, each.id, each.name, each.kind.name) for each in providers]
            )  # fmt: skip
    finally:
        await connection.close()
