"""Statements of the trusted documents, planned before anybody asks: on every connection, for every role."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from graphql import ListTypeNode, NamedTypeNode, NonNullTypeNode, OperationDefinitionNode, TypeNode

from app.wiring import System
from domain.access import Caller, Role
from domain.errors import DomainError
from graph.compilation import Uncompiled
from graph.documents import Prepared
from graph.execution import Execution

NOBODY: Final = UUID(int=0)
"""A tenant that has no rows, so that planning a statement costs hardly more than its plan."""

EXAMPLES: Final[dict[str, Any]] = {
    "Int": 20,
    "Float": 0.5,
    "Boolean": True,
    "String": "INR",
    "ID": "none",
    "DateTime": datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
}


async def warm(system: System, execution: Execution, texts: Sequence[str]) -> int:
    """Plan what the given documents compile to; return how many statements there are."""
    statements = []
    for text in texts:
        for each in _statements(system, execution, text):
            statements.append(each)
            # Whoever asks first does not wait for all of them.
            await asyncio.sleep(0)
    await system.pool.warm(statements)
    return len(statements)


def _statements(system: System, execution: Execution, text: str) -> Iterator[tuple[str, list[object]]]:
    prepared = execution.documents.get(text)
    if prepared.errors:
        return
    for operation in prepared.operations.values():
        for role in Role:
            caller = Caller(NOBODY, NOBODY, role, (NOBODY,))
            try:
                yield _statement(system, execution, prepared, operation, caller)
            except (Uncompiled, DomainError):
                # A mutation, or a query that this role may not send: there is nothing to plan.
                continue


def _statement(
    system: System, execution: Execution, prepared: Prepared, operation: OperationDefinitionNode, caller: Caller
) -> tuple[str, list[object]]:
    variables = {
        node.variable.name.value: _example(node.type)
        for node in operation.variable_definitions or ()
        if isinstance(node.type, NonNullTypeNode)
    }
    coerced = execution.planner.coerced(prepared, operation, variables)
    compiled = execution.planner.compiled(prepared, operation, coerced, caller)
    template, bound = system.answers.prepared(caller, compiled.plan, compiled.given(coerced))
    return template.sql, template.filled(bound)


def _example(type_: TypeNode) -> Any:  # noqa: ANN401 -- a variable is any JSON.
    if isinstance(type_, NonNullTypeNode):
        return _example(type_.type)
    if isinstance(type_, ListTypeNode):
        return []
    return EXAMPLES.get(type_.name.value, {}) if isinstance(type_, NamedTypeNode) else None
