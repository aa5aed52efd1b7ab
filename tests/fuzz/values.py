"""Values for the variables of an operation: mostly what the schema asks for, at its edges, and sometimes anything."""

from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    is_required_input_field,
    type_from_ast,
)
from hypothesis import strategies as st

from domain.values import new_id

TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "",
            "\x00",
            "a\x00b",
            "\ud800",
            "%",
            "_\\",
            "'; DROP TABLE people; --",
            "\u202e right to left",
            "x" * 20_000,
            "+919820012345",
            "asha@rao.example",
            "1e309",
            "NaN",
            "-0",
            "{}",
        ]
    ),
)
NUMBERS = st.one_of(
    st.integers(-5, 250),
    st.sampled_from([2**31 - 1, 2**31, -(2**31) - 1, 2**53, 2**63, 10**40]),
    st.floats(allow_nan=False, allow_infinity=False),
)
MOMENTS = st.one_of(
    st.datetimes().map(lambda each: f"{each.isoformat()}Z"),
    st.sampled_from(
        ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999-12:00", "2026-02-30T00:00:00Z", "2026-11-21", "infinity"]
    ),
)
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "Boolean": st.booleans(),
    "Date": MOMENTS,
    "DateTime": MOMENTS,
    "Decimal": st.one_of(NUMBERS.map(str), TEXTS),
    "Float": NUMBERS,
    "Int": NUMBERS,
}
ID_PREFIXES = ("person", "lead", "user", "task", "thread", "property", "interaction", "fact", "operation", "key", "x")


def ids(known: list[str]) -> st.SearchStrategy[str]:
    """Ids of rows that there are, of rows that there are not, and what is no id."""
    strange = st.sampled_from([f"{prefix}_{new_id()}" for prefix in ID_PREFIXES])
    return st.one_of(st.sampled_from(known), strange, TEXTS)


def of_type(type_: Any, known: list[str], depth: int = 4) -> st.SearchStrategy[Any]:
    """Values of an input type; one in ten is anything at all."""
    return st.integers(0, 9).flatmap(lambda drawn: ANYTHING if drawn == 0 else _right(type_, known, depth))


def _right(type_: Any, known: list[str], depth: int) -> st.SearchStrategy[Any]:
    if isinstance(type_, GraphQLNonNull):
        return _right(type_.of_type, known, depth)
    if isinstance(type_, GraphQLList):
        return st.lists(of_type(type_.of_type, known, depth - 1), max_size=3)
    if isinstance(type_, GraphQLEnumType):
        return st.sampled_from(list(type_.values))
    if isinstance(type_, GraphQLInputObjectType):
        return _object(type_, known, depth - 1)
    return ids(known) if type_.name == "ID" else SCALARS.get(type_.name, TEXTS)


def _object(type_: GraphQLInputObjectType, known: list[str], depth: int) -> st.SearchStrategy[Any]:
    fields = {name: of_type(field.type, known, depth) for name, field in type_.fields.items()}
    if type_.is_one_of:
        return st.one_of(*(st.fixed_dictionaries({name: each}) for name, each in fields.items()))
    required = {name: each for name, each in fields.items() if is_required_input_field(type_.fields[name])}
    rest = {name: each for name, each in fields.items() if name not in required} if depth > 0 else {}
    return st.fixed_dictionaries(required, optional=rest)


def variables(schema: GraphQLSchema, operation: OperationDefinitionNode, known: list[str]) -> st.SearchStrategy[Any]:
    """Variables of one operation."""
    given: dict[str, st.SearchStrategy[Any]] = {}
    left_out: dict[str, st.SearchStrategy[Any]] = {}
    for each in operation.variable_definitions or ():
        type_ = type_from_ast(schema, each.type)
        chosen = given if isinstance(type_, GraphQLNonNull) else left_out
        chosen[each.variable.name.value] = of_type(type_, known)
    return st.fixed_dictionaries(given, optional=left_out)
