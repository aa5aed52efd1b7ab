"""Finds the plan for a request, or makes it; coerces variables on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import DocumentNode, OperationDefinitionNode, OperationType, VariableNode, visit
from graphql.execution.values import VariableValues, get_variable_values
from graphql.language import DirectiveNode, Visitor

from domain.access import Caller
from graph.compilation.planning import Planning
from graph.compilation.plans import ANONYMOUS, Compilation, Compiled, LacksPermission, Uncompiled
from graph.compilation.variables import Coercion
from graph.documents import Prepared
from graph.schema import Schema


class Planner:
    """Makes plans for one schema."""

    def __init__(self, schema: Schema) -> None:
        """Plan against `schema`."""
        self._schema = schema

    def coerced(
        self, prepared: Prepared, operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return a request's variables as graphql-core coerces them; raises Uncompiled where they do not fit."""
        definitions = operation.variable_definitions
        if not definitions:
            return {}
        name = operation.name.value if operation.name else ""
        coercion = prepared.coercions.get(name)
        if coercion is None:
            coercion = prepared.coercions[name] = Coercion(operation)
        plain = coercion.plain(variables)
        if plain is not None:
            return plain
        core = self._schema._schema  # noqa: SLF001 -- the graphql-core schema has no public name.
        values = get_variable_values(core, definitions, dict(variables))
        if not isinstance(values, VariableValues):
            raise Uncompiled("Variables do not fit their types; resolvers say how.")
        coerced: Mapping[str, Any] = values.coerced
        return coerced

    def compiled(
        self,
        prepared: Prepared,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
        caller: Caller | None,
    ) -> Compiled:
        """Return the plan of an operation for these variables, kept or made now; raises Uncompiled."""
        if caller is None:
            raise Uncompiled(ANONYMOUS)
        document = prepared.document
        if document is None or operation.operation is OperationType.MUTATION:
            raise Uncompiled("Mutations do not compile.")
        name = operation.name.value if operation.name else ""
        compilation = prepared.compilations.get(name)
        if compilation is None:
            compilation = prepared.compilations[name] = Compilation(_switches(document))
        key = tuple(variables.get(switch) for switch in compilation.switches)
        found = compilation.plans.get(key)
        if found is None:
            try:
                found = Planning(self._schema, document, operation, variables).plan()
            except Uncompiled as reason:
                found = reason
            compilation.keep(key, found)
        if isinstance(found, Uncompiled):
            raise found
        check_permissions(found, caller)
        return found


def check_permissions(compiled: Compiled, caller: Caller) -> None:
    """Refuse a caller who may not see all of a plan's answer; raises LacksPermission."""
    for permission in compiled.permissions:
        if not caller.may(permission):
            raise LacksPermission(permission)


class _Switches(Visitor):
    """Collects the variables that `@skip` and `@include` depend on."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_args: object) -> None:
        for argument in node.arguments or ():
            if isinstance(argument.value, VariableNode):
                self.found.add(argument.value.name.value)


def _switches(document: DocumentNode) -> tuple[str, ...]:
    visitor = _Switches()
    visit(document, visitor)
    return tuple(sorted(visitor.found))
