"""The shape of a whole answer, without GraphQL and without SQL: what a compiled read prints, part by part.

`graph` makes a plan of a document once; `db` makes a statement of a plan for a role and a shape of its arguments. What
changes from request to request stands apart: pages by their number, values and ids by theirs.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias
from uuid import UUID

from domain.access import Caller
from domain.events import Event
from domain.reading import Page


@dataclass(frozen=True, slots=True)
class TypeName:
    """`__typename`: the name of the shape that it stands in."""

    key: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """A column of the row, under a response key."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Nested:
    """A value of the row, or a value on its own: `arguments` is the number of its arguments in the request.

    An interface value has `kinds`, each with its type's name and its parts, and no parts of its own.
    """

    key: str
    name: str
    type_name: str
    arguments: int | None
    parts: tuple[Part, ...]
    kinds: Mapping[str, tuple[str, tuple[Part, ...]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shape:
    """What is printed of a noun's row. An interface noun has one list of parts for each kind, by the kind's name."""

    noun: str
    type_names: Mapping[str, str]
    parts: Mapping[str, tuple[Part, ...]]
    complete: bool = True
    """False where the field admits some kinds only: rows of the others are null."""

    @property
    def uniform(self) -> bool:
        """Whether every row prints the same, but for its type's name."""
        first, *others = self.parts.values()
        return self.complete and all(other == first for other in others)


@dataclass(frozen=True, slots=True)
class One:
    """A link to one row, or None."""

    key: str
    name: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Many:
    """A list of rows without pages."""

    key: str
    name: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class AnyOf:
    """A reference to a row of one of several nouns."""

    key: str
    name: str
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A part of a connection, an edge or the page information: `name` is the field, `parts` what is inside it."""

    key: str
    name: str
    parts: tuple[Entry, ...] = ()
    shape: Shape | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A connection: `page` is the number of its page in the request."""

    key: str
    name: str
    noun: str
    page: int
    entries: tuple[Entry, ...]
    type_names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ById:
    """A root field that answers one row by an id: `id` is the number of the id in the request; None is the caller's."""

    key: str
    id: int | None
    shape: Shape


@dataclass(frozen=True, slots=True)
class ByIds:
    """A root field that answers the row behind each id of a list, or (not `many`) behind one, whatever its noun."""

    key: str
    ids: int
    shapes: Mapping[str, Shape]
    many: bool


Part: TypeAlias = TypeName | Leaf | Nested | One | Many | AnyOf | Listed | ById | ByIds


def parts_below(parts: Iterable[Part]) -> Iterator[Part]:
    """Return every part of an answer, the ones inside others too."""
    for part in parts:
        yield part
        if isinstance(part, Nested):
            yield from parts_below(part.parts)
            for _, parts_of_kind in part.kinds.values():
                yield from parts_below(parts_of_kind)
        for shape in _shapes(part):
            for parts_of_kind in shape.parts.values():
                yield from parts_below(parts_of_kind)


def _shapes(part: Part) -> Iterable[Shape]:
    match part:
        case One() | Many() | ById():
            return (part.shape,)
        case AnyOf():
            return part.shapes
        case ByIds():
            return part.shapes.values()
        case Listed():
            return [inner.shape for edge in part.entries for inner in edge.parts if inner.shape is not None]
        case _:
            return ()


@dataclass(slots=True)
class Plan:
    """A document's answer. `nouns` are those of its pages by their numbers, once somebody has looked.

    What a subscription answers for each event is a plan too: its one part is the event's value, and `required` names
    the links that must lead to rows that the caller may see, or else there is nothing to tell.
    """

    parts: tuple[Part, ...]
    type_name: str
    nouns: dict[int, str] | None = None
    required: tuple[str, ...] = ()
    settled: dict[int, object] = field(default_factory=dict)
    """What whoever answers has found out of a page that was asked for, by its number."""


GlobalId: TypeAlias = tuple[str, UUID]
"""A noun and the id of one of its rows."""


@dataclass(slots=True)
class Given:
    """What one request gives to a plan, by the numbers that the plan's parts name."""

    pages: Sequence[Page]
    arguments: Sequence[Mapping[str, object]]
    ids: Sequence[Sequence[GlobalId | None]]
    settled: dict[str, object] = field(default_factory=dict)
    """What whoever answers has found out of it for a caller, by the caller's principal."""


SKIPPED: Final = b"\x01"
"""Where an answer says how many events it stands for beside its own: a byte that is never part of JSON."""


class Answers(Protocol):
    """Answers whole plans."""

    async def answer(self, caller: Caller, plan: Plan, given: Given) -> bytes:
        """Return the JSON text of `data`; raises Invalid for a page or an argument that cannot be answered."""

    async def told(
        self, caller: Caller, plan: Plan, given: Given, sequences: Sequence[int]
    ) -> Sequence[tuple[int, bytes]]:
        """Return the number and the JSON text of `data` of each of these events that the caller may see, in order."""

    async def framed(
        self, caller: Caller, plan: Plan, given: Given, frames: Sequence[Event], position: int
    ) -> Sequence[tuple[int, bytes]]:
        """Return the place in `frames` and the JSON text of `data` of each frame that the caller may see, in order.

        They are answered as if they were events, and all repeat the same position.
        """

    def scope(self, caller: Caller, plan: Plan, given: Given) -> Hashable:
        """Return what the answers to a caller depend on: two callers with equal scopes are told the same."""
