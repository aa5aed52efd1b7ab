"""How a range is cut into buckets, which ranges are refused, and which scene a video shows."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from domain.errors import Invalid
from domain.perception import Buckets, Scene, bucket_width, buckets, check_scatter
from domain.perception.sessions import scene_at
from domain.values import new_id

START = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def test_a_scene_has_its_first_millisecond_and_not_its_last() -> None:
    first, second = Scene(new_id(), 0, 1_000), Scene(new_id(), 2_000, 3_000)
    shown = {0: first.id, 999: first.id, 1_000: None, 1_999: None, 2_000: second.id, 3_000: None, None: None}

    assert {moment: scene_at((first, second), moment) for moment in shown} == shown


def test_buckets_share_a_range_equally() -> None:
    assert bucket_width(START, START + DAY, 24) == timedelta(hours=1)


def test_buckets_are_rounded_up_so_that_there_are_never_too_many() -> None:
    width = bucket_width(START, START + timedelta(microseconds=10), 4)
    assert width == timedelta(microseconds=3)


def test_bucket_is_never_empty() -> None:
    assert bucket_width(START, START + timedelta(microseconds=1), 2000) == timedelta(microseconds=1)


def test_short_buckets_begin_with_the_range() -> None:
    from_, to = START + MINUTE, START + 61 * MINUTE
    assert buckets(from_, to, 4) == Buckets(from_, 15 * MINUTE, None, ((from_, to),))


def test_long_buckets_last_whole_hours() -> None:
    assert buckets(START, START + DAY, 24) == Buckets(START, HOUR, (START, START + DAY), ())
    assert buckets(START, START + DAY, 23) == Buckets(START, 2 * HOUR, (START, START + DAY), ())


def test_long_buckets_begin_in_the_hour_of_the_range_and_are_never_too_many() -> None:
    from_, to = START + 20 * MINUTE, START + 4 * HOUR + 20 * MINUTE
    parts = ((from_, START + HOUR), (START + 4 * HOUR, to))

    assert buckets(from_, to, 4) == Buckets(START, 2 * HOUR, (START + HOUR, START + 4 * HOUR), parts)


def test_a_range_between_two_hours_holds_none_whole() -> None:
    from_, to = START + 20 * MINUTE, START + HOUR + 20 * MINUTE
    parts = ((from_, START + HOUR), (START + HOUR, to))

    assert buckets(from_, to, 1) == Buckets(START, 2 * HOUR, (START + HOUR, START + HOUR), parts)


def test_hours_are_whole_in_utc() -> None:
    from_ = datetime(2026, 11, 1, 0, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))

    assert buckets(from_, from_ + DAY, 24) == Buckets(from_, HOUR, (from_, from_ + DAY), ())


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
