"""The limit of sending: one process that only writes a frame, made beforehand, to every socket for each event.

It hears of events as the others do, reads none of them, and checks nothing. What it does not reach, no server reaches
that writes to each socket by itself, and neither does the reader on the other side.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
from typing import Final, cast

import asyncpg
import uvloop
from asyncpg import Connection, Record

from bench.live.sockets import PROTOCOL
from bench.places import HOST
from db.events.bus import CHANNEL

MAGIC: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
LENGTH: Final = 488
"""About as long as what the others send."""
PAYLOAD: Final = (b'{"id":"00000000-0000-0000-0000-000000000000","type":"next","payload":"').ljust(
    LENGTH - 2, b"x"
) + b'"}'
FRAME: Final = b"\x81\x7e" + len(PAYLOAD).to_bytes(2, "big") + PAYLOAD
ACK: Final = b'{"type":"connection_ack"}'
ACK_FRAME: Final = bytes((0x81, len(ACK))) + ACK

followers: Final[set[asyncio.WriteTransport]] = set()


class Follower(asyncio.Protocol):
    """Accepts whatever is said, and acknowledges the first message."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._head = b""
        self._acknowledged = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's.
        if self._transport is not None:
            followers.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            return
        if self._transport in followers:
            if not self._acknowledged:
                self._acknowledged = True
                self._transport.write(ACK_FRAME)
            return
        self._head += data
        if not self._head.endswith(b"\r\n\r\n"):
            return
        headers = dict(line.split(b": ", 1) for line in self._head.split(b"\r\n")[1:-2])
        accept = base64.b64encode(hashlib.sha1(headers[b"sec-websocket-key"] + MAGIC).digest())  # noqa: S324 -- the protocol's.
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
            b"sec-websocket-protocol: " + PROTOCOL.encode() + b"\r\nsec-websocket-accept: " + accept + b"\r\n\r\n"
        )
        followers.add(self._transport)


class Sender:
    """Sends as many frames as there are new events."""

    def __init__(self, sequence: int) -> None:
        self._sequence = sequence

    def heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        sequence = int(str(payload).rpartition(" ")[2])
        frames, self._sequence = FRAME * max(0, sequence - self._sequence), max(sequence, self._sequence)
        for transport in followers:
            transport.write(frames)


async def main() -> None:
    """Serve on the port that the environment names, until the process is ended."""
    connection: Connection[Record] = await asyncpg.connect(os.environ["DSN"])
    sequence: int = await connection.fetchval("SELECT max(event_sequence) FROM tenant_heads")
    await connection.add_listener(CHANNEL, Sender(sequence).heard)
    server = await asyncio.get_running_loop().create_server(Follower, HOST, int(os.environ["PORT"]), backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
