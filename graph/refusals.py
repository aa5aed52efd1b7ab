"""What is refused between a client's socket and an operation that starts: each with its HTTP status and details."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import ClassVar

from domain.errors import DomainError


class Refusal(DomainError):
    """The request was refused before it ran."""

    code = "BAD_REQUEST"
    status: ClassVar[int] = 400
    """The status of `application/graphql-response+json`."""
    everywhere: ClassVar[bool] = False
    """Whether `application/json`, which knows little but 200, gets this status too."""

    def __init__(
        self,
        message: str | None = None,
        *,
        details: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Keep what goes into the error's extensions and into the response's headers."""
        super().__init__(message)
        self.details = dict(details or {})
        self.headers = dict(headers or {})


class MalformedRequest(Refusal):
    """The request holds no GraphQL request."""

    everywhere = True


class MalformedParameters(MalformedRequest):
    """A parameter of the request is missing or has the wrong type."""


class UnsupportedMediaType(Refusal):
    """The body must be application/json in UTF-8."""

    code, status, everywhere = "UNSUPPORTED_MEDIA_TYPE", 415, True


class NotAcceptable(Refusal):
    """The answer comes as application/graphql-response+json or application/json, and the request accepts neither."""

    code, status, everywhere = "NOT_ACCEPTABLE", 406, True


class MethodNotAllowed(Refusal):
    """GraphQL is not asked for with this HTTP method."""

    code, status, everywhere = "METHOD_NOT_ALLOWED", 405, True


class BodyTimeout(Refusal):
    """The body did not arrive in time."""

    code, status, everywhere = "BODY_TIMEOUT", 408, True

    def __init__(self, passed: float, allowed: float, headers: Mapping[str, str]) -> None:
        """Say how many seconds have passed, and how many a body has."""
        super().__init__(
            f"The body did not arrive within the {_number(allowed)} seconds that are allowed.",
            details={"limit": "bodySeconds", "asked": _milliseconds(passed), "allowed": allowed},
            headers=headers,
        )


class LimitExceeded(Refusal):
    """The request asks for more than is allowed."""

    code = "LIMIT_EXCEEDED"

    def __init__(self, limit: str, what: str, asked: float, allowed: float) -> None:
        """Name the limit, what was asked and what is allowed; `what` is a noun phrase such as `aliases`."""
        super().__init__(
            f"{_number(asked)} {what} were asked for; {_number(allowed)} are allowed.",
            details={"limit": limit, "asked": asked, "allowed": allowed},
        )


class TooLarge(LimitExceeded):
    """The request's body is too large."""

    status, everywhere = 413, True


class DeadlineExceeded(LimitExceeded):
    """The operation took too long and was stopped."""

    code, status, everywhere = "DEADLINE_EXCEEDED", 504, True

    def __init__(self, passed: float, allowed: float) -> None:
        """Say how many seconds have passed, and how many an operation has."""
        Refusal.__init__(
            self,
            f"The operation was stopped: it needed more than the {_number(allowed)} seconds that are allowed.",
            details={"limit": "deadlineSeconds", "asked": _milliseconds(passed), "allowed": allowed},
        )


class RateExceeded(LimitExceeded):
    """The caller's budget of points is spent for the moment."""

    code, status, everywhere = "RATE_LIMITED", 429, True

    def __init__(self, asked: int, remaining: int, retry_after: int) -> None:
        """Say what the operation costs, what is left, and in how many seconds there will be enough."""
        super().__init__("rateBudget", "points", asked, remaining)
        self.headers["retry-after"] = str(retry_after)


class Overloaded(LimitExceeded):
    """Too many operations are running."""

    code, status, everywhere = "OVERLOADED", 503, True

    def __init__(self, limit: str, running: int, allowed: int) -> None:
        """Say how many would have run at once."""
        super().__init__(limit, "operations at once", running, allowed)
        self.headers["retry-after"] = "1"


class Unreachable(Refusal):
    """A part that every request needs is not reachable."""

    code, status, everywhere = "UNAVAILABLE", 503, True

    def __init__(self, message: str) -> None:
        """Say which part."""
        super().__init__(message, headers={"retry-after": "1"})


class Broken(Refusal):
    """A defect kept the request from being understood; its error is masked."""

    code, status, everywhere = "INTERNAL", 500, True


class DocumentNotFound(Refusal):
    """No document is registered under this id or name."""

    code = "DOCUMENT_NOT_FOUND"


class DocumentNotTrusted(Refusal):
    """Only registered operations are allowed here."""

    code, status = "DOCUMENT_NOT_TRUSTED", 403


class PersistedQueryNotFound(Refusal):
    """No document is kept under this hash. Apollo's clients look for this message, and send the text next."""

    code, status = "PERSISTED_QUERY_NOT_FOUND", 200

    def __init__(self) -> None:
        """Answer what the protocol says, word for word."""
        super().__init__("PersistedQueryNotFound", headers={"cache-control": "private, no-cache, must-revalidate"})


class PersistedQueryNotSupported(Refusal):
    """Apollo's clients look for this message, and send texts from then on."""

    code, status = "PERSISTED_QUERY_NOT_SUPPORTED", 200

    def __init__(self) -> None:
        """Answer what the protocol says, word for word."""
        super().__init__("PersistedQueryNotSupported")


def _milliseconds(seconds: float) -> float:
    return ceil(seconds * 1_000) / 1_000


def _number(value: float) -> str:
    return f"{value:,}".replace(",", " ")
