"""The database's roles: who owns, who serves, and who looks things up before a tenant is known.

Row-level security is forced, so it binds the owner too unless it has BYPASSRLS, which a managed server does not give.
An owner without it works as all do, one tenant at a time: it sets `app.tenant_id`. What crosses tenants (finding the
tenant of an e-mail address or of a token, listing them) belongs to the role LOOKUP, which cannot log in: policies show
it the rows, column grants show it little of them, and SECURITY DEFINER functions that it owns hand out ids.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final
from uuid import UUID

from asyncpg import Connection, DuplicateObjectError, Record, UniqueViolationError

SUPERUSER: Final = "postgres"
OWNER: Final = "velocity_owner"
APP: Final = "velocity_app"
LOOKUP: Final = "velocity_lookup"

FOR_THE_ADMINISTRATOR: Final = f"""\
CREATE ROLE {APP} LOGIN PASSWORD '…';
CREATE ROLE {LOOKUP} NOLOGIN;
GRANT {LOOKUP} TO {{owner}} WITH INHERIT FALSE, SET TRUE;"""


class RolesMissing(Exception):
    """The owner may not create roles. The message holds the statements that an administrator has to run once."""


async def ensure_roles(connection: "Connection[Record]") -> None:
    """Create the roles APP and LOOKUP where they are missing. Raises RolesMissing where the owner may not."""
    owner: str = await connection.fetchval("SELECT current_user::text")
    found = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
    may_create = await connection.fetchval(
        "SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user"
    )
    missing = [role for role in (APP, LOOKUP) if role not in found]
    if missing and not may_create:
        raise RolesMissing(f"Let an administrator run:\n{FOR_THE_ADMINISTRATOR.format(owner=owner)}")
    for role in missing:
        # Roles belong to the whole server: a migration of another database may be creating them right now.
        with suppress(DuplicateObjectError, UniqueViolationError):
            await connection.execute(f"CREATE ROLE {role} {'LOGIN' if role == APP else 'NOLOGIN'}")
    if not await connection.fetchval("SELECT pg_has_role($1::name, 'SET')", LOOKUP):
        if not may_create:
            raise RolesMissing(f"Let an administrator run:\n{FOR_THE_ADMINISTRATOR.format(owner=owner)}")
        # Whoever creates a role may administer it, and so give itself the right to act as it.
        await connection.execute(f'GRANT {LOOKUP} TO "{owner}" WITH INHERIT FALSE, SET TRUE')


async def role_faults(connection: "Connection[Record]") -> list[str]:
    """What is wrong with the role that `connection` belongs to, if it is to serve: it must be no more than APP is."""
    row = await connection.fetchrow(
        """SELECT rolname, rolsuper, rolbypassrls, rolcreaterole,
                  EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid) AS owns,
                  pg_has_role(rolname, $1::name, 'USAGE') AS serves
           FROM pg_roles WHERE rolname = current_user""",
        APP,
    )
    if row is None:
        return ["The role is unknown."]
    faults = {
        "is a superuser, so row-level security does not bind it": row["rolsuper"],
        "has BYPASSRLS": row["rolbypassrls"],
        "may create roles": row["rolcreaterole"],
        "owns tables": row["owns"],
        f"is neither {APP} nor a member of it": not row["serves"],
    }
    return [f"The role {row['rolname']} {fault}." for fault, found in faults.items() if found]


async def tenant_ids(owner: "Connection[Record]") -> list[UUID]:
    """Every tenant's id."""
    return [row[0] for row in await owner.fetch("SELECT public.all_tenant_ids()")]


async def set_tenant(connection: "Connection[Record]", tenant_id: UUID) -> None:
    """Work as one tenant until told otherwise. Call it outside a transaction: a rollback would undo it."""
    await connection.execute("SELECT set_config('app.tenant_id', $1, false)", str(tenant_id))


async def copy_rows(
    owner: "Connection[Record]", table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Load rows by COPY, as the owner. All of them belong to the tenant that is set.

    PostgreSQL has no COPY into a table whose row-level security binds the caller. There the rows go to a temporary
    table first, and the INSERT that follows is checked by the policies as any other.
    """
    bypasses = await owner.fetchval("SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = current_user")
    if bypasses:
        await owner.copy_records_to_table(table, columns=columns, records=rows)
        return
    listed = ", ".join(f'"{column}"' for column in columns)
    async with owner.transaction():
        await owner.execute(f'CREATE TEMPORARY TABLE loading AS SELECT {listed} FROM "{table}" LIMIT 0')
        await owner.copy_records_to_table("loading", columns=columns, records=rows)
        await owner.execute(f'INSERT INTO "{table}" ({listed}) SELECT {listed} FROM loading')
        # Not by the end of the transaction, which may be the caller's and load more.
        await owner.execute("DROP TABLE loading")
