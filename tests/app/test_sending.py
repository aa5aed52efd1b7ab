"""The sending half against the real server: lost requests, lost answers, a restart, and a consent that ends."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import httpx
import pytest
from asyncpg import Connection, Record

from app.commands.perceive import Watch, perceive
from app.demo.visit import Visit, play, play_together
from app.failures import CannotContinue
from app.perceive.client import Refused, Velocity
from app.perceive.sender import Sender, last_sequence, written
from app.wiring import System
from domain.access import Role
from domain.qd import START, Packet, RawPacket, advance, final, parsed
from tests.api import Api, operation
from tests.app.test_perceive import MODEL, drawing, needs_landmarker
from tests.demo import PASSWORD, Demo
from tests.faces import START_AT, watched
from tests.factories import access, perception
from tests.factories.access import Tenant
from tests.serving import serving

Owner: TypeAlias = "Connection[Record]"

JUNIOR = Role.JUNIOR_BROKER
FINE, LOST, UNANSWERED, BUSY = "fine", "lost", "unanswered", "busy"


class Yield:
    """Lets everything else that is ready go first."""

    def __await__(self) -> Generator[None]:
        yield


async def at_once(seconds: float) -> None:
    assert seconds >= 0
    await Yield()


class Unreliable(httpx.AsyncBaseTransport):
    """A network to a real server, which may be gone, that spoils requests in a given order and then none."""

    def __init__(self, *faults: str) -> None:
        self.base: httpx.URL | None = None
        self.faults = list(faults)
        self._network = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        fault = self.faults.pop(0) if self.faults and b"PerceptionIngest" in await request.aread() else FINE
        if self.base is None or fault == LOST:
            raise httpx.ConnectError("No route to host")
        if fault == BUSY:
            return httpx.Response(503, headers={"retry-after": "1"}, text="Later.")
        request.url = request.url.copy_with(host=self.base.host, port=self.base.port)
        answer = await self._network.handle_async_request(request)
        if fault == UNANSWERED:
            await answer.aread()
            raise httpx.ReadError("Connection reset by peer")
        return answer

    async def aclose(self) -> None:
        await self._network.aclose()


@asynccontextmanager
async def sending(api: Api, http: httpx.AsyncClient, *faults: str) -> AsyncIterator[tuple[Velocity, Unreliable]]:
    """A client of the served system over an unreliable network, as the junior."""
    network = Unreliable(*faults)
    network.base = http.base_url
    token = (await api.bearer(JUNIOR))["authorization"].removeprefix("Bearer ")
    async with httpx.AsyncClient(transport=network, base_url="http://velocity.test") as client:
        yield Velocity(client, token), network


async def session_of(api: Api, owner: Owner) -> tuple[str, str]:
    """Begin a visitor's session, and give its id and the consent's."""
    granted_at = datetime.now(UTC) - timedelta(hours=1)
    consent_id = await perception.consent(
        owner, api.tenant, granted_at=granted_at, subject_kind="VISITOR", recorded_by_id=api.tenant.users[JUNIOR]
    )
    data = await api.data("PerceptionSessionStart", role=JUNIOR, consentId=f"consent_{consent_id}", surface="KIOSK")
    return data["perceptionSessionStart"]["session"]["id"], f"consent_{consent_id}"


def recent(packets: Sequence[Packet]) -> list[Packet]:
    """The same packets, just now."""
    shift = datetime.now(UTC) - timedelta(minutes=5) - START_AT
    return [Packet(each.at + shift, None, each.blend_shapes) for each in packets]


def read_as_sent(packets: Sequence[Packet]) -> list[Packet]:
    """What the server reads of what is sent."""
    raws = [RawPacket(each.at, None, (written(each)["face"] or {}).get("blendShapes")) for each in packets]
    return [packet for start in range(0, len(raws), 100) for packet in parsed(raws[start : start + 100], raws[0].at)]


def expected(packets: Sequence[Packet]) -> float:
    """The session's score, were all of what is sent scored in one run."""
    reading = final(advance(START, read_as_sent(packets))[0])
    assert reading is not None
    return reading.score


async def completed(api: Api, session_id: str) -> tuple[float, int]:
    data = await api.data("PerceptionSessionComplete", role=JUNIOR, sessionId=session_id)
    session = data["perceptionSessionComplete"]["session"]
    return session["finalQd"]["score"], session["summary"]["packetCount"]


def feeding(sender: Sender, packets: list[Packet]) -> Callable[[float], Awaitable[None]]:
    """Put the next packets in each pause, and finish after the last."""
    left = iter([packets[start : start + 30] for start in range(0, len(packets), 30)])

    async def pause(seconds: float) -> None:
        await at_once(seconds)
        for packet in (some := next(left, [])):
            sender.put(packet)
        if not some:
            sender.finish()

    return pause


async def test_every_packet_is_scored_once_over_a_bad_network(
    api: Api, http: httpx.AsyncClient, owner_connection: Owner
) -> None:
    session_id, _ = await session_of(api, owner_connection)
    packets = recent(watched(1))
    # Each line is one batch, until it is answered.
    faults = [
        *(LOST, FINE),
        *(UNANSWERED, FINE),
        *(BUSY, FINE),
        *(UNANSWERED, UNANSWERED, FINE),
        *(LOST, LOST, UNANSWERED, BUSY, FINE),
    ]
    async with sending(api, http, *faults) as (velocity, network):
        sender = Sender(velocity, session_id)
        sender._pause = feeding(sender, packets[1:])
        sender.put(packets[0])
        tally = await sender.run()

    assert network.faults == []
    assert (tally.accepted, tally.dropped, tally.retries) == (600, 0, 9)
    assert tally.duplicates == 3
    score, count = await completed(api, session_id)
    assert count == 600
    assert score == pytest.approx(expected(packets), abs=0.01)


async def test_a_server_that_is_restarted_loses_nothing(api: Api, system: System, owner_connection: Owner) -> None:
    session_id, _ = await session_of(api, owner_connection)
    packets = recent(watched(2))
    async with AsyncExitStack() as servers:
        first = await servers.enter_async_context(AsyncExitStack())
        client = await first.enter_async_context(serving(system))
        async with sending(api, client) as (velocity, network):
            sender = Sender(velocity, session_id)
            feed, pauses = feeding(sender, packets[1:]), 0

            async def pause(seconds: float) -> None:
                nonlocal pauses
                pauses += 1
                await feed(seconds)
                if pauses == 5:
                    network.base = None
                    await first.aclose()
                if pauses == 12:
                    network.base = (await servers.enter_async_context(serving(system))).base_url

            sender._pause = pause
            sender.put(packets[0])
            tally = await sender.run()

    assert (tally.accepted, tally.duplicates) == (600, 0)
    assert tally.retries >= 6
    score, count = await completed(api, session_id)
    assert count == 600
    assert score == pytest.approx(expected(packets), abs=0.01)


async def test_a_key_bound_to_four_operations_is_enough(
    api: Api, http: httpx.AsyncClient, owner_connection: Owner
) -> None:
    ids = [
        f"operation_{await access.operation(owner_connection, api.tenant, text=operation(name), name=name)}"
        for name in ("PerceptionSessionStart", "PerceptionIngest", "PerceptionSession", "PerceptionSessionComplete")
    ]
    made = await api.data("ApiKeyCreate", input={"displayName": "Door", "role": "ADMIN", "operationIds": ids})
    _, consent_id = await session_of(api, owner_connection)
    velocity = Velocity(http, made["apiKeyCreate"]["secret"])

    session = (await velocity.ask("PerceptionSessionStart", consentId=consent_id, surface="KIOSK"))["session"]
    sender = Sender(velocity, session["id"], await last_sequence(velocity, session["id"]), pause=at_once)
    for packet in recent(watched(6)):
        sender.put(packet)
    sender.finish()

    assert (await sender.run()).accepted == 600
    ended = await velocity.ask("PerceptionSessionComplete", sessionId=session["id"])
    assert ended["session"]["finalQd"]["source"] == "RULES"
    with pytest.raises(Refused) as refusal:
        await velocity.ask("LeadBoard", first=1)
    assert refusal.value.code == "NOT_ALLOWED"


@pytest.mark.parametrize("knows", [True, False])
async def test_an_agent_that_is_started_again_goes_on(
    api: Api, http: httpx.AsyncClient, owner_connection: Owner, *, knows: bool
) -> None:
    """It asks where the session is; one that does not ask finds its numbers taken."""
    session_id, _ = await session_of(api, owner_connection)
    packets = recent(watched(3))
    async with sending(api, http) as (velocity, _):
        for part in (packets[:250], packets[250:]):
            last = await last_sequence(velocity, session_id) if knows else 0
            sender = Sender(velocity, session_id, last, pause=at_once)
            for packet in part:
                sender.put(packet)
            sender.finish()
            assert (await sender.run()).accepted == len(part)
        assert await last_sequence(velocity, session_id) == 3 + 4

    score, count = await completed(api, session_id)
    assert count == 600
    assert score == pytest.approx(expected(packets), abs=0.01)


async def test_a_consent_that_is_withdrawn_ends_the_sending(
    api: Api, http: httpx.AsyncClient, owner_connection: Owner
) -> None:
    session_id, consent_id = await session_of(api, owner_connection)
    packets = recent(watched(5))
    async with sending(api, http) as (velocity, _):
        sender = Sender(velocity, session_id, pause=at_once)
        for packet in packets[:100]:
            sender.put(packet)
        sender.finish()
        await sender.run()
        await api.data("ConsentWithdraw", role=JUNIOR, consentId=consent_id)
        sender.put(packets[100])
        with pytest.raises(Refused) as refusal:
            await sender.run()

    assert refusal.value.code == "CONFLICT"


async def test_packets_wait_up_to_a_limit(api: Api, http: httpx.AsyncClient) -> None:
    async with sending(api, http) as (velocity, _):
        sender = Sender(velocity, "session_none")
        for number in range(6_010):
            sender.put(Packet(START_AT + timedelta(milliseconds=100 * number)))
        sender.put(Packet(START_AT))

    assert sender.tally.dropped == 11


async def test_a_visit_of_the_demo_is_played(demo_tenant: Demo, http: httpx.AsyncClient) -> None:
    said: list[str] = []
    visit = Visit(str(http.base_url), "senior@saffron.example", PASSWORD, seconds=60, speed=60)
    last = await play(visit, said.append, at_once)

    assert re.fullmatch(r".+: 600 packets were scored\. QD of the visit: \d+(; it was highest at .+)?\.", last)
    assert "The face is generated; nobody is filmed." in said[0]
    assert len(said) == 1 + 11


async def test_visits_of_several_visitors_are_played_at_once(demo_tenant: Demo, http: httpx.AsyncClient) -> None:
    said: list[str] = []
    visit = Visit(str(http.base_url), "senior@saffron.example", PASSWORD, seconds=10, speed=60)
    ends = (await play_together(visit, 3, said.append, at_once)).splitlines()

    names = [line.partition(":")[0] for line in ends]
    assert len(set(names)) == 3
    assert all(any(line.startswith(f"{name} agreed and watches.") for line in said) for name in names)
    assert all(": 100 packets were scored." in line for line in ends)

    with pytest.raises(CannotContinue, match="people with a lead; 100 were to visit"):
        await play(replace(visit, place=99), said.append, at_once)


async def test_a_visit_needs_a_server_and_a_sign_in(demo_tenant: Demo, http: httpx.AsyncClient) -> None:
    visit = Visit(str(http.base_url), "senior@saffron.example", "wrong")
    with pytest.raises(CannotContinue, match=r"The server refused \(NOT_ALLOWED\)"):
        await play(visit, print, at_once)

    with pytest.raises(CannotContinue, match=r"No server answers at http://127\.0\.0\.1:9 \(ConnectError\)"):
        await play(Visit("http://127.0.0.1:9", "senior@saffron.example", PASSWORD), print, at_once)


@needs_landmarker
async def test_what_the_landmarker_sees_is_scored(
    api: Api, http: httpx.AsyncClient, tenant: Tenant, owner_connection: Owner, tmp_path: Path
) -> None:
    granted_at = datetime.now(UTC) - timedelta(hours=1)
    consent_id = await perception.consent(
        owner_connection, tenant, granted_at=granted_at, subject_kind="VISITOR", recorded_by_id=tenant.users[JUNIOR]
    )
    token = (await api.bearer(JUNIOR))["authorization"].removeprefix("Bearer ")
    picture = drawing(tmp_path / "smiling.png", smiles=True)
    said = await perceive(Watch(MODEL, str(picture), str(http.base_url), token, consent_id=f"consent_{consent_id}"))

    # One picture is known for no time at all.
    assert re.fullmatch(r"Session \S+: 1 packets in 1 batches, 0 sent again, 0 dropped\. QD unknown\.", said)
