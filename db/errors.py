"""What a refused statement means: constraint violations that a race or a client can cause, as domain errors."""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import DBAPIError

from domain.errors import Conflict, DomainError, NotFound, Unavailable

FOREIGN_KEY: Final = "23503"
UNIQUE: Final = "23505"
RETRYABLE: Final = {"40001", "40P01", "55P03"}
CONNECTION: Final = ("08", "57P")


def translated(error: DBAPIError) -> DomainError | DBAPIError:
    """Return the domain error that a database error stands for, or the error itself where it is a defect."""
    state = getattr(error.orig, "sqlstate", None) or ""
    if state == FOREIGN_KEY:
        return NotFound("Something that this refers to does not exist.")
    if state == UNIQUE:
        return Conflict("This exists already.")
    if state in RETRYABLE:
        return Conflict("Somebody changed this at the same moment. Try again.")
    if state.startswith(CONNECTION):
        return Unavailable("The database is not reachable. Try again.")
    return error
