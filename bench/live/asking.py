"""A client that asks over one socket, or over one HTTP connection, and waits for each answer."""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast
from uuid import uuid4

import orjson

from bench.live.sockets import Socket, frame, opened
from bench.places import HOST

ENDS: Final = b"\r\n\r\n"
LENGTH: Final = b"content-length:"


def body(operation: str, **variables: object) -> bytes:
    """Return what asks for a registered operation."""
    return orjson.dumps({"documentId": operation, "operationName": operation, "variables": variables})


class OverSocket:
    """Asks over a socket of graphql-transport-ws."""

    def __init__(self) -> None:
        """Wait for `open`."""
        self._answered: Final[dict[str, asyncio.Future[dict[str, Any]]]] = {}
        self._socket: Socket | None = None

    async def open(self, port: int, token: str) -> None:
        """Sign in."""
        [self._socket] = await opened(port, 1, self._heard, [token])

    async def ask(self, sent: bytes) -> dict[str, Any]:
        """Return an operation's data; raises SystemExit where it has none."""
        if self._socket is None:
            raise TypeError("It is not open.")
        id_ = str(uuid4())
        answered: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answered[id_] = answered
        self._socket.send(frame(b'{"id":"%s","type":"subscribe","payload":%s}' % (id_.encode(), sent)))
        try:
            async with asyncio.timeout(60):
                return await answered
        except TimeoutError:
            raise SystemExit(f"There was no answer to {sent[:200]!r}; the server said {self._socket.told}.") from None

    def close(self) -> None:
        """Leave."""
        if self._socket is not None:
            self._socket.close()

    def _heard(self, _socket: Socket, message: bytes) -> None:
        answer = orjson.loads(message)
        self._answered.pop(answer["id"]).set_result(data_of(answer["payload"]))


class OverHttp(asyncio.Protocol):
    """Asks over one connection that is kept alive."""

    def __init__(self) -> None:
        """Wait for `open`."""
        self._transport: asyncio.WriteTransport | None = None
        self._answered: asyncio.Future[bytes] | None = None
        self._received = b""
        self._head = b""

    async def open(self, port: int, token: str) -> None:
        """Connect."""
        await asyncio.get_running_loop().create_connection(lambda: self, HOST, port)
        self._head = (
            f"POST /graphql HTTP/1.1\r\nhost: {HOST}:{port}\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {token}\r\n"
        ).encode()

    async def ask(self, sent: bytes) -> dict[str, Any]:
        """Return an operation's data; raises SystemExit where it has none."""
        if self._transport is None:
            raise TypeError("It is not open.")
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(self._head + b"content-length: %d" % len(sent) + ENDS + sent)
        return data_of(orjson.loads(await self._answered))

    def close(self) -> None:
        """Leave."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what it is written to."""
        # Uvloop's transports have the methods, not the class.
        self._transport = cast("asyncio.WriteTransport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Say so to whoever waits."""
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(ConnectionError(str(exc)))

    def data_received(self, data: bytes) -> None:
        """Wait for the whole answer."""
        self._received += data
        head, whole, answer = self._received.partition(ENDS)
        if not whole or self._answered is None:
            return
        [length] = [int(line[len(LENGTH) :]) for line in head.lower().split(b"\r\n") if line.startswith(LENGTH)]
        if len(answer) >= length:
            self._received = b""
            self._answered.set_result(answer)


def data_of(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the data of an answer; raises SystemExit where it has errors, or a problem for its only field."""
    if "errors" in answer:
        raise SystemExit(f"An operation was refused: {answer['errors']}")
    data: dict[str, Any] = answer["data"]
    for value in data.values():
        if isinstance(value, dict) and "message" in value:
            raise SystemExit(f"An operation was refused: {value}")
    return data
