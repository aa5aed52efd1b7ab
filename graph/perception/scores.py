"""QD scores as clients see them, their series, and the sentiment scatter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.access import Permission
from domain.perception import QdKind, QdSource
from graph.declaration import Argument, column, link, root, root_value, value
from graph.enums import described
from graph.scalars import DateTime

if TYPE_CHECKING:
    from graph.people import Person

described(
    QdKind,
    "What a score stands for.",
    LIVE="A moment of a running session.",
    SESSION="A session as a whole.",
    PROFILE="What the CRM tells, without a session.",
)
described(
    QdSource,
    "Who computed a score; a series never mixes sources.",
    RULES="The rules of this system.",
    MODEL="A model.",
    IMPORTED="Another system.",
)


@value("qd_scores", description="How engaged a person was at a moment.")
class QdScore:
    """A QD score."""

    at: DateTime = column("When it was measured.")
    score: float = column("1 to 100.")
    engagement: float | None = column("0 to 1.")
    valence: float | None = column("-1, displeased, to 1, pleased.")
    attention: float | None = column("0 to 1.")
    confidence: float | None = column("How sure the score is: 0 to 1.")
    kind: QdKind = column("What it stands for.")
    source: QdSource = column("Who computed it.")


@value("qd_points", description="The scores of one bucket of a series.")
class QdPoint:
    """A bucket."""

    at: DateTime = column("When the bucket begins; for the first one not before `from`.")
    score: float = column("The mean of its scores, to four decimals.")
    low: float = column("Its lowest score.")
    high: float = column("Its highest score.")


@value(
    "qd_series",
    description="Scores of one source over a half-open range, in equal buckets. Buckets shorter than an hour begin with"
    " the range. Longer ones last whole hours, rounded up, and begin on a whole hour in UTC, the first in the hour of"
    " `from`. No bucket has scores from outside the range.",
)
class QdSeries:
    """A series."""

    source: QdSource = column("Who computed the scores.")
    points: list[QdPoint] = column("The buckets that hold scores, oldest first.")
    min: float | None = column("The lowest of all scores; null without any.")
    max: float | None = column("The highest of all scores; null without any.")
    mean: float | None = column("The mean of all scores, to four decimals; null without any.")
    count: int = column("How many scores there are.")


QD_SOURCE = Argument("source", QdSource | None, "Who computed the scores.", QdSource.RULES)
"""The argument of `latestQd` and `qdSeries`."""

RANGE = (
    Argument("from", DateTime, "Where the range begins."),
    Argument("to", DateTime, "Where it ends; not part of it."),
    Argument("points", int, "How many buckets at most: 1 to 2000. Whole hours may make it fewer."),
)
SESSION_SERIES = (*RANGE, QD_SOURCE)
"""The arguments of a session's `qdSeries`, whose buckets all begin with the range."""

QD_SERIES = (
    *RANGE,
    Argument("kinds", list[QdKind] | None, "Only scores of these kinds; all, if left out."),
    QD_SOURCE,
)
"""The arguments of `qdSeries`."""


@value("sentiment_points", description="A person's mood over a range.")
class SentimentPoint:
    """A point."""

    person: Person = link("Whose it is.")
    engagement: float | None = column("Mean engagement, 0 to 1; null without scores.")
    valence: float | None = column("Mean valence, -1 to 1; null without scores.")
    qd_score: float | None = column("Mean score, 1 to 100; null without scores.")
    interaction_count: int = column("How many interactions that you may see they had.")


@value("sentiment_scatter", description="The people who had an interaction or a score in a range.")
class SentimentScatter:
    """A scatter."""

    points: list[SentimentPoint] = column("Most interactions first.")
    truncated: bool = column("Whether there are more people than were asked for.")


@root
class ScatterQuery:
    """Root fields about scores."""

    sentiment_scatter: SentimentScatter = root_value(
        "How people felt over a half-open range, by the scores of the rules.",
        Permission.PERSON_READ,
        Argument("from", DateTime, "Where the range begins."),
        Argument("to", DateTime, "Where it ends; not part of it."),
        Argument("first", int, "How many people at most: 0 to 500."),
    )
