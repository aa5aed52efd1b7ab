"""How top-level errors look: refusals with their code, mistakes in the document as they are, everything else masked."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from graphql import GraphQLError

from domain.errors import DomainError
from domain.values import new_id
from graph.refusals import Refusal

SUGGESTION: Final = re.compile(r" Did you mean [^?]*\?")

Report = Callable[[str, GraphQLError], None]
"""Is told of an error that a client must not see, and the id that the client sees instead."""


def formatted(error: GraphQLError, report: Report, *, suggestions: bool = True) -> dict[str, Any]:
    """Return an error as the client sees it: `extensions.code` is always there.

    Without `suggestions`, names of the schema that the client did not send are left out.
    """
    shape: dict[str, Any] = {"message": error.message if suggestions else SUGGESTION.sub("", error.message)}
    if error.locations:
        shape["locations"] = [{"line": each.line, "column": each.column} for each in error.locations]
    if error.path:
        shape["path"] = list(error.path)
    shape["extensions"] = _extensions(error)
    if shape["extensions"]["code"] == "INTERNAL":
        error_id = str(new_id())
        report(error_id, error)
        shape["message"] = "Unexpected error."
        shape["extensions"]["id"] = error_id
    return shape


def _extensions(error: GraphQLError) -> dict[str, Any]:
    original = error.original_error
    while isinstance(original, GraphQLError) and original.original_error is not None:
        original = original.original_error
    if isinstance(original, Refusal):
        return {"code": original.code, **original.details}
    if isinstance(original, DomainError):
        return {"code": original.code} | ({"field": original.field} if original.field else {})
    if original is None or isinstance(original, GraphQLError):
        return {**(error.extensions or {}), "code": "GRAPHQL_VALIDATION_FAILED"}
    return {"code": "INTERNAL"}
