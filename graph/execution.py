"""One GraphQL request, whatever brought it: prepared, checked, executed, and answered as the bytes of its response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from graphql import GraphQLError, OperationType

from domain.errors import DomainError
from graph.context import GraphContext
from graph.documents import Documents, Prepared
from graph.errors import Report, formatted
from graph.schema import Schema

EVERY_OPERATION: Final = frozenset({OperationType.QUERY, OperationType.MUTATION})


@dataclass(frozen=True, slots=True)
class GraphRequest:
    """What a client asks: a document's text, which of its operations, and with what."""

    text: str
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GraphAnswer:
    """A response's body, and what a transport needs to choose its status."""

    body: bytes
    errors: int
    operation: OperationType | None
    executed: bool
    """False when the request was refused before execution: then there is no `data`."""


class Execution:
    """Runs requests against one schema."""

    def __init__(self, schema: Schema, documents: Documents, report: Report) -> None:
        """Use `documents` for what was parsed before; tell `report` of errors that clients must not see."""
        self._schema = schema
        self.documents = documents
        self._report = report

    async def execute(
        self,
        request: GraphRequest,
        context: GraphContext,
        allowed: frozenset[OperationType] = EVERY_OPERATION,
    ) -> GraphAnswer:
        """Answer a request; errors are part of the answer."""
        prepared = self.documents.get(request.text)
        if prepared.errors:
            return self.refused(prepared.errors)
        try:
            operation = prepared.operation(request.operation_name)
        except DomainError as error:
            return self.refused((GraphQLError(error.message, original_error=error),))
        if operation.operation not in allowed:
            refusal = GraphQLError(f"A {operation.operation.value} is not allowed here.")
            return self.refused((refusal,), operation.operation)
        return await self._resolved(request, prepared, context, operation.operation)

    async def _resolved(
        self, request: GraphRequest, prepared: Prepared, context: GraphContext, operation: OperationType
    ) -> GraphAnswer:
        context.prepared = prepared
        result = await self._schema.execute(
            prepared.text,
            variable_values=dict(request.variables),
            context_value=context,
            operation_name=request.operation_name,
        )
        errors = list(result.errors or ())
        executed = result.data is not None or any(error.path for error in errors)
        if not executed:
            return self.refused(tuple(errors), operation)
        answer: dict[str, Any] = {"errors": [formatted(error, self._report) for error in errors]} if errors else {}
        return GraphAnswer(orjson.dumps(answer | {"data": result.data}), len(errors), operation, executed=True)

    def refused(self, errors: tuple[GraphQLError, ...], operation: OperationType | None = None) -> GraphAnswer:
        """Answer errors alone."""
        shaped = [formatted(error, self._report) for error in errors]
        return GraphAnswer(orjson.dumps({"errors": shaped}), len(errors), operation, executed=False)
