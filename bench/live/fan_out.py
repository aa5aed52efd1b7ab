"""One event stream and a thousand who follow it: how many frames a second of its processor a server sends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from bench import processors
from bench.live.place import Lively
from bench.live.servers import Following
from bench.live.sockets import Socket, opened
from bench.live.writing import Writer
from bench.servers import Server

FOLLOWERS: Final = 1_000
AT_ONCE: Final = {"one": 1, "ten": 10}
"""How many events are written together: one, and the next when everybody has it; or ten, which servers may join."""
WARM: Final = 3
PATIENCE: Final = 60
QUIET: Final = 0.5
"""Seconds in which something would come if it were on its way."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a server sent, by the clock and by the processor it used; and what the reader could have read."""

    frames: int
    bytes_each: int
    per_second: float
    per_core: float
    reader_per_core: float


class Crowd:
    """Everybody who follows a server, and how much they have been told."""

    def __init__(self) -> None:
        """Nobody follows yet."""
        self.sockets: list[Socket] = []
        self.frames = 0
        self.bytes = 0
        self._wanted = 0
        self._enough: asyncio.Future[None] | None = None

    async def follow(self, port: int, number: int, following: Following, tokens: Sequence[str | None]) -> None:
        """Open connections and subscribe on each, under an id of its own as clients make them."""
        self.sockets = await opened(port, number, self._heard, tokens)
        for each in self.sockets:
            each.say({"id": str(uuid4()), "type": "subscribe", "payload": following.payload})

    async def told(self, number: int) -> None:
        """Wait until all of them together were told so many."""
        if self.frames < number:
            self._wanted, self._enough = number, asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._enough
            except TimeoutError:
                said = next((each.told for each in self.sockets if each.told), None)
                raise SystemExit(f"{self.frames} frames came of {number}. The server said: {said}") from None

    def close(self) -> None:
        """Leave."""
        for each in self.sockets:
            each.close()

    def _heard(self, _socket: Socket, message: bytes) -> None:
        self.frames += 1
        self.bytes += len(message)
        if self._enough is not None and self.frames >= self._wanted:
            self._enough.set_result(None)
            self._enough = None


async def measured(
    place: Lively, server: Server, following: Following, writing: Server, seconds: float
) -> dict[str, Sent]:
    """Return what a server sends to a thousand: for one event at a time, and for ten."""
    writes, crowd = Writer(), Crowd()
    await writes.open(writing.port, place.token)
    try:
        await crowd.follow(server.port, FOLLOWERS, following, [place.token if following.signed_in else None])
        await everybody_follows(crowd, writes)
        return {name: await _sent(server, crowd, writes, number, seconds) for name, number in AT_ONCE.items()}
    finally:
        crowd.close()
        writes.close()


async def everybody_follows(crowd: Crowd, writes: Writer) -> None:
    """Write until everybody was told something: no server says when a subscription has begun."""
    deadline = time.monotonic() + PATIENCE
    while not all(each.frames for each in crowd.sockets):
        if time.monotonic() > deadline:
            said = next((each.told for each in crowd.sockets if each.told), None)
            raise SystemExit(f"Not everybody is told. The server said: {said}")
        await writes.write(1)
        await asyncio.sleep(QUIET)
    # What was written last may be on its way to those who follow longer.
    before = -1
    while before < crowd.frames:
        before = crowd.frames
        await asyncio.sleep(4 * QUIET)


async def _sent(server: Server, crowd: Crowd, writes: Writer, at_once: int, seconds: float) -> Sent:
    number = len(crowd.sockets)
    for _ in range(WARM):
        expected = crowd.frames + number * at_once
        await writes.write(at_once)
        await crowd.told(expected)
    each_before = [each.frames for each in crowd.sockets]
    frames, size, used, own = crowd.frames, crowd.bytes, processors.used([server.process.pid]), time.process_time()
    began, events = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        expected = crowd.frames + number * at_once
        await writes.write(at_once)
        await crowd.told(expected)
        events += at_once
    took = time.monotonic() - began
    frames, size = crowd.frames - frames, crowd.bytes - size
    used, own = processors.used([server.process.pid]) - used, time.process_time() - own
    told = {now.frames - before for now, before in zip(crowd.sockets, each_before, strict=True)}
    if told != {events}:
        raise SystemExit(f"Not everybody was told each of {events} events once: {min(told)} to {max(told)} came.")
    return Sent(frames, round(size / frames), frames / took, frames / used, frames / own)
