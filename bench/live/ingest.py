"""How many perception packets a second are scored and stored: by the use case alone, over HTTP, and over the socket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from app.wiring import System, system
from bench import processors
from bench.live.asking import OverHttp, OverSocket, body
from bench.live.place import Lively
from bench.live.sessions import batch, begun
from bench.servers import Server
from domain import perception
from domain.access import Caller
from domain.perception.batches import Face, SentPacket
from domain.qd import MOST_PACKETS
from resolvers.context import Context
from resolvers.perception import perception_ingest

SENDERS: Final = 8
"""How many sessions are fed at once, each by a client that waits for its answers."""
AGO: Final = timedelta(hours=12)
"""Packets are sixty to a second, and more than that come in a second: they are those of a while ago."""
PREPARED: Final = 60
"""How many batches of a session are made beforehand; further ones while it is measured."""

Send = Callable[[int], Awaitable[object]]
"""Sends the batch of a number, from 0."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """How many packets a second, and what one costs: microseconds of a processor of the process, and of PostgreSQL."""

    per_second: float
    process_us: float
    database_us: float


async def into_store(place: Lively, sessions: Sequence[str], seconds: float) -> Ingested:
    """Measure the resolver in this process: scoring, and the unit with its rows, audit entry and event."""
    async with system(place.settings, place.database) as made:
        caller = await made.callers.caller_for(place.token)
        sends = [_use_case(made, caller, UUID(each.partition("_")[2])) for each in sessions]
        return await _measured(sends, place, None, seconds)


def _use_case(made: System, caller: Caller, session_id: UUID) -> Send:
    context = Context(
        caller_or_none=caller, reads=made.reads, units=made.units, sign_in=made.sign_in, uploads=made.uploads,
        cameras=made.cameras, messengers=made.messengers, sources=made.sources, providers=made.providers,
        fleet=made.fleet, address="",
    )  # fmt: skip
    start = datetime.now(UTC) - AGO
    prepared = [_command(session_id, start, number) for number in range(PREPARED)]

    async def send(number: int) -> None:
        command = prepared[number] if number < PREPARED else _command(session_id, start, number)
        await perception_ingest(context, command)

    return send


def _command(session_id: UUID, start: datetime, number: int) -> perception.PerceptionIngest:
    packets = [
        SentPacket(datetime.fromisoformat(each["at"]), Face(each["face"]["blendShapes"]), each["videoMs"])
        for each in batch(start, number)
    ]
    return perception.PerceptionIngest(session_id, number + 1, packets)


async def over_http(place: Lively, server: Server, sessions: Sequence[str], seconds: float) -> Ingested:
    """Measure the mutation over HTTP."""
    async with _clients([OverHttp() for _ in sessions], server, place.token) as clients:
        sends = [_mutation(client, each) for client, each in zip(clients, sessions, strict=True)]
        return await _measured(sends, place, server, seconds)


async def over_socket(place: Lively, server: Server, sessions: Sequence[str], seconds: float) -> Ingested:
    """Measure the mutation over the socket."""
    async with _clients([OverSocket() for _ in sessions], server, place.token) as clients:
        sends = [_mutation(client, each) for client, each in zip(clients, sessions, strict=True)]
        return await _measured(sends, place, server, seconds)


@asynccontextmanager
async def _clients(
    made: Sequence[OverHttp | OverSocket], server: Server, token: str
) -> AsyncIterator[Sequence[OverHttp | OverSocket]]:
    try:
        for each in made:
            await each.open(server.port, token)
        yield made
    finally:
        for each in made:
            each.close()


def _mutation(client: OverHttp | OverSocket, session_id: str) -> Send:
    start = datetime.now(UTC) - AGO
    prepared = [_body(session_id, start, number) for number in range(PREPARED)]

    async def send(number: int) -> None:
        await client.ask(prepared[number] if number < PREPARED else _body(session_id, start, number))

    return send


def _body(session_id: str, start: datetime, number: int) -> bytes:
    return body("PerceptionIngest", sessionId=session_id, sequence=number + 1, packets=batch(start, number))


async def _measured(sends: Sequence[Send], place: Lively, server: Server | None, seconds: float) -> Ingested:
    """Let every sender send as fast as it is answered."""
    for number in range(2):
        await asyncio.gather(*(send(number) for send in sends))
    counts = [2] * len(sends)
    used = _used(place, server)
    began = time.monotonic()

    async def feed(index: int) -> None:
        while time.monotonic() - began < seconds:
            await sends[index](counts[index])
            counts[index] += 1

    await asyncio.gather(*(feed(index) for index in range(len(sends))))
    took = time.monotonic() - began
    packets = (sum(counts) - 2 * len(counts)) * MOST_PACKETS
    process, database = ((now - before) * 1e6 / packets for now, before in zip(_used(place, server), used, strict=True))
    return Ingested(packets / took, process, database)


def _used(place: Lively, server: Server | None) -> tuple[float, float]:
    process = time.process_time() if server is None else processors.used([server.process.pid])
    return process, processors.used(processors.working_in(place.server.cluster))


async def measured(place: Lively, server: Server, seconds: float) -> dict[str, Ingested]:
    """Measure all three, each with sessions of its own."""
    over = OverSocket()
    await over.open(server.port, place.token)
    try:
        sessions = await begun(over, 3 * SENDERS)
    finally:
        over.close()
    return {
        "http": await over_http(place, server, sessions[:SENDERS], seconds),
        "socket": await over_socket(place, server, sessions[SENDERS : 2 * SENDERS], seconds),
        "store": await into_store(place, sessions[2 * SENDERS :], seconds),
    }
