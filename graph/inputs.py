"""From GraphQL inputs to domain commands: ids parsed, text checked, money read; every issue of a form in one answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, Final, TypeVar, cast

import strawberry
from strawberry.types.field import StrawberryField

from domain.errors import Invalid, Issue
from domain.reading import client_name
from domain.values import Money
from graph import ids

C = TypeVar("C")

LONGEST_TEXT: Final = 10_000
LONGEST_LIST: Final = 250
ANY: Final = "any"
"""`of=ANY` takes the global id of any noun and gives `noun:uuid`."""


@strawberry.input(description="An amount of money.")
class MoneyInput:
    """Money as clients send it."""

    amount: str = strawberry.field(description="A decimal number such as 12500000.00; not negative.")
    currency: str = strawberry.field(description="ISO 4217, such as INR or AED.")


def argument(
    description: str,
    *,
    of: str | None = None,
    longest: int = LONGEST_TEXT,
    default: Any = dataclasses.MISSING,
    into: type | None = None,
    name: str | None = None,
    most: int = LONGEST_LIST,
) -> Any:
    """Declare an input field: `of` names the noun whose global id it takes (ANY: of whatever noun), `longest` bounds
    its text and `most` its list; `name` is for a field that Python cannot call by its name.

    `into` is what an input inside this one becomes; one that says nothing becomes a dict, a @oneOf its one entry.
    """
    metadata = {"of": of, "longest": longest, "into": into, "most": most}
    return strawberry.field(name=name, description=description, default=default, metadata=metadata)


def optional(
    description: str,
    *,
    of: str | None = None,
    longest: int = LONGEST_TEXT,
    into: type | None = None,
    name: str | None = None,
) -> Any:
    """Declare an input field that may be left out; left out and null are told apart."""
    return argument(description, of=of, longest=longest, default=strawberry.UNSET, into=into, name=name)


def once() -> Any:
    """Declare the idempotency key of an input."""
    return optional("Same key and input: same answer, one effect.", longest=200)


def unpacked(given: object, command: type[C], /, **extra: object) -> C:
    """Make a domain command from an input; raises Invalid with every issue.

    Input fields and command fields have the same names. An input that was left out takes the command's default.
    """
    reader = _Reader()
    values = {**reader.fields(given, ""), **extra}
    reader.refuse()
    wanted = {field.name for field in dataclasses.fields(cast("Any", command))}
    return command(**{name: value for name, value in values.items() if name in wanted})


def key_of(given: str | None) -> str | None:
    """Return an idempotency key, None where it was left out; an empty one is no key and is refused where it is used."""
    return None if given is strawberry.UNSET else given


def unpacked_filter(given: object, path: str) -> tuple[tuple[str, object], ...]:
    """Make the filter of a page from an input, absent and null entries left out; raises Invalid."""
    reader = _Reader()
    values = reader.fields(given, path)
    reader.refuse()
    return tuple((name, _hashable(value)) for name, value in values.items() if value is not None)


def _hashable(value: object) -> object:
    if isinstance(value, list):
        return tuple(_hashable(item) for item in value)
    return value.name if isinstance(value, Enum) else value


_PLAIN: Final = frozenset({bool, int, float, datetime, date, dict, tuple, type(None)})
"""What is taken as it is."""


@cache
def _declared(input_type: Hashable) -> tuple[tuple[str, str, Mapping[Any, Any]], ...]:
    """Return the name, the client's name and the metadata of each field of an input."""
    definition = input_type.__strawberry_definition__  # type: ignore[attr-defined]  # inputs are Strawberry's
    fields = cast("list[StrawberryField]", definition.fields)
    return tuple((field.python_name, client_name(field.python_name), field.metadata) for field in fields)


class _Reader:
    """Collects issues while it converts."""

    def __init__(self) -> None:
        self._issues: list[Issue] = []

    def refuse(self) -> None:
        if self._issues:
            raise Invalid(issues=tuple(self._issues))

    def fields(self, given: object, path: str) -> dict[str, object]:
        """Convert every field of an input that the client gave."""
        values: dict[str, object] = {}
        for python_name, client, metadata in _declared(cast("Hashable", type(given))):
            value = getattr(given, python_name)
            if value is strawberry.UNSET:
                continue
            if type(value) in _PLAIN:
                values[python_name] = value
                continue
            try:
                values[python_name] = self._value(value, metadata, f"{path}.{client}" if path else client)
            except Invalid as error:
                self._issues.extend(error.issues)
        return values

    def _value(self, value: object, metadata: Mapping[Any, Any], path: str) -> object:
        if isinstance(value, list):
            if len(value) > (most := metadata.get("most", LONGEST_LIST)):
                raise Invalid(f"A list has at most {most} entries.", field=path)
            return [self._value(item, metadata, path) for item in value]
        if isinstance(value, MoneyInput):
            return Money.parse(value.amount, value.currency, path)
        if isinstance(value, str):
            noun = metadata.get("of")
            if noun == ANY:
                return ids.pointer(value, path)
            return ids.expected(value, noun, path) if noun is not None else _text(value, metadata, path)
        if isinstance(value, Enum) or not hasattr(value, "__strawberry_definition__"):
            return value
        return self._nested(value, metadata.get("into"), path)

    def _nested(self, value: object, into: type | None, path: str) -> object:
        found = len(self._issues)
        fields = self.fields(value, path)
        if len(self._issues) > found:
            return None
        if into is not None:
            return into(**fields)
        definition = value.__strawberry_definition__  # type: ignore[attr-defined]  # inputs are Strawberry's
        return next(iter(fields.values())) if definition.is_one_of else fields


def _text(value: str, metadata: Mapping[Any, Any], path: str) -> str:
    longest = metadata.get("longest", LONGEST_TEXT)
    if len(value) > longest:
        raise Invalid(f"This text has at most {longest} characters; {len(value)} were sent.", field=path)
    return checked_text(value, path)


def checked_text(value: str, path: str) -> str:
    """Return text that PostgreSQL can hold; raises Invalid for NUL characters and unpaired surrogates."""
    if "\0" in value:
        raise Invalid("Text cannot hold a NUL character.", field=path)
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise Invalid("Text cannot hold an unpaired surrogate.", field=path)
    return value
