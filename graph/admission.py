"""Who may run which document, and how much of it: everything between a request and an operation that starts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)

from domain.access import address_group
from domain.errors import DomainError, Unauthenticated, Unavailable
from graph.budgets import Budgets, Places
from graph.context import GraphContext
from graph.cost import Cost, Estimate
from graph.documents import Prepared, Question
from graph.execution import EVERY_OPERATION, Execution, GraphAnswer, GraphRequest
from graph.limits import Limits, check_variables
from graph.persisted import Asked, Found, Persisted
from graph.refusals import DeadlineExceeded, LimitExceeded, MethodNotAllowed, NotAcceptable, Unreachable

PUBLIC: Final = frozenset({"__typename", "viewer", "login", "sessionRefresh", "sessionRevoke"})
"""Root fields that need no session. `viewer` answers null there: it is how a client asks whether it has one."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """An operation that may start."""

    request: GraphRequest
    prepared: Prepared
    operation: OperationDefinitionNode
    cost: Cost
    remaining: int
    trusted: bool


class Admission:
    """The way of every operation, whatever brought it."""

    def __init__(
        self, execution: Execution, persisted: Persisted, limits: Limits, budgets: Budgets, places: Places
    ) -> None:
        """Let pass to `execution` what the others allow."""
        self.limits: Final = limits
        self.places: Final = places
        self._execution = execution
        self._documents = execution.documents
        self._persisted = persisted
        self._budgets = budgets

    async def answer(
        self, asked: Asked, context: GraphContext, allowed: frozenset[OperationType] = EVERY_OPERATION
    ) -> GraphAnswer:
        """Answer a request; refusals are answers too."""
        answered = await self.followed_or_answered(asked, context, allowed)
        if isinstance(answered, Admitted):
            raise TypeError("Nobody asked for what can be followed.")
        return answered

    async def followed_or_answered(
        self, asked: Asked, context: GraphContext, allowed: frozenset[OperationType]
    ) -> Admitted | GraphAnswer:
        """Answer a query or a mutation; return a subscription that may be followed, its price paid."""
        principal = principal_of(context)
        try:
            self.places.take(principal)
            try:
                return await self._placed(asked, context, principal, allowed)
            finally:
                self.places.leave(principal)
        except Unavailable as error:
            return self._execution.refused((GraphQLError(error.message, original_error=Unreachable(error.message)),))
        except DomainError as error:
            return self._execution.refused((GraphQLError(error.message, original_error=error),))
        except Exception as error:  # noqa: BLE001 -- whatever it was, the client sees an id and the log the rest.
            return self._execution.broken(error)

    async def _placed(
        self, asked: Asked, context: GraphContext, principal: str, allowed: frozenset[OperationType]
    ) -> Admitted | GraphAnswer:
        found = await self._persisted.find(asked, context.caller_or_none)
        prepared = self._prepared(found, context, principal)
        if prepared.errors:
            suggestions = context.caller_or_none is not None
            return self._execution.refused(prepared.errors, suggestions=suggestions, syntax=prepared.syntax)
        self._persisted.remember(found, principal)
        admitted = self._admitted(asked, prepared, found, principal, allowed)
        if admitted.operation.operation is OperationType.SUBSCRIPTION:
            return admitted
        return self._with_extensions(await self._run(admitted, context), admitted)

    def _prepared(self, found: Found, context: GraphContext, principal: str) -> Prepared:
        size = len(found.text)
        if size > self.limits.document_characters:
            raise LimitExceeded("documentCharacters", "characters", size, self.limits.document_characters)
        if found.trusted is not None:
            self._documents.pin(found.text)
        prepared = self._documents.parsed(found.text, principal)
        # Nobody learns from validation which fields there are without having signed in, nor from what it told others.
        if context.caller_or_none is None and prepared.sound and not _public(prepared):
            raise Unauthenticated
        return self._documents.validated(prepared)

    def _admitted(
        self, asked: Asked, prepared: Prepared, found: Found, principal: str, allowed: frozenset[OperationType]
    ) -> Admitted:
        operation = prepared.operation(asked.operation_name)
        if operation.operation is OperationType.SUBSCRIPTION and operation.operation not in allowed:
            raise NotAcceptable("A subscription is followed over a socket, or accepted as text/event-stream.")
        if operation.operation not in allowed:
            raise MethodNotAllowed(f"A {operation.operation.value} is sent by POST.", headers={"allow": "POST"})
        is_query = operation.operation is OperationType.QUERY
        question = prepared.question(asked.operation_name, asked.variables) if is_query else Question()
        cost = question.cost
        if cost is None:
            check_variables(asked.variables, self.limits)
            cost = question.cost = self._affordable(self._documents.estimate(prepared, operation), asked.variables)
        remaining = self._budgets.spend(principal, cost.points)
        request = GraphRequest(found.text, asked.operation_name, asked.variables, asked.extensions, question)
        return Admitted(request, prepared, operation, cost, remaining, trusted=found.trusted is not None)

    def _affordable(self, estimate: Estimate, variables: Mapping[str, Any]) -> Cost:
        cost = estimate.under(variables)
        for name, what, asked_for, most in (
            ("nodes", "rows", cost.nodes, self.limits.nodes),
            ("cost", "points", cost.points, self.limits.points),
        ):
            if asked_for > most:
                raise LimitExceeded(name, what, asked_for, most)
        return cost

    async def _run(self, admitted: Admitted, context: GraphContext) -> GraphAnswer:
        clock = asyncio.get_running_loop().time
        started = clock()
        deadline = asyncio.timeout(self.limits.deadline_seconds)
        try:
            async with deadline:
                answer = await self._execution.run(admitted.request, admitted.prepared, admitted.operation, context)
        except TimeoutError:
            if not deadline.expired():
                raise
            raise DeadlineExceeded(clock() - started, self.limits.deadline_seconds) from None
        finally:
            context.loaders.cancel()
        if len(answer.body) > self.limits.response_bytes:
            raise LimitExceeded("responseBytes", "bytes of response", len(answer.body), self.limits.response_bytes)
        return answer

    def _with_extensions(self, answer: GraphAnswer, admitted: Admitted) -> GraphAnswer:
        """Add what the client asked to know about its request: what it cost, and which execution answered."""
        asked = admitted.request.extensions
        told: dict[str, object] = {}
        if asked.get("cost") is True:
            told["cost"] = self._cost(admitted)
        if asked.get("execution") is True:
            path = {"path": "COMPILED" if answer.compiled else "RESOLVED"}
            told["execution"] = path | ({"reason": answer.reason} if answer.reason else {})
        if not told:
            return answer
        return replace(answer, body=answer.body[:-1] + b"," + orjson.dumps({"extensions": told})[1:])

    def _cost(self, admitted: Admitted) -> dict[str, object]:
        return {
            "nodes": admitted.cost.nodes,
            "points": admitted.cost.points,
            "remaining": admitted.remaining,
            "capacity": self._budgets.capacity,
            "restoredPerSecond": self._budgets.restored_per_second,
        }


def principal_of(context: GraphContext) -> str:
    """Return who is counted: a user, a key, or everybody anonymous at one address."""
    caller = context.caller_or_none
    if caller is None:
        return f"anonymous:{address_group(context.address)}"
    return caller.principal


def _public(prepared: Prepared) -> bool:
    """Whether every operation of a document asks only for what needs no session."""
    if prepared.document is None or not prepared.operations:
        return False
    definitions = prepared.document.definitions
    fragments = {node.name.value: node for node in definitions if isinstance(node, FragmentDefinitionNode)}
    return all(
        name in PUBLIC for node in prepared.operations.values() for name in _roots(node.selection_set, fragments, set())
    )


def _roots(selection: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode], seen: set[str]) -> Iterator[str]:
    for node in selection.selections:
        if isinstance(node, FieldNode):
            yield node.name.value
        elif isinstance(node, FragmentSpreadNode):
            name = node.name.value
            if name in fragments and name not in seen:
                seen.add(name)
                yield from _roots(fragments[name].selection_set, fragments, seen)
        else:
            below: SelectionSetNode = node.selection_set  # type: ignore[attr-defined]  # only inline fragments are left
            yield from _roots(below, fragments, seen)
