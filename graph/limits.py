"""How much one request may ask: what can be counted in a document alone, and what depends on its variables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSyntaxError,
    IntValueNode,
    Lexer,
    ListValueNode,
    Node,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Source,
    TokenKind,
)

from graph.refusals import LimitExceeded, MalformedParameters

INTROSPECTION: Final = frozenset({"__schema", "__type"})
CIRCLES: Final = frozenset({"fields", "interfaces", "possibleTypes", "inputFields"})
"""The lists of introspection that lead back to types, and so multiply."""
OPENING: Final = frozenset({TokenKind.BRACE_L, TokenKind.BRACKET_L})
CLOSING: Final = frozenset({TokenKind.BRACE_R, TokenKind.BRACKET_R})


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may ask. The defaults are about twice what the largest client operation needs."""

    tokens: int = 1_000
    depth: int = 12
    nesting: int = 100
    aliases: int = 30
    directives: int = 20
    introspection_depth: int = 2
    nodes: int = 20_000
    points: int = 20_000
    list_items: int = 1_000
    digits: int = 400
    document_characters: int = 32 * 1024
    body_bytes: int = 256 * 1024
    variable_bytes: int = 256 * 1024
    response_bytes: int = 8 * 1024 * 1024
    deadline_seconds: float = 10
    body_seconds: float = 10


@dataclass(frozen=True, slots=True)
class Counted:
    """What a selection holds, fragments written out."""

    depth: int = 0
    aliases: int = 0
    directives: int = 0
    circles: int = 0

    def beside(self, other: Counted) -> Counted:
        """Return what two selections of one set hold together."""
        return Counted(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.directives + other.directives,
            max(self.circles, other.circles),
        )


def check_nesting(text: str, tokens: int, allowed: int) -> None:
    """Refuse a document whose braces and brackets lie so deep within each other that no recursion should follow them.

    Raises LimitExceeded. Only the first `tokens` are looked at: the parser refuses what has more.
    """
    if text.count("{") + text.count("[") <= allowed:
        return
    lexer = Lexer(Source(text))
    level = deepest = 0
    for _ in range(tokens):
        try:
            kind = lexer.advance().kind
        except GraphQLSyntaxError:
            # The parser says so, and where.
            break
        level += (kind in OPENING) - (kind in CLOSING)
        deepest = max(deepest, level)
    if deepest > allowed:
        raise too_nested(deepest, allowed)


def too_nested(asked: int, allowed: int) -> LimitExceeded:
    """Return the refusal of a document that nests too deep."""
    return LimitExceeded("nesting", "levels of nesting", asked, allowed)


class _Counting:
    """Counts one document; each fragment is counted once, however often it is spread."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._known: dict[str, Counted] = {}

    def definition(self, node: OperationDefinitionNode | FragmentDefinitionNode) -> Counted:
        """Count one definition."""
        variables = getattr(node, "variable_definitions", None) or ()
        directives = len(node.directives or ()) + sum(len(each.directives or ()) for each in variables)
        return Counted(directives=directives).beside(self._set(node.selection_set))

    def _set(self, selection: SelectionSetNode | None) -> Counted:
        total = Counted()
        for node in selection.selections if selection is not None else ():
            total = total.beside(self._one(node))
        return total

    def _one(self, node: Node) -> Counted:
        own = Counted(directives=len(getattr(node, "directives", None) or ()))
        if isinstance(node, FragmentSpreadNode):
            return own.beside(self._fragment(node.name.value))
        below = self._set(getattr(node, "selection_set", None))
        if not isinstance(node, FieldNode):
            return own.beside(below)
        name = node.name.value
        return Counted(
            # Introspection nests deeper than data does, and has a limit of its own.
            depth=1 if name in INTROSPECTION else 1 + below.depth,
            aliases=below.aliases + (node.alias is not None),
            directives=below.directives + own.directives,
            circles=below.circles + (name in CIRCLES),
        )

    def _fragment(self, name: str) -> Counted:
        if name not in self._known:
            # Until it is counted it counts for nothing: a circle ends here, and is for validation to refuse.
            self._known[name] = Counted()
            if name in self._fragments:
                self._known[name] = self.definition(self._fragments[name])
        return self._known[name]


def document_check(limits: Limits) -> Callable[[DocumentNode], list[GraphQLError]]:
    """Return the check that a parsed document passes before it is validated."""

    def check(document: DocumentNode) -> list[GraphQLError]:
        counting = _Counting(document)
        counted = Counted()
        for node in document.definitions:
            if isinstance(node, OperationDefinitionNode):
                counted = counted.beside(counting.definition(node))
        items, digits = _longest_literals(document)
        introspects = any(_introspects(node) for node in document.definitions)
        found = [
            LimitExceeded(name, what, asked, allowed)
            for name, what, asked, allowed in (
                ("depth", "levels", counted.depth, limits.depth),
                ("aliases", "aliases", counted.aliases, limits.aliases),
                ("directives", "directives", counted.directives, limits.directives),
                (
                    "introspectionDepth",
                    "nested lists of introspection",
                    counted.circles if introspects else 0,
                    limits.introspection_depth,
                ),
                ("listItems", "items in one list", items, limits.list_items),
                ("digits", "digits in one number", digits, limits.digits),
            )
            if asked > allowed
        ]
        return [GraphQLError(error.message, original_error=error) for error in found]

    return check


def _introspects(definition: Node) -> bool:
    selection: SelectionSetNode | None = getattr(definition, "selection_set", None)
    return selection is not None and bool(INTROSPECTION & set(_field_names(selection)))


def _field_names(selection: SelectionSetNode) -> Iterator[str]:
    for node in selection.selections:
        if isinstance(node, FieldNode):
            yield node.name.value
        below: SelectionSetNode | None = getattr(node, "selection_set", None)
        if below is not None:
            yield from _field_names(below)


def _longest_literals(document: DocumentNode) -> tuple[int, int]:
    """Return how many items the longest list written into a document has, and the longest number characters."""
    items = digits = 0
    waiting: list[object] = list(document.definitions)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ListValueNode):
            items = max(items, len(node.values))
            waiting += node.values
        elif isinstance(node, ObjectValueNode):
            waiting += [each.value for each in node.fields]
        elif isinstance(node, IntValueNode | FloatValueNode):
            digits = max(digits, len(node.value))
        else:
            waiting += _parts(node)
    return items, digits


def _parts(node: object) -> Iterable[object]:
    for name in ("variable_definitions", "arguments", "directives"):
        yield from getattr(node, name, None) or ()
    selection: SelectionSetNode | None = getattr(node, "selection_set", None)
    if selection is not None:
        yield from selection.selections
    for name in ("value", "default_value"):
        value = getattr(node, name, None)
        if isinstance(value, Node):
            yield value


_NESTED: Final = (dict, list)


def check_variables(variables: Mapping[str, object], limits: Limits) -> None:
    """Refuse variables that are too large as a whole, or hold too long a list; raises LimitExceeded."""
    try:
        size = len(orjson.dumps(variables))
    except TypeError as error:
        raise MalformedParameters("`variables` hold a number or a text that JSON in UTF-8 cannot carry.") from error
    if size > limits.variable_bytes:
        raise LimitExceeded("variableBytes", "bytes of variables", size, limits.variable_bytes)
    # Nearly all of what a large request holds is numbers, which are not looked at one by one.
    waiting: list[object] = list(variables.values())
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            if len(value) > limits.list_items:
                raise LimitExceeded("listItems", "items in one list", len(value), limits.list_items)
            waiting += [each for each in value if isinstance(each, _NESTED)]
        elif isinstance(value, dict):
            waiting += [each for each in value.values() if isinstance(each, _NESTED)]
