"""QD (Qualification Desire): scores of how much somebody wants to buy, and the consents that measuring needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final, Protocol
from uuid import UUID

from domain.errors import Invalid
from domain.qd import QdKind as QdKind  # noqa: PLC0414 the alias says that others may take it from here
from domain.qd import QdSource as QdSource  # noqa: PLC0414 as the line above


class ConsentPurpose(Enum):
    """What a consent allows."""

    SHOWROOM_ENGAGEMENT = "SHOWROOM_ENGAGEMENT"
    MARKETING = "MARKETING"
    RECORDING = "RECORDING"


class Modality(Enum):
    """What a consent allows to be measured."""

    FACE = "FACE"
    VOICE = "VOICE"
    CCTV = "CCTV"


class ConsentStatus(Enum):
    """Whether a consent holds. Derived from its times, never stored."""

    ACTIVE = "ACTIVE"
    EXPIRED = "EXPIRED"
    WITHDRAWN = "WITHDRAWN"


class SubjectKind(Enum):
    """Who gave a consent."""

    PERSON = "PERSON"
    VISITOR = "VISITOR"
    AGENT = "AGENT"


@dataclass(frozen=True, slots=True)
class Score:
    """One score of a person at a moment: 1 to 100; valence is -1 to 1, the other parts 0 to 1."""

    id: UUID
    person_id: UUID
    at: datetime
    kind: QdKind
    source: QdSource
    score: float
    engagement: float | None = None
    valence: float | None = None
    attention: float | None = None
    confidence: float | None = None
    session_id: UUID | None = None


class PerceptionStore(Protocol):
    """Scores of the unit's tenant."""

    async def add_scores(self, scores: Sequence[Score]) -> None:
        """Store scores, and keep the newest of each source with its person; raises NotFound for an unknown person."""


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
