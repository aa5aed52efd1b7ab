"""One GraphQL request, whatever brought it: prepared, checked, executed, and answered as the bytes of its response."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson
from graphql import GraphQLError, OperationDefinitionNode, OperationType

from domain.answers import Answers
from domain.errors import DomainError
from graph.compilation import ANONYMOUS, Planner, Uncompiled, check_permissions
from graph.context import GraphContext
from graph.direct import Directs
from graph.documents import Documents, Prepared, Question
from graph.errors import Report, formatted
from graph.refusals import Broken, Refusal
from graph.schema import Schema

REFUSED: Final = "An argument was refused."
EVERY_OPERATION: Final = frozenset({OperationType.QUERY, OperationType.MUTATION})


@dataclass(frozen=True, slots=True)
class GraphRequest:
    """What a client asks: a document's text, which of its operations, and with what."""

    text: str
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)
    question: Question = field(default_factory=Question)
    """What is known of a query with these variables."""


@dataclass(frozen=True, slots=True)
class GraphAnswer:
    """A response's body, and what a transport needs to choose its status."""

    body: bytes
    errors: int
    operation: OperationType | None
    compiled: bool = False
    """Whether one statement answered it."""
    reason: str = ""
    """Why resolvers answered it, where one statement might have."""
    executed: bool = True
    """False when the request was refused before execution: then there is no `data`."""
    data: bool = True
    """Whether there is data, and it is not null."""
    codes: tuple[str, ...] = ()
    """The code of each error."""
    refusal: Refusal | None = None
    """What refused it on the way, with a status and headers of its own."""
    syntax: bool = False
    """Whether the document did not even parse."""


class Execution:
    """Runs requests against one schema."""

    def __init__(self, schema: Schema, documents: Documents, answers: Answers, report: Report) -> None:
        """Use `documents` for what was parsed before; tell `report` of errors that clients must not see."""
        self.schema: Final = schema
        self.documents = documents
        self.planner = Planner(schema)
        self.directs = Directs(schema)
        self._answers = answers
        self._report = report
        self.compiled = 0
        """How many queries one statement answered."""
        self.fallbacks: Counter[str] = Counter()
        """How often a query was not answered by one statement, by the reason."""
        self.refusals: Counter[str] = Counter()
        """How many errors were answered, by their code."""

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
        return await self.run(request, prepared, operation, context)

    async def run(
        self, request: GraphRequest, prepared: Prepared, operation: OperationDefinitionNode, context: GraphContext
    ) -> GraphAnswer:
        """Run an operation of a valid document."""
        if operation.operation is OperationType.MUTATION:
            return await self._mutated(request, prepared, operation, context)
        if operation.operation is not OperationType.QUERY:
            return await self.resolved(request, prepared, context, operation.operation)
        try:
            answer = await self._compiled(request, prepared, operation, context)
        except Uncompiled as error:
            reason = str(error)
        except (DomainError, GraphQLError):
            # Resolvers word refusals, with the place of the field that was refused.
            reason = REFUSED
        except Exception as error:  # noqa: BLE001 -- whatever it was, the client sees an id and the log the rest.
            return self._failed(error)
        else:
            self.compiled += 1
            return answer
        self.fallbacks[reason] += 1
        return replace(await self.resolved(request, prepared, context, operation.operation), reason=reason)

    async def _mutated(
        self, request: GraphRequest, prepared: Prepared, operation: OperationDefinitionNode, context: GraphContext
    ) -> GraphAnswer:
        """Run a mutation: one that answers no rows without an executor."""
        direct = self.directs.plan(prepared, operation)
        values = None if direct is None else self.directs.coerced(operation, request.variables)
        if direct is None or values is None:
            return await self.resolved(request, prepared, context, OperationType.MUTATION)
        try:
            data = await self.directs.answered(direct, operation, values, context)
        except GraphQLError as error:
            return self._answered(None, (error,), context, OperationType.MUTATION)
        return self._answered(data, (), context, OperationType.MUTATION)

    async def _compiled(
        self, request: GraphRequest, prepared: Prepared, operation: OperationDefinitionNode, context: GraphContext
    ) -> GraphAnswer:
        """Answer by one statement; raises Uncompiled, or what refuses an argument."""
        caller, question = context.caller_or_none, request.question
        if question.given is None:
            variables = self.planner.coerced(prepared, operation, request.variables)
            compiled = self.planner.compiled(prepared, operation, variables, caller)
            question.compiled, question.given = compiled, compiled.given(variables)
        if caller is None:
            raise Uncompiled(ANONYMOUS)
        check_permissions(question.compiled, caller)
        data = await self._answers.answer(caller, question.compiled.plan, question.given)
        return GraphAnswer(b"".join((b'{"data":', data, b"}")), 0, OperationType.QUERY, compiled=True)

    def _failed(self, error: Exception) -> GraphAnswer:
        """Answer a query whose one statement failed, as its resolvers would have failed."""
        shaped = [formatted(GraphQLError(str(error), original_error=error), self._report)]
        body = orjson.dumps({"errors": shaped, "data": None})
        return GraphAnswer(body, 1, OperationType.QUERY, data=False, codes=self._counted(shaped))

    async def resolved(
        self, request: GraphRequest, prepared: Prepared, context: GraphContext, operation: OperationType
    ) -> GraphAnswer:
        """Answer by resolvers."""
        context.prepared = prepared
        try:
            result = await self.schema.execute(
                prepared.text,
                variable_values=dict(request.variables),
                context_value=context,
                operation_name=request.operation_name,
            )
        finally:
            context.unawaited.close()
        return self._answered(result.data, tuple(result.errors or ()), context, operation)

    def _answered(
        self,
        data: Mapping[str, Any] | None,
        errors: Sequence[GraphQLError],
        context: GraphContext,
        operation: OperationType,
    ) -> GraphAnswer:
        suggestions = context.caller_or_none is not None
        executed = data is not None or any(error.path for error in errors)
        if not executed:
            return self.refused(errors, operation, suggestions=suggestions)
        shaped = [formatted(error, self._report, suggestions=suggestions) for error in errors]
        answer: dict[str, Any] = {"errors": shaped} if shaped else {}
        return GraphAnswer(
            orjson.dumps(answer | {"data": data}),
            len(errors),
            operation,
            data=data is not None,
            codes=self._counted(shaped),
        )

    def refused(
        self,
        errors: Sequence[GraphQLError],
        operation: OperationType | None = None,
        *,
        suggestions: bool = True,
        syntax: bool = False,
    ) -> GraphAnswer:
        """Answer errors alone."""
        shaped = [formatted(error, self._report, suggestions=suggestions) for error in errors]
        refusals = [each.original_error for each in errors if isinstance(each.original_error, Refusal)]
        return GraphAnswer(
            orjson.dumps({"errors": shaped}),
            len(errors),
            operation,
            executed=False,
            data=False,
            codes=self._counted(shaped),
            refusal=refusals[0] if refusals else None,
            syntax=syntax,
        )

    def broken(self, error: Exception) -> GraphAnswer:
        """Answer a request that a defect of ours kept from being executed: the error is masked and reported."""
        return replace(self.refused((GraphQLError(str(error), original_error=error),)), refusal=Broken())

    def _counted(self, shaped: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
        """Return the code of each error, counted."""
        codes = tuple(each["extensions"]["code"] for each in shaped)
        self.refusals.update(codes)
        return codes
