"""What is counted of language models in one process: requests, seconds, tokens, waits, and answers that did not fit."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from enum import Enum
from typing import Final

from domain.inference import InferenceTask
from domain.structured import Fault

BOUNDS: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds: from a small model that is loaded to a large one that has to make room for itself."""
ANSWERED: Final = "ANSWERED"
CANCELLED: Final = "CANCELLED"


class Kept(Enum):
    """What became of a structured answer."""

    AS_IT_CAME = "AS_IT_CAME"
    REPAIRED = "REPAIRED"
    REFUSED = "REFUSED"


class Spread:
    """How long answers took: how many were no longer than each bound."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count an answer."""
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds

    def cumulative(self) -> list[tuple[str, float]]:
        """Return Prometheus's buckets: each bound with how many were no longer."""
        bounds = [*map(str, BOUNDS), "+Inf"]
        return [(bound, float(sum(self._counts[: place + 1]))) for place, bound in enumerate(bounds)]


class Tallies:
    """The counters. Providers are those of the settings, and everything else is an enumeration's."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.requests: Final[Counter[tuple[str, InferenceTask, str]]] = Counter()
        """By provider, task and ANSWERED, CANCELLED or the code of what went wrong."""
        self.seconds: Final[dict[str, Spread]] = {}
        self.prompt_tokens: Final[Counter[str]] = Counter()
        self.completion_tokens: Final[Counter[str]] = Counter()
        self.waits: Final[Counter[str]] = Counter()
        """How often a request waited for a provider's limit."""
        self.waited: Final[dict[str, float]] = {}
        """For how many seconds in all."""
        self.answers: Final[Counter[tuple[InferenceTask, Kept]]] = Counter()
        self.asked_again: Final[Counter[InferenceTask]] = Counter()
        self.faults: Final[Counter[Fault]] = Counter()
        """Why answers could not be used, the first ones and the second ones."""

    def answered(self, provider: str, task: InferenceTask, seconds: float, tokens: tuple[int, int]) -> None:
        """Count an answer, with the tokens of its question and its own."""
        self.requests[provider, task, ANSWERED] += 1
        self.seconds.setdefault(provider, Spread()).add(seconds)
        self.prompt_tokens[provider] += tokens[0]
        self.completion_tokens[provider] += tokens[1]

    def waited_for(self, provider: str, seconds: float) -> None:
        """Count that a request waits for a provider's limit."""
        self.waits[provider] += 1
        self.waited[provider] = self.waited.get(provider, 0.0) + seconds
