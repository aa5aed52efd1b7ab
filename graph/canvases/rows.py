"""An operation's answer as a table: one row for each entry of its first list, one column for each leaf of an entry.

The columns come from what is selected, not from what was answered, so an empty answer has them too. A leaf inside an
object of the entry becomes a column of both names, `person { fullName }` the column `personFullName`; lists inside an
entry are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson
from graphql import (
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationDefinitionNode,
    get_named_type,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues

from domain.canvases import ColumnType, DataColumn
from graph.documents import Prepared

MOST_ROWS: Final = 1_000
MOST_BYTES: Final = 256 * 1024
"""How many rows of one component are kept, and how large they are together as JSON."""

MONEY: Final = "Money"
TYPES: Final = {
    "Int": ColumnType.NUMBER,
    "Float": ColumnType.NUMBER,
    "Boolean": ColumnType.BOOLEAN,
    "DateTime": ColumnType.DATE_TIME,
    "Date": ColumnType.DATE_TIME,
    "ID": ColumnType.ID,
    MONEY: ColumnType.MONEY,
}
"""The types of columns by the types of fields; all others are text."""

_WORDS: Final = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")

Grouped = Mapping[str, list[FieldDetails]]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns, and rows by the columns' names."""

    columns: tuple[DataColumn, ...]
    rows: list[dict[str, object]]
    truncated: bool


@dataclass(frozen=True, slots=True)
class _Entries:
    """Where the entries stand in the answer, what they are, and what is selected of them."""

    type_: object
    nodes: list[FieldDetails]
    path: Path
    many: bool
    connection: bool = False


class Tabulation:
    """One operation with its variables, of which a table is to be made."""

    def __init__(
        self,
        schema: GraphQLSchema,
        prepared: Prepared,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> None:
        """Know the document; variables decide what `@skip` and `@include` leave of it."""
        self._schema = schema
        self._operation = operation
        self._variables = VariableValues({}, dict(variables))
        definitions = prepared.document.definitions if prepared.document is not None else ()
        self._fragments = {
            node.name.value: FragmentDetails(node) for node in definitions if isinstance(node, FragmentDefinitionNode)
        }

    def table(self, data: Mapping[str, Any]) -> Table | None:
        """Return the answer as a table; None where nothing in it could be a row."""
        query = cast("GraphQLObjectType", self._schema.query_type)
        grouped = collect_fields(
            self._schema, self._fragments, self._variables, query, self._operation
        ).grouped_field_set
        found = self._first(query, grouped, ())
        if found is None:
            return None
        leaves = dict(self._leaves(found.type_, found.nodes, ()))
        names = _names(leaves)
        columns = tuple(DataColumn(name, _label(leaf), leaves[leaf]) for leaf, name in names.items())
        entries, more = _entries(data, found)
        rows = [{name: _cell(entry, leaf) for leaf, name in names.items()} for entry in entries[:MOST_ROWS]]
        kept = _within(rows)
        return Table(columns, kept, truncated=more or len(kept) < len(entries))

    def _below(self, type_: GraphQLObjectType, nodes: list[FieldDetails]) -> Grouped:
        return collect_subfields(
            self._schema, self._fragments, self._variables, self._operation, type_, nodes
        ).grouped_field_set

    def _possible(self, type_: object) -> Sequence[GraphQLObjectType]:
        if isinstance(type_, GraphQLObjectType):
            return (type_,)
        if isinstance(type_, (GraphQLInterfaceType, GraphQLUnionType)):
            return self._schema.get_possible_types(type_)
        return ()

    def _first(self, type_: GraphQLObjectType, grouped: Grouped, path: Path) -> _Entries | None:
        """Find the first list of objects, the least deep one; else the first object is the only row."""
        waiting = [(type_, grouped, path)]
        single: _Entries | None = None
        while waiting:
            above, fields, at = waiting.pop(0)
            for key, nodes in fields.items():
                field = above.fields.get(nodes[0].node.name.value)
                named = get_named_type(field.type) if field is not None else None
                if field is None or not self._possible(named) or named is None or named.name == MONEY:
                    continue
                if (listed := self._listed(field, nodes, (*at, key))) is not None:
                    return listed
                single = single or _Entries(named, nodes, (*at, key), many=False)
                if isinstance(named, GraphQLObjectType):
                    waiting.append((named, self._below(named, nodes), (*at, key)))
        return single

    def _listed(self, field: GraphQLField, nodes: list[FieldDetails], path: Path) -> _Entries | None:
        named = get_named_type(field.type)
        if _is_list(field):
            return _Entries(named, nodes, path, many=True)
        if not isinstance(named, GraphQLObjectType) or not {"edges", "pageInfo"} <= named.fields.keys():
            return None
        edge = get_named_type(named.fields["edges"].type)
        for edges in self._below(named, nodes).values():
            if edges[0].node.name.value != "edges" or not isinstance(edge, GraphQLObjectType):
                continue
            for inner in self._below(edge, edges).values():
                if inner[0].node.name.value == "node":
                    of = get_named_type(edge.fields["node"].type)
                    return _Entries(of, inner, path, many=True, connection=True)
        return None

    def _leaves(self, type_: object, nodes: list[FieldDetails], path: Path) -> Iterator[tuple[Path, ColumnType]]:
        for possible in self._possible(type_):
            for key, group in self._below(possible, nodes).items():
                field = possible.fields.get(group[0].node.name.value)
                if field is None:
                    continue
                named = get_named_type(field.type)
                at = (*path, key)
                if named.name == MONEY and _is_list(field):
                    continue
                if named.name == MONEY or not self._possible(named):
                    yield at, ColumnType.TEXT if _is_list(field) else TYPES.get(named.name, ColumnType.TEXT)
                elif not _is_list(field) and self._listed(field, group, at) is None:
                    yield from self._leaves(named, group, at)


def _is_list(field: GraphQLField) -> bool:
    type_ = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
    return isinstance(type_, GraphQLList)


def _names(leaves: Mapping[Path, ColumnType]) -> dict[Path, str]:
    names: dict[Path, str] = {}
    for path in leaves:
        first, *rest = path
        name = first + "".join(part[:1].upper() + part[1:] for part in rest)
        while name in names.values():
            name += "_"
        names[path] = name
    return names


def _label(path: Path) -> str:
    words = [word.lower() for part in path for word in _WORDS.findall(part)]
    return " ".join(words).capitalize()


def _entries(data: Mapping[str, Any], found: _Entries) -> tuple[list[Any], bool]:
    """Return the entries of the answer, and whether it says that there are more."""
    value: Any = data
    for key in found.path:
        value = value.get(key) if isinstance(value, Mapping) else None
    if value is None:
        return [], False
    if not found.connection:
        return (list(value) if found.many else [value]), False
    edges_key, node_key, info = _connection_keys(value, found)
    entries = [edge[node_key] for edge in value.get(edges_key) or ()]
    return entries, bool(info)


def _connection_keys(value: Mapping[str, Any], found: _Entries) -> tuple[str, str, bool]:
    """Return under which keys the edges and their nodes stand; aliases may have renamed them."""
    node_key = found.nodes[0].node.alias.value if found.nodes[0].node.alias else "node"
    edges_key = next((key for key, each in value.items() if isinstance(each, list)), "edges")
    infos = [each for each in value.values() if isinstance(each, Mapping)]
    return edges_key, node_key, any(info.get("hasNextPage") is True for info in infos)


def _cell(entry: Any, path: Path) -> object:
    value = entry
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _within(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    size = 0
    for number, row in enumerate(rows):
        size += len(orjson.dumps(row))
        if size > MOST_BYTES:
            return rows[:number]
    return rows
