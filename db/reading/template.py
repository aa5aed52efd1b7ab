"""A statement written once for many requests: values that a request brings are slots, the others stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from db.reading.writer import Writer


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a value of the request, such as `page 2, size`."""

    name: str


TENANT: Final = Slot("tenant")
VIEWER: Final = Slot("viewer")
MEMBERS: Final = Slot("members")
SEQUENCES: Final = Slot("sequences")
"""The numbers of the events that are asked for."""


@dataclass(frozen=True, slots=True)
class Template:
    """A statement and, in the order of its parameters, the slots and values that fill them."""

    sql: str
    values: tuple[object, ...]

    def filled(self, bound: dict[str, object]) -> list[object]:
        """Return the parameters of one request."""
        return [bound[value.name] if isinstance(value, Slot) else value for value in self.values]


class TemplateWriter(Writer):
    """A writer whose caller is known by role only: tenant, user and members are slots."""

    @property
    def tenant(self) -> str:
        """The tenant's slot, bound once."""
        return self._once("tenant", "uuid", TENANT)

    @property
    def viewer(self) -> str:
        """The user's slot, bound once."""
        return self._once("viewer", "uuid", VIEWER)

    @property
    def members(self) -> str:
        """The members' slot, bound once."""
        return self._once("members", "uuid[]", MEMBERS)


class Scope:
    """One query level: joins collect here while its row is printed."""

    def __init__(self) -> None:
        """Start without joins."""
        self.joins: list[str] = []

    def join(self, w: TemplateWriter, query: str) -> str:
        """Join a subquery that answers at most one row with the column `j`; return that column."""
        name = w.alias().name
        self.joins.append(f" left join lateral ({query}) {name} on true")
        return f"{name}.j"

    def __str__(self) -> str:
        """Write the joins."""
        return "".join(self.joins)
