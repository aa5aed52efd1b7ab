"""Tasks."""

from typing import Any
from uuid import UUID

from asyncpg import Connection, Record

from domain.values import new_id
from tests.factories.access import Tenant
from tests.factories.rows import insert


async def task(owner: "Connection[Record]", of: Tenant, *, title: str = "Call back", **values: Any) -> UUID:
    """Make an open task."""
    task_id = new_id()
    values = {"priority": "NORMAL", "status": "OPEN", **values}
    await insert(owner, "tasks", of.id, id=task_id, title=title, **values)
    return task_id
