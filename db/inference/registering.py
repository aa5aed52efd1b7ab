"""Let every tenant know of the providers that are configured, so that what they answered can name them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import asyncpg

from db.roles import set_tenant, tenant_ids
from domain.inference import Provider

CONNECT_SECONDS: Final = 10
# No one key is named: a unit that makes the same row meanwhile would be in the way of the other key.
_KNOW: Final = (
    "WITH known AS (INSERT INTO inference_providers (tenant_id, id, name, kind) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT DO NOTHING)"
    " UPDATE inference_providers SET kind = $4 WHERE tenant_id = $1 AND id = $2 AND kind <> $4"
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
