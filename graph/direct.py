"""Mutations whose answer is what their function returned: no row is read, and so nothing is left for an executor to do.

graphql-core's executor costs more than taking a small batch of packets. Here the field's own resolver is called, with
what Strawberry has put around it, and what comes back is printed by a plan that is made of the document once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    is_abstract_type,
    is_leaf_type,
    located_error,
)
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values
from graphql.pyutils import Path
from strawberry.types.field import StrawberryField

from graph.context import GraphContext
from graph.declaration import DeclaredField
from graph.documents import Prepared
from graph.schema import Schema

Print = Callable[[Any], Any]
"""Makes of a value what the response holds."""

DEFINITION: Final = "strawberry-definition"


class Indirect(Exception):
    """An executor must answer this operation."""


@dataclass(frozen=True, slots=True)
class Direct:
    """An operation that is answered here."""

    key: str
    field: GraphQLField
    node: FieldNode
    parent: GraphQLObjectType
    fragments: dict[str, FragmentDefinitionNode]
    prints: Mapping[str, Print]
    """How each type that may be answered is printed, by its name."""


class Directs:
    """Finds which mutations can be answered here, and answers them."""

    def __init__(self, schema: Schema) -> None:
        """Answer by `schema`."""
        self._core: Final = schema._schema  # noqa: SLF001 -- the graphql-core schema has no public name.

    def plan(self, prepared: Prepared, operation: OperationDefinitionNode) -> Direct | None:
        """Return how a mutation is answered here, found now or earlier; None where an executor must."""
        name = operation.name.value if operation.name else ""
        if name not in prepared.directs:
            try:
                prepared.directs[name] = self._planned(prepared, operation)
            except Indirect:
                prepared.directs[name] = None
        found: Direct | None = prepared.directs[name]
        return found

    def coerced(self, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> VariableValues | None:
        """Return coerced variables; None where they do not fit, which an executor says better."""
        values = get_variable_values(self._core, operation.variable_definitions or (), dict(variables))
        return values if isinstance(values, VariableValues) else None

    async def answered(
        self, direct: Direct, operation: OperationDefinitionNode, values: VariableValues, context: GraphContext
    ) -> dict[str, Any]:
        """Return the data of an operation; raises GraphQLError with the field's place where it failed."""
        path = Path(None, direct.key, direct.parent.name)
        info = GraphQLResolveInfo(
            direct.node.name.value, [direct.node], direct.field.type, direct.parent, path, self._core,
            direct.fragments, None, operation, values, context, cast("Any", context.unawaited.is_awaitable), None,
            cast("Any", None),
        )  # fmt: skip
        try:
            arguments = get_argument_values(direct.field, direct.node, values)
            result = await cast("Any", direct.field.resolve)(None, info, **arguments)
            name = type(result).__strawberry_definition__.name
            return {direct.key: direct.prints[name](result)}
        except Exception as error:
            raise located_error(error, [direct.node], path.as_list()) from error

    def _planned(self, prepared: Prepared, operation: OperationDefinitionNode) -> Direct:
        document, parent = prepared.document, self._core.mutation_type
        if document is None or parent is None or operation.directives:
            raise Indirect
        fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
        fields = list(self._collected(parent, operation.selection_set, fragments))
        if len(fields) != 1 or fields[0].name.value not in parent.fields:
            raise Indirect
        [node] = fields
        field = parent.fields[node.name.value]
        definition = field.extensions.get(DEFINITION)
        if not isinstance(field.type, GraphQLNonNull) or not getattr(definition, "is_async", False):
            raise Indirect
        answer, below = field.type.of_type, node.selection_set
        if below is None:
            raise Indirect
        types = self._core.get_possible_types(answer) if is_abstract_type(answer) else [answer]
        prints = {each.name: self._object(each, below, fragments) for each in types}
        return Direct(_key(node), field, node, parent, fragments, prints)

    def _object(
        self, type_: GraphQLOutputType, below: SelectionSetNode | None, fragments: dict[str, FragmentDefinitionNode]
    ) -> Print:
        if not isinstance(type_, GraphQLObjectType) or below is None:
            raise Indirect
        entries: dict[str, tuple[str | None, Print]] = {}
        for node in self._collected(type_, below, fragments):
            if _key(node) in entries:
                # Two selections of one field are merged.
                raise Indirect
            if node.name.value == "__typename":
                entries[_key(node)] = None, _constant(type_.name)
                continue
            field = type_.fields[node.name.value]
            definition = field.extensions.get(DEFINITION)
            if not isinstance(definition, StrawberryField) or isinstance(definition, DeclaredField):
                raise Indirect
            if not definition.is_basic_field or field.args:
                raise Indirect
            entries[_key(node)] = definition.python_name, self._completed(field.type, node, fragments)
        return _printing([(key, name, complete) for key, (name, complete) in entries.items()])

    def _completed(
        self, type_: GraphQLOutputType, node: FieldNode, fragments: dict[str, FragmentDefinitionNode]
    ) -> Print:
        if isinstance(type_, GraphQLNonNull):
            return _required(self._completed(type_.of_type, node, fragments))
        if isinstance(type_, GraphQLList):
            return _listed(self._completed(type_.of_type, node, fragments))
        if is_leaf_type(type_):
            return _optional(_required(type_.coerce_output_value))
        return _optional(self._object(type_, node.selection_set, fragments))

    def _collected(
        self, type_: GraphQLObjectType, selection: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode]
    ) -> Iterator[FieldNode]:
        """Return the fields that are selected of a type; a directive may take any of them away."""
        for node in selection.selections:
            if node.directives:
                raise Indirect
            if isinstance(node, FieldNode):
                yield node
                continue
            below = fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            if not isinstance(below, FragmentDefinitionNode | InlineFragmentNode):
                raise Indirect
            condition = below.type_condition
            if condition is None or self._applies(condition.name.value, type_):
                yield from self._collected(type_, below.selection_set, fragments)

    def _applies(self, name: str, type_: GraphQLObjectType) -> bool:
        condition = self._core.get_type(name)
        return condition is type_ or (is_abstract_type(condition) and self._core.is_sub_type(condition, type_))


def _key(node: FieldNode) -> str:
    return node.alias.value if node.alias is not None else node.name.value


def _constant(value: str) -> Print:
    return lambda _source: value


def _printing(entries: list[tuple[str, str | None, Print]]) -> Print:
    def printed(source: Any) -> dict[str, Any]:
        return {key: complete(None if name is None else getattr(source, name)) for key, name, complete in entries}

    return printed


def _optional(complete: Print) -> Print:
    return lambda value: None if value is None else complete(value)


def _required(complete: Print) -> Print:
    def required(value: Any) -> Any:
        made = complete(value)
        if made is None:
            raise TypeError("A value is missing that may not be null.")
        return made

    return required


def _listed(complete: Print) -> Print:
    return lambda value: None if value is None else [complete(each) for each in value]
