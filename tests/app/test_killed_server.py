"""The sending half beside a camera while the server is killed -9 under it: every packet is scored once."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import islice
from pathlib import Path

import asyncpg
import httpx
import pytest

from app.perceive.client import Velocity
from app.perceive.sender import Sender, Tally
from domain.qd import START, Packet, advance
from tests.app.test_faults import PATIENCE, SECRET, a_moment, free_port, installed, killed, serving
from tests.app.test_sending import expected, read_as_sent, recent
from tests.faces import watched
from tests.installation import Installation, Serving

BEFORE, AFTER = 3, 9
"""Which batch has the process killed when it is sent, and which when it is answered: that answer is lost."""
PER_PAUSE = 15


class Mortal(httpx.AsyncBaseTransport):
    """The network to a server that is killed under some requests, and started again."""

    def __init__(self, installation: Installation) -> None:
        port = free_port()
        self.base = f"http://127.0.0.1:{port}"
        self.restarts: list[asyncio.Task[None]] = []
        self._installation = Installation(installation.folder, installation.settings | {"VELOCITY_PORT": str(port)})
        self._processes = AsyncExitStack()
        self._process: Serving | None = None
        self._network = httpx.AsyncHTTPTransport()
        self._batches = 0

    async def begin(self) -> None:
        self._process = await self._processes.enter_async_context(serving(self._installation))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        away = bool(self.restarts) and not self.restarts[-1].done()
        if away or b"PerceptionIngest" not in await request.aread():
            return await self._network.handle_async_request(request)
        self._batches += 1
        if self._batches == BEFORE:
            self.restarts.append(asyncio.create_task(self._restart()))
        answer = await self._network.handle_async_request(request)
        if self._batches == AFTER:
            await answer.aread()
            self.restarts.append(asyncio.create_task(self._restart()))
            raise httpx.ReadError("Connection reset by peer")
        return answer

    async def _restart(self) -> None:
        assert self._process is not None
        await killed(self._process)
        await self.begin()

    async def aclose(self) -> None:
        await asyncio.gather(*self.restarts)
        await self._processes.aclose()
        await self._network.aclose()


@asynccontextmanager
async def signed_in(mortal: Mortal, email: str) -> AsyncIterator[Velocity]:
    async with httpx.AsyncClient(transport=mortal, base_url=mortal.base, timeout=PATIENCE) as http:
        await mortal.begin()
        velocity = Velocity(http, None)
        await velocity.sign_in(email, SECRET)
        yield velocity


async def visit(velocity: Velocity) -> str:
    """Begin the session of a visitor."""
    given = {"subjectKind": "VISITOR", "purpose": "SHOWROOM_ENGAGEMENT", "modality": "FACE", "noticeVersion": "1"}
    consent = (await velocity.ask("ConsentGrant", input=given))["consent"]["id"]
    started = await velocity.ask("PerceptionSessionStart", consentId=consent, surface="KIOSK")
    session_id: str = started["session"]["id"]
    return session_id


async def sent(velocity: Velocity, session_id: str, packets: list[Packet]) -> Tally:
    """Send packets at a pace that leaves none for long, whatever the sender waits for."""
    left = iter(packets)

    async def pause(seconds: float) -> None:
        await a_moment(min(seconds, 0.1))
        for packet in (some := list(islice(left, PER_PAUSE))):
            sender.put(packet)
        if not some:
            sender.finish()

    sender = Sender(velocity, session_id, pause=pause)
    sender.put(next(left))
    return await sender.run()


async def test_a_killed_server_scores_every_packet_once(
    folder: Path, blank: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packets = recent(watched(7, 30))
    async with installed(folder, blank) as (installation, email):
        mortal = Mortal(installation)
        async with signed_in(mortal, email) as velocity:
            session_id = await visit(velocity)
            tally = await sent(velocity, session_id, packets)
            ended = (await velocity.ask("PerceptionSessionComplete", sessionId=session_id))["session"]
        owner = await asyncpg.connect(installation.server.addresses.owner)
        stored = await owner.fetchval("SELECT count(*) FROM visitor_scores WHERE kind = 'LIVE'")
        await owner.close()
    with capsys.disabled():
        sys.stdout.write(f"\nServer killed {len(mortal.restarts)} times under an agent: {tally}\n")
    assert len(mortal.restarts) == 2
    assert (tally.accepted, tally.dropped, tally.duplicates) == (1800, 0, 1)
    assert ended["summary"]["packetCount"] == 1800
    assert ended["finalQd"]["score"] == pytest.approx(expected(packets), abs=0.01)
    assert stored == sum(reading.confidence > 0 for reading in advance(START, read_as_sent(packets))[1])
