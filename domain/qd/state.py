"""What scoring remembers of a session between two batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

VERSION: Final = 1
"""Of the state. A state of another version is not read; scoring then begins anew."""

NEUTRAL: Final = 50.0
"""Where everybody begins."""

Numbers = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class QdState:
    """What scoring remembers of a session, which an erasure removes. Seconds are those of packets' times."""

    at: float | None = None
    """The last packet's time, in seconds since 1970."""
    unseen: float = 3600.0
    """Seconds since a face was seen."""
    still: float = 0.0
    coverage: float = 0.0
    """The share of the last seconds in which a face was seen."""
    gaze: float = 0.5
    """How much the eyes were on the screen when they were last open."""
    blink: float = 0.0
    """Seconds of a blink that the average of attention has yet to pass."""
    trust: float = 1.0
    inputs: Numbers = (0.0,) * 9
    """The last face: closure, attention, valence, activation, then smile, frown, brows, jaw and their squares' sum."""
    averages: Numbers = (0.0, 0.5) + (0.0,) * 7
    """The averages of these."""
    moved: Numbers = (0.0, 0.5, 0.0, 0.0)
    """The first four of these inputs when something last moved."""
    score: float = NEUTRAL
    wanted: float = NEUTRAL
    """Where the score is going."""
    seconds: float = 0.0
    sums: Numbers = (0.0,) * 5
    """Integrals over time: the confidence, and it times score, attention, valence, engagement."""
    packets: int = 0
    peak: float | None = None
    """The highest score that was read with some confidence."""
    peak_at: float | None = None
    peak_video_ms: int | None = None
    version: int = VERSION


START: Final = QdState()
"""The state of a session without packets."""


_NAMES: Final = tuple(field.name for field in fields(QdState))


def stored(state: QdState) -> dict[str, object]:
    """Return a state as JSON."""
    return {name: getattr(state, name) for name in _NAMES}


def restored(value: Mapping[str, object] | None) -> QdState:
    """Return a stored state; START for none, or for one that another version of scoring left."""
    if value is None or value.get("version") != VERSION:
        return START
    parts: dict[str, Any] = {name: tuple(each) if isinstance(each, list) else each for name, each in value.items()}
    return QdState(**parts)
