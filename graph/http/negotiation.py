"""Which media type an answer has: what the `Accept` header asks for, weighed as RFC 9110 says."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

GRAPHQL: Final = "application/graphql-response+json"
JSON: Final = "application/json"

ANY: Final = "*/*"
NAMED: Final = 2


@lru_cache(maxsize=500)
def media_type(accept: str | None) -> str | None:
    """Return the type to answer with, or None where neither is accepted.

    Who names no preference gets JSON; who names both as equals gets the newer one, which says more by its status.
    """
    if accept is None or not accept.strip():
        return JSON
    json, graphql = _quality(accept, JSON), _quality(accept, GRAPHQL)
    if not json[0] and not graphql[0]:
        return None
    if graphql[0] != json[0]:
        return GRAPHQL if graphql[0] > json[0] else JSON
    return GRAPHQL if graphql[1] == NAMED else JSON


@lru_cache(maxsize=500)
def gzip_accepted(accept_encoding: str | None) -> bool:
    """Whether a client asks for gzip."""
    found = {name: quality for name, _, quality in _entries(accept_encoding or "")}
    return found.get("gzip", found.get("*", 0.0)) > 0


def _quality(accept: str, offer: str) -> tuple[float, int]:
    """Return how much a type is wanted, and by how specific a range; the most specific one that covers it decides."""
    weight, best = 0.0, -1
    for name, charset, quality in _entries(accept):
        specific = {offer: NAMED, "application/*": 1, ANY: 0}.get(name, -1)
        # UTF-8 is all there is.
        if charset in {"", "utf-8", "utf8"} and specific > best:
            weight, best = quality, specific
    return weight, best


def _entries(header: str) -> list[tuple[str, str, float]]:
    """Return the name, the charset and the weight of each entry."""
    found = []
    for entry in header.split(","):
        name, *parameters = (part.strip().lower() for part in entry.split(";"))
        given = dict(parameter.partition("=")[::2] for parameter in parameters)
        if name:
            found.append((name, given.get("charset", "").strip('"'), _weight(given.get("q", "1"))))
    return found


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
