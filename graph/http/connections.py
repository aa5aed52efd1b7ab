"""How many connections a caller keeps open, and what all of them need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection

from graph.admission import Admission
from graph.context import GraphContext
from graph.execution import Execution
from graph.subscriptions.hub import Hub
from graph.subscriptions.lines import Rules


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
    streams: set[Callable[[], None]] = field(default_factory=set)
    """What ends each event stream, so that a server that stops need not wait for it."""

    def enter(self, principal: str) -> bool:
        """Count a connection of a caller; False where there are too many."""
        if self.callers[principal] >= self.rules.connections_per_caller:
            return False
        self.callers[principal] += 1
        return True

    def stop(self) -> None:
        """End the event streams; sockets are ended by the server."""
        for end in tuple(self.streams):
            end()

    def leave(self, principal: str) -> None:
        """Count one connection less."""
        self.callers[principal] -= 1
        if not self.callers[principal]:
            del self.callers[principal]
