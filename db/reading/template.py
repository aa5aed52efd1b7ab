"""A statement written once for many requests: values that a request brings are slots, the others stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from db.reading.writer import Alias, Writer
from domain.access import Caller
from domain.signing import AssetKey, EventKey


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a value of the request, such as `page 2, size`."""

    name: str


TENANT: Final = Slot("tenant")
VIEWER: Final = Slot("viewer")
MEMBERS: Final = Slot("members")
SEQUENCES: Final = Slot("sequences")
"""The numbers of the events that are asked for."""
FRAMES: Final = Slot("frames")
"""What is told though it is no event, as JSON."""


@dataclass(frozen=True, slots=True)
class Template:
    """A statement and, in the order of its parameters, the slots and values that fill them."""

    sql: str
    values: tuple[object, ...]
    reads: tuple[tuple[str, str], ...] = ()
    """Where each connection and list reads its rows: its path in the answer, and the alias of its table."""

    def filled(self, bound: Mapping[str, object]) -> list[object]:
        """Return the parameters of one request."""
        return [bound[value.name] if isinstance(value, Slot) else value for value in self.values]


class TemplateWriter(Writer):
    """A writer whose caller is known by role only: tenant, user and members are slots."""

    def __init__(self, caller: Caller, asset_key: AssetKey | None = None, event_key: EventKey | None = None) -> None:
        """Write for the role of `caller`; the keys are as for every writer."""
        super().__init__(caller, asset_key, event_key)
        self.reads: Final[list[tuple[str, str]]] = []
        self._path: Final[list[str]] = []

    @contextmanager
    def within(self, key: str) -> Iterator[None]:
        """Write what the answer has under a key."""
        self._path.append(key)
        yield
        self._path.pop()

    def read(self, t: Alias) -> None:
        """Note that the connection or list being written reads its rows from `t`."""
        self.reads.append((".".join(self._path), t.name))

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
