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
        self._last: dict[Socket, bytes] | None = {}
        """What each was told last, while that matters."""
        self._mark: bytes | None = None

    async def follow(self, port: int, number: int, following: Following, tokens: Sequence[str | None]) -> None:
        """Open connections and subscribe on each, under an id of its own as clients make them."""
        self.sockets = await opened(port, number, self._heard, tokens)
        for each in self.sockets:
            each.say({"id": str(uuid4()), "type": "subscribe", "payload": following.payload})

    async def told(self, number: int) -> None:
        """Wait until all of them together were told so many."""
        if self.frames < number:
            self._wanted = number
            await self._until(f"{number} frames")

    async def told_of(self, mark: str) -> None:
        """Wait until the last that each was told holds this text: then nothing from before is on its way."""
        self._mark = mark.encode()
        if not self._all_have_it():
            await self._until(f"the event of {mark} for everybody")
        self._mark = self._last = None

    async def grown(self) -> None:
        """Wait until each was told something, or nothing has come for a while."""
        before = -1
        while before < self.frames and not all(each.frames for each in self.sockets):
            before = self.frames
            await asyncio.sleep(4 * QUIET)

    async def _until(self, what: str) -> None:
        self._enough = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(PATIENCE):
                await self._enough
        except TimeoutError:
            said = next((each.told for each in self.sockets if each.told), None)
            raise SystemExit(f"Waiting for {what}; {self.frames} frames came. The server said: {said}") from None

    def close(self) -> None:
        """Leave."""
        for each in self.sockets:
            each.close()

    def _heard(self, socket: Socket, message: bytes) -> None:
        self.frames += 1
        self.bytes += len(message)
        if self._last is not None:
            self._last[socket] = message
        if self._enough is not None and (self.frames >= self._wanted if self._mark is None else self._all_have_it()):
            self._enough.set_result(None)
            self._enough = None

    def _all_have_it(self) -> bool:
        mark, last = self._mark or b"", self._last or {}
        return all(mark in last.get(each, b"") for each in reversed(self.sockets))


async def measured(
    place: Lively, server: Server, following: Following, writing: Server, seconds: float
) -> dict[str, Sent]:
    """Return what a server sends to a thousand: for one event at a time, and for ten."""
    writes, crowd = Writer(), Crowd()
    await writes.open(writing.port, place.token)
    try:
        await crowd.follow(server.port, FOLLOWERS, following, [place.token if following.signed_in else None])
        await everybody_follows(crowd, writes, following)
        return {name: await _sent(server, crowd, writes, number, seconds) for name, number in AT_ONCE.items()}
    finally:
        crowd.close()
        writes.close()


async def everybody_follows(crowd: Crowd, writes: Writer, following: Following) -> None:
    """Write until everybody was told something, and has been told all of it.

    No server says when a subscription has begun, and a slow one may be minutes behind if the next event does not wait
    for the last. Silence says nothing either on a busy machine, so that the last event is looked for in what comes.
    """
    deadline = time.monotonic() + PATIENCE
    while not all(each.frames for each in crowd.sockets):
        if time.monotonic() > deadline:
            said = next((each.told for each in crowd.sockets if each.told), None)
            raise SystemExit(f"Not everybody is told. The server said: {said}")
        await writes.write(1)
        await asyncio.sleep(QUIET)
        await crowd.grown()
    if following.tells:
        [person_id] = await writes.write(1)
        await crowd.told_of(person_id)
        return
    # What only sends tells everybody at once.
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
