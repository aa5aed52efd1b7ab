"""What is told: an event's answer, encoded once for everybody who is told the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from domain.access import Caller
from domain.answers import SKIPPED, Given, Plan
from domain.events import Event


class Told:
    """One event as it is told: the response that a client of any transport gets, as text and as its bytes."""

    __slots__ = ("_pieces", "body", "newest_of", "sequence", "text")

    def __init__(self, sequence: int, data: bytes, newest_of: str | None) -> None:
        """Make the response from its `data`. Of those with the same `newest_of`, a slow client gets the newest."""
        self.sequence: Final = sequence
        self.newest_of: Final = newest_of
        pieces = data.split(SKIPPED)
        self._pieces: Final = pieces if len(pieces) > 1 else ()
        self.body: Final = _response(b"0".join(pieces))
        self.text: Final = self.body.decode()

    def instead_of(self, skipped: int) -> str:
        """Return the response where it stands for others that were skipped."""
        if not skipped or not self._pieces:
            return self.text
        return _response(str(skipped).encode().join(self._pieces)).decode()


def _response(data: bytes) -> bytes:
    return b'{"data":' + data + b"}"


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody follows: which events, and what is answered of each."""

    caller: Caller
    plan: Plan
    given: Given
    wants: Callable[[Event], bool]
    newest_of: str | None
    newest: frozenset[str]
    """The kinds of frame of which a slow client gets the newest."""
    after: int | None
    """Where to begin; None for what comes next."""
    key: Hashable
    """Who has an equal one is told the same."""
    asks: Hashable
    """Who has an equal one is told the same of the events that it follows."""

    def subject(self, event: Event) -> str | None:
        """Return what this event is the newest of, in a stream that lets a slow client skip."""
        return None if self.newest_of is None else event.entry(self.newest_of) or ""

    def frame_subject(self, frame: Event) -> str | None:
        """Return what this frame is the newest of."""
        return f"{frame.kind} {frame.subject_id}" if frame.kind in self.newest else None
