"""Perception as clients see it: QD scores, their series, the sentiment scatter, and consents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.access import Permission
from domain.perception import ConsentPurpose, ConsentStatus, Modality, QdKind, QdSource, SubjectKind
from graph.declaration import Argument, Node, column, link, noun, root, root_value, value
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
described(
    ConsentPurpose,
    "What a consent allows.",
    SHOWROOM_ENGAGEMENT="Measuring engagement in the showroom.",
    MARKETING="Being written to about offers.",
    RECORDING="Recording a conversation.",
)
described(
    Modality,
    "What a consent allows to be measured.",
    FACE="The face.",
    VOICE="The voice.",
    CCTV="Movements, seen by cameras of the house.",
)
described(
    ConsentStatus,
    "Whether a consent holds at this moment.",
    ACTIVE="It holds.",
    EXPIRED="Its time has passed.",
    WITHDRAWN="It was taken back.",
)
described(
    SubjectKind,
    "Who gave a consent.",
    PERSON="A person of the CRM.",
    VISITOR="A visitor whom nobody has named.",
    AGENT="A member of the team.",
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

QD_SERIES = (
    Argument("from", DateTime, "Where the range begins."),
    Argument("to", DateTime, "Where it ends; not part of it."),
    Argument("points", int, "How many buckets at most: 1 to 2000. Whole hours may make it fewer."),
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


@noun(
    "consents",
    prefix="consent",
    description="What somebody allowed to be measured, told and recorded, and until when.",
    orders={"CREATED_AT": "When it was recorded."},
)
class Consent(Node):
    """A consent."""

    subject_kind: SubjectKind = column("Who gave it.")
    purpose: ConsentPurpose = column("What for.")
    modality: Modality = column("What may be measured.")
    status: ConsentStatus = column("Whether it holds at this moment.")
    granted_at: DateTime = column("When it was given.")
    expires_at: DateTime | None = column("When it ends by itself.")
    withdrawn_at: DateTime | None = column("When it was taken back.")
    notice_version: str = column("Which notice they were given.")
    person: Person | None = link("The person, for a person's consent.")


@root
class PerceptionQuery:
    """Root fields about perception."""

    sentiment_scatter: SentimentScatter = root_value(
        "How people felt over a half-open range, by the scores of the rules.",
        Permission.PERSON_READ,
        Argument("from", DateTime, "Where the range begins."),
        Argument("to", DateTime, "Where it ends; not part of it."),
        Argument("first", int, "How many people at most: 0 to 500."),
    )
