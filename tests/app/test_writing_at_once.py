"""Messages written past the application's server: every length, several at once, and none to who does not read."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from app.connections import MOST_AT_ONCE
from app.serve import Server
from graph.http import WRITES_AT_ONCE
from tests.serving import PATIENCE


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[ClientConnection, Any]]:
    """A client, and what its server can write at once."""
    offered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        offered.set_result(scope["extensions"][WRITES_AT_ONCE]["write"])
        while (await receive())["type"] != "websocket.disconnect":
            pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        started = asyncio.Event()
        server = Server(app, started.set)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await started.wait()
        port = listener.getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}/", max_size=None, compression=None) as client:
            yield client, await offered
        server.stop()
        await serving


async def read(client: ClientConnection, number: int) -> list[str | bytes]:
    async with asyncio.timeout(PATIENCE):
        return [await client.recv() for _ in range(number)]


@pytest.mark.parametrize("length", [2, 125, 126, 65_535, 65_536, 100_000])
async def test_a_message_of_any_length(length: int) -> None:
    async with opened() as (client, write):
        assert write(b"<", [b"x" * (length - 2)], b">") == 1
        [message] = await read(client, 1)
        assert message == "<" + "x" * (length - 2) + ">"


async def test_several_messages_between_the_same_bytes() -> None:
    texts: Sequence[bytes] = ["één".encode(), b"two", b"3" * 300]
    async with opened() as (client, write):
        assert write(b'{"id":"1","payload":', texts, b"}") == 3
        assert await read(client, 3) == [f'{{"id":"1","payload":{text.decode()}}}' for text in texts]


async def test_no_more_than_a_client_should_have_to_read_at_a_time() -> None:
    async with opened() as (client, write):
        assert write(b"", [b"x" * (MOST_AT_ONCE // 2 + 1)] * 5, b"") == 2
        assert [len(message) for message in await read(client, 2)] == [MOST_AT_ONCE // 2 + 1] * 2


async def test_nothing_to_who_does_not_read_or_has_gone() -> None:
    async with opened() as (client, write):
        client.transport.pause_reading()
        written = 0
        while write(b"", [b"x" * MOST_AT_ONCE], b""):
            written += 1
        assert write(b"", [b"x"], b"") == 0
        client.transport.resume_reading()
        assert [len(message) for message in await read(client, written)] == [MOST_AT_ONCE] * written
        async with asyncio.timeout(PATIENCE):
            while not write(b"", [b"again"], b""):
                await (await client.ping())
        assert await read(client, 1) == ["again"]
        await client.close()
        assert write(b"", [b"x"], b"") == 0
