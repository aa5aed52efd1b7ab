"""What has been declared so far: nouns and values by name, so that types can name each other without importing."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from domain.reading import Row


@dataclass(slots=True)
class Declared:
    """A declared noun or value: its class, and for a noun its prefix, kinds, filter and order inputs."""

    name: str
    cls: type
    prefix: str | None = None
    kinds: dict[str, type] = field(default_factory=dict)
    filter: type | None = None
    order: type | None = None
    orders: tuple[str, ...] = ()
    wrapped: dict[str, str] = field(default_factory=dict)


class Registry:
    """Every declaration of the schema."""

    def __init__(self) -> None:
        """Start empty."""
        self.types: Final[dict[str, type]] = {}
        self.nouns: Final[dict[str, Declared]] = {}
        self.values: Final[dict[str, Declared]] = {}
        self.by_type: Final[dict[type, Declared]] = {}
        self.by_prefix: Final[dict[str, Declared]] = {}

    def add_noun(self, declared: Declared) -> None:
        """Register a noun under its name, its prefix and its class."""
        if declared.prefix is None or declared.name in self.nouns or declared.prefix in self.by_prefix:
            raise ValueError(f"Noun {declared.name!r} has no prefix of its own, or is declared twice.")
        self.nouns[declared.name] = declared
        self.by_prefix[declared.prefix] = declared
        self.add_type(declared.cls, declared)

    def add_value(self, declared: Declared) -> None:
        """Register a value under its name and its class."""
        self.values[declared.name] = declared
        self.add_type(declared.cls, declared)

    def add_type(self, type_: type, declared: Declared | None = None) -> None:
        """Make a class known by its name."""
        self.types[type_.__name__] = type_
        if declared is not None:
            self.by_type[type_] = declared

    def materialise(self, declared: Declared, row: Row) -> object:
        """Make the object that Strawberry resolves from an answered row; nested values become objects too."""
        kind = row.get("kind")
        cls = declared.kinds[str(kind)] if declared.kinds else declared.cls
        instance: object = object.__new__(cls)
        instance.__dict__.update(row)
        if declared.wrapped:
            for key, entry in row.items():
                inner = declared.wrapped.get(key.partition(":")[0])
                if inner is not None and entry is not None:
                    instance.__dict__[key] = self._wrapped(self.values[inner], entry)
        return instance

    def _wrapped(self, declared: Declared, entry: Any) -> object:
        if isinstance(entry, list):
            return [self.materialise(declared, item) for item in entry]
        return self.materialise(declared, entry)


REGISTRY: Final = Registry()


class Names(dict[str, Any]):
    """A module's names, and behind them every declared type: nouns name each other without import cycles."""

    def __missing__(self, name: str) -> Any:
        """Look a type up among the declarations."""
        if name in REGISTRY.types:
            return REGISTRY.types[name]
        return getattr(builtins, name) if hasattr(builtins, name) else self._unknown(name)

    def _unknown(self, name: str) -> Any:
        raise KeyError(name)


def order_members(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return enum members whose value is their name, as answered rows print them."""
    return [(name, name) for name in names]
