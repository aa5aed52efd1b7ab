"""Inserting one row as the owner, whatever row-level security binds the owner to."""

from uuid import UUID

from asyncpg import Connection, Record

from db.roles import set_tenant


async def insert(owner: "Connection[Record]", table: str, tenant_id: UUID, **values: object) -> None:
    """Insert one row for a tenant."""
    await set_tenant(owner, tenant_id)
    columns = ["tenant_id", *values]
    places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    listed = ", ".join(f'"{column}"' for column in columns)
    await owner.execute(f'INSERT INTO "{table}" ({listed}) VALUES ({places})', tenant_id, *values.values())
