"""What an operation may cost: rows and points, computed once per document up to the variables that size its pages.

A row costs 1 point, a page or a list 1, counting a whole list 5, a mutation 10; scalars are free. Pages multiply what
is selected inside them, through fragments too. It is an upper bound of what is asked, not of what there is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Final, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
)

Variables = Mapping[str, object]

PAGE: Final = 20
"""Rows of a page where neither `first` nor `last` is given."""
LARGEST_PAGE: Final = 100
"""The largest page that is ever read; a larger one is refused by the read itself."""
LIST: Final = 10
"""Rows that are expected of a list without a size."""
COUNT_POINTS: Final = 5
MUTATION_POINTS: Final = 10
INTROSPECTION_POINTS: Final = 20
LARGEST_SERIES: Final = 2_000

SIZES: Final = {"first": LARGEST_PAGE, "last": LARGEST_PAGE, "ids": LARGEST_PAGE, "points": LARGEST_SERIES}
"""Arguments that say how many there will be, and the most that each can mean."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Rows that may be answered, and points."""

    nodes: int
    points: int

    def plus(self, other: Cost) -> Cost:
        """Return both together."""
        return Cost(self.nodes + other.nodes, self.points + other.points)

    def times(self, number: int) -> Cost:
        """Return it `number` times."""
        return Cost(self.nodes * number, self.points * number)

    def larger(self, other: Cost) -> Cost:
        """Return the larger of each."""
        return Cost(max(self.nodes, other.nodes), max(self.points, other.points))


ONE: Final = Cost(1, 1)

MOST_TERMS: Final = 200
"""How many products of sizes an estimate tells apart."""


@dataclass(frozen=True, slots=True, order=True)
class Size:
    """A size that a variable decides."""

    variable: str
    otherwise: int
    most: int

    def under(self, variables: Variables) -> int:
        """Return the size with these variables."""
        return _sized(variables.get(self.variable), self.otherwise, self.most)


Factors = tuple[Size, ...]
_FIXED: Final[Factors] = ()


@dataclass(frozen=True, slots=True)
class Estimate:
    """A sum of costs, each multiplied by the sizes that variables decide; what is fixed has no such factor."""

    terms: Mapping[Factors, Cost]

    def under(self, variables: Variables) -> Cost:
        """Return what it comes to with these variables."""
        nodes = points = 0
        for factors, cost in self.terms.items():
            number = 1
            for factor in factors:
                number *= factor.under(variables)
            nodes += cost.nodes * number
            points += cost.points * number
        return Cost(nodes, points)

    def joined(self, other: Estimate, join: Callable[[Cost, Cost], Cost]) -> Estimate:
        """Join two estimates, term by term."""
        if not other.terms:
            return self
        terms = dict(self.terms)
        for factors, cost in other.terms.items():
            terms[factors] = join(terms.get(factors, Cost(0, 0)), cost)
        return Estimate(terms if len(terms) <= MOST_TERMS else _folded(terms))

    def plus(self, other: Estimate) -> Estimate:
        """Return both together."""
        return self.joined(other, Cost.plus)

    def or_(self, other: Estimate) -> Estimate:
        """Return what neither of the two comes above."""
        return self.joined(other, Cost.larger)

    def times(self, size: int | Size) -> Estimate:
        """Return it as often as a size says."""
        if isinstance(size, int):
            return Estimate({factors: cost.times(size) for factors, cost in self.terms.items()})
        return Estimate({tuple(sorted((*factors, size))): cost for factors, cost in self.terms.items()})


def _folded(terms: Mapping[Factors, Cost]) -> dict[Factors, Cost]:
    """Take every size for its largest: a document with so many products of sizes is not worth more care."""
    total = Cost(0, 0)
    for factors, cost in terms.items():
        total = total.plus(cost.times(prod(factor.most for factor in factors)))
    return {_FIXED: total}


FREE: Final = Estimate({})


def fixed(nodes: int, points: int) -> Estimate:
    """Return an estimate that no variable changes."""
    return Estimate({_FIXED: Cost(nodes, points)})


@dataclass(frozen=True, slots=True)
class _Selected:
    """What a selection costs once, and what it costs per row of the page that it is the selection of."""

    once: Estimate = FREE
    per_row: Estimate = FREE

    def plus(self, other: _Selected) -> _Selected:
        return _Selected(self.once.plus(other.once), self.per_row.plus(other.per_row))

    def or_(self, other: _Selected) -> _Selected:
        return _Selected(self.once.or_(other.once), self.per_row.or_(other.per_row))


class Estimator:
    """Estimates the operations of one validated document."""

    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        """Know the document's fragments; each is estimated once for an operation, however often it is spread."""
        self._schema = schema
        self._fragments = fragments
        self._known: dict[str, _Selected] = {}
        self._defaults: dict[str, object] = {}

    def operation(self, node: OperationDefinitionNode) -> Estimate:
        """Estimate an operation; its base price is one point."""
        self._known.clear()
        self._defaults = {
            each.variable.name.value: _literal(each.default_value)
            for each in node.variable_definitions or ()
            if each.default_value is not None
        }
        root = self._schema.get_root_type(node.operation)
        return fixed(0, 1).plus(self._set(root, node.selection_set).once)

    def _set(self, parent: object, selection: SelectionSetNode | None) -> _Selected:
        """Estimate a selection. Of an abstract type's kinds the dearest is taken: a row is of one kind only."""
        total = _Selected()
        kinds: dict[str, _Selected] = {}
        for node in selection.selections if selection is not None else ():
            if isinstance(node, FieldNode):
                total = total.plus(self._field(parent, node))
                continue
            condition, selected = self._fragment(parent, node)
            if condition is not parent and isinstance(condition, GraphQLObjectType):
                kinds[condition.name] = kinds.get(condition.name, _Selected()).plus(selected)
            else:
                total = total.plus(selected)
        dearest = _Selected()
        for selected in kinds.values():
            dearest = dearest.or_(selected)
        return total.plus(dearest)

    def _fragment(self, parent: object, node: object) -> tuple[object, _Selected]:
        if not isinstance(node, FragmentSpreadNode):
            inline = cast("InlineFragmentNode", node)
            named = inline.type_condition
            within: object = self._schema.get_type(named.name.value) if named is not None else parent
            return within, self._set(within, inline.selection_set)
        name = node.name.value
        fragment = self._fragments[name]
        condition = self._schema.get_type(fragment.type_condition.name.value)
        if name not in self._known:
            self._known[name] = self._set(condition, fragment.selection_set)
        return condition, self._known[name]

    def _field(self, parent: object, node: FieldNode) -> _Selected:
        name = node.name.value
        if name.startswith("__"):
            return _Selected() if name == "__typename" else _Selected(fixed(0, INTROSPECTION_POINTS))
        field = cast("GraphQLObjectType | GraphQLInterfaceType", parent).fields[name]
        named = get_named_type(field.type)
        own = fixed(0, MUTATION_POINTS if parent is self._schema.mutation_type else 0)
        if not isinstance(named, (GraphQLObjectType, GraphQLInterfaceType, GraphQLUnionType)):
            counts = name == "totalCount" and _is_connection(parent)
            return _Selected(own.plus(fixed(0, COUNT_POINTS)) if counts else own)
        selected = self._set(named, node.selection_set)
        if _is_connection(parent):
            # The edges are as many as the page is large; neither they nor its other parts are rows.
            return _Selected(per_row=selected.once) if name == "edges" else selected
        if _is_connection(named):
            rows = selected.per_row.times(self._size(field, node, PAGE))
            return _Selected(own.plus(fixed(0, 1)).plus(selected.once).plus(rows))
        row = Estimate({_FIXED: ONE}).plus(selected.once)
        if _is_list(field):
            return _Selected(own.plus(fixed(0, 1)).plus(row.times(self._size(field, node, LIST))))
        return _Selected(own.plus(row))

    def _size(self, field: GraphQLField, node: FieldNode, otherwise: int) -> int | Size:
        for argument in node.arguments or ():
            name = argument.name.value
            if name not in SIZES or name not in field.args:
                continue
            most = SIZES[name]
            if not isinstance(argument.value, VariableNode):
                return _sized(_literal(argument.value), otherwise, most)
            variable = argument.value.name.value
            return Size(variable, _sized(self._defaults.get(variable), otherwise, most), most)
        return otherwise


def _is_connection(type_: object) -> bool:
    return isinstance(type_, GraphQLObjectType) and "edges" in type_.fields and "pageInfo" in type_.fields


def _is_list(field: GraphQLField) -> bool:
    type_ = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
    return isinstance(type_, GraphQLList)


def _sized(value: object, otherwise: int, most: int) -> int:
    """Return a size that was sent. What is no size at all is refused later, by its type."""
    if isinstance(value, list):
        return min(len(value), most)
    if isinstance(value, int) and not isinstance(value, bool):
        return max(0, min(value, most))
    return otherwise


def _literal(value: ValueNode | None) -> object:
    if isinstance(value, IntValueNode):
        return int(value.value)
    if isinstance(value, ListValueNode):
        return [None] * len(value.values)
    return None
