"""How a subscription is declared: which events it tells, what its arguments choose, and what it answers for each.

What it answers is a `value` of the event: `db` declares one of the same name over the events' table. A link that may
not be null decides who is told: an event whose link leads to nothing that a caller may see is not told to that caller.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar, dataclass_transform
from uuid import UUID

import strawberry
from strawberry.types.base import StrawberryOptional

from domain.access import Permission
from domain.events import Event
from domain.reading import FieldKind
from graph import ids
from graph.declaration import (
    Argument,
    DeclaredField,
    Specification,
    column,
    connection,
    fields_of,
    link,
    links,
    reference,
    specification_of,
    value,
)
from graph.scalars import EventCursor

T = TypeVar("T")

AFTER: Final = Argument(
    "after",
    EventCursor | None,
    "Begin behind this position: what came since is told first. Left out, it begins with what comes next.",
)


@dataclass(frozen=True, slots=True)
class Only:
    """An argument that narrows a subscription to the events about one row: in `entries` an event may name it."""

    name: str
    of: str
    entries: tuple[str, ...]
    description: str


@dataclass(frozen=True, slots=True)
class Stream:
    """Which events a subscription tells. With `newest_of`, a slow reader gets the newest for each such entry only.

    `told_to` is the entry that names the only user who may be told: nobody else's statement looks at the event.
    `frames` are the kinds that are told without being kept; of those in `newest`, a slow reader gets the newest only.
    """

    kinds: frozenset[str]
    only: tuple[Only, ...] = ()
    newest_of: str | None = None
    told_to: str | None = None
    frames: frozenset[str] = frozenset()
    newest: frozenset[str] = frozenset()

    def wanted(self, arguments: dict[str, Any], viewer: UUID) -> Callable[[Event], bool]:
        """Return which events are meant for somebody by a field's arguments. An id of another noun means none."""
        chosen: list[tuple[tuple[str, ...], str | None]] = []
        if self.told_to is not None:
            chosen.append(((self.told_to,), str(viewer)))
        for each in self.only:
            sent = arguments.get(each.name)
            if sent is None or sent is strawberry.UNSET:
                continue
            found = ids.parsed(sent)
            chosen.append((each.entries, str(found[1]) if found is not None and found[0].name == each.of else None))
        kinds = self.kinds | self.frames

        def wants(event: Event) -> bool:
            return event.kind in kinds and all(
                row_id is not None and any(event.entry(entry) == row_id for entry in entries)
                for entries, row_id in chosen
            )

        return wants


class StreamField(DeclaredField):
    """A root field of Subscription."""

    stream: Stream

    def __copy__(self) -> StreamField:
        """Keep what was declared."""
        copied = super().__copy__()
        if not isinstance(copied, StreamField):
            raise TypeError("A copy is of the same class.")
        copied.stream = self.stream
        return copied


def stream(
    description: str, permission: Permission, *, kinds: Iterable[str], only: tuple[Only, ...] = (),
    newest_of: str | None = None, told_to: str | None = None, frames: Iterable[str] = (), newest: Iterable[str] = (),
) -> Any:  # fmt: skip
    """Declare a subscription to the events of these kinds, and to the frames of those."""
    field = StreamField(description=description)
    arguments = [Argument(each.name, strawberry.ID | None, each.description) for each in only]
    field.specification = Specification(FieldKind.STREAM, (*arguments, AFTER), permission)
    field.stream = Stream(frozenset(kinds), only, newest_of, told_to, frozenset(frames), frozenset(newest))
    return field


@dataclass(frozen=True, slots=True)
class Sample:
    """What there is to tell of a subject: another `version` is another sample, and `root` is what the field answers."""

    subject: str
    version: Hashable
    root: object


class SampleField(DeclaredField):
    """A root field of Subscription that answers samples, which have no position: each is the operation's root value."""

    @property
    def is_async(self) -> bool:
        """The sample is there."""
        return False

    def get_result(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Any:
        """Answer the sample; whoever watches may."""
        return source


def samples(description: str, permission: Permission) -> Any:
    """Declare a subscription to samples: the newest stands for those that were skipped."""
    field = SampleField(description=description)
    field.specification = Specification(FieldKind.STREAM, (), permission)
    return field


@dataclass_transform(field_specifiers=(column, link, links, connection, reference))
def event(name: str, *, description: str, interface: bool = False) -> Callable[[type[T]], type[T]]:
    """Declare what is answered for each event: a value, with a link that decides who is told.

    Of an interface each kind of event is a type of its own, declared by `kind`.
    """

    def decorate(cls: type[T]) -> type[T]:
        made = value(name, description=description, interface=interface)(cls)
        if not required_links(made):
            raise ValueError(f"{name}: no link that may not be null says who is told.")
        return made

    return decorate


def required_links(cls: type) -> tuple[str, ...]:
    """Return the links of an event that may not be null."""
    found = []
    for field in fields_of(cls):
        specification = specification_of(field)
        if specification is not None and specification.kind is FieldKind.LINK and not _optional(field):
            found.append(field.python_name)
    return tuple(found)


def _optional(field: Any) -> bool:
    raw = field.type_annotation.raw_annotation
    return isinstance(raw, StrawberryOptional) or (isinstance(raw, str) and raw.replace(" ", "").endswith("|None"))
