"""From a GraphQL document to the neutral selection that a read understands: which fields of which noun, and how.

Fragments, interfaces, `@skip` and `@include` are resolved here with graphql-core's own field collection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from graphql import (
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    get_named_type,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_subfields
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.types.field import StrawberryField
from strawberry.types.info import Info

from domain.reading import FieldKind, Selected
from graph.declaration import specification_of
from graph.registry import Declared

ResolveInfo: TypeAlias = GraphQLResolveInfo[Any]


def raw(info: Info[Any, Any]) -> ResolveInfo:
    """Return graphql-core's own info: the selected nodes, fragments and variables."""
    return info._raw_info  # noqa: SLF001 -- Strawberry offers no other way to it.


@dataclass(frozen=True, slots=True)
class ConnectionSelection:
    """What was selected of a connection."""

    fields: tuple[Selected, ...]
    rows: bool
    cursors: bool
    counted: bool


class Selections:
    """The selections of one operation, each made once however many rows ask for it."""

    def __init__(self) -> None:
        """Start empty; live as long as the operation."""
        self._rows: dict[tuple[object, ...], tuple[Selected, ...]] = {}
        self._connections: dict[tuple[object, ...], ConnectionSelection] = {}

    def of_noun(self, info: ResolveInfo, noun: Declared) -> tuple[Selected, ...]:
        """Return what the current field selects of a noun."""
        key = (noun.name, *map(id, info.field_nodes))
        if key not in self._rows:
            nodes = [FieldDetails(node, None) for node in info.field_nodes]
            self._rows[key] = _noun_fields(_Collector(info), noun, nodes, get_named_type(info.return_type))
        return self._rows[key]

    def of_connection(self, info: ResolveInfo, noun: Declared) -> ConnectionSelection:
        """Return what the current connection field selects of its nodes and of itself."""
        key = (noun.name, *map(id, info.field_nodes))
        if key not in self._connections:
            nodes = [FieldDetails(node, None) for node in info.field_nodes]
            self._connections[key] = _connection(_Collector(info), noun, nodes, object_type(info.return_type))
        return self._connections[key]

    def of_value(self, info: ResolveInfo) -> tuple[Selected, ...]:
        """Return what the current field selects of a value."""
        key = ("", *map(id, info.field_nodes))
        if key not in self._rows:
            nodes = [FieldDetails(node, None) for node in info.field_nodes]
            collector = _Collector(info)
            self._rows[key] = _selected(collector, object_type(info.return_type), nodes)
        return self._rows[key]


class _Collector:
    """graphql-core's field collection, bound to one operation."""

    def __init__(self, info: ResolveInfo) -> None:
        self.schema: GraphQLSchema = info.schema
        # Strawberry hands resolvers the plain dict where graphql-core's own functions want what it was taken from. The
        # sources matter only to literals of custom scalars with variables inside, which no declared argument takes.
        self.variables = VariableValues({}, cast("dict[str, Any]", info.variable_values))
        self._operation = info.operation
        self._fragments = {name: FragmentDetails(node) for name, node in info.fragments.items()}

    def below(self, type_: GraphQLObjectType, nodes: list[FieldDetails]) -> list[list[FieldDetails]]:
        """Return the fields selected below `nodes` for an object type, grouped by response key."""
        collected = collect_subfields(self.schema, self._fragments, self.variables, self._operation, type_, nodes)
        return list(collected.grouped_field_set.values())


def _connection(
    collector: _Collector, noun: Declared, nodes: list[FieldDetails], type_: GraphQLObjectType
) -> ConnectionSelection:
    names, edges, infos = set(), [], []
    for group in collector.below(type_, nodes):
        name = group[0].node.name.value
        names.add(name)
        edges += group if name == "edges" else []
        infos += group if name == "pageInfo" else []
    edge_type = object_type(type_.fields["edges"].type)
    info_type = object_type(type_.fields["pageInfo"].type)
    chosen = [group for group in collector.below(edge_type, edges) if edges]
    inside = {group[0].node.name.value for group in chosen}
    wanted = {group[0].node.name.value for group in collector.below(info_type, infos)}
    node_fields = [detail for group in chosen if group[0].node.name.value == "node" for detail in group]
    return ConnectionSelection(
        fields=_noun_fields(collector, noun, node_fields, get_named_type(edge_type.fields["node"].type)),
        rows=bool(edges or infos),
        cursors="cursor" in inside or bool(wanted & {"startCursor", "endCursor"}),
        counted="totalCount" in names,
    )


def _noun_fields(
    collector: _Collector, noun: Declared, nodes: list[FieldDetails], within: GraphQLNamedType
) -> tuple[Selected, ...]:
    """Return what is selected of a noun; of an interface's kinds, what any of them selects."""
    merged: dict[str, Selected] = {}
    for type_ in _possible(collector.schema, noun, within):
        for selected in _selected(collector, type_, nodes):
            merged[selected.key] = _merge(merged.get(selected.key), selected)
    if noun.kinds:
        merged.setdefault("kind", Selected("kind"))
    return tuple(merged.values())


def _possible(schema: GraphQLSchema, noun: Declared, within: GraphQLNamedType) -> list[GraphQLObjectType]:
    """Return the types that a row of a noun may have where `within` is expected: itself, or its kinds that fit."""
    types = [object_type(schema.type_map[type_name(cls)]) for cls in noun.kinds.values() or (noun.cls,)]
    return types if not isinstance(within, GraphQLObjectType) else [type_ for type_ in types if type_ is within]


def object_type(type_: object) -> GraphQLObjectType:
    """Return the object type inside lists and non-nulls."""
    named = get_named_type(cast("GraphQLOutputType", type_))
    if not isinstance(named, GraphQLObjectType):
        raise TypeError(f"{named} is no object type.")
    return named


def type_name(cls: type) -> str:
    """Return the GraphQL name of a declared class."""
    name: str = cls.__strawberry_definition__.name  # type: ignore[attr-defined]  # set by Strawberry
    return name


def _selected(collector: _Collector, type_: GraphQLObjectType, nodes: list[FieldDetails]) -> tuple[Selected, ...]:
    merged: dict[str, Selected] = {}
    for group in collector.below(type_, nodes):
        node = group[0].node
        if node.name.value == "__typename":
            continue
        field = type_.fields[node.name.value]
        declared: StrawberryField = field.extensions["strawberry-definition"]
        specification = specification_of(declared)
        if specification is None:
            continue
        arguments: tuple[tuple[str, object], ...] = ()
        inner: tuple[Selected, ...] = ()
        if specification.kind is FieldKind.COLUMN:
            coerced = get_argument_values(field, node, collector.variables)
            arguments = tuple((name, _frozen(value)) for name, value in coerced.items())
            inner = _inside(collector, get_named_type(field.type), group)
        selected = Selected(declared.python_name, arguments, inner)
        merged[selected.key] = _merge(merged.get(selected.key), selected)
    return tuple(merged.values())


def _inside(collector: _Collector, named: GraphQLNamedType, group: list[FieldDetails]) -> tuple[Selected, ...]:
    """Return what is selected inside a value; of an interface, what any of its kinds selects."""
    if isinstance(named, GraphQLObjectType):
        return _selected(collector, named, group)
    if not isinstance(named, GraphQLInterfaceType):
        return ()
    merged = {"kind": Selected("kind")}
    for type_ in collector.schema.get_possible_types(named):
        for selected in _selected(collector, type_, group):
            merged[selected.key] = _merge(merged.get(selected.key), selected)
    return tuple(merged.values())


def _frozen(value: object) -> object:
    """Selections are keys of loaders, so their lists become tuples."""
    return tuple(value) if isinstance(value, list) else value


def _merge(one: Selected | None, other: Selected) -> Selected:
    """Two aliases of one value may select different things inside it: read both."""
    if one is None:
        return other
    fields: dict[str, Selected] = {field.key: field for field in one.fields}
    for field in other.fields:
        fields[field.key] = _merge(fields.get(field.key), field)
    return Selected(one.name, one.arguments, tuple(fields.values()))
