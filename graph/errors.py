"""How top-level errors look: refusals with their code, mistakes in the document as they are, everything else masked."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from graphql import GraphQLError

from domain.errors import DomainError
from domain.values import new_id
from graph.refusals import Refusal

MISTAKE: Final = "GRAPHQL_VALIDATION_FAILED"

SUGGESTION: Final = re.compile(r" Did you mean [^?]*\?")

FOUND: Final = re.compile(r"[,;] found: .*| Found: .*", re.DOTALL)
NOT_REPRESENTED: Final = re.compile(r"(cannot represent [a-z0-9 -]*value): .*", re.DOTALL)
NOT_IN_ENUM: Final = re.compile(r"Value '.*' does not exist in", re.DOTALL)
UNKNOWN_FIELD: Final = re.compile(r"unknown field '(?![A-Za-z_]\w{0,63}'\.?( Did you mean [^?]*\?)?\Z).*", re.DOTALL)
TOKEN: Final = re.compile(r"\b(String|BlockString|Int|Float) '.*'", re.DOTALL)
"""Where graphql-core repeats a value, a key or a literal that it was sent."""

Report = Callable[[str, GraphQLError], None]
"""Is told of an error that a client must not see, and the id that the client sees instead."""


def formatted(error: GraphQLError, report: Report, *, suggestions: bool = True) -> dict[str, Any]:
    """Return an error as the client sees it: `extensions.code` is always there.

    Without `suggestions`, names of the schema that the client did not send are left out.
    """
    shape: dict[str, Any] = {"message": error.message}
    if error.locations:
        shape["locations"] = [{"line": each.line, "column": each.column} for each in error.locations]
    if error.path:
        shape["path"] = list(error.path)
    shape["extensions"] = _extensions(error)
    if shape["extensions"]["code"] == MISTAKE:
        message = without_values(error.message)
        shape["message"] = message if suggestions else SUGGESTION.sub("", message)
    if shape["extensions"]["code"] == "INTERNAL":
        error_id = str(new_id())
        report(error_id, error)
        shape["message"] = "Unexpected error."
        shape["extensions"]["id"] = error_id
    return shape


def without_values(message: str) -> str:
    """Return graphql-core's message without what the client sent: the place and the expected type remain.

    What is sent may be a secret or a message to somebody, and errors are kept in more places than answers.
    """
    if message.startswith("Syntax Error"):
        return TOKEN.sub(r"\1", message)
    message = NOT_IN_ENUM.sub("This value does not exist in", message)
    message = NOT_REPRESENTED.sub(r"\1.", FOUND.sub(lambda cut: "" if cut[0][0] == " " else ".", message))
    return UNKNOWN_FIELD.sub("an unknown field.", message)


def _extensions(error: GraphQLError) -> dict[str, Any]:
    original = error.original_error
    while isinstance(original, GraphQLError) and original.original_error is not None:
        original = original.original_error
    if isinstance(original, Refusal):
        return {"code": original.code, **original.details}
    if isinstance(original, DomainError):
        return {"code": original.code} | ({"field": original.field} if original.field else {})
    if original is None or isinstance(original, GraphQLError):
        return {**(error.extensions or {}), "code": MISTAKE}
    return {"code": "INTERNAL"}
