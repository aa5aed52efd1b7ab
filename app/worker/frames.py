"""What a worker tells of running jobs that is kept nowhere: progress, and text as it grows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol
from uuid import UUID

from domain.events import Event
from domain.jobs import PROGRESS_FRAME, TEXT_FRAME, RunningJob

LONGEST_TEXT: Final = 1_000
"""Characters of one frame: however they are written, a frame is short enough to travel."""
LONGEST_NAME: Final = 200


class Telling(Protocol):
    """Takes what is told to whoever follows now."""

    def progressed(self, job: RunningJob, value: int, most: int, step: str | None) -> None:
        """Tell how far a job is."""

    def grown(self, job: RunningJob, request_id: str, text: str) -> None:
        """Tell of more text of an item."""


class Frames:
    """Tells whoever follows a job now, in whatever process."""

    def __init__(self, say: Callable[[UUID, Event], None]) -> None:
        """Tell through `say`, which takes the tenant and a frame."""
        self._say = say

    def progressed(self, job: RunningJob, value: int, most: int, step: str | None) -> None:
        """Tell how far a job is."""
        self._tell(job, PROGRESS_FRAME, {"value": value, "max": most, "step": step})

    def grown(self, job: RunningJob, request_id: str, text: str) -> None:
        """Tell of more text of an item."""
        for start in range(0, len(text), LONGEST_TEXT):
            piece = text[start : start + LONGEST_TEXT]
            self._tell(job, TEXT_FRAME, {"requestId": request_id[:LONGEST_NAME], "attempt": job.attempt, "text": piece})

    def _tell(self, job: RunningJob, kind: str, payload: dict[str, object]) -> None:
        self._say(job.tenant_id, Event(0, kind, "jobs", job.id, None, payload))
