"""A client of a running server for registered operations, which tells a refusal from a server that is away."""

from __future__ import annotations

from typing import Any, Final

import httpx

_AWAY_STATUS: Final = frozenset({408, 429, 500, 502, 503, 504})
_AWAY_CODES: Final = frozenset({"RATE_LIMITED", "OVERLOADED", "DEADLINE_EXCEEDED", "BODY_TIMEOUT", "INTERNAL"})

Json = dict[str, Any]


class Refused(Exception):
    """The server answered, and will answer the same again."""

    def __init__(self, code: str, message: str, field: str | None = None) -> None:
        """Keep what the server said."""
        super().__init__(message)
        self.code = code
        self.field = field


class Away(Exception):
    """No answer, or one that asks to come again, in so many seconds where it says so."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        """Keep why, in words that hold nothing of what was sent."""
        super().__init__(reason)
        self.after = after


class Velocity:
    """Sends registered operations by name, each once."""

    def __init__(self, http: httpx.AsyncClient, token: str | None) -> None:
        """Send through `http`, as the bearer of an access token or an API key."""
        self._http = http
        self._headers = {} if token is None else {"authorization": f"Bearer {token}"}

    async def sign_in(self, email: str, password: str) -> None:
        """Send what follows as a user; raises Refused or Away."""
        payload = await self.ask("Login", email=email, password=password)
        self._headers = {"authorization": f"Bearer {payload['accessToken']}"}

    async def ask(self, operation: str, **variables: object) -> Json:
        """Return the value of an operation's last root field; raises Refused or Away."""
        body = {"documentId": operation, "operationName": operation, "variables": variables}
        try:
            answer = await self._http.post("/graphql", json=body, headers=self._headers)
        except httpx.TransportError as error:
            raise Away(type(error).__name__) from None
        try:
            content = answer.json()
        except ValueError:
            content = None
        if not isinstance(content, dict):
            if answer.status_code in _AWAY_STATUS:
                raise Away(f"HTTP {answer.status_code}", _after(answer))
            raise Refused("NO_ANSWER", f"HTTP {answer.status_code}: this is no Velocity server.")
        for fault in content.get("errors") or ():
            code = str(fault.get("extensions", {}).get("code", "INTERNAL"))
            if code in _AWAY_CODES:
                raise Away(code, _after(answer))
            raise Refused(code, str(fault.get("message")))
        return _payload(operation, content.get("data"))


def _payload(operation: str, data: object) -> Json:
    value = list(data.values())[-1] if isinstance(data, dict) and data else None
    if not isinstance(value, dict):
        raise Refused("NOT_FOUND", f"{operation} answered nothing: there is no such record.")
    if str(value.get("__typename", "")).endswith("Problem"):
        raise Refused(str(value.get("code")), str(value.get("message")), value.get("field"))
    return value


def _after(answer: httpx.Response) -> float | None:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isdecimal() else None
