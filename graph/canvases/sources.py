"""The port `SourceReader` over the system's own execution: a trusted document is run as a caller and becomes rows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

import orjson
from graphql import DocumentNode, OperationDefinitionNode, OperationType, print_ast

from domain.access import Caller
from domain.canvases import DataRows, OperationSource
from domain.errors import DomainError, Invalid, NotAllowed, Unavailable
from graph.canvases.rows import Tabulation
from graph.canvases.subjects import marked, subjects
from graph.context import GraphContext
from graph.documents import Documents, Prepared
from graph.execution import Execution, GraphAnswer, GraphRequest
from graph.limits import Limits, check_variables
from graph.persisted import Asked, Persisted
from graph.refusals import LimitExceeded

REFUSED = "UNAUTHENTICATED", "NOT_ALLOWED"


class NoSources:
    """Reads nothing: a component's document does not read the rows of components."""

    async def read(self, caller: Caller, source: OperationSource, field: str) -> DataRows:
        """Refuse."""
        raise Invalid("A component's document cannot read the rows of components.", field=field)


class TrustedSources:
    """Runs trusted documents."""

    def __init__(
        self,
        execution: Execution,
        persisted: Persisted,
        limits: Limits,
        context: Callable[[Caller], GraphContext],
        clock: Callable[[], datetime],
    ) -> None:
        """Find documents in `persisted` and run them with a `context` of their own, within `limits`."""
        self._execution = execution
        self._persisted = persisted
        self._limits = limits
        self._context = context
        self._clock = clock
        self._core = execution.schema._schema  # noqa: SLF001 -- the graphql-core schema has no public name.
        # The limits are for what was written, not for what is added to it.
        self._marked = Documents(execution.schema)

    async def read(self, caller: Caller, source: OperationSource, field: str) -> DataRows:
        """Run a document as the caller and return its answer as rows; raises Invalid, NotAllowed or Unavailable."""
        try:
            prepared, operation = await self._found(caller, source)
            variables = self._variables(prepared, operation, source)
        except NotAllowed as error:
            raise NotAllowed(error.message, field=field) from error
        except DomainError as error:
            raise Invalid(error.message, field=field) from error
        as_of = self._clock()
        answer = await self._run(self._with_subjects(prepared), variables, caller, field)
        self._check(answer, field)
        data = orjson.loads(answer.body)["data"]
        table = Tabulation(self._core, prepared, operation, variables).table(data)
        if table is None:
            raise Invalid("The document selects nothing that could be a row.", field=field)
        return DataRows(table.columns, table.rows, table.truncated, as_of, subjects=subjects(data, source.variables))

    async def _found(self, caller: Caller, source: OperationSource) -> tuple[Prepared, OperationDefinitionNode]:
        found = await self._persisted.find(Asked(document_id=source.document_id), caller)
        documents = self._execution.documents
        documents.pin(found.text)
        prepared = documents.get(found.text)
        if prepared.errors:
            raise Invalid(prepared.errors[0].message)
        operation = prepared.operation(None)
        if operation.operation is not OperationType.QUERY:
            raise Invalid("A component's document is a query.")
        return prepared, operation

    def _variables(
        self, prepared: Prepared, operation: OperationDefinitionNode, source: OperationSource
    ) -> dict[str, Any]:
        if not isinstance(source.variables, dict):
            raise Invalid("Variables are an object.")
        variables: dict[str, Any] = source.variables
        check_variables(variables, self._limits)
        cost = self._execution.documents.estimate(prepared, operation).under(variables)
        if cost.nodes > self._limits.nodes:
            raise LimitExceeded("nodes", "rows", cost.nodes, self._limits.nodes)
        if cost.points > self._limits.points:
            raise LimitExceeded("cost", "points", cost.points, self._limits.points)
        return variables

    def _with_subjects(self, prepared: Prepared) -> Prepared:
        """Return the document that is run: the one asked for, with the ids of what it reads."""
        # A document without errors has been parsed.
        return self._marked.get(print_ast(marked(self._core, cast("DocumentNode", prepared.document))))

    async def _run(self, prepared: Prepared, variables: dict[str, Any], caller: Caller, field: str) -> GraphAnswer:
        context, request = self._context(caller), GraphRequest(prepared.text, None, variables)
        try:
            async with asyncio.timeout(self._limits.deadline_seconds):
                return await self._execution.run(request, prepared, prepared.operation(None), context)
        except TimeoutError:
            raise Unavailable("The document took too long.", field=field) from None
        finally:
            context.loaders.cancel()

    @staticmethod
    def _check(answer: GraphAnswer, field: str) -> None:
        if not answer.errors:
            return
        message = str(orjson.loads(answer.body)["errors"][0]["message"])
        if any(code in REFUSED for code in answer.codes):
            raise NotAllowed(message, field=field)
        raise Invalid(message, field=field)
