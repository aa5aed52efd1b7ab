"""How often a provider may be asked: a bucket of requests that shrinks when the provider says "too many"."""

from __future__ import annotations

from collections import deque
from typing import Final

from gpu.inference.breaker import Monotonic

MINUTE: Final = 60.0
LEAST_PER_MINUTE: Final = 1.0
SHRINK: Final = 0.5
GROW: Final = 1.05
FREE_AGAIN: Final = 4.0
"""A limit that was only found out is forgotten once it has grown to so many times what set it."""


class Pace:
    """One bucket. Without a configured limit nothing is limited until the provider answers 429."""

    def __init__(self, per_minute: float | None, clock: Monotonic) -> None:
        """Begin with a full bucket."""
        self._most = per_minute
        self._clock = clock
        self._rate = per_minute
        self._found: float | None = None
        self._tokens = self._burst()
        self._filled = clock()
        self._blocked_until = 0.0
        self._taken: deque[float] = deque()

    @property
    def per_minute(self) -> float | None:
        """The present limit, or None."""
        return self._rate

    def wait(self) -> float:
        """Return the seconds until a request may go; 0 is now."""
        now = self._clock()
        blocked = max(0.0, self._blocked_until - now)
        if self._rate is None:
            return blocked
        self._fill(now)
        lacking = 1.0 - self._tokens
        return max(blocked, lacking * MINUTE / self._rate if lacking > 0 else 0.0)

    def take(self) -> None:
        """Count a request that goes now."""
        now = self._clock()
        self._taken.append(now)
        while self._taken and self._taken[0] < now - MINUTE:
            self._taken.popleft()
        if self._rate is not None:
            self._fill(now)
            self._tokens -= 1.0

    def limited(self, retry_after: float | None) -> None:
        """Note a 429: half as often from now on, and not at all until the provider's time has passed."""
        now = self._clock()
        present = float(max(len(self._taken), 1)) if self._rate is None else self._rate
        self._rate = self._found = max(LEAST_PER_MINUTE, present * SHRINK)
        self._tokens, self._filled = min(self._tokens, 1.0), now
        if retry_after is not None:
            self._blocked_until = max(self._blocked_until, now + retry_after)

    def answered(self) -> None:
        """Note an answer: a little more often from now on, up to what is configured."""
        if self._rate is None or self._found is None:
            return
        self._rate *= GROW
        if self._most is not None:
            self._rate = min(self._rate, self._most)
        elif self._rate > FREE_AGAIN * self._found:
            self._rate = self._found = None

    def _burst(self) -> float:
        # Ten seconds' worth may go at once: more would only be refused.
        return 1.0 if self._rate is None else max(1.0, self._rate / 6)

    def _fill(self, now: float) -> None:
        if self._rate is not None:
            self._tokens = min(self._burst(), self._tokens + (now - self._filled) * self._rate / MINUTE)
        self._filled = now
