"""What a refused statement means: constraint violations that a race or a client can cause, as domain errors."""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import DBAPIError

from domain.errors import Conflict, Contended, DomainError, NotFound, Unavailable
from domain.reading import client_name

FOREIGN_KEY: Final = "23503"
UNIQUE: Final = "23505"
CONTENDED: Final = {"40001", "40P01"}
"""A serialisation failure, a deadlock: whoever was chosen to fail will not meet the other again."""
LOCK_TIMEOUT: Final = "55P03"
CONNECTION: Final = ("08", "57P")


def translated(error: DBAPIError) -> DomainError | DBAPIError:
    """Return the domain error that a database error stands for, or the error itself where it is a defect."""
    state = getattr(error.orig, "sqlstate", None) or ""
    if state == FOREIGN_KEY:
        return NotFound("Something that this refers to does not exist.", field=_field(error))
    if state == UNIQUE:
        return Conflict("This exists already.")
    if state in CONTENDED:
        return Contended()
    if state == LOCK_TIMEOUT:
        return Conflict("Somebody has been changing this for a while. Try again later.")
    if state.startswith(CONNECTION):
        return Unavailable("The database is not reachable. Try again.")
    return error


def _field(error: DBAPIError) -> str | None:
    """Return the input field behind a foreign key: a column's name is the command's, and so the client's."""
    constraint = str(getattr(getattr(error.orig, "__cause__", None), "constraint_name", None) or "")
    _, _, column = constraint.partition("_tenant_id_")
    return client_name(column) if column else None
