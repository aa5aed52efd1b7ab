"""QD scores as they are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.qd import QdKind, QdSource


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
