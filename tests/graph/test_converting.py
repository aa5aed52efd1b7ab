"""Inputs that are made by a plan are those that Strawberry makes field by field."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import pytest
import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
)
from strawberry.types.arguments import convert_argument
from strawberry.types.base import StrawberryObjectDefinition

from app.wiring import System
from graph.converting import Inputs
from graph.schema import Schema

LEAVES: dict[str, object] = {
    "Int": 7, "Float": 1.5, "Boolean": True, "DateTime": datetime(2026, 11, 21, tzinfo=UTC), "Date": date(2026, 11, 21),
    "JSON": {"a": [1, None]}, "BlendShapes": {"jawOpen": 0.5},
}  # fmt: skip


def coerced(type_: GraphQLInputType, *, whole: bool, depth: int = 0) -> object:
    """A value as graphql-core leaves it: every field of it, or only those that must be there."""
    if isinstance(type_, GraphQLNonNull):
        return coerced(type_.of_type, whole=whole, depth=depth)
    if isinstance(type_, GraphQLList):
        return [coerced(type_.of_type, whole=whole, depth=depth) for _ in range(2)]
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values.values())).value
    if not isinstance(type_, GraphQLInputObjectType):
        return LEAVES.get(get_named_type(type_).name, "text")
    given = {
        name: coerced(field.type, whole=whole, depth=depth + 1)
        for name, field in type_.fields.items()
        if isinstance(field.type, GraphQLNonNull) or (whole and depth < 4)
    }
    nulls = {name: None for name, field in type_.fields.items() if name not in given and depth}
    return dict([*given.items()][:1]) if type_.is_one_of else given | nulls


@contextmanager
def without_plans(schema: Schema) -> Iterator[None]:
    definitions = [
        each.definition
        for each in schema.schema_converter.type_map.values()
        if isinstance(each.definition, StrawberryObjectDefinition) and each.definition.is_input
    ]
    plans = [definition.from_input for definition in definitions]
    try:
        for definition in definitions:
            definition.from_input = None
        yield
    finally:
        for definition, plan in zip(definitions, plans, strict=True):
            definition.from_input = plan


def converted(schema: Schema, definition: StrawberryObjectDefinition, value: object) -> Any:
    registry = schema.schema_converter.scalar_registry
    return convert_argument(value, definition.origin, registry, schema.config)


@pytest.mark.parametrize("whole", [True, False])
def test_every_input_is_what_strawberry_makes_of_it(system: System, *, whole: bool) -> None:
    schema, compared = system.schema, 0
    for each in schema.schema_converter.type_map.values():
        definition = each.definition
        if not (isinstance(definition, StrawberryObjectDefinition) and definition.is_input):
            continue
        assert isinstance(each.implementation, GraphQLInputObjectType)
        assert isinstance(definition.from_input, Inputs)
        value = coerced(each.implementation, whole=whole)
        made = converted(schema, definition, value)
        with without_plans(schema):
            assert made == converted(schema, definition, value), definition.name
        assert type(made) is definition.origin
        compared += 1
    assert compared > 50


def test_what_was_left_out_is_told_from_null_and_lists_are_copied(system: System) -> None:
    definitions = {name: each.definition for name, each in system.schema.schema_converter.type_map.items()}
    definition = definitions["PersonUpdateInput"]
    assert isinstance(definition, StrawberryObjectDefinition)
    marked = definitions["NotificationsMarkReadInput"]
    assert isinstance(marked, StrawberryObjectDefinition)
    ids = ["notification_1"]

    left_out = converted(system.schema, definition, {"personId": "person_1"})
    null = converted(system.schema, definition, {"personId": "person_1", "city": None})

    assert (left_out.city, null.city) == (strawberry.UNSET, None)
    assert converted(system.schema, marked, {"ids": ids}).ids == ids
    assert converted(system.schema, marked, {"ids": ids}).ids is not ids
