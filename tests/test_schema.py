"""The printed schema is current, and says what everything in it is for."""

from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
)

from app.wiring import proven_schema

ROOT = Path(__file__).parents[1]
ROOTS = {"Query", "Mutation", "Subscription"}


def test_schema_graphql_is_what_the_code_prints() -> None:
    assert (ROOT / "schema.graphql").read_text(encoding="utf-8") == proven_schema().as_str() + "\n"


def test_every_type_field_argument_and_enum_value_is_described() -> None:
    schema = build_schema((ROOT / "schema.graphql").read_text(encoding="utf-8"))
    assert undescribed(schema) == []


def test_a_missing_description_is_found() -> None:
    schema = build_schema('enum A { B } type Query { a(b: Int): A } input C { d: Int } "ok" type E { "ok" f: Int }')
    assert undescribed(schema) == ["A", "A.B", "C", "C.d", "Query.a", "Query.a(b)"]


def undescribed(schema: GraphQLSchema) -> list[str]:
    """Return what has no description, by its coordinate."""
    found = []
    for name, type_ in schema.type_map.items():
        if name.startswith("__") or name in {"String", "Int", "Float", "Boolean", "ID"}:
            continue
        if not type_.description and name not in ROOTS:
            found.append(name)
        if isinstance(type_, GraphQLEnumType):
            found += [f"{name}.{value}" for value, each in type_.values.items() if not each.description]
        if isinstance(type_, GraphQLInputObjectType):
            found += [f"{name}.{field}" for field, each in type_.fields.items() if not each.description]
        if isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType)):
            for field, declared in type_.fields.items():
                found += [] if declared.description else [f"{name}.{field}"]
                found += [f"{name}.{field}({arg})" for arg, each in declared.args.items() if not each.description]
    return sorted(found)
