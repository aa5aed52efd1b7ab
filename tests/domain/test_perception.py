"""How a range is cut into buckets, and which ranges are refused."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.errors import Invalid
from domain.perception import bucket_width, check_scatter

START = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def test_buckets_share_a_range_equally() -> None:
    assert bucket_width(START, START + DAY, 24) == timedelta(hours=1)


def test_buckets_are_rounded_up_so_that_there_are_never_too_many() -> None:
    width = bucket_width(START, START + timedelta(microseconds=10), 4)
    assert width == timedelta(microseconds=3)


def test_bucket_is_never_empty() -> None:
    assert bucket_width(START, START + timedelta(microseconds=1), 2000) == timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("to", "points", "field"),
    [(START, 10, "to"), (START - DAY, 10, "to"), (START + DAY, 0, "points"), (START + DAY, 2001, "points")],
)
def test_series_that_holds_nothing_is_refused(to: datetime, points: int, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        bucket_width(START, to, points)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("to", "first", "field"), [(START, 10, "to"), (START + DAY, -1, "first"), (START + DAY, 501, "first")]
)
def test_scatter_that_cannot_be_answered_is_refused(to: datetime, first: int, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_scatter(START, to, first)
    assert refusal.value.field == field
