"""What callers may spend and run at once: a leaky bucket of points for each, and places for running operations."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Final

from graph.refusals import Overloaded, RateExceeded

REMEMBERED: Final = 20_000
"""How many callers' buckets are kept; the one used longest ago goes first, and is full again by then."""


@dataclass(slots=True)
class _Bucket:
    points: float
    at: float


class Budgets:
    """Buckets by caller. They belong to one process: two processes give a caller twice as much."""

    def __init__(
        self, capacity: int, restored_per_second: float, stopwatch: Callable[[], float] = time.monotonic
    ) -> None:
        """Let a caller spend `capacity` points at once, and what is restored since; a capacity of 0 is no limit."""
        self.capacity = capacity
        self.restored_per_second = restored_per_second
        self._stopwatch = stopwatch
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def spend(self, principal: str, points: int) -> int:
        """Take points from a caller's bucket and return what is left; raises RateExceeded."""
        if not self.capacity:
            return 0
        now = self._stopwatch()
        bucket = self._buckets.get(principal)
        if bucket is None:
            bucket = self._buckets[principal] = _Bucket(self.capacity, now)
            if len(self._buckets) > REMEMBERED:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(principal)
            restored = bucket.points + (now - bucket.at) * self.restored_per_second
            bucket.points, bucket.at = min(self.capacity, restored), now
        if points > bucket.points:
            missing = points - bucket.points
            raise RateExceeded(points, int(bucket.points), ceil(missing / self.restored_per_second))
        bucket.points -= points
        return int(bucket.points)


class Places:
    """Places for operations that run at once, in all and for one caller."""

    def __init__(self, most: int, per_caller: int) -> None:
        """Let `most` run at once, and `per_caller` of one caller."""
        self._most = most
        self._per_caller = per_caller
        self._running: Counter[str] = Counter()
        self.running = 0

    def take(self, principal: str) -> None:
        """Take a place, which is to be left again; raises Overloaded where there is none."""
        if self.running >= self._most:
            raise Overloaded("concurrentOperations", self.running + 1, self._most)
        if self._running[principal] >= self._per_caller:
            raise Overloaded("concurrentOperationsPerCaller", self._running[principal] + 1, self._per_caller)
        self.running += 1
        self._running[principal] += 1

    def leave(self, principal: str) -> None:
        """Leave a place."""
        self.running -= 1
        self._running[principal] -= 1
        if not self._running[principal]:
            del self._running[principal]
