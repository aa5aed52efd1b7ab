"""Everything the product can refuse, as one tree. Adapters translate these; nothing else reaches a client.

DomainError                 code, message, field
├── Invalid                 INVALID          the request is malformed; carries every issue found
├── NotFound                NOT_FOUND        missing, or not visible to the caller: the two look the same
├── NotAllowed              NOT_ALLOWED      the caller's role lacks it
│   └── Unauthenticated     UNAUTHENTICATED  nobody is signed in
├── Conflict                CONFLICT         true a moment ago, or already done differently
│   └── Contended           CONFLICT         two wrote the same at the same moment; worth another try as it is
└── Unavailable             UNAVAILABLE      a part is missing or not configured; says which

Specific errors sit beside their noun and subclass one of these. A docstring is the default message.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong with one input field; `field` is a dotted GraphQL path such as `budget.amount`."""

    field: str
    message: str


class DomainError(Exception):
    """The request was refused."""

    code: ClassVar[str] = "INVALID"

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        """Keep what a client may see: a sentence, and the input field it is about."""
        self.message = message or inspect.cleandoc(type(self).__doc__ or "").split("\n", 1)[0]
        self.field = field
        super().__init__(self.message)


class Invalid(DomainError):
    """The input is not valid."""

    code = "INVALID"

    def __init__(self, message: str | None = None, *, field: str | None = None, issues: tuple[Issue, ...] = ()) -> None:
        """Name one field, or give every issue of a form."""
        if issues and message is None:
            message = issues[0].message
            field = field or issues[0].field
        super().__init__(message, field=field)
        self.issues = issues or ((Issue(field, self.message),) if field else ())


class NotFound(DomainError):
    """There is no such record."""

    code = "NOT_FOUND"


class NotAllowed(DomainError):
    """Your role does not allow this."""

    code = "NOT_ALLOWED"


class Unauthenticated(NotAllowed):
    """Sign in first."""

    code = "UNAUTHENTICATED"


class Conflict(DomainError):
    """Somebody changed this first."""

    code = "CONFLICT"


class Contended(Conflict):
    """Somebody changed this at the same moment. Try again."""


class Unavailable(DomainError):
    """A part that this needs is not configured."""

    code = "UNAVAILABLE"
