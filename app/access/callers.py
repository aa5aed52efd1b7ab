"""Who bears an access token: its signature is verified once, its session and role are read again every few seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

from app.access.keys import CheckedKeys
from domain.access import KEY_MARK, Accounts, Caller, Claims, TokenExpired, TokenInvalid, Tokens, caller_of

MOST_REMEMBERED: Final = 20_000

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class _Read:
    """What a session's user was when it was read last; None for nobody."""

    caller: Caller | None
    at: float


class CheckedCallers:
    """The port `Callers`."""

    def __init__(
        self,
        tokens: Tokens,
        accounts: Accounts,
        keys: CheckedKeys,
        *,
        recheck_seconds: float,
        clock: Callable[[], datetime],
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        """Trust what was read for `recheck_seconds`, or until this process hears that the session changed."""
        self._tokens = tokens
        self._accounts = accounts
        self._keys = keys
        self._recheck_seconds = recheck_seconds
        self._clock = clock
        self._stopwatch = stopwatch
        self._claims: Final[dict[str, Claims]] = {}
        self._read: Final[dict[UUID, _Read]] = {}
        self._reading: Final[dict[UUID, asyncio.Task[Caller | None]]] = {}
        self.forgotten = 0
        """How often something was to be forgotten."""

    async def caller_for(self, token: str) -> Caller:
        """Return who bears an access token or an API key; raises TokenInvalid, TokenExpired or ApiKeyRefused."""
        if token.startswith(KEY_MARK):
            return await self._keys.caller_for(token)
        claims = self._claims.get(token)
        if claims is None:
            claims = self._tokens.verify(token)
            _remember(self._claims, token, claims)
        if claims.expires_at <= self._clock():
            self._claims.pop(token, None)
            raise TokenExpired
        read = self._read.get(claims.session_id)
        if read is not None and self._stopwatch() - read.at < self._recheck_seconds:
            caller = read.caller
        else:
            caller = await self._read_again(claims)
        if caller is None or (caller.tenant_id, caller.user_id) != (claims.tenant_id, claims.user_id):
            raise TokenInvalid
        return caller

    def forget(self, session_id: UUID) -> None:
        """Trust nothing that is remembered of a session, nor what is being read of it now."""
        self.forgotten += 1
        self._read.pop(session_id, None)
        self._reading.pop(session_id, None)

    def forget_key(self, key_id: UUID) -> None:
        """Trust nothing that is remembered of an API key."""
        self.forgotten += 1
        self._keys.forget(key_id)

    async def _read_again(self, claims: Claims) -> Caller | None:
        """Read a session's user; requests that come meanwhile wait for the same statement."""
        reading = self._reading.get(claims.session_id)
        if reading is None:
            reading = asyncio.create_task(self._standing(claims))
            self._reading[claims.session_id] = reading
        return await asyncio.shield(reading)

    async def _standing(self, claims: Claims) -> Caller | None:
        this = asyncio.current_task()
        try:
            standing = await self._accounts.standing_in(claims.tenant_id, claims.session_id)
            caller = caller_of(standing, claims.session_id) if standing is not None else None
            if self._reading.get(claims.session_id) is this:
                _remember(self._read, claims.session_id, _Read(caller, self._stopwatch()))
            return caller
        finally:
            if self._reading.get(claims.session_id) is this:
                del self._reading[claims.session_id]


def _remember(memory: dict[K, V], key: K, value: V) -> None:
    """Keep an entry, and let the oldest go when there are too many."""
    memory.pop(key, None)
    if len(memory) >= MOST_REMEMBERED:
        del memory[next(iter(memory))]
    memory[key] = value
