"""What a worker tells of running jobs that is kept nowhere: progress, and text as it grows."""

from __future__ import annotations

from typing import Protocol

from domain.jobs import RunningJob


class Frames(Protocol):
    """Takes what is told to whoever follows now."""

    def progressed(self, job: RunningJob, value: int, most: int, step: str | None) -> None:
        """Tell how far a job is."""

    def grown(self, job: RunningJob, request_id: str, text: str) -> None:
        """Tell of more text of an item."""


class Untold:
    """Takes frames where nobody can be told."""

    def progressed(self, job: RunningJob, value: int, most: int, step: str | None) -> None:
        """Tell nobody."""

    def grown(self, job: RunningJob, request_id: str, text: str) -> None:
        """Tell nobody."""
