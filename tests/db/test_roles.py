"""What the application's role may do, what it may not, and how an owner without BYPASSRLS gets on."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg
import pytest
from asyncpg import Connection, ForeignKeyViolationError, InsufficientPrivilegeError, Record

from db.migrations import migrate
from db.roles import RolesMissing, copy_rows, ensure_roles, role_faults, set_tenant, tenant_ids
from db.server import Addresses, temporary_server
from domain.values import new_id

ZERO = bytes(32)


@dataclass(frozen=True)
class Seeded:
    """A tenant with one user who may sign in, and one person."""

    tenant: UUID
    user: UUID
    person: UUID


async def _seed(owner: "Connection[Record]") -> Seeded:
    seeded = Seeded(new_id(), new_id(), new_id())
    await set_tenant(owner, seeded.tenant)
    await owner.execute(
        "INSERT INTO tenants (tenant_id, id, name, time_zone, currency)"
        " VALUES ($1, $1, 'Meridian', 'Asia/Dubai', 'AED')",
        seeded.tenant,
    )
    await owner.execute(
        "INSERT INTO users (tenant_id, id, full_name, email, role, status)"
        " VALUES ($1, $2, 'Noor Haddad', 'noor@example.com', 'ADMIN', 'ACTIVE')",
        seeded.tenant,
        seeded.user,
    )
    await owner.execute(
        "INSERT INTO sign_ins (tenant_id, user_id, email_normalised, password_hash) VALUES ($1, $2, $3, 'a hash')",
        seeded.tenant,
        seeded.user,
        f"{seeded.user}@example.com",
    )
    await _add_person(owner, seeded.tenant, seeded.person)
    return seeded


async def _add_person(connection: "Connection[Record]", tenant: UUID, person: UUID) -> None:
    statement = "INSERT INTO people (tenant_id, id, full_name) VALUES ($1, $2, 'Aarav Mehta')"
    await connection.execute(statement, tenant, person)


async def test_a_tenant_sees_and_writes_its_own_rows_only(
    owner_connection: "Connection[Record]", app_connection: "Connection[Record]"
) -> None:
    one, other = await _seed(owner_connection), await _seed(owner_connection)

    assert await app_connection.fetch("SELECT id FROM people") == []
    await set_tenant(app_connection, one.tenant)
    assert [row["id"] for row in await app_connection.fetch("SELECT id FROM people")] == [one.person]
    assert await app_connection.execute("UPDATE people SET city = 'Dubai' WHERE id = $1", other.person) == "UPDATE 0"
    assert await app_connection.execute("DELETE FROM people WHERE id = $1", other.person) == "DELETE 0"
    with pytest.raises(InsufficientPrivilegeError, match="row-level security"):
        await _add_person(app_connection, other.tenant, new_id())
    with pytest.raises(InsufficientPrivilegeError, match="row-level security"):
        await app_connection.execute("UPDATE people SET tenant_id = $1 WHERE id = $2", other.tenant, one.person)


async def test_an_id_of_another_tenant_is_neither_taken_nor_referred_to(
    owner_connection: "Connection[Record]", app_connection: "Connection[Record]"
) -> None:
    one, other = await _seed(owner_connection), await _seed(owner_connection)
    await set_tenant(app_connection, one.tenant)

    await _add_person(app_connection, one.tenant, other.person)
    with pytest.raises(ForeignKeyViolationError):
        await app_connection.execute(
            "INSERT INTO leads (tenant_id, id, person_id, assignee_id, stage, source, stage_changed_at)"
            " VALUES ($1, $2, $3, $4, 'NEW', 'WEBSITE', now())",
            one.tenant,
            new_id(),
            one.person,
            other.user,
        )


async def test_the_look_ups_answer_without_a_tenant(
    owner_connection: "Connection[Record]", app_connection: "Connection[Record]"
) -> None:
    seeded = await _seed(owner_connection)
    session, token, key = new_id(), new_id(), new_id()
    token_hash, secret_hash = token.bytes, key.bytes
    await owner_connection.execute(
        "INSERT INTO sessions (tenant_id, id, user_id) VALUES ($1, $2, $3)", seeded.tenant, session, seeded.user
    )
    await owner_connection.execute(
        "INSERT INTO refresh_tokens (tenant_id, id, session_id, token_hash, expires_at) VALUES ($1, $2, $3, $4, now())",
        seeded.tenant,
        token,
        session,
        token_hash,
    )
    await owner_connection.execute(
        "INSERT INTO api_keys (tenant_id, id, display_name, prefix, secret_hash, role)"
        " VALUES ($1, $2, 'Portal', 'vk_live_', $3, 'ADMIN')",
        seeded.tenant,
        key,
        secret_hash,
    )
    address = f"{seeded.user}@example.com"

    signed_in = await app_connection.fetch("SELECT * FROM sign_in_user($1)", address)
    refreshed = await app_connection.fetch("SELECT * FROM refresh_session($1)", token_hash)
    keys = await app_connection.fetch("SELECT * FROM api_key_lookup($1)", secret_hash)

    assert [tuple(row) for row in signed_in] == [(seeded.tenant, seeded.user, "a hash")]
    assert [tuple(row) for row in refreshed] == [(seeded.tenant, session, token)]
    assert [tuple(row) for row in keys] == [(seeded.tenant, key)]
    assert await app_connection.fetch("SELECT * FROM sign_in_user($1)", "nobody@example.com") == []
    assert await app_connection.fetch("SELECT * FROM refresh_session($1)", b"unknown") == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT password_hash FROM sign_ins",
        "SELECT * FROM sign_ins",
        "SELECT all_tenant_ids()",
        "SELECT ensure_qd_partitions(current_date, current_date)",
        "SELECT * FROM qd_scores_2026_01",
        "UPDATE audit_entries SET hash = previous_hash",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "DELETE FROM events",
        "UPDATE events SET kind = 'other'",
        "INSERT INTO tenants SELECT * FROM tenants",
        "CREATE TABLE mine (id integer)",
        "CREATE TEMPORARY TABLE mine (id integer)",
        "SET ROLE velocity_lookup",
        "SET ROLE velocity_owner",
        "ALTER TABLE people DISABLE ROW LEVEL SECURITY",
    ],
)
async def test_the_application_may_not(
    owner_connection: "Connection[Record]", app_connection: "Connection[Record]", statement: str
) -> None:
    await owner_connection.execute("SELECT ensure_qd_partitions('2026-01-01', '2026-01-01')")
    with pytest.raises(InsufficientPrivilegeError):
        await app_connection.execute(statement)


async def test_not_even_a_superuser_changes_an_audit_entry(superuser_connection: "Connection[Record]") -> None:
    seeded = await _seed(superuser_connection)
    await superuser_connection.execute(
        "INSERT INTO audit_entries (tenant_id, id, sequence, at, action, previous_hash, hash)"
        " VALUES ($1, $2, 1, now(), 'CREATE', $3, $3)",
        seeded.tenant,
        new_id(),
        ZERO,
    )
    for statement in ("UPDATE audit_entries SET sequence = 2", "DELETE FROM audit_entries", "TRUNCATE audit_entries"):
        with pytest.raises(InsufficientPrivilegeError, match="audit entries are never changed"):
            await superuser_connection.execute(statement)


async def test_roles_are_told_apart(database: Addresses) -> None:
    found = []
    for address in (database.app, database.owner, database.superuser):
        connection = await asyncpg.connect(address)
        found.append(await role_faults(connection))
        await connection.close()
    app, owner, superuser = found

    assert app == []
    assert "The role velocity_owner owns tables." in owner
    assert "The role postgres is a superuser, so row-level security does not bind it." in superuser


async def test_the_owner_loads_rows_and_lists_tenants(owner_connection: "Connection[Record]") -> None:
    seeded = await _seed(owner_connection)
    people = sorted(new_id() for _ in range(3))

    await copy_rows(
        owner_connection,
        "people",
        ["tenant_id", "id", "full_name"],
        [(seeded.tenant, person, "Zara Khan") for person in people],
    )

    found = await owner_connection.fetch(
        "SELECT id FROM people WHERE tenant_id = $1 AND full_name = 'Zara Khan' ORDER BY id", seeded.tenant
    )
    assert [row["id"] for row in found] == people
    assert seeded.tenant in await tenant_ids(owner_connection)


async def test_an_owner_without_bypass_is_bound_like_everybody() -> None:
    with temporary_server(tcp=True) as server:
        await migrate(server.addresses.owner)
        owner = await asyncpg.connect(server.addresses.owner)
        one, other = await _seed(owner), await _seed(owner)
        try:
            assert [row["id"] for row in await owner.fetch("SELECT id FROM people")] == [other.person]
            assert await tenant_ids(owner) == sorted([one.tenant, other.tenant])
            async with owner.transaction():
                for _ in range(2):
                    zara = (other.tenant, new_id(), "Zara Khan")
                    await copy_rows(owner, "people", ["tenant_id", "id", "full_name"], [zara])
            assert await owner.fetchval("SELECT count(*) FROM people") == 3
            with pytest.raises(InsufficientPrivilegeError, match="row-level security"):
                await copy_rows(
                    owner, "people", ["tenant_id", "id", "full_name"], [(one.tenant, new_id(), "Zara Khan")]
                )
        finally:
            await owner.close()


async def test_an_owner_who_may_not_create_roles_is_told_what_to_run(
    superuser_connection: "Connection[Record]",
) -> None:
    transaction = superuser_connection.transaction()
    await transaction.start()
    try:
        await superuser_connection.execute("CREATE ROLE weak; SET LOCAL ROLE weak")
        with pytest.raises(RolesMissing, match="GRANT velocity_lookup TO weak WITH INHERIT FALSE, SET TRUE;"):
            await ensure_roles(superuser_connection)
        await superuser_connection.execute("RESET ROLE; GRANT velocity_lookup TO weak WITH INHERIT FALSE, SET TRUE")
        await superuser_connection.execute("SET LOCAL ROLE weak")
        await ensure_roles(superuser_connection)
    finally:
        await transaction.rollback()
