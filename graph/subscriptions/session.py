"""Who stands behind a connection, asked again while it lasts: tokens expire, sessions end, roles change."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from domain.access import KEY_MARK, Caller, SignInPorts
from domain.errors import Unauthenticated


class RightsChanged(Unauthenticated):
    """Your rights have changed. Connect again."""


class Session:
    """The caller of one connection. Without a token, nobody; what nobody may follow needs no second look."""

    def __init__(self, sign_in: SignInPorts, recheck_seconds: float) -> None:
        """Trust what was read for so many seconds."""
        self.caller: Caller | None = None
        self._sign_in = sign_in
        self._recheck_seconds = recheck_seconds
        self._token: str | None = None
        self._checked = time.monotonic()
        self._forgotten = 0

    async def open(self, token: str) -> None:
        """Take a token; raises Unauthenticated."""
        self._forgotten = self._sign_in.callers.forgotten
        self.caller = await self._sign_in.callers.caller_for(token)
        self._token = token
        self._checked = time.monotonic()

    @property
    def fresh(self) -> bool:
        """Whether the caller was looked at a moment ago, and nobody's session has ended here since."""
        return self._token is None or (
            self._forgotten == self._sign_in.callers.forgotten
            and time.monotonic() - self._checked < self._recheck_seconds
        )

    async def renewed(self) -> None:
        """Look again unless that was done a moment ago; raises Unauthenticated."""
        if not self.fresh:
            await self.check()

    async def check(self) -> None:
        """Look again; raises Unauthenticated where the caller is no longer who it was."""
        if self._token is None:
            return
        forgotten = self._sign_in.callers.forgotten
        caller = await self._sign_in.callers.caller_for(self._token)
        if caller != self.caller:
            raise RightsChanged
        self._forgotten = forgotten
        self._checked = time.monotonic()

    def seconds_left(self) -> float | None:
        """Return for how long the token is good; None where it does not say."""
        if self._token is None or self._token.startswith(KEY_MARK):
            return None
        left = self._sign_in.tokens.verify(self._token).expires_at - datetime.now(UTC)
        return max(0.0, left.total_seconds())


def bearer_token(sent: object) -> str | None:
    """Return the token of an `authorization` entry; None where there is none. Raises Unauthenticated."""
    if sent is None or sent == "":
        return None
    scheme, _, token = sent.strip().partition(" ") if isinstance(sent, str) else ("", "", "")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("`authorization` holds no bearer token.")
    return token.strip()
