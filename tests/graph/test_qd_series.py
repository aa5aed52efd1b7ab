"""Series of scores beside a third opinion: buckets, lows, highs and means in plain Python over all rows."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from math import ceil, fsum
from random import Random
from typing import Any

import pytest
from asyncpg import Connection, Record

from domain.access import Role
from domain.perception import QdKind, QdSource
from graph.scalars import print_time
from tests.api import Answer, Api
from tests.factories import people, perception
from tests.factories.access import Tenant

START = datetime(2026, 9, 29, tzinfo=UTC)
HOUR, MICROSECOND = timedelta(hours=1), timedelta(microseconds=1)
ROUNDS, SCORES, DAYS = 60, 400, 4

Row = dict[str, Any]


def rounded(value: float) -> float:
    """Round as PostgreSQL does: fifteen digits of a double, and halves away from zero."""
    return float(Decimal(f"{value:.15g}").quantize(Decimal("0.0001"), ROUND_HALF_UP))


def mean(rows: list[Row]) -> float:
    return rounded(fsum(row["score"] for row in rows) / len(rows))


def expected(rows: list[Row], from_: datetime, to: datetime, points: int) -> Answer:
    """The series of rows of one source and the kinds asked for."""
    start, width = from_, ceil((to - from_) / MICROSECOND / points) * MICROSECOND
    if width >= HOUR:
        start = from_.replace(minute=0, second=0, microsecond=0)
        width = ceil((to - start) / HOUR / points) * HOUR
    within = sorted((row for row in rows if from_ <= row["at"] < to), key=lambda row: row["at"])
    buckets = {
        max(start + number * width, from_): list(each)
        for number, each in groupby(within, lambda row: (row["at"] - start) // width)
    }
    scores = [row["score"] for row in within]
    return {
        "points": [
            {
                "at": print_time(at),
                "score": mean(each),
                "low": min(row["score"] for row in each),
                "high": max(row["score"] for row in each),
            }
            for at, each in buckets.items()
        ],
        "min": min(scores, default=None),
        "max": max(scores, default=None),
        "mean": mean(within) if within else None,
        "count": len(scores),
    }


async def rows_of(owner: "Connection[Record]", tenant: Tenant, random: Random) -> tuple[str, list[Row]]:
    """Give a person scores over some days and the turn of a month; many lie on whole hours."""
    person_id = await people.person(owner, tenant)
    rows: list[Row] = []
    for _ in range(SCORES):
        at = START + timedelta(minutes=random.choice((30, 1, 60)) * random.randrange(DAYS * 24))
        row: Row = {
            "at": at + random.choice((0, 0, 1, -1)) * MICROSECOND,
            "score": random.randrange(10, 1001) / 10,
            "kind": random.choice(list(QdKind)).name,
            "source": random.choice((QdSource.RULES, QdSource.MODEL)).name,
        }
        await perception.score(owner, tenant, person_id=person_id, **row)
        rows.append(row)
    return f"person_{person_id}", rows


@pytest.mark.parametrize("seed", range(3))
async def test_a_series_says_what_all_its_scores_say(
    api: Api, tenant: Tenant, owner_connection: "Connection[Record]", seed: int
) -> None:
    random = Random(seed)  # noqa: S311 the same draws every time
    person_id, rows = await rows_of(owner_connection, tenant, random)
    for _ in range(ROUNDS):
        from_ = START + timedelta(minutes=random.choice((1, 60)) * random.randrange(DAYS * 12))
        to = from_ + random.choice((MICROSECOND, timedelta(minutes=1), HOUR)) * random.randrange(1, DAYS * 24)
        points, source = random.choice((1, 2, 3, 7, 24, 500)), random.choice(list(QdSource))
        kinds = random.choice((None, random.sample(list(QdKind), random.randrange(4))))
        data = await api.data(
            "QdHistory", role=Role.ADMIN, personId=person_id, points=points, source=source.name,
            kinds=None if kinds is None else [kind.name for kind in kinds],
            **{"from": from_.isoformat(), "to": to.isoformat()},
        )  # fmt: skip

        names = {kind.name for kind in (QdKind if kinds is None else kinds)}
        asked = [row for row in rows if row["source"] == source.name and row["kind"] in names]
        found = data["person"]["qdSeries"]
        assert found == {"source": source.name} | expected(asked, from_, to, points), (from_, to, points, kinds)
        assert len(found["points"]) <= points
