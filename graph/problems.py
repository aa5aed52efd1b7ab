"""Expected refusals as data: every mutation answers its payload or one of these."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

import strawberry

from domain import errors
from graph.enums import described


class ProblemCode(Enum):
    """What kind of refusal it is."""

    INVALID = "INVALID"
    NOT_FOUND = "NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"
    CONFLICT = "CONFLICT"
    UNAVAILABLE = "UNAVAILABLE"


described(
    ProblemCode,
    "What kind of refusal it is, and so who can act on it.",
    INVALID="The input is malformed: change it.",
    NOT_FOUND="There is no such record, or it is not visible to you.",
    NOT_ALLOWED="Your role does not allow it.",
    CONFLICT="Something changed first: read again.",
    UNAVAILABLE="A part is missing or not configured; the message names it.",
)


@strawberry.interface(description="An expected refusal.")
class Problem:
    """What every refusal says."""

    code: ProblemCode = strawberry.field(description="What kind of refusal it is.")
    message: str = strawberry.field(description="One sentence for a person.")
    field: str | None = strawberry.field(description="The input field it is about, as a dotted path.")


@strawberry.type(description="One thing that is wrong with one input field.")
class InvalidIssue:
    """One issue of a form."""

    field: str = strawberry.field(description="The input field, as a dotted path.")
    code: ProblemCode = strawberry.field(description="Always INVALID.")
    message: str = strawberry.field(description="One sentence for a person.")


@strawberry.type(description="The input is malformed.")
class InvalidProblem(Problem):
    """A malformed input, with every issue."""

    issues: list[InvalidIssue] = strawberry.field(description="Every issue that was found.")


@strawberry.type(description="There is no such record, or it is not visible to you.")
class NotFoundProblem(Problem):
    """Missing, or hidden."""


@strawberry.type(description="Your role does not allow it.")
class NotAllowedProblem(Problem):
    """Forbidden."""


@strawberry.type(description="Something changed first, or was done differently already.")
class ConflictProblem(Problem):
    """Too late."""


@strawberry.type(description="A part that this needs is missing or not configured.")
class UnavailableProblem(Problem):
    """Not there."""


Problems = InvalidProblem | NotFoundProblem | NotAllowedProblem | ConflictProblem | UnavailableProblem


class InvalidHandler(strawberry.ExceptionHandler[errors.Invalid, InvalidProblem]):
    """Invalid input as InvalidProblem."""

    def handle(self, exception: errors.Invalid, *, field: object, info: object) -> InvalidProblem:
        """Answer every issue."""
        issues = [
            InvalidIssue(field=issue.field, code=ProblemCode.INVALID, message=issue.message)
            for issue in exception.issues
        ]
        return InvalidProblem(code=ProblemCode.INVALID, message=exception.message, field=exception.field, issues=issues)


class _PlainHandler:
    """A refusal whose problem type has nothing of its own."""

    code: ClassVar[ProblemCode]
    error_type: ClassVar[type[Problem]]

    def handle(self, exception: errors.DomainError, *, field: object, info: object) -> Problem | None:
        """Answer the problem; an anonymous caller gets a top-level error instead, which asks the client to sign in."""
        if isinstance(exception, errors.Unauthenticated):
            return None
        return self.error_type(code=self.code, message=exception.message, field=exception.field)


class NotFoundHandler(_PlainHandler):
    """NotFound as NotFoundProblem."""

    exception_type, error_type, code = errors.NotFound, NotFoundProblem, ProblemCode.NOT_FOUND


class NotAllowedHandler(_PlainHandler):
    """NotAllowed as NotAllowedProblem."""

    exception_type, error_type, code = errors.NotAllowed, NotAllowedProblem, ProblemCode.NOT_ALLOWED


class ConflictHandler(_PlainHandler):
    """Conflict as ConflictProblem."""

    exception_type, error_type, code = errors.Conflict, ConflictProblem, ProblemCode.CONFLICT


class UnavailableHandler(_PlainHandler):
    """Unavailable as UnavailableProblem."""

    exception_type, error_type, code = errors.Unavailable, UnavailableProblem, ProblemCode.UNAVAILABLE


HANDLERS = (InvalidHandler(), NotFoundHandler(), NotAllowedHandler(), ConflictHandler(), UnavailableHandler())
