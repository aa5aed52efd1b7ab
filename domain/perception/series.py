"""How series of QD scores are cut into buckets, and which ranges are refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from domain.errors import Invalid

MOST_POINTS: Final = 2000
"""How many points a series has at most."""

MOST_SCATTERED: Final = 500
"""How many people a scatter shows at most."""


def check_range(from_: datetime, to: datetime) -> None:
    """Refuse a half-open range that holds nothing; raises Invalid."""
    if from_ >= to:
        raise Invalid("`from` lies before `to`; the range does not include `to`.", field="to")


def bucket_width(from_: datetime, to: datetime, points: int) -> timedelta:
    """Return how long each bucket of a series is, so that at most `points` cover the range; raises Invalid."""
    check_range(from_, to)
    if not 1 <= points <= MOST_POINTS:
        raise Invalid(f"`points` is from 1 to {MOST_POINTS}; {points} were asked for.", field="points")
    microsecond = timedelta(microseconds=1)
    return -((from_ - to) // microsecond // points) * microsecond


HOUR: Final = timedelta(hours=1)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Span = tuple[datetime, datetime]
"""A half-open span of time."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """How a series cuts its range into buckets of `width` that begin at `start`.

    Buckets shorter than an hour begin with the range. Longer ones are made of whole hours (UTC), whose scores are
    summed up beforehand: `start` is then the hour in which the range begins. `hours` is the part of the range that is
    whole hours, and `parts` are the rest: at most a part of an hour at either end, or all of it for short buckets.
    """

    start: datetime
    width: timedelta
    hours: Span | None
    parts: tuple[Span, ...]


def buckets(from_: datetime, to: datetime, points: int) -> Buckets:
    """Cut a range into at most `points` buckets; raises Invalid."""
    width = bucket_width(from_, to, points)
    if width < HOUR:
        return Buckets(from_, width, None, ((from_, to),))
    start = from_ - (from_ - EPOCH) % HOUR
    first = start if start == from_ else start + HOUR
    last = to - (to - EPOCH) % HOUR
    parts = tuple((begin, end) for begin, end in ((from_, first), (last, to)) if begin < end)
    return Buckets(start, -((start - to) // HOUR // points) * HOUR, (first, last), parts)


def check_scatter(from_: datetime, to: datetime, first: int) -> None:
    """Refuse a scatter that cannot be answered; raises Invalid."""
    check_range(from_, to)
    if not 0 <= first <= MOST_SCATTERED:
        raise Invalid(f"`first` is from 0 to {MOST_SCATTERED}; {first} was asked for.", field="first")
