"""Every table keeps the rules of tenancy, and each rule is shown to notice when one does not."""

import re

import pytest
from asyncpg import Connection, Record

from tests.db.catalogue import TENANT, faults

KEYED = "tenant_id uuid NOT NULL, id uuid NOT NULL"
SECURED = f"""
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
ALTER TABLE t FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON t USING {TENANT} WITH CHECK {TENANT};
"""
GOOD = f"CREATE TABLE t ({KEYED}, PRIMARY KEY (tenant_id, id)); {SECURED}"
FUNCTION = "CREATE FUNCTION f() RETURNS integer LANGUAGE sql {options} AS 'SELECT 1';"
PRIVATE = "REVOKE ALL ON FUNCTION f() FROM PUBLIC;"
PINNED = "SET search_path = pg_catalog, pg_temp"
UNPOLICED = "t: no policy `tenant` with the one expression to use and to check"


async def test_the_database_keeps_every_rule(owner_connection: "Connection[Record]") -> None:
    tables = await owner_connection.fetchval(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relrowsecurity"
    )

    assert await faults(owner_connection, "public") == []
    assert tables > 40


@pytest.mark.parametrize(
    ("offence", "fault"),
    [
        ("CREATE TABLE t (id uuid PRIMARY KEY)", "t has no tenant_id"),
        (
            f"CREATE TABLE t (id uuid NOT NULL, tenant_id uuid NOT NULL, PRIMARY KEY (tenant_id, id)); {SECURED}",
            "t: tenant_id is not its first column",
        ),
        (f"{GOOD} ALTER TABLE t DISABLE ROW LEVEL SECURITY", "t: row-level security is not enabled and forced"),
        (f"{GOOD} ALTER TABLE t NO FORCE ROW LEVEL SECURITY", "t: row-level security is not enabled and forced"),
        (f"{GOOD} DROP POLICY tenant ON t", UNPOLICED),
        (f"{GOOD} ALTER POLICY tenant ON t WITH CHECK (true)", UNPOLICED),
        (f"{GOOD} ALTER POLICY tenant ON t USING (true)", UNPOLICED),
        (f"{GOOD} ALTER POLICY tenant ON t TO velocity_app", UNPOLICED),
        (f"{GOOD} CREATE POLICY all_of_it ON t USING (true)", "t: a policy `all_of_it` that lets somebody past"),
        (
            f"{GOOD} CREATE POLICY lookup ON t FOR SELECT TO velocity_lookup USING (true)",
            "t: a policy `lookup` that lets somebody past",
        ),
        (
            f"CREATE TABLE t ({KEYED}, PRIMARY KEY (id, tenant_id)); {SECURED}",
            "t: t_pkey does not begin with tenant_id",
        ),
        (f"{GOOD} CREATE UNIQUE INDEX u ON t (id)", "t: u does not begin with tenant_id"),
        (f"{GOOD} CREATE INDEX i ON t ((id::text), tenant_id)", "t: i does not begin with tenant_id"),
        (
            f"{GOOD} ALTER TABLE t ADD other uuid, ADD CONSTRAINT astray FOREIGN KEY (other, id) REFERENCES t",
            "t: astray does not go from tenant_id to tenant_id",
        ),
        (
            f"{GOOD} CREATE TABLE hosts (id uuid, c uuid, CONSTRAINT astray FOREIGN KEY (c, id) REFERENCES t)",
            "hosts: astray does not go from tenant_id to tenant_id",
        ),
        (f"{GOOD} ALTER TABLE t ADD COLUMN score real", "t.score: real"),
        (f"{GOOD} ALTER TABLE t ADD COLUMN made_at timestamp", "t.made_at: timestamp without time zone"),
        (f"{GOOD} GRANT SELECT ON t TO PUBLIC", "t: PUBLIC may SELECT"),
        (f"{GOOD} GRANT TRUNCATE ON t TO velocity_app", "t: the application may TRUNCATE"),
        (f"{GOOD} GRANT SELECT ON t TO velocity_app WITH GRANT OPTION", "t: the application may SELECT"),
        (
            f"{GOOD.replace(' t ', ' events ').replace(' t;', ' events;')} GRANT DELETE ON events TO velocity_app",
            "events: the application may DELETE",
        ),
        (GOOD + "CREATE VIEW v AS TABLE t", "v: a view that shows what its owner may see"),
        (GOOD + "CREATE MATERIALIZED VIEW v AS TABLE t", "v: a view that shows what its owner may see"),
        (FUNCTION.format(options=PINNED), "f: PUBLIC may execute it"),
        (FUNCTION.format(options="") + PRIVATE, "f: its search_path is not pinned"),
        (FUNCTION.format(options="SET search_path = public") + PRIVATE, "f: its search_path is not pinned"),
        (
            FUNCTION.format(options=f"SECURITY DEFINER {PINNED}") + PRIVATE,
            "f: runs as postgres, not as velocity_lookup",
        ),
        ("ALTER ROLE velocity_app BYPASSRLS", "the role velocity_app may do too much"),
        ("ALTER ROLE velocity_lookup LOGIN", "the role velocity_lookup may do too much"),
        ("GRANT velocity_lookup TO velocity_app", "the role velocity_app is a member of velocity_lookup"),
        (f"{GOOD} ALTER TABLE t OWNER TO velocity_app", "t belongs to velocity_app"),
        (
            FUNCTION.format(options=PINNED) + PRIVATE + "ALTER FUNCTION f() OWNER TO velocity_app",
            "f belongs to velocity_app",
        ),
    ],
)
async def test_an_offence_is_noticed(superuser_connection: "Connection[Record]", offence: str, fault: str) -> None:
    assert await _faults_of(superuser_connection, offence) == [fault]


async def test_a_table_that_keeps_the_rules_has_no_fault(superuser_connection: "Connection[Record]") -> None:
    assert await _faults_of(superuser_connection, GOOD) == []


async def test_a_partition_with_grants_or_without_security_is_noticed(
    superuser_connection: "Connection[Record]",
) -> None:
    parent = re.sub(r"\);", ") PARTITION BY HASH (tenant_id);", GOOD, count=1)
    partition = "CREATE TABLE p PARTITION OF t FOR VALUES WITH (MODULUS 1, REMAINDER 0);"

    found = await _faults_of(superuser_connection, f"{parent} {partition} GRANT SELECT ON p TO velocity_app")

    assert found == ["p: a partition with grants", "p: row-level security is not enabled and forced"]


async def _faults_of(connection: "Connection[Record]", offence: str) -> list[str]:
    """The faults of a schema in which only `offence` was done; afterwards nothing of it is left."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute("CREATE SCHEMA offending; SET LOCAL search_path = offending, public")
        await connection.execute(offence)
        return [line.replace("offending.", "") for line in await faults(connection, "offending")]
    finally:
        await transaction.rollback()
