"""Events: what a unit tells those who follow, its place in the tenant's sequence, and how the sequence is followed.

Events of one tenant are numbered from 1 without gaps, in the order in which their units committed. A position is the
number of the last event that somebody has seen; 0 is before the first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol
from uuid import UUID

from domain.errors import DomainError


class CursorExpired(DomainError):
    """The events after this cursor are no longer kept: read the present state, and follow from its cursor."""

    code = "CURSOR_EXPIRED"

    def __init__(self, oldest: int) -> None:
        """Name the oldest position from which everything is still there."""
        super().__init__(field="after")
        self.oldest = oldest


class EventChange(Enum):
    """What an event says of its subject."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"


@dataclass(frozen=True, slots=True)
class Event:
    """One event. It holds ids and names of kinds only; what it is about is read with the eyes of whoever follows."""

    sequence: int
    kind: str
    subject_noun: str | None
    subject_id: UUID | None
    person_id: UUID | None
    payload: Mapping[str, object]

    def entry(self, name: str) -> str | None:
        """Return `subject_id`, `person_id` or an entry of the payload as text; None where the event has none."""
        value = {"subject_id": self.subject_id, "person_id": self.person_id}.get(name) or self.payload.get(name)
        return None if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Kept:
    """Which part of a tenant's sequence is there: everything after `oldest`, up to `newest`."""

    oldest: int
    newest: int


Wake = Callable[[int], None]
"""Is told that a tenant's sequence has come to a number, or may have: then the number is 0."""


Hear = Callable[[Event], None]
"""Is told a frame: an event that is kept nowhere and has no number, told to whoever follows at that moment."""


class EventStream(Protocol):
    """A tenant's sequence of events."""

    async def kept(self, tenant_id: UUID) -> Kept:
        """Return which part of the sequence is there; raises Unavailable."""

    async def after(self, tenant_id: UUID, position: int, most: int) -> Sequence[Event]:
        """Return the events after a position, at most so many; raises CursorExpired where some of them are gone."""

    def watch(self, tenant_id: UUID, wake: Wake, hear: Hear) -> None:
        """Have `wake` called whenever there may be new events and `hear` for each frame, until `unwatch`.

        Neither may block.
        """

    def unwatch(self, tenant_id: UUID, wake: Wake, hear: Hear) -> None:
        """Call them no more."""

    async def forget(self, before: datetime) -> int:
        """Remove the events of every tenant from before a moment, leaving no gap; return how many."""
