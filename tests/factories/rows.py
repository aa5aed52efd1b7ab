"""Inserting one row as the owner, whatever row-level security binds the owner to, and reading what was stored."""

from typing import Final
from uuid import UUID

from asyncpg import Connection, Record

from db.roles import set_tenant

ORDERS: Final = {
    "activity_entries": "sequence",
    "audit_entries": "sequence",
    "events": "sequence",
    "thread_reads": "thread_id, user_id",
    "person_duplicates": "person_id, other_id",
}
"""What tables without an id, or with a sequence, are read by."""


async def insert(owner: "Connection[Record]", table: str, tenant_id: UUID, **values: object) -> None:
    """Insert one row for a tenant."""
    await set_tenant(owner, tenant_id)
    columns = ["tenant_id", *values]
    places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    listed = ", ".join(f'"{column}"' for column in columns)
    await owner.execute(f'INSERT INTO "{table}" ({listed}) VALUES ({places})', tenant_id, *values.values())


async def rows_of(owner: "Connection[Record]", table: str, tenant_id: UUID) -> list[Record]:
    """Return the rows of a table that a tenant has, the oldest first."""
    order = ORDERS.get(table, "id")
    found: list[Record] = await owner.fetch(f"SELECT * FROM {table} WHERE tenant_id = $1 ORDER BY {order}", tenant_id)
    return found
