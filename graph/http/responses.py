"""How an answer becomes a response: its status, its headers, compression, and what a cache may do with it."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from enum import Enum
from http import HTTPStatus
from typing import Final

from starlette.types import Receive, Scope, Send

from graph.execution import GraphAnswer
from graph.http.negotiation import JSON
from graph.refusals import MalformedParameters

WORTH_COMPRESSING: Final = 1_024
"""Smaller bodies fit into one packet anyway."""
QUICK: Final = 1
"""Higher levels cost several times as much for a tenth of the size."""
PRIVATE: Final = "private, no-cache"
"""One caller's browser may keep it, and asks each time whether it is still right."""
VARY: Final = "Accept, Accept-Encoding, Authorization"


class Profile(Enum):
    """Which status codes GraphQL gets."""

    AUDIT = "audit"
    """What graphql-http's server audit asks for: `application/json` gets 200 where a request was understood."""
    DRAFT = "draft-2026-08"
    """The draft of August 2026: 422 for what does not validate, 294 for data with errors, whatever the type."""


def status_of(answer: GraphAnswer, media_type: str, profile: Profile) -> int:
    """Return the status of an answer."""
    refusal = answer.refusal
    if profile is Profile.DRAFT:
        return _draft_status(answer)
    if refusal is not None and (refusal.everywhere or media_type != JSON):
        return refusal.status
    if media_type == JSON or answer.executed:
        return 200
    return 401 if "UNAUTHENTICATED" in answer.codes else 400


def _draft_status(answer: GraphAnswer) -> int:
    if isinstance(answer.refusal, MalformedParameters):
        return 422
    if answer.refusal is not None and (answer.refusal.everywhere or answer.refusal.status != HTTPStatus.BAD_REQUEST):
        return answer.refusal.status
    if answer.data:
        return 294 if answer.errors else 200
    if "UNAUTHENTICATED" in answer.codes:
        return 401
    if "INTERNAL" in answer.codes:
        return 500
    return 400 if answer.syntax else 422


class Response:
    """A whole response whose headers are few and known: Starlette's would work them out anew each time."""

    __slots__ = ("_body", "_headers", "_status")

    def __init__(self, body: bytes, status: int, headers: Mapping[str, str]) -> None:
        """Make it of headers in lower case; a body's length is told."""
        self._body = body
        self._status = status
        self._headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        if status != HTTPStatus.NOT_MODIFIED:
            self._headers.append((b"content-length", b"%d" % len(body)))

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self._status, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body})


def response(
    answer: GraphAnswer,
    media_type: str,
    profile: Profile,
    *,
    compressed: bool,
    cacheable: bool = False,
    unless: str | None = None,
) -> Response:
    """Make the response. A `cacheable` one has an ETag, and is 304 where `unless` (If-None-Match) names it."""
    status = status_of(answer, media_type, profile)
    headers = {"vary": VARY, "cache-control": "no-store"}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    if cacheable and status == HTTPStatus.OK and not answer.errors:
        # Weak: the same answer compressed and not is one version.
        tag = f'W/"{hashlib.blake2b(answer.body, digest_size=16).hexdigest()}"'
        headers |= {"cache-control": PRIVATE, "etag": tag}
        if unless is not None and _named(tag, unless):
            return Response(b"", 304, headers)
    headers |= _headers(answer)
    body = answer.body
    if compressed and len(body) >= WORTH_COMPRESSING:
        body = gzip.compress(body, QUICK, mtime=0)
        headers["content-encoding"] = "gzip"
    headers["content-type"] = f"{media_type}; charset=utf-8"
    return Response(body, status, headers)


def _headers(answer: GraphAnswer) -> Mapping[str, str]:
    return answer.refusal.headers if answer.refusal is not None else {}


def _named(tag: str, unless: str) -> bool:
    """Whether If-None-Match names a version, compared weakly."""
    bare = tag.removeprefix("W/")
    return any(each.strip() == "*" or each.strip().removeprefix("W/") == bare for each in unless.split(","))
