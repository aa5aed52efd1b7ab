"""How many perception packets a second this machine takes: into the store, over HTTP, and over the socket.

`python -m soak.ingest` starts a Velocity of its own on the loopback address, with a PostgreSQL that keeps what it
commits. Sessions are of known people and each has one connection, on which it sends a batch when the last is answered.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import Final, TypeAlias
from uuid import UUID

import asyncpg
import httpx
import uvloop

from app.database import Database
from app.settings import Settings
from app.wiring import System, system
from domain.access import Role
from domain.perception import Face, PerceptionIngest, SentPacket
from domain.qd import BLEND_SHAPES, READ
from resolvers.perception import perception_ingest
from tests.api import Api
from tests.factories import access, people, perception
from tests.factories.access import Tenant
from tests.installation import COMMAND, ROOT, Installation

SETTINGS: Final = {
    "VELOCITY_LOG_FORMAT": "json",
    # One caller stands for all cameras of a site here, and is not held to the share of one.
    "VELOCITY_RATE_POINTS": "0",
}
APART: Final = timedelta(seconds=1 / 30)
DRAWN: Final = 400
"""How many faces are drawn beforehand; batches are made of them in turn."""
TICKS: Final = os.sysconf("SC_CLK_TCK")
ALREADY: Final = timedelta(hours=23)
"""How long sessions have been running, so that none sends what lies ahead of the clock."""
LARGEST_ANSWER: Final = 1 << 20

Ask: TypeAlias = Callable[["Session", Sequence[datetime]], Awaitable[None]]
"""Sends one batch, and checks that it was accepted."""


@dataclass(frozen=True, slots=True)
class Load:
    """How many sessions send at once, packets a batch, blend shapes a packet, and for how many seconds."""

    sessions: int
    size: int
    shapes: int
    seconds: float


@dataclass(slots=True)
class Session:
    """A session, and how long each of its batches took."""

    id: UUID
    began: datetime
    sequence: int = 0
    seconds: list[float] = field(default_factory=list)

    def times(self, size: int) -> list[datetime]:
        """Begin the next batch; return when its packets were seen."""
        self.sequence += 1
        first = self.began + self.sequence * size * APART
        return [first + number * APART for number in range(size)]


@dataclass(frozen=True, slots=True)
class Place:
    """The installation that is measured."""

    installation: Installation
    base: httpx.URL
    pid: int

    def processes(self, how: str) -> dict[str, list[str]]:
        """Return the processes that take part."""
        velocity = str(os.getpid() if how == "store" else self.pid)
        return {"Velocity": [velocity], "PostgreSQL": self.installation.postgres_processes()}


def faces(shapes: int) -> list[dict[str, float]]:
    """Draw faces: 26 blend shapes of four digits, as `velocity perceive` sends, or all 52 with all their digits."""
    random = Random(1)  # noqa: S311 -- it draws faces and guards nothing.
    names, digits = (READ, 4) if shapes == len(READ) else (BLEND_SHAPES, 17)
    return [{name: round(random.random() * 0.6, digits) for name in names} for _ in range(DRAWN)]


@contextmanager
def serving(folder: Path) -> Iterator[Place]:
    """Start a Velocity."""
    installation = Installation(folder / "var", SETTINGS)
    with (
        (folder / "log").open("w") as errors,
        subprocess.Popen(  # noqa: S603 -- the project's own program.
            [COMMAND, "serve"], env=installation.environment, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=errors
        ) as process,
    ):
        try:
            if process.stdout is None:
                raise RuntimeError("The server has no output.")
            line = next(line for line in process.stdout if line.startswith("Velocity serves "))
            base = httpx.URL(line.removeprefix("Velocity serves ").partition("/graphql")[0])
            yield Place(installation, base, process.pid)
        finally:
            process.terminate()


async def begun(owner: asyncpg.Connection[asyncpg.Record], tenant: Tenant, load: Load) -> list[Session]:
    """Make the sessions, each of a person of its own."""
    made, began = [], datetime.now(UTC) - ALREADY
    for _ in range(load.sessions):
        person_id = await people.person(owner, tenant)
        consent_id = await perception.consent(owner, tenant, granted_at=began, person_id=person_id)
        session_id = await perception.session(
            owner, tenant, consent_id=consent_id, started_by_id=tenant.users[Role.ADMIN], person_id=person_id,
            started_at=began,
        )  # fmt: skip
        made.append(Session(session_id, began))
    return made


def into_store(made: System, tenant: Tenant, load: Load) -> Ask:
    """Send to the use case in this process: scoring, one unit a batch, PostgreSQL."""
    drawn = itertools.cycle([Face(blend_shapes=each) for each in faces(load.shapes)])
    context = Api(made, tenant).context(tenant.caller(Role.ADMIN))

    async def ask(session: Session, times: Sequence[datetime]) -> None:
        packets = [SentPacket(at, next(drawn), number) for number, at in enumerate(times)]
        done = await perception_ingest(context, PerceptionIngest(session.id, session.sequence, packets))
        if done.duplicate or done.accepted_count != load.size:
            raise RuntimeError(done)

    return ask


def written(load: Load) -> Callable[[Session, Sequence[datetime]], str]:
    """Return what writes the request of a batch."""
    drawn = itertools.cycle([json.dumps(each, separators=(",", ":")) for each in faces(load.shapes)])

    def write(session: Session, times: Sequence[datetime]) -> str:
        packets = ",".join(
            f'{{"at":"{at.isoformat()}","videoMs":{number},"face":{{"blendShapes":{next(drawn)}}}}}'
            for number, at in enumerate(times)
        )
        return (
            '{"documentId":"PerceptionIngest","operationName":"PerceptionIngest","variables":'
            f'{{"sessionId":"session_{session.id}","sequence":{session.sequence},"packets":[{packets}]}}}}'
        )

    return write


def accepted(answer: bytes, load: Load) -> None:
    """Make sure that a batch was accepted, now and not before."""
    if b'"acceptedCount":%d,"duplicate":false' % load.size not in answer:
        raise RuntimeError(answer[:1000])


async def over_http(base: httpx.URL, token: str, load: Load) -> Ask:
    """Connect, and send each batch as a POST of a registered document."""
    reader, writer = await asyncio.open_connection(base.host, base.port, limit=LARGEST_ANSWER)
    write = written(load)
    head = (
        f"POST /graphql HTTP/1.1\r\nhost: {base.host}:{base.port}\r\nauthorization: {token}\r\n"
        "content-type: application/json\r\ncontent-length: "
    )

    async def ask(session: Session, times: Sequence[datetime]) -> None:
        body = write(session, times)
        writer.write(f"{head}{len(body)}\r\n\r\n{body}".encode())
        headers = await reader.readuntil(b"\r\n\r\n")
        length = int(headers.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        accepted(await reader.readexactly(length), load)

    return ask


class Frames:
    """The client's end of a socket, in as little as it takes: what is measured shares the machine with it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak on an open connection."""
        self._reader = reader
        self._writer = writer

    async def upgrade(self, base: httpx.URL) -> None:
        """Ask for the socket."""
        self._writer.write(
            f"GET /graphql HTTP/1.1\r\nhost: {base.host}:{base.port}\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
            "sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            "sec-websocket-protocol: graphql-transport-ws\r\n\r\n".encode()
        )
        await self._reader.readuntil(b"\r\n\r\n")

    def send(self, text: str) -> None:
        """Send a message. A mask of noughts leaves it as it is."""
        data = text.encode()
        size = len(data)
        if size < 126:  # noqa: PLR2004 -- the lengths of RFC 6455.
            length = bytes([0x80 | size])
        else:
            length = b"\xfe" + size.to_bytes(2) if size < 1 << 16 else b"\xff" + size.to_bytes(8)
        self._writer.write(b"\x81" + length + b"\0\0\0\0" + data)

    async def receive(self) -> bytes:
        """Return the next message that is no heartbeat."""
        while True:
            [_, size] = await self._reader.readexactly(2)
            if size >= 126:  # noqa: PLR2004 -- as above.
                size = int.from_bytes(await self._reader.readexactly(2 if size == 126 else 8))  # noqa: PLR2004 -- as above.
            content = await self._reader.readexactly(size)
            if not content.startswith(b'{"type":"ping"'):
                return content


async def over_socket(base: httpx.URL, token: str, load: Load) -> Ask:
    """Connect by graphql-transport-ws, and send each batch as an operation."""
    frames = Frames(*await asyncio.open_connection(base.host, base.port, limit=LARGEST_ANSWER))
    write = written(load)
    await frames.upgrade(base)
    frames.send(json.dumps({"type": "connection_init", "payload": {"authorization": token}}))
    await frames.receive()

    async def ask(session: Session, times: Sequence[datetime]) -> None:
        frames.send(f'{{"id":"{session.sequence}","type":"subscribe","payload":{write(session, times)}}}')
        accepted(await frames.receive(), load)
        await frames.receive()

    return ask


def spent(pids: Sequence[str]) -> float:
    """Return the seconds of processor that processes have used."""
    total = 0
    for pid in pids:
        try:
            parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(parts[11]) + int(parts[12])
    return total / TICKS


async def measured(how: str, load: Load, asks: Sequence[tuple[Session, Ask]], place: Place) -> str:
    """Have every session send for the time, and return a line of what came of it."""
    # All at once, so that every connection to PostgreSQL is open, and counted, from the beginning.
    await asyncio.gather(*(ask(session, session.times(load.size)) for session, ask in asks))
    processes = place.processes(how)
    before = {name: spent(pids) for name, pids in processes.items()}
    began = time.perf_counter()

    async def keep_sending(session: Session, ask: Ask) -> None:
        while (sent := time.perf_counter()) < began + load.seconds:
            await ask(session, session.times(load.size))
            session.seconds.append(time.perf_counter() - sent)

    async with asyncio.TaskGroup() as group:
        for session, ask in asks:
            group.create_task(keep_sending(session, ask))
    took = time.perf_counter() - began
    each = sorted(itertools.chain.from_iterable(session.seconds for session, _ in asks))
    late = each[len(each) * 99 // 100]
    used = {name: (spent(pids) - before[name]) / len(each) * 1000 for name, pids in processes.items()}
    return (
        f"{how:6} {load.size:3} packets of {load.shapes} a batch {len(each) * load.size / took:9,.0f} packets/s"
        f" {len(each) / took:6,.0f} batches/s  p50 {median(each) * 1000:4.0f} p99 {late * 1000:4.0f}"
        f" ms  processor ms a batch: {', '.join(f'{name} {value:.1f}' for name, value in used.items())}\n"
    )


@asynccontextmanager
async def opened(place: Place) -> AsyncIterator[System]:
    """Open a system in this process, on the database of the one that serves."""
    with place.installation.server as server:
        addresses = server.addresses
        settings = Settings(data_dir=place.installation.folder)
        async with system(settings, Database(addresses.app, addresses.owner, embedded=True)) as made:
            yield made


async def run(place: Place, hows: Sequence[str], loads: Sequence[Load]) -> None:
    """Measure each way with each load."""
    async with opened(place) as made:
        owner = await asyncpg.connect(made.database.owner)
        tenant = await access.tenant(owner)
        token = (await Api(made, tenant).bearer(Role.ADMIN))["authorization"]
        for how, load in itertools.product(hows, loads):
            asks: list[tuple[Session, Ask]] = []
            for session in await begun(owner, tenant, load):
                if how == "store":
                    asks.append((session, into_store(made, tenant, load)))
                else:
                    connect = over_http if how == "http" else over_socket
                    asks.append((session, await connect(place.base, token, load)))
            sys.stdout.write(await measured(how, load, asks, place))
            sys.stdout.flush()
        await owner.close()


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--how", default="store,http,socket", help="which ways, by commas")
    parser.add_argument("--sizes", default="100,25,10,2", help="packets in a batch, by commas")
    parser.add_argument("--sessions", type=int, default=16, help="how many send at once")
    parser.add_argument("--shapes", type=int, default=len(READ), choices=(len(READ), len(BLEND_SHAPES)))
    parser.add_argument("--seconds", type=float, default=5, help="for each line")
    given = parser.parse_args()
    loads = [Load(given.sessions, int(size), given.shapes, given.seconds) for size in given.sizes.split(",")]
    with tempfile.TemporaryDirectory(prefix="velocity-") as name, serving(Path(name)) as place:
        uvloop.run(run(place, given.how.split(","), loads))
    return 0


if __name__ == "__main__":
    sys.exit(main())
