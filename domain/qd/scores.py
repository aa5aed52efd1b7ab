"""What a score is, of which kind, and who made it."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import NamedTuple


class QdKind(Enum):
    """LIVE while a session runs, SESSION its final score, PROFILE from CRM signals."""

    LIVE = "LIVE"
    SESSION = "SESSION"
    PROFILE = "PROFILE"


class QdSource(Enum):
    """Who computed a score. Series never mix sources."""

    RULES = "RULES"
    MODEL = "MODEL"
    IMPORTED = "IMPORTED"


class Reading(NamedTuple):
    """A score at a moment: 1 to 100; valence is -1 to 1, the other parts 0 to 1.

    With a confidence of 0 the numbers say nothing: nobody was there, or something that never moves.
    """

    at: datetime
    video_ms: int | None
    score: float
    attention: float
    valence: float
    engagement: float
    confidence: float
    face: bool
    """Whether the packet showed a face. Without one, everything but the confidence is as it was."""
    kind: QdKind = QdKind.LIVE
    source: QdSource = QdSource.RULES
