"""Who shows an API key: its secret is looked up, and again every few seconds; its use is recorded every minute."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.access import (
    USE_RECORDED_EVERY,
    ApiKeyRefused,
    ApiKeys,
    ApiKeyStanding,
    Caller,
    caller_of_key,
    secret_hash,
)

MOST_REMEMBERED: Final = 20_000


@dataclass(frozen=True, slots=True)
class _Read:
    """What a secret was worth when it was read last."""

    standing: ApiKeyStanding
    caller: Caller
    at: float


class CheckedKeys:
    """Turns API keys into callers. Only good ones are remembered, by the hash of their secret."""

    def __init__(
        self,
        keys: ApiKeys,
        *,
        recheck_seconds: float,
        clock: Callable[[], datetime],
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        """Trust what was read for `recheck_seconds`, or until this process hears that the key changed."""
        self._keys = keys
        self._recheck_seconds = recheck_seconds
        self._clock = clock
        self._stopwatch = stopwatch
        self._read: Final[dict[bytes, _Read]] = {}
        self._used: Final[dict[UUID, datetime]] = {}
        self._forgotten = 0

    async def caller_for(self, secret: str) -> Caller:
        """Return whose key this is; raises ApiKeyRefused."""
        hashed, now = secret_hash(secret), self._clock()
        read = self._read.get(hashed)
        if read is None or self._stopwatch() - read.at >= self._recheck_seconds:
            read = await self._read_again(hashed, now)
        until = read.standing.good_until
        if until is not None and until <= now:
            raise ApiKeyRefused
        await self._record_use(read.standing, now)
        return read.caller

    def forget(self, key_id: UUID) -> None:
        """Trust nothing that is remembered of a key, nor what is being read now."""
        self._forgotten += 1
        for hashed in [hashed for hashed, read in self._read.items() if read.standing.id == key_id]:
            del self._read[hashed]

    async def _read_again(self, hashed: bytes, now: datetime) -> _Read:
        forgotten = self._forgotten
        standing = await self._keys.key_of(hashed, now)
        self._read.pop(hashed, None)
        if standing is None:
            raise ApiKeyRefused
        read = _Read(standing, caller_of_key(standing), self._stopwatch())
        if forgotten == self._forgotten:
            if len(self._read) >= MOST_REMEMBERED:
                del self._read[next(iter(self._read))]
            self._read[hashed] = read
        return read

    async def _record_use(self, standing: ApiKeyStanding, now: datetime) -> None:
        known = [at for at in (standing.last_used_at, self._used.get(standing.id)) if at is not None]
        if known and now - max(known) < USE_RECORDED_EVERY:
            return
        self._used[standing.id] = now
        await self._keys.used(standing.tenant_id, standing.id, now)
