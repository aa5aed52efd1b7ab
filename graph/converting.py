"""How input objects are made of coerced values: what Strawberry asks of each field of each object is asked once.

A batch of a hundred packets is two hundred input objects: made one field at a time, they cost more than scoring them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING
from typing import Any, Final, TypeAlias, cast

import strawberry
from strawberry.scalars import is_scalar
from strawberry.types.arguments import InputContext
from strawberry.types.base import StrawberryList, StrawberryMaybe, StrawberryObjectDefinition, StrawberryOptional
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.lazy_type import LazyType

Convert: TypeAlias = Callable[[Any, InputContext], object]
"""Makes of a coerced value what a resolver is given."""


def prepare(schema: strawberry.Schema) -> None:
    """Have every input of a schema made by a plan; what it makes, and refuses, is what Strawberry makes and refuses."""
    for each in schema.schema_converter.type_map.values():
        definition = each.definition
        if isinstance(definition, StrawberryObjectDefinition) and definition.is_input:
            definition.from_input = Inputs(definition)


class Inputs:
    """Makes objects of one input type."""

    def __init__(self, definition: StrawberryObjectDefinition) -> None:
        """Look at the type when its first object is made: it may name types that come after it."""
        self._definition: Final = definition
        self._fields: dict[str, tuple[str, Convert | None]] | None = None
        self._absent: dict[str, object] = {}

    def __call__(self, made: type, value: Mapping[str, Any], context: InputContext) -> object:
        """Make one object of a coerced value."""
        fields = self._fields if self._fields is not None else self._planned(context)
        given = self._absent.copy()
        for name, entry in value.items():
            python_name, convert = fields[name]
            given[python_name] = entry if convert is None else convert(entry, context)
        return made(**given)

    def _planned(self, context: InputContext) -> dict[str, tuple[str, Convert | None]]:
        planned: dict[str, tuple[str, Convert | None]] = {}
        for field in self._definition.fields:
            if field.default_value is MISSING and field.default_factory is MISSING:
                self._absent[field.python_name] = None
            name = context.config.name_converter.from_field(field)
            planned[name] = field.python_name, _converter(field.resolve_type(type_definition=self._definition), context)
        self._fields = planned
        return planned


def _converter(type_: object, context: InputContext) -> Convert | None:
    """Return how values of a type are converted; None where they stay as they are."""
    while isinstance(type_, StrawberryOptional | LazyType) and not isinstance(type_, StrawberryMaybe):
        type_ = type_.resolve_type() if isinstance(type_, LazyType) else type_.of_type
    if isinstance(type_, StrawberryList):
        return _listed(_converter(type_.of_type, context))
    definition = getattr(type_, "__strawberry_definition__", type_)
    if isinstance(definition, StrawberryEnumDefinition) or is_scalar(cast("type", type_), context.scalar_registry):
        return None
    if isinstance(definition, StrawberryObjectDefinition) and isinstance(definition.from_input, Inputs):
        return _object(cast("type", type_), definition.from_input)
    return lambda value, context: context.convert(value, cast("type", type_))


def _object(made: type, inputs: Inputs) -> Convert:
    return lambda value, context: value if _absent(value) else inputs(made, value, context)


def _listed(convert: Convert | None) -> Convert:
    def converted(value: Iterable[Any], context: InputContext) -> object:
        if _absent(value):
            return value
        # A list is copied in any case: a default is the same list for every request.
        return list(value) if convert is None else [convert(each, context) for each in value]

    return converted


def _absent(value: object) -> bool:
    return value is None or value is strawberry.UNSET
