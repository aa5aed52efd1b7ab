"""How many connections a caller keeps open, and what all of them need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import HTTPConnection

from graph.admission import Admission
from graph.context import GraphContext
from graph.execution import Execution
from graph.subscriptions.hub import Hub
from graph.subscriptions.lines import Rules
from graph.subscriptions.protocol import Close

SOCKET: Final = "socket"
EVENT_STREAM: Final = "event stream"
BY_OTHERS: Final = (1000, 1001, 1005, 1006, 1007, 1009, 1012)
"""With what a client, a server that stops, or the network ends a socket; other codes are counted as `other`."""
CLOSES: Final = (*sorted({*map(str, BY_OTHERS), *(str(int(code)) for code in Close)}), "other")


@dataclass(slots=True)
class Open:
    """What connections that stay open share."""

    admission: Admission
    execution: Execution
    hub: Hub
    context: Callable[[HTTPConnection], GraphContext]
    rules: Rules
    callers: Counter[str] = field(default_factory=Counter)
    """How many connections each caller has."""
    connections: Counter[str] = field(default_factory=Counter)
    """How many connections are open, signed in or not, by what carries them."""
    closes: Counter[str] = field(default_factory=Counter)
    """How many sockets have ended, by their code."""
    streams: set[Callable[[], None]] = field(default_factory=set)
    """What ends each event stream, so that a server that stops need not wait for it."""

    def enter(self, principal: str) -> bool:
        """Count a connection of a caller; False where there are too many."""
        if self.callers[principal] >= self.rules.connections_per_caller:
            return False
        self.callers[principal] += 1
        return True

    @contextmanager
    def counted(self, carrier: str) -> Iterator[None]:
        """Count a connection while it is open."""
        self.connections[carrier] += 1
        try:
            yield
        finally:
            self.connections[carrier] -= 1

    def closed(self, code: int) -> None:
        """Count the end of a socket."""
        self.closes[str(code) if str(code) in CLOSES else "other"] += 1

    def stop(self) -> None:
        """End the event streams; sockets are ended by the server."""
        for end in tuple(self.streams):
            end()

    def leave(self, principal: str) -> None:
        """Count one connection less."""
        self.callers[principal] -= 1
        if not self.callers[principal]:
            del self.callers[principal]
