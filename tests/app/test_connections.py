"""Connections that are slow, silent, endless or too many: each ends in time, and others are answered meanwhile.

The attacks are those of `make soak`, fewer and faster.
"""

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from app.asgi import application
from app.connections import RESERVED_FILES, Connection, Limits, most_connections
from app.serve import Server
from app.wiring import System
from soak import abuse
from soak.abuse import CUT, Address, Attack, Outcome, attacked
from tests.frames import UPGRADE, noted, unread
from tests.serving import PATIENCE, serving

QUICK = Limits(head_seconds=0.4, round_seconds=0.2, bytes_each_round=1_024, unread_rounds=2)
CLOCKLESS = Limits(head_seconds=600, round_seconds=600)
"""What ends under these ends for what was sent, and not for how long it took."""


@asynccontextmanager
async def hasty(system: System, limits: Limits = QUICK) -> AsyncIterator[Address]:
    """Serve with limits of fractions of a second."""
    async with serving(system, limits) as client:
        yield client.base_url.host, client.base_url.port or 80


async def outcome(address: Address, attack: Attack, count: int) -> Outcome:
    """Attack, and see that others were answered."""
    found = await attacked(address, attack, count, pause=0.02)
    assert found.failed == []
    assert found.probes
    assert found.longest < PATIENCE
    return found


@pytest.mark.parametrize("attack", [abuse.silent, abuse.slow_head, abuse.slow_body, abuse.unread])
async def test_who_is_slow_is_cut_off(system: System, attack: Attack) -> None:
    async with hasty(system) as address:
        found = await outcome(address, attack, 10)
    assert found.endings == {CUT: 10}


@pytest.mark.parametrize("attack", [abuse.endless_header, abuse.many_headers])
async def test_endless_headers_are_refused(system: System, attack: Attack) -> None:
    async with hasty(system, CLOCKLESS) as address:
        found = await outcome(address, attack, 5)
    # Who goes on sending may lose the answer with the connection.
    assert set(found.endings) <= {"431", CUT}


async def test_an_endless_body_is_refused(system: System) -> None:
    async with hasty(system, CLOCKLESS) as address:
        found = await outcome(address, abuse.endless_body, 5)
    assert set(found.endings) <= {"413", CUT}


async def test_a_long_header_is_refused_with_its_reason(system: System) -> None:
    async with serving(system) as client:
        at_most = Limits().head_bytes
        fine = await client.get("/healthz", headers={"x-long": "a" * (at_most - 1_000)})
        refused = await client.get("/healthz", headers={"x-long": "a" * at_most})
    assert (fine.status_code, refused.status_code) == (200, 431)


async def test_who_stops_sending_is_still_answered(system: System) -> None:
    async with hasty(system, CLOCKLESS) as address:
        found = await outcome(address, abuse.half_open, 10)
    assert found.endings == {"200": 10}


async def test_a_connection_may_stay_as_long_as_it_gets_on(system: System) -> None:
    """A slow but steady upload outlives every limit of idleness; so does a client that goes on asking."""
    limits = replace(QUICK, bytes_each_round=16, round_seconds=1)
    body = abuse.steady(b'{"query":"{ __typename }"', b" " * 64, b"}", times=15, pause=0.15)
    async with serving(system, limits) as client:
        answer = await client.post("/graphql", content=body, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()) == (200, {"data": {"__typename": "Query"}})
        assert (await client.get("/healthz")).status_code == 200


async def test_a_body_that_has_just_begun_is_not_late(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    complete = Connection.on_headers_complete

    def at_the_end_of_a_round(connection: Connection) -> None:
        complete(connection)
        connection._round()

    monkeypatch.setattr(Connection, "on_headers_complete", at_the_end_of_a_round)
    async with serving(system) as client:
        answered = await client.post("/graphql", json={"query": "{ __typename }"})
    assert answered.status_code == 200


async def test_in_a_full_house_the_longest_waiting_makes_room(system: System) -> None:
    async with hasty(system, replace(CLOCKLESS, connections=20)) as address:
        idle = [await asyncio.open_connection(*address) for _ in range(60)]
        async with httpx.AsyncClient(base_url=f"http://{address[0]}:{address[1]}") as client:
            for _ in range(5):
                assert (await client.get("/healthz", headers={"connection": "close"})).text == "ok"
        async with asyncio.timeout(PATIENCE):
            # Those that came first were sent away, long before their time for a head was over.
            assert [await reader.read() for reader, _ in idle[:40]] == [b""] * 40
        for _, writer in idle:
            writer.transport.abort()


def test_no_more_connections_than_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """The soft limit is raised to the hard one, and some files are kept for everything else."""
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1_024, 4_096))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
    assert most_connections(Limits()) == 4_096 - RESERVED_FILES
    assert most_connections(Limits(connections=100)) == 100
    assert asked == [(4_096, 4_096)] * 2


PING, CLOSE, KEEPALIVE_FAILED = b"\x89\x04", b"\x88", (1011).to_bytes(2, "big")


async def test_a_socket_whose_client_is_gone_is_closed(system: System) -> None:
    async with hasty(system, replace(QUICK, ping_seconds=0.2, pong_seconds=0.2)) as address, asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(UPGRADE)
        head = await reader.readuntil(b"\r\n\r\n")
        # A client that is gone answers no ping.
        frames = await reader.read()
        writer.close()
    assert head.startswith(b"HTTP/1.1 101 ")
    assert frames.startswith(PING)
    assert frames[6:7] == CLOSE
    assert frames[8:10] == KEEPALIVE_FAILED


def test_sockets_are_pinged_by_default(system: System) -> None:
    config = Server(application(system), lambda: None).config
    assert (config.ws_ping_interval, config.ws_ping_timeout) == (20, 20)


@pytest.mark.parametrize("closing", [False, True])
async def test_a_socket_that_is_never_read_is_let_go(system: System, *, closing: bool) -> None:
    """What was sent lies in this process until then, whether the socket is still open, or closing already."""
    with noted() as sockets:
        async with (
            hasty(system, replace(QUICK, ping_seconds=2, pong_seconds=0.3)) as address,
            asyncio.timeout(PATIENCE),
            unread(address, sockets) as client,
        ):
            await client.fill()
            if closing:
                await client.send("no JSON")
            await client.let_go()
            assert client.held.close_sent
