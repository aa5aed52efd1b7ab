"""Inference: which providers tests have, and items of jobs."""

from pathlib import Path
from typing import Any, Final
from uuid import UUID

from asyncpg import Connection, Record

from db.roles import set_tenant
from domain.inference import provider_id
from domain.values import new_id
from tests.factories.access import Tenant
from tests.factories.rows import insert

LOCAL: Final = provider_id("local")
# Nobody listens on this port: a test that asks a model makes a server of its own.
FILE: Final = """
[[providers]]
name = "local"
kind = "OLLAMA"
url = "http://127.0.0.1:9"
model = "qwen"
fallback_model = "small"
"""


def settings_file(folder: Path) -> Path:
    """Write a settings file with one provider, which is down."""
    path = folder / "inference.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


async def provider(owner: "Connection[Record]", of: Tenant) -> UUID:
    """Let a tenant know of the provider, if it does not yet."""
    await set_tenant(owner, of.id)
    await owner.execute(
        "INSERT INTO inference_providers (tenant_id, id, name, kind) VALUES ($1, $2, 'local', 'OLLAMA')"
        " ON CONFLICT DO NOTHING",
        of.id,
        LOCAL,
    )
    return LOCAL


async def item(
    owner: "Connection[Record]", of: Tenant, *, job_id: UUID, number: int = 0, status: str = "QUEUED", **values: Any
) -> UUID:
    """Make an item of a job."""
    item_id = new_id()
    given = {"request_id": f"req_{number:03}", "messages": '[{"role": "user", "content": "Hello."}]', **values}
    await insert(owner, "inference_items", of.id, id=item_id, job_id=job_id, number=number, status=status, **given)
    return item_id
