"""One plan being made: the walk over the selected fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    get_named_type,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.types.field import StrawberryField

from domain.access import Permission
from domain.answers import (
    AnyOf,
    ById,
    ByIds,
    Entry,
    GlobalId,
    Leaf,
    Listed,
    Many,
    Nested,
    One,
    Part,
    Plan,
    Shape,
    TypeName,
)
from domain.reading import FieldKind, Page
from graph import ids
from graph.compilation.plans import Arguments, Compiled, Followed, Sampled, Uncompiled
from graph.compilation.variables import evaluator, has_variable_arguments, raw_evaluator, uses
from graph.declaration import DeclaredField, specification_of
from graph.declarations import targets
from graph.loaders import given_arguments, page_of, unpacked_arguments
from graph.registry import REGISTRY, Declared
from graph.schema import LARGEST_NODES, Schema
from graph.selection import object_type, type_name
from graph.subscriptions.declaration import SampleField, StreamField, required_links

TWICE: Final = 2
_ENTRIES: Final = {
    "__typename": "__typename",
    "edges": "edges",
    "pageInfo": "page_info",
    "totalCount": "total_count",
    "cursor": "cursor",
    "node": "node",
    "hasNextPage": "has_next_page",
    "hasPreviousPage": "has_previous_page",
    "startCursor": "start_cursor",
    "endCursor": "end_cursor",
}


class Planning:
    """One plan being made."""

    def __init__(
        self, schema: Schema, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> None:
        self._strawberry = schema
        self._schema: GraphQLSchema = schema._schema  # noqa: SLF001 -- the graphql-core schema has no public name.
        self._operation = operation
        self._variables = VariableValues({}, dict(variables))
        self._fragments = {
            node.name.value: FragmentDetails(node)
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self._permissions: dict[Permission, None] = {}
        self._pages: list[Callable[[Mapping[str, Any]], Page]] = []
        self._arguments: list[Callable[[Mapping[str, Any]], Mapping[str, object]]] = []
        self._ids: list[Callable[[Mapping[str, Any]], Sequence[GlobalId | None]]] = []

    def plan(self) -> Compiled:
        """Make the plan; raises Uncompiled."""
        if self._operation.operation is OperationType.SUBSCRIPTION:
            return self._stream()
        query = object_type(self._schema.query_type)
        collected = collect_fields(self._schema, self._fragments, self._variables, query, self._operation)
        parts = tuple(self._root(query, key, group) for key, group in collected.grouped_field_set.items())
        return Compiled(Plan(parts, query.name), tuple(self._permissions), self._pages, self._arguments, self._ids)

    def _stream(self) -> Compiled:
        """Make the plan of a subscription: validation has seen to it that it has one root field."""
        root = object_type(self._schema.subscription_type)
        collected = collect_fields(self._schema, self._fragments, self._variables, root, self._operation)
        [(key, group)] = collected.grouped_field_set.items()
        node = group[0].node
        graphql_field = root.fields.get(node.name.value)
        declared = graphql_field.extensions["strawberry-definition"] if graphql_field is not None else None
        if isinstance(declared, SampleField) and declared.specification.permission is not None:
            raise Sampled(declared.specification.permission)
        if graphql_field is None or not isinstance(declared, StreamField) or declared.specification.permission is None:
            raise Uncompiled(f"Subscription.{node.name.value} follows no events.")
        evaluate = evaluator(self._strawberry, declared, graphql_field, node)
        event = declared.target()
        part = self._value(key, event.name, event, get_named_type(graphql_field.type), group)
        plan = Plan((part,), root.name, required=required_links(event.cls))
        self._permissions[declared.specification.permission] = None
        followed = Followed(declared.stream, evaluate, self._position(node))
        return Compiled(plan, tuple(self._permissions), self._pages, self._arguments, self._ids, followed)

    def _position(self, node: FieldNode) -> str | None:
        """Return the variable that says where to begin and nothing else: what is answered does not depend on it."""
        for argument in node.arguments or ():
            if argument.name.value == "after" and isinstance(argument.value, VariableNode):
                name = argument.value.name.value
                nodes = (self._operation, *(fragment.definition for fragment in self._fragments.values()))
                # Once where it is declared, and once here.
                return name if sum(uses(each, name) for each in nodes) == TWICE else None
        return None

    def _below(self, type_: GraphQLObjectType, group: list[FieldDetails]) -> dict[str, list[FieldDetails]]:
        return collect_subfields(
            self._schema, self._fragments, self._variables, self._operation, type_, group
        ).grouped_field_set

    def _root(self, query: GraphQLObjectType, key: str, group: list[FieldDetails]) -> Part:
        name = group[0].node.name.value
        if name == "__typename":
            return TypeName(key)
        graphql_field = query.fields.get(name)
        if graphql_field is None:
            raise Uncompiled(f"{name} is answered by graphql-core.")
        if name in {"node", "nodes"}:
            return self._nodes(key, graphql_field, group)
        declared = graphql_field.extensions["strawberry-definition"]
        if not isinstance(declared, DeclaredField):
            raise Uncompiled(f"{query.name}.{name} is answered by a function.")
        if declared.specification.permission is not None:
            self._permissions[declared.specification.permission] = None
        match declared.specification.kind:
            case FieldKind.CONNECTION:
                return self._listed(key, declared, graphql_field, group, None)
            case FieldKind.LINK:
                return self._by_id(key, declared, graphql_field, group)
            case _:
                return self._root_value(key, declared, graphql_field, group)

    def _by_id(self, key: str, declared: DeclaredField, graphql_field: GraphQLField, group: list[FieldDetails]) -> Part:
        noun = declared.target()
        shape = self._shape(noun, graphql_field, group)
        if declared.specification.of_caller:
            return ById(key, None, shape)
        evaluate = evaluator(self._strawberry, declared, graphql_field, group[0].node)

        def wanted(variables: Mapping[str, Any]) -> list[GlobalId | None]:
            found = ids.parsed(evaluate(variables)["id"])
            return [None if found is None or found[0] is not noun else (noun.name, found[1])]

        self._ids.append(wanted)
        return ById(key, len(self._ids) - 1, shape)

    def _nodes(self, key: str, graphql_field: GraphQLField, group: list[FieldDetails]) -> Part:
        shapes = {name: self._shape(noun, graphql_field, group) for name, noun in REGISTRY.nouns.items()}
        many = "ids" in graphql_field.args
        node = group[0].node

        def wanted(variables: Mapping[str, Any]) -> list[GlobalId | None]:
            coerced = get_argument_values(graphql_field, node, VariableValues({}, dict(variables)))
            sent = coerced["ids"] if many else [coerced["id"]]
            if len(sent) > LARGEST_NODES:
                raise Uncompiled("Too many ids; resolvers say how many are allowed.")
            parsed = [ids.parsed(each) for each in sent]
            return [None if each is None else (each[0].name, each[1]) for each in parsed]

        self._ids.append(wanted)
        return ByIds(key, len(self._ids) - 1, shapes, many)

    def _root_value(
        self, key: str, declared: DeclaredField, graphql_field: GraphQLField, group: list[FieldDetails]
    ) -> Part:
        if declared.python_name not in REGISTRY.values:
            return Leaf(key, declared.python_name)
        evaluate = evaluator(self._strawberry, declared, graphql_field, group[0].node)
        self._arguments.append(lambda variables: unpacked_arguments(given_arguments(evaluate(variables))))
        number = len(self._arguments) - 1
        type_ = object_type(graphql_field.type)
        return Nested(key, declared.python_name, type_.name, number, self._value_parts(type_, group, evaluate))

    def _value_parts(
        self, type_: GraphQLObjectType, group: list[FieldDetails], inherited: Arguments | None
    ) -> tuple[Part, ...]:
        return tuple(self._part(type_, key, fields, inherited) for key, fields in self._below(type_, group).items())

    def _part(self, type_: GraphQLObjectType, key: str, group: list[FieldDetails], inherited: Arguments | None) -> Part:
        name = group[0].node.name.value
        if name == "__typename":
            return TypeName(key)
        if name == "id":
            return Leaf(key, "id")
        graphql_field = type_.fields[name]
        declared: StrawberryField = graphql_field.extensions["strawberry-definition"]
        specification = specification_of(declared)
        if specification is None:
            raise Uncompiled(f"{type_.name}.{name} is answered by a function.")
        if not isinstance(declared, DeclaredField) or specification.kind is FieldKind.COLUMN:
            return self._column(key, declared, graphql_field, group, inherited)
        if specification.kind is FieldKind.CONNECTION:
            return self._listed(key, declared, graphql_field, group, inherited)
        return self._linked(key, declared, graphql_field, group)

    def _linked(
        self, key: str, declared: DeclaredField, graphql_field: GraphQLField, group: list[FieldDetails]
    ) -> Part:
        match declared.specification.kind:
            case FieldKind.LINK:
                return One(key, declared.python_name, self._shape(declared.target(), graphql_field, group))
            case FieldKind.LIST:
                return Many(key, declared.python_name, self._shape(declared.target(), graphql_field, group))
            case _:
                shapes = [self._shape(noun, graphql_field, group) for noun in REGISTRY.nouns.values()]
                return AnyOf(key, declared.python_name, tuple(shape for shape in shapes if shape.parts))

    def _column(
        self, key: str, declared: StrawberryField, graphql_field: GraphQLField, group: list[FieldDetails],
        inherited: Arguments | None,
    ) -> Part:  # fmt: skip
        named = get_named_type(graphql_field.type)
        if isinstance(named, GraphQLInterfaceType):
            [target] = targets(declared)
            return self._value(key, declared.python_name, target, named, group, inherited)
        if not isinstance(named, GraphQLObjectType):
            if graphql_field.args:
                raise Uncompiled(f"{declared.python_name} is a leaf with arguments.")
            return Leaf(key, declared.python_name)
        number = None
        if graphql_field.args:
            node = group[0].node
            self._arguments.append(raw_evaluator(graphql_field, node))
            number = len(self._arguments) - 1
        return Nested(key, declared.python_name, named.name, number, self._value_parts(named, group, inherited))

    def _value(
        self, key: str, name: str, target: Declared, named: object, group: list[FieldDetails],
        inherited: Arguments | None = None,
    ) -> Nested:  # fmt: skip
        """Return what is selected of a value without arguments; of an interface, by its kinds."""
        if isinstance(named, GraphQLInterfaceType):
            kinds = {}
            for kind, cls in target.kinds.items():
                type_ = object_type(self._schema.type_map[type_name(cls)])
                kinds[kind] = (type_.name, self._value_parts(type_, group, inherited))
            return Nested(key, name, named.name, None, (), kinds)
        type_ = object_type(named)
        return Nested(key, name, type_.name, None, self._value_parts(type_, group, inherited))

    def _shape(self, noun: Declared, graphql_field: GraphQLField, group: list[FieldDetails]) -> Shape:
        """Return what a field selects of a noun; no parts where the field's type admits none of its kinds."""
        within = get_named_type(graphql_field.type)
        names, parts = {}, {}
        for kind, cls in (noun.kinds or {"": noun.cls}).items():
            type_ = object_type(self._schema.type_map[type_name(cls)])
            if not self._admits(within, type_):
                continue
            names[kind] = type_.name
            parts[kind] = self._value_parts(type_, group, None)
        return Shape(noun.name, names, parts, complete=len(parts) == len(noun.kinds or (noun,)))

    def _admits(self, within: object, type_: GraphQLObjectType) -> bool:
        if isinstance(within, GraphQLObjectType):
            return within is type_
        return self._schema.is_sub_type(within, type_)  # type: ignore[arg-type]  # an abstract type, then

    def _listed(
        self, key: str, declared: DeclaredField, graphql_field: GraphQLField, group: list[FieldDetails],
        inherited: Arguments | None,
    ) -> Part:  # fmt: skip
        noun = declared.target()
        evaluate = evaluator(self._strawberry, declared, graphql_field, group[0].node)
        inherits = declared.specification.inherits

        def page(variables: Mapping[str, Any]) -> Page:
            own = given_arguments(evaluate(variables))
            if inherits and inherited is not None:
                above = given_arguments(inherited(variables))
                own = {**{name: above[name] for name in inherits if name in above}, **own}
            return page_of(own)

        number = len(self._pages)
        self._pages.append(page if inherits or has_variable_arguments(group[0].node) else _always(page({})))
        type_ = object_type(graphql_field.type)
        edge = object_type(type_.fields["edges"].type)
        entries = tuple(self._entry(noun, type_, inner, each) for inner, each in self._below(type_, group).items())
        return Listed(
            key, declared.python_name, noun.name, number, entries, {"connection": type_.name, "edge": edge.name}
        )

    def _entry(self, noun: Declared, type_: GraphQLObjectType, key: str, group: list[FieldDetails]) -> Entry:
        name = group[0].node.name.value
        if name in {"__typename", "totalCount"}:
            return Entry(key, _ENTRIES[name])
        below = object_type(type_.fields[name].type)
        inner = []
        for inner_key, fields in self._below(below, group).items():
            inner_name = fields[0].node.name.value
            shape = None
            if inner_name == "node":
                shape = self._shape(noun, below.fields["node"], fields)
            inner.append(Entry(inner_key, _ENTRIES[inner_name], shape=shape))
        return Entry(key, _ENTRIES[name], tuple(inner))


def _always(page: Page) -> Callable[[Mapping[str, Any]], Page]:
    return lambda _variables: page
