"""A request's headers as they came: read once, without a copy of all of them in another form."""

from __future__ import annotations

from starlette.types import Scope


def header(scope: Scope, name: bytes) -> str | None:
    """Return a header of a request by its name in lower case; the first one, where it was sent twice."""
    for each, value in scope["headers"]:
        if each == name:
            found: str = value.decode("latin-1")
            return found
    return None
