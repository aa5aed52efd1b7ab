"""What the scores of an hour sum up to always equals what the scores say, whoever writes them and however."""

import asyncio
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeAlias
from uuid import UUID

import asyncpg
import pytest
from asyncpg import Connection, Record

from db.roles import copy_rows, set_tenant
from domain.perception import QdKind, QdSource
from domain.values import new_id
from tests.factories import people, perception
from tests.factories.access import Tenant

Database: TypeAlias = "Connection[Record]"
Key = tuple[UUID, str, str, datetime]
Sums = dict[Key, tuple[float, float, float, int]]

# Close to the turn of a month, so that scores move from one partition to another.
START = datetime(2026, 9, 30, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
COLUMNS = ("tenant_id", "id", "person_id", "at", "kind", "source", "score")
INSERT = (
    f"INSERT INTO qd_scores ({', '.join(COLUMNS)}) SELECT * FROM"
    " unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[], $7::float8[])"
)
ROLLUPS = "SELECT person_id, source, kind, hour, low, high, total, scores FROM qd_rollups WHERE tenant_id = $1"
WAITS = "SELECT cardinality(pg_blocking_pids($1)) > 0"


async def kept(connection: Database, tenant: Tenant) -> Sums:
    """Read the hours."""
    rows = await connection.fetch(ROLLUPS, tenant.id)
    return {(row[0], row[1], row[2], row[3]): (row[4], row[5], row[6], row[7]) for row in rows}


async def summed(connection: Database, tenant: Tenant) -> Sums:
    """Sum up the scores, in plain Python. Eighths add up exactly, in any order."""
    found = defaultdict(list)
    for row in await connection.fetch("SELECT * FROM qd_scores WHERE tenant_id = $1", tenant.id):
        hour = row["at"].replace(minute=0, second=0, microsecond=0)
        found[row["person_id"], row["source"], row["kind"], hour].append(row["score"])
    return {key: (min(scores), max(scores), sum(scores), len(scores)) for key, scores in found.items()}


def drawn(random: Random, tenant: Tenant, persons: list[UUID], count: int) -> list[tuple[object, ...]]:
    """Draw rows of qd_scores."""
    return [
        (
            tenant.id, new_id(), random.choice(persons), START + random.randrange(8 * 60) * timedelta(minutes=1),
            random.choice(list(QdKind)).name, random.choice(list(QdSource)).name, random.randrange(8, 801) / 8,
        )
        for _ in range(count)
    ]  # fmt: skip


async def change(connection: Database, random: Random, tenant: Tenant, persons: list[UUID]) -> None:
    """Write something about scores."""
    one, other = random.sample(persons, 2)
    at = START + random.randrange(8) * HOUR
    match random.randrange(7):
        case 0 | 1:
            rows = drawn(random, tenant, persons, random.choice((1, 5, 50)))
            await connection.execute(INSERT, *map(list, zip(*rows, strict=True)))
        case 2:
            move = "UPDATE qd_scores SET person_id = $3 WHERE tenant_id = $1 AND person_id = $2"
            await connection.execute(move, tenant.id, one, other)
        case 3:
            later = "UPDATE qd_scores SET at = at + $3::interval WHERE tenant_id = $1 AND person_id = $2"
            await connection.execute(later, tenant.id, one, random.choice((-3, 0.5, 3)) * HOUR)
        case 4:
            higher = (
                "UPDATE qd_scores SET score = least(score + 1, 100) WHERE tenant_id = $1 AND at >= $2 AND kind = 'LIVE'"
            )
            await connection.execute(higher, tenant.id, at)
        case 5:
            within = "DELETE FROM qd_scores WHERE tenant_id = $1 AND at >= $2 AND at < $2 + interval '30 minutes'"
            await connection.execute(within, tenant.id, at)
        case _:
            nothing = "DELETE FROM qd_scores WHERE tenant_id = $1 AND person_id = $2 AND score < 0"
            await connection.execute(nothing, tenant.id, one)


@pytest.mark.parametrize("role", ["app", "owner"])
@pytest.mark.parametrize("seed", range(3))
async def test_hours_follow_whatever_happens_to_scores(
    tenant: Tenant, owner_connection: Database, app_connection: Database, role: str, seed: int
) -> None:
    random = Random(seed)  # noqa: S311 the same draws every time
    connection = app_connection if role == "app" else owner_connection
    persons = [await people.person(owner_connection, tenant) for _ in range(3)]
    await set_tenant(connection, tenant.id)
    most = 0
    for _ in range(40):
        await change(connection, random, tenant, persons)
        hours = await kept(connection, tenant)
        assert hours == await summed(connection, tenant)
        most = max(most, len(hours))
    assert most > 30


async def test_hours_follow_scores_that_are_copied(tenant: Tenant, owner_connection: Database) -> None:
    persons = [await people.person(owner_connection, tenant) for _ in range(3)]
    await set_tenant(owner_connection, tenant.id)
    random = Random(0)  # noqa: S311 the same draws every time
    for _ in range(2):
        await copy_rows(owner_connection, "qd_scores", COLUMNS, drawn(random, tenant, persons, 500))

    hours = await kept(owner_connection, tenant)
    assert hours == await summed(owner_connection, tenant)
    assert sum(sums[3] for sums in hours.values()) == 1000


async def test_an_erased_person_leaves_no_hours(tenant: Tenant, owner_connection: Database) -> None:
    erased, other = [await people.person(owner_connection, tenant) for _ in range(2)]
    for person_id in (erased, other):
        await perception.score(owner_connection, tenant, person_id=person_id, at=START, score=50)

    await owner_connection.execute("DELETE FROM qd_scores WHERE tenant_id = $1 AND person_id = $2", tenant.id, erased)

    assert await kept(owner_connection, tenant) == {(other, "RULES", "LIVE", START): (50, 50, 50, 1)}


async def test_an_hour_is_whole_in_utc_whatever_the_session_says(tenant: Tenant, owner_connection: Database) -> None:
    person_id = await people.person(owner_connection, tenant)
    await owner_connection.execute("SET timezone = 'Asia/Kolkata'")
    await perception.score(owner_connection, tenant, person_id=person_id, at=START + 0.75 * HOUR, score=50)

    assert list(await kept(owner_connection, tenant)) == [(person_id, "RULES", "LIVE", START)]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM qd_scores WHERE tenant_id = $1 AND score = 10",
        "UPDATE qd_scores SET score = 20 WHERE tenant_id = $1 AND score = 10",
        "UPDATE qd_scores SET at = at + interval '1 hour' WHERE tenant_id = $1 AND score = 10",
    ],
)
async def test_hours_that_two_write_at_once_count_both(
    tenant: Tenant, owner_connection: Database, app_connection: Database, app_dsn: str, statement: str
) -> None:
    person_id = await people.person(owner_connection, tenant)
    await perception.score(owner_connection, tenant, person_id=person_id, at=START, score=10)
    await set_tenant(app_connection, tenant.id)
    second = await asyncpg.connect(app_dsn)
    try:
        await set_tenant(second, tenant.id)
        async with app_connection.transaction():
            for later in (0, 1):
                row = (tenant.id, new_id(), person_id, START + later * HOUR, "LIVE", "RULES", 90.0)
                await app_connection.execute(INSERT, *([value] for value in row))
            writing = asyncio.create_task(second.execute(statement, tenant.id))
            # It cannot end before the first does, so this does not go on for ever.
            while not await owner_connection.fetchval(WAITS, second.get_server_pid()):
                assert not writing.done()
        await writing
    finally:
        await second.close()

    hours = await kept(owner_connection, tenant)
    assert hours == await summed(owner_connection, tenant)
    assert sum(sums[3] for sums in hours.values()) == (2 if "DELETE" in statement else 3)


async def test_no_hour_is_seen_by_another_tenant(
    tenant: Tenant, other_tenant: Tenant, owner_connection: Database, app_connection: Database
) -> None:
    for each in (tenant, other_tenant):
        person_id = await people.person(owner_connection, each)
        await perception.score(owner_connection, each, person_id=person_id, at=START, score=50)

    await set_tenant(app_connection, tenant.id)
    assert await app_connection.fetchval("SELECT count(*) FROM qd_rollups") == 1
    assert await kept(app_connection, other_tenant) == {}
