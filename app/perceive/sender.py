"""Sends packets in numbered batches, each until it is answered; what waits meanwhile is kept, up to a limit."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from app.perceive.client import Away, Json, Refused, Velocity
from domain.qd import MOST_PACKETS, READ, Packet

MOST_WAITING: Final = 6_000
"""Ten minutes at ten packets a second. When the server is away for longer, the oldest are dropped, and counted."""

GATHERING: Final = 0.2
"""Seconds between batches, so that ten packets a second are not ten requests a second."""

SHORTEST_WAIT, LONGEST_WAIT = 0.25, 10.0

Pause = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class Tally:
    """What became of the packets."""

    accepted: int = 0
    batches: int = 0
    duplicates: int = 0
    """Batches whose first answer was lost: the server had them."""
    retries: int = 0
    dropped: int = 0
    score: float | None = None


class Sender:
    """Sends one session's packets. `put` may be called at any time; `run` ends after `finish` and the last answer."""

    def __init__(
        self, velocity: Velocity, session_id: str, last_sequence: int = 0, *, pause: Pause = asyncio.sleep
    ) -> None:
        """Number batches on from `last_sequence`."""
        self.tally = Tally()
        self._velocity = velocity
        self._session_id = session_id
        self._sequence = last_sequence
        self._pause = pause
        self._waiting: deque[Packet] = deque()
        self._news = asyncio.Event()
        self._finished = False

    def put(self, packet: Packet) -> None:
        """Queue a packet. One that is not later than the one before it is dropped: a clock was set back."""
        if self._waiting and packet.at <= self._waiting[-1].at:
            self.tally.dropped += 1
            return
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self.tally.dropped += 1
        self._waiting.append(packet)
        self._news.set()

    def finish(self) -> None:
        """Nothing more will be put."""
        self._finished = True
        self._news.set()

    async def run(self) -> Tally:
        """Send until finished; raises Refused if the session has ended, the consent too, or a batch is not accepted."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(MOST_PACKETS, len(self._waiting)))]
                await self._send(batch)
                if not self._finished and len(self._waiting) < MOST_PACKETS:
                    await self._pause(GATHERING)
            if self._finished:
                return self.tally

    async def _send(self, batch: list[Packet]) -> None:
        packets = [written(packet) for packet in batch]
        self._sequence += 1
        tries, unanswered = 0, False
        while True:
            try:
                answer = await self._velocity.ask(
                    "PerceptionIngest", sessionId=self._session_id, sequence=self._sequence, packets=packets
                )
            except Away as away:
                tries += 1
                unanswered = True
                self.tally.retries += 1
                await self._pause(wait(tries, away.after))
            except Refused as refusal:
                if refusal.field != "sequence":
                    raise
                await self._renumber()
            else:
                if answer["duplicate"] and not unanswered:
                    # The server has another batch under this number, of a sender that was here before.
                    await self._renumber()
                    continue
                self._count(answer)
                return

    async def _renumber(self) -> None:
        """Go on after the last batch that the server has."""
        tries = 0
        while True:
            try:
                self._sequence = await last_sequence(self._velocity, self._session_id) + 1
            except Away as away:
                tries += 1
                self.tally.retries += 1
                await self._pause(wait(tries, away.after))
            else:
                return

    def _count(self, answer: Json) -> None:
        self.tally.batches += 1
        self.tally.accepted += answer["acceptedCount"]
        self.tally.duplicates += answer["duplicate"]
        if answer["qd"] is not None:
            self.tally.score = answer["qd"]["score"]


async def last_sequence(velocity: Velocity, session_id: str) -> int:
    """Return the number of the last batch that the server has of a session; raises Refused or Away."""
    now = datetime.now(UTC)
    session = await velocity.ask(
        "PerceptionSession", id=session_id, **{"from": (now - timedelta(seconds=1)).isoformat(), "to": now.isoformat()},
        points=1,
    )  # fmt: skip
    found: int = session["lastSequence"]
    return found


def wait(tries: int, after: float | None) -> float:
    """Return how long to wait before the next try: what the server asked for, or longer each time, never in step."""
    if after is not None:
        return after
    longest: float = min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** min(tries, 10))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 it keeps senders apart and guards nothing


def written(packet: Packet) -> Json:
    """Return a packet as the operation takes it: of a face, the blend shapes that scoring reads, and nothing else."""
    shapes = packet.blend_shapes
    face = None if shapes is None else {"blendShapes": {name: round(shapes[name], 4) for name in READ}}
    return {"at": packet.at.isoformat(), "videoMs": packet.video_ms, "face": face}
