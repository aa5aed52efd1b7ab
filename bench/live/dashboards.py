"""From a packet to the frames that tell of it: fifty sessions at ten hertz, and two hundred dashboards that follow.

Cameras keep to the clock, whatever the server does: a packet counts from the moment at which it was taken. Each waits
for the answer to its batch before it sends the next, as the edge agent does, so what was taken meanwhile goes together.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import orjson

from bench import processors
from bench.live.asking import OverSocket, body
from bench.live.place import Lively
from bench.live.sessions import HERTZ, begun, packet
from bench.live.sockets import Socket, opened
from bench.servers import Server

SESSIONS: Final = 50
FOLLOWING_ONE: Final = 195
FOLLOWING_ALL: Final = 5
WARM: Final = 2.0
SETTLED: Final = 2.0


@dataclass(frozen=True, slots=True)
class Waited:
    """What dashboards waited, in ms, for `told` packets, and what was used of a processor meanwhile.

    `server_ms` and `database_ms` are of a batch with its frames; `elsewhere` are the cores that worked for neither of
    the two nor for who measures.
    """

    p50_ms: float
    p95_ms: float
    p99_ms: float
    most_ms: float
    packets: int
    batches: int
    told: int
    missing: int
    frames: int
    skipped: int
    server_ms: float
    database_ms: float
    elsewhere: float


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value that this share of them does not exceed."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Camera:
    """One session's camera: a packet each tenth of a second, sent as soon as the batch before it is answered."""

    def __init__(self, over: OverSocket, session_id: str, phase: float) -> None:
        """Take the first packet a share `phase` of a tenth of a second after the others."""
        self.session_id: Final = session_id
        self.batches = 0
        self.taken: Final[list[float]] = []
        """When each packet was taken, by the clock of waiting."""
        self.numbers: Final[dict[datetime, int]] = {}
        self._over = over
        self._phase = phase
        self._waiting: list[dict[str, object]] = []
        self._news = asyncio.Event()
        self._finished = False

    async def run(self, began: float, seconds: float) -> None:
        """Take packets for so long, and send them."""
        sending = asyncio.create_task(self._send())
        for number in range(round(seconds * HERTZ)):
            due = began + (number + self._phase) / HERTZ
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            at = datetime.now(UTC)
            self.taken.append(due)
            self.numbers[at] = number
            self._waiting.append(packet(at, number))
            self._news.set()
        self._finished = True
        self._news.set()
        await sending

    async def _send(self) -> None:
        while self._waiting or not self._finished:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                packets, self._waiting = self._waiting, []
                self.batches += 1
                await self._over.ask(
                    body("PerceptionIngest", sessionId=self.session_id, sequence=self.batches, packets=packets)
                )


class Dashboards:
    """Everybody who follows, and what each was told when."""

    def __init__(self, cameras: Sequence[Camera]) -> None:
        """Know the cameras by their sessions."""
        self.waited: Final[list[float]] = []
        self.counting = False
        self.frames = 0
        self.skipped = 0
        self.sockets: list[Socket] = []
        self.told_to: Final[dict[tuple[Socket, str], int]] = defaultdict(lambda: -1)
        self._cameras = {each.session_id: each for each in cameras}

    async def follow(self, port: int, token: str) -> None:
        """Open all, most with one session in turn."""
        self.sockets = await opened(port, FOLLOWING_ONE + FOLLOWING_ALL, self._heard, [token])
        sessions = list(self._cameras)
        for index, each in enumerate(self.sockets):
            variables = {"sessionId": sessions[index % SESSIONS]} if index < FOLLOWING_ONE else {}
            payload = {"documentId": "PerceptionScores", "variables": variables}
            each.say({"id": "1", "type": "subscribe", "payload": payload})

    def expected(self) -> int:
        """Return up to how many packets each connection should have been told, all together."""
        followed = [list(self._cameras)[index % SESSIONS] for index in range(FOLLOWING_ONE)]
        followed += list(self._cameras) * FOLLOWING_ALL
        return sum(len(self._cameras[each].taken) for each in followed)

    def told(self) -> int:
        """Return up to how many they were."""
        return sum(number + 1 for number in self.told_to.values())

    def _heard(self, socket: Socket, message: bytes) -> None:
        now = time.monotonic()
        event = orjson.loads(message)["payload"]["data"]["perceptionScores"]
        if event["qd"] is None:
            return
        session_id = event["session"]["id"]
        camera = self._cameras[session_id]
        number = camera.numbers[datetime.fromisoformat(event["qd"]["at"])]
        before, self.told_to[socket, session_id] = self.told_to[socket, session_id], number
        if self.counting:
            self.frames += 1
            self.skipped += event["skipped"]
            # Every packet of the batch is told of by its one score.
            self.waited.extend(now - camera.taken[each] for each in range(before + 1, number + 1))


async def measured(place: Lively, server: Server, seconds: float) -> Waited:
    """Measure for so long, after a while in which everything is going already."""
    overs = [OverSocket() for _ in range(SESSIONS)]
    dashboards: Dashboards | None = None
    try:
        for over in overs:
            await over.open(server.port, place.token)
        sessions = await begun(overs[0], SESSIONS)
        cameras = [
            Camera(over, session_id, index / SESSIONS)
            for index, (over, session_id) in enumerate(zip(overs, sessions, strict=True))
        ]
        dashboards = Dashboards(cameras)
        await dashboards.follow(server.port, place.token)
        await asyncio.sleep(SETTLED)
        return await _run(place, cameras, dashboards, server, seconds)
    finally:
        for each in (*overs, *(dashboards.sockets if dashboards is not None else ())):
            each.close()


def _used(place: Lively, server: Server) -> tuple[float, float, float, float]:
    database = processors.used(processors.working_in(place.server.cluster))
    return processors.used([server.process.pid]), database, time.process_time(), processors.busy()


async def _run(
    place: Lively, cameras: Sequence[Camera], dashboards: Dashboards, server: Server, seconds: float
) -> Waited:
    began = time.monotonic()
    running = [asyncio.create_task(each.run(began, WARM + seconds)) for each in cameras]
    await asyncio.sleep(WARM)
    dashboards.counting = True
    batches, before = sum(each.batches for each in cameras), _used(place, server)
    await asyncio.sleep(seconds)
    batches = sum(each.batches for each in cameras) - batches
    of_server, of_database, own, all_ = (now - then for now, then in zip(_used(place, server), before, strict=True))
    await asyncio.gather(*running)
    await asyncio.sleep(SETTLED)
    ordered = sorted(each * 1000 for each in dashboards.waited)
    if not ordered:
        raise SystemExit("No dashboard was told anything.")
    return Waited(
        p50_ms=percentile(ordered, 0.5),
        p95_ms=percentile(ordered, 0.95),
        p99_ms=percentile(ordered, 0.99),
        most_ms=ordered[-1],
        packets=round(seconds * HERTZ * SESSIONS),
        batches=batches,
        told=len(ordered),
        missing=dashboards.expected() - dashboards.told(),
        frames=dashboards.frames,
        skipped=dashboards.skipped,
        server_ms=of_server / batches * 1000,
        database_ms=of_database / batches * 1000,
        # The clocks of processes tick coarsely: their sum may be more than the machine's own.
        elsewhere=max(0.0, (all_ - of_server - of_database - own) / seconds),
    )
