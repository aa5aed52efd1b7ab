"""One statement for the groups that differ in which events they follow, and not in what is told of them.

Fifty dashboards of fifty sessions ask the same of each event. What they want while a statement is under way goes
together into the next, each event once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from domain.events import Event
from graph.subscriptions.telling import Question, Told

if TYPE_CHECKING:
    from graph.subscriptions.hub import Hub

BATCH: Final = 200
"""How many events are read, or answered, by one statement."""


class Answering:
    """Answers events for some groups."""

    def __init__(self, hub: Hub, question: Question) -> None:
        """Answer as the question of any of them asks."""
        self.groups = 0
        """How many groups are answered."""
        self._hub = hub
        self._question: Final = replace(question, wants=_always)
        self._asked: list[tuple[Sequence[Event], asyncio.Future[dict[int, Told]]]] = []
        self._working: asyncio.Task[None] | None = None

    async def told(self, events: Sequence[Event]) -> list[Told]:
        """Return what is told of those of the events that are not gone or hidden, in their order."""
        if not events:
            return []
        answered: asyncio.Future[dict[int, Told]] = asyncio.get_running_loop().create_future()
        self._asked.append((events, answered))
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        found = await answered
        return [found[event.sequence] for event in events if event.sequence in found]

    def close(self) -> None:
        """Answer no more."""
        if self._working is not None:
            self._working.cancel()

    async def _work(self) -> None:
        try:
            while self._asked:
                asked, self._asked = self._asked, []
                try:
                    found = await self._found({event.sequence: event for events, _ in asked for event in events})
                except Exception as error:  # noqa: BLE001 -- each group that asked raises it.
                    for _, answered in asked:
                        if not answered.done():
                            answered.set_exception(error)
                else:
                    for _, answered in asked:
                        if not answered.done():
                            answered.set_result(found)
        finally:
            self._working = None

    async def _found(self, wanted: dict[int, Event]) -> dict[int, Told]:
        events = [wanted[sequence] for sequence in sorted(wanted)]
        found: dict[int, Told] = {}
        for start in range(0, len(events), BATCH):
            told = await self._hub.evaluated(self._question, events[start : start + BATCH])
            found |= {each.sequence: each for each in told}
        return found


def _always(_event: Event) -> bool:
    return True
