"""How much what was seen deserves a look: 0 to 100 in four bands. The band follows from the score, by nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from domain.errors import Invalid

MOST_SCORE: Final = 100


class RiskLevel(Enum):
    """What a score means, lowest first."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"


FLOORS: Final[Mapping[RiskLevel, int]] = {
    RiskLevel.LOW: 0,
    RiskLevel.MEDIUM: 30,
    RiskLevel.HIGH: 60,
    RiskLevel.CRITICAL: 85,
}
"""The lowest score of each level."""


@dataclass(frozen=True, slots=True)
class Risk:
    """What a model made of a batch of detections."""

    score: int
    summary: str
    reasoning: str

    @property
    def level(self) -> RiskLevel:
        """What the score means."""
        return level_of(self.score)


def level_of(score: int) -> RiskLevel:
    """Return the level of a score; raises Invalid for one that is not from 0 to 100."""
    if not 0 <= score <= MOST_SCORE:
        raise Invalid(f"A risk is scored from 0 to {MOST_SCORE}.", field="score")
    return max((level for level in FLOORS if FLOORS[level] <= score), key=lambda level: FLOORS[level])
