"""How PostgreSQL runs the statement of a series: the plan, on few rows, with a sequential scan made dear."""

from datetime import UTC, datetime, timedelta

from asyncpg import Connection, Record

from db.reading import statements
from db.reading.writer import Writer
from db.sources import CATALOGUE
from domain.access import Role
from domain.perception import QdSource
from domain.reading import Selected
from tests.factories import people, perception
from tests.factories.access import Tenant

START = datetime(2026, 10, 1, tzinfo=UTC)


def literal(value: object) -> str:
    """Write a bound value as an SQL constant."""
    return f"'{{{value[0]}}}'" if isinstance(value, list) else f"'{value}'"


async def test_series_reads_one_range_of_the_key_of_the_months_it_spans(
    tenant: Tenant, owner_connection: "Connection[Record]", app_connection: "Connection[Record]"
) -> None:
    person_id = await people.person(owner_connection, tenant)
    for day in range(60):
        await perception.score(owner_connection, tenant, person_id=person_id, at=START - timedelta(days=day), score=50)
    given = (("from", START), ("to", START + timedelta(days=1)), ("points", 10), ("source", QdSource.RULES))
    w = Writer(tenant.caller(Role.ADMIN))
    sql = statements.by_ids(
        w, CATALOGUE.sources["people"], [person_id], [Selected("qd_series", given, (Selected("count"),))]
    )

    await app_connection.execute("SELECT set_config('app.tenant_id', $1, false)", str(tenant.id))
    # The reading connections use one plan for all values, which only EXECUTE shows: it must leave months out by itself.
    await app_connection.execute("SET plan_cache_mode = force_generic_plan")
    await app_connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
    await app_connection.execute(f"PREPARE series AS {sql}")
    given_values = ", ".join(literal(value) for value in w.values)
    rows = await app_connection.fetch(f"EXPLAIN (ANALYZE, COSTS OFF) EXECUTE series({given_values})")
    plan = [row[0] for row in rows]

    scans = [line.strip().partition(" (")[0] for line in plan if " on qd_scores_" in line]
    assert scans == ["->  Index Scan using qd_scores_2026_10_pkey on qd_scores_2026_10 t4_1"]
    conditions = [line for line in plan if "Index Cond" in line and "person_id" in line]
    assert [(" at >= " in line or "(at >= " in line, "(at < " in line) for line in conditions] == [(True, True)]
