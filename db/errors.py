"""What a database that refuses or does not answer means, as domain errors.

Violations that a race or a client can cause, and connections that are lost; what remains is a defect.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from domain.errors import Conflict, Contended, DomainError, NotFound, Unavailable
from domain.reading import client_name

NOT_REACHABLE: Final = "The database is not reachable. Try again."
TOO_LONG: Final = "The database did not answer in time. Try again."

FOREIGN_KEY: Final = "23503"
MEANINGS: Final[dict[str, Callable[[], DomainError]]] = {
    # A unique key, a serialisation failure, a deadlock, a lock that others hold for long, a statement that runs long,
    # a unit that was silent for long.
    "23505": lambda: Conflict("This exists already."),
    "40001": Contended,
    "40P01": Contended,
    "55P03": lambda: Conflict("Somebody has been changing this for a while. Try again later."),
    "57014": lambda: Unavailable(TOO_LONG),
    "25P03": lambda: Unavailable(TOO_LONG),
}
CONNECTION: Final = ("08", "57P")

# A server that is not there, restarts, or takes nobody more; an administrator who ends a session; what asyncpg makes of
# a session that is ended while it begins a statement.
LOST: Final = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InternalClientError,
)


def translated(error: DBAPIError) -> DomainError | DBAPIError:
    """Return the domain error that a database error stands for, or the error itself where it is a defect."""
    state = getattr(error.orig, "sqlstate", None) or ""
    if state == FOREIGN_KEY:
        return NotFound("Something that this refers to does not exist.", field=_field(error))
    if state in MEANINGS:
        return MEANINGS[state]()
    if state.startswith(CONNECTION) or error.connection_invalidated:
        return Unavailable(NOT_REACHABLE)
    return error


class Answering:
    """Translates what a database does that is not there or does not answer in time, and what it refuses."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Watch a statement."""

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        """Raise what the statement's error means."""
        if error is None:
            return
        if isinstance(error, DBAPIError):
            meaning = translated(error)
            # Raised from itself, it would lose what it came from: the log tells the state and the constraint by that.
            if meaning is not error:
                raise meaning from error
        elif isinstance(error, (TimeoutError, PoolExhausted)):
            raise Unavailable(TOO_LONG) from error
        elif isinstance(error, LOST):
            raise Unavailable(NOT_REACHABLE) from error


_ANSWERING: Final = Answering()


def answering() -> Answering:
    """Translate the errors of the statements within."""
    return _ANSWERING


def _field(error: DBAPIError) -> str | None:
    """Return the input field behind a foreign key: a column's name is the command's, and so the client's."""
    constraint = str(getattr(getattr(error.orig, "__cause__", None), "constraint_name", None) or "")
    _, _, column = constraint.partition("_tenant_id_")
    return client_name(column) if column else None
