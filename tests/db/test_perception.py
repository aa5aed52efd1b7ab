"""How PostgreSQL runs the statement of a series: the plan, on few rows, with a sequential scan made dear."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

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
    return f"'{{{','.join(map(str, value))}}}'" if isinstance(value, list) else f"'{value}'"


async def plan_of(
    connection: "Connection[Record]", tenant: Tenant, person_id: UUID, from_: datetime, to: datetime, points: int
) -> list[str]:
    """Return the lines of the plan of a series, as the reading connections make it."""
    given = (("from", from_), ("to", to), ("points", points), ("source", QdSource.RULES))
    w = Writer(tenant.caller(Role.ADMIN))
    sql = statements.by_ids(
        w, CATALOGUE.sources["people"], [person_id], [Selected("qd_series", given, (Selected("count"),))]
    )
    await connection.execute("SELECT set_config('app.tenant_id', $1, false)", str(tenant.id))
    # They use one plan for all values, which only EXECUTE shows: it must leave months out by itself.
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    await connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
    await connection.execute(f"PREPARE series AS {sql}")
    given_values = ", ".join(literal(value) for value in w.values)
    rows = await connection.fetch(f"EXPLAIN (ANALYZE, COSTS OFF) EXECUTE series({given_values})")
    return [row[0].strip() for row in rows]


def scans(plan: list[str]) -> list[str]:
    return [line.partition(" (")[0] for line in plan if " on qd_" in line]


async def scored_person(owner: "Connection[Record]", tenant: Tenant) -> UUID:
    """Make a person with a score on each of sixty days."""
    person_id = await people.person(owner, tenant)
    for day in range(60):
        await perception.score(owner, tenant, person_id=person_id, at=START - timedelta(days=day), score=50)
    return person_id


async def test_series_of_short_buckets_reads_one_range_of_the_key_of_the_months_it_spans(
    tenant: Tenant, owner_connection: "Connection[Record]", app_connection: "Connection[Record]"
) -> None:
    person_id = await scored_person(owner_connection, tenant)

    plan = await plan_of(app_connection, tenant, person_id, START, START + timedelta(hours=9), 10)

    assert scans(plan) == ["->  Index Scan using qd_scores_2026_10_pkey on qd_scores_2026_10 t4_1"]
    conditions = [line for line in plan if "Index Cond" in line and "person_id" in line]
    assert [(" at >= " in line or "(at >= " in line, "(at < " in line) for line in conditions] == [(True, True)]


async def test_series_of_long_buckets_reads_hours_and_the_scores_at_either_end(
    tenant: Tenant, owner_connection: "Connection[Record]", app_connection: "Connection[Record]"
) -> None:
    person_id = await scored_person(owner_connection, tenant)
    half, days = timedelta(minutes=30), timedelta(days=50)

    plan = await plan_of(app_connection, tenant, person_id, START - days + half, START + half, 100)

    assert scans(plan) == [
        "->  Index Scan using qd_scores_2026_08_pkey on qd_scores_2026_08 t4_1",
        "->  Index Scan using qd_scores_2026_10_pkey on qd_scores_2026_10 t5_1",
        "->  Index Scan using pk_qd_rollups on qd_rollups t6",
    ]
    [condition] = [line for line in plan if "Index Cond" in line and "kind" in line]
    for column in ("tenant_id =", "person_id =", "source =", "kind = ANY", "hour >=", "hour <"):
        assert f"({column}" in condition


async def test_series_of_whole_hours_reads_hours_alone(
    tenant: Tenant, owner_connection: "Connection[Record]", app_connection: "Connection[Record]"
) -> None:
    person_id = await scored_person(owner_connection, tenant)

    plan = await plan_of(app_connection, tenant, person_id, START - timedelta(days=50), START, 100)

    assert scans(plan) == ["->  Index Scan using pk_qd_rollups on qd_rollups t4"]
