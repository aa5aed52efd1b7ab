"""Whom a component's rows are about, whatever columns it has: its document is run with the id of every node in it.

The ids stand under a name that no client uses, so the rows are made of the same answer as if they were not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLCompositeType,
    GraphQLSchema,
    NameNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    visit,
)

from graph import ids

MARK: Final = "velocity__subject"
"""The response key of the ids."""

PERSON: Final = "Person"

_ID: Final = FieldNode(
    alias=NameNode(value=MARK), name=NameNode(value="id"), arguments=(), directives=(), selection_set=None
)


def marked(schema: GraphQLSchema, document: DocumentNode) -> DocumentNode:
    """Return a valid document that selects also the id of every node, and of the person of what has no id."""
    types = TypeInfo(schema)
    found: DocumentNode = visit(document, TypeInfoVisitor(types, _Marking(types)))
    return found


def subjects(answer: object, variables: Mapping[str, Any]) -> frozenset[tuple[str, UUID]]:
    """Return the nouns and ids of the nodes of a marked document's answer, and of those that its variables name."""
    found = map(ids.parsed, (*_marks(answer), *_texts(variables)))
    return frozenset((noun.name, row_id) for noun, row_id in filter(None, found))


class _Marking(Visitor):
    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self._types = types

    def leave_selection_set(self, node: SelectionSetNode, *_: object) -> SelectionSetNode | None:
        mark = _mark_of(self._types.get_parent_type())
        return None if mark is None else SelectionSetNode(selections=(*node.selections, mark))


def _mark_of(type_: GraphQLCompositeType | None) -> FieldNode | None:
    fields = getattr(type_, "fields", {})
    if "id" in fields:
        return _ID
    # The roots have people too, but by an argument; what only holds a person has them as they are.
    person = fields.get("person")
    if person is None or person.args or getattr(get_named_type(person.type), "name", "") != PERSON:
        return None
    return FieldNode(
        alias=_ID.alias, name=NameNode(value="person"), arguments=(), directives=(),
        selection_set=SelectionSetNode(selections=(_ID,)),
    )  # fmt: skip


def _marks(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _marks(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key == MARK and isinstance(each, str):
                yield each
            else:
                yield from _marks(each)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
