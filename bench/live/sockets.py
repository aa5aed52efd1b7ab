"""A client of graphql-transport-ws that costs next to nothing: it takes frames apart by their lengths, and no further.

A client library would need more processor for a frame than the servers that are measured.
"""

from __future__ import annotations

import asyncio
import base64
import os
import resource
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, cast

import orjson

from bench.places import HOST

PROTOCOL: Final = "graphql-transport-ws"
TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
SHORT, MIDDLE, LONG = 125, 126, 65_535
"""Payloads up to the first have their length in the second byte; up to the last in two more, which the middle says."""
NEXT: Final = b'"next"'
ACKNOWLEDGED: Final = b'"connection_ack"'
ASKED: Final = b'"ping"'
COMPLETE: Final = b'"complete"'
TOGETHER: Final = 100
"""How many connections are opened at a time."""

Heard = Callable[["Socket", bytes], None]
"""What happens with a `next` message."""


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """Return a client's frame. Its mask is zero, which changes nothing of the payload."""
    length = len(payload)
    if length <= SHORT:
        head = bytes((0x80 | opcode, 0x80 | length))
    elif length <= LONG:
        head = bytes((0x80 | opcode, 0x80 | MIDDLE)) + length.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0xFF)) + length.to_bytes(8, "big")
    return head + b"\0\0\0\0" + payload


class Socket(asyncio.Protocol):
    """One connection: it opens, signs in, and passes on every `next` message."""

    def __init__(self, heard: Heard, token: str | None) -> None:
        """Sign in with a token where the server wants one."""
        self.ready: Final[asyncio.Future[None]] = asyncio.get_running_loop().create_future()
        self.frames = 0
        self.told: str | None = None
        """What the server said other than what was asked for, the last of it."""
        self._heard = heard
        self._token = token
        self._transport: asyncio.WriteTransport | None = None
        self._rest = b""
        self._open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the protocol."""
        # Uvloop's transports have the methods, not the class.
        self._transport = cast("asyncio.WriteTransport", transport)
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            f"GET /graphql HTTP/1.1\r\nhost: {HOST}\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
            f"sec-websocket-key: {key}\r\nsec-websocket-version: 13\r\nsec-websocket-protocol: {PROTOCOL}\r\n\r\n"
        )
        self._transport.write(request.encode())

    def connection_lost(self, exc: Exception | None) -> None:
        """Say so to whoever waits for it to be ready."""
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(f"The server ended the connection: {self.told or exc}"))

    def say(self, message: object) -> None:
        """Send a message."""
        self.send(frame(orjson.dumps(message)))

    def send(self, data: bytes) -> None:
        """Send frames."""
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        """End it as a program does that is ended."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take frames apart."""
        if self._rest:
            data = self._rest + data
        at = 0 if self._open else self._opened(data)
        length = len(data)
        while at + 2 <= length:
            size, head = data[at + 1], 2
            if size == MIDDLE:
                size, head = int.from_bytes(data[at + 2 : at + 4], "big"), 4
            elif size > MIDDLE:
                size, head = int.from_bytes(data[at + 2 : at + 10], "big"), 10
            start = at + head
            end = start + size
            if end > length:
                break
            if data[at] & 0xF == TEXT and data.find(NEXT, start, end) > 0:
                self.frames += 1
                self._heard(self, data[start:end])
            else:
                self._other(data[at] & 0xF, data[start:end])
            at = end
        self._rest = data[at:]

    def _opened(self, data: bytes) -> int:
        """Return where the frames begin: behind the answer to the request."""
        answer, marked, _ = data.partition(b"\r\n\r\n")
        if not marked:
            return 0
        if b" 101 " not in answer[:16]:
            self.told = answer.decode(errors="replace")
            self.close()
            return len(data)
        self._open = True
        payload = {} if self._token is None else {"authorization": f"Bearer {self._token}"}
        self.say({"type": "connection_init", "payload": payload})
        return len(answer) + len(marked)

    def _other(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self.send(frame(payload, PONG))
        elif opcode == TEXT and ACKNOWLEDGED in payload:
            self.ready.set_result(None)
        elif opcode == TEXT and ASKED in payload:
            self.send(frame(b'{"type":"pong"}'))
        elif opcode != TEXT or COMPLETE not in payload:
            self.told = payload.decode(errors="replace")


def _same(socket: Socket) -> Socket:
    """Return a protocol that is there already, where a connection wants to make one."""
    return socket


async def opened(port: int, number: int, heard: Heard, tokens: Sequence[str | None]) -> list[Socket]:
    """Open so many connections, whose tokens are taken in turn, and sign all of them in."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    loop, made = asyncio.get_running_loop(), list[Socket]()
    for start in range(0, number, TOGETHER):
        some = [Socket(heard, tokens[index % len(tokens)]) for index in range(start, min(number, start + TOGETHER))]
        await asyncio.gather(*(loop.create_connection(partial(_same, each), HOST, port) for each in some))
        await asyncio.gather(*(each.ready for each in some))
        made += some
    return made
