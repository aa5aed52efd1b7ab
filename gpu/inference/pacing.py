"""When a provider may be asked again: the bucket that all processes share, and one of our own where that is away."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import structlog

from domain.errors import Unavailable
from domain.inference import Paces, Turn
from domain.inference.pacing import BURST_SHARE, FREE_AGAIN, GROW, LEAST_PER_MINUTE, MINUTE, SHRINK, WHOLE
from gpu.inference.breaker import Monotonic

T = TypeVar("T")

SOON: Final = 0.001
"""Seconds that are too few to be waited for."""

log = structlog.get_logger()


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float
    rate: float | None = None
    """The present limit, where the provider has set one."""
    found: float | None = None
    recent: float = 0.0
    """About how many requests went in the last minute."""
    slowed_at: float = -math.inf
    blocked_until: float = -math.inf


class OwnPaces:
    """The port `Paces` for one process alone: its clock never goes back."""

    def __init__(self, clock: Monotonic) -> None:
        """Begin with full buckets."""
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    async def take(self, provider: str, most: float | None) -> Turn:
        """Count a request if one may go now, and say how long to wait if none may."""
        bucket, rate, now = self._filled(provider, most)
        wait = max(0.0, bucket.blocked_until - now)
        if rate is not None and bucket.tokens < WHOLE:
            wait = max(wait, (1 - bucket.tokens) * MINUTE / rate)
        if wait == 0:
            bucket.recent += 1
            if rate is not None:
                bucket.tokens -= 1
        return Turn(wait, now, rate, bucket.found is not None)

    async def limited(
        self, provider: str, most: float | None, turn: Turn, retry_after: float | None
    ) -> float | None:  # fmt: skip
        """Note a 429, once for all requests that were on their way."""
        bucket, rate, now = self._filled(provider, most)
        if bucket.slowed_at < turn.at:
            rate = max(LEAST_PER_MINUTE, SHRINK * (max(bucket.recent, 1.0) if rate is None else rate))
            bucket.rate = bucket.found = rate
            bucket.tokens, bucket.slowed_at = min(bucket.tokens, 1.0), now
        if retry_after is not None:
            bucket.blocked_until = max(bucket.blocked_until, now + retry_after)
        return rate

    async def answered(self, provider: str, most: float | None) -> float | None:
        """Note an answer."""
        bucket, _, _ = self._filled(provider, most)
        if bucket.rate is not None and bucket.found is not None:
            bucket.rate *= GROW
            enough = FREE_AGAIN * bucket.found if most is None else most
            if bucket.rate >= enough:
                bucket.rate = bucket.found = None
        return _present(bucket, most)

    def _filled(self, provider: str, most: float | None) -> tuple[_Bucket, float | None, float]:
        now = self._clock()
        if provider not in self._buckets:
            self._buckets[provider] = _Bucket(_burst(most), now)
        bucket = self._buckets[provider]
        rate, passed = _present(bucket, most), now - bucket.at
        if rate is not None:
            bucket.tokens = min(_burst(rate), bucket.tokens + passed * rate / MINUTE)
        bucket.recent *= math.exp(-passed / MINUTE)
        bucket.at = now
        return bucket, rate, now


def _present(bucket: _Bucket, most: float | None) -> float | None:
    if bucket.rate is None or most is None:
        return most if bucket.rate is None else bucket.rate
    return min(bucket.rate, most)


def _burst(rate: float | None) -> float:
    return 1.0 if rate is None else max(1.0, rate * BURST_SHARE)


class Pace:
    """The bucket of one provider, as one process sees it.

    What it was told last is remembered, so that nobody asks again before it can be different.
    """

    def __init__(self, provider: str, most: float | None, shared: Paces, clock: Monotonic) -> None:
        """Ask `shared`, and where that does not answer a bucket of this process."""
        self._provider = provider
        self._most = most
        self._shared = shared
        self._own: Final = OwnPaces(clock)
        self._clock = clock
        self._until = -math.inf
        self._alone = False
        self.per_minute: float | None = most
        """The limit as it was when it was last heard of, or None."""

    def wait(self) -> float:
        """Return the seconds for which it is not worth asking the bucket; 0 is that nobody knows of any."""
        left = self._until - self._clock()
        return left if left > SOON else 0.0

    async def take(self) -> Turn:
        """Count a request if one may go now, and say how long to wait if none may."""
        turn = await self._either(lambda paces: paces.take(self._provider, self._most))
        self.per_minute = turn.per_minute
        if turn.wait > 0:
            self._until = self._clock() + turn.wait
        return turn

    async def limited(self, turn: Turn, retry_after: float | None) -> None:
        """Note that the provider said "too many" to the request of a turn."""
        if retry_after is not None:
            self._until = max(self._until, self._clock() + retry_after)
        self.per_minute = await self._either(
            lambda paces: paces.limited(self._provider, self._most, turn, retry_after)
        )  # fmt: skip

    async def answered(self, turn: Turn) -> None:
        """Note an answer to the request of a turn."""
        if turn.slowed:
            self.per_minute = await self._either(lambda paces: paces.answered(self._provider, self._most))

    async def _either(self, ask: Callable[[Paces], Awaitable[T]]) -> T:
        try:
            told = await ask(self._shared)
        except Unavailable:
            if not self._alone:
                log.warning("limit_not_shared", provider=self._provider)
            self._alone = True
            return await ask(self._own)
        self._alone = False
        return told
