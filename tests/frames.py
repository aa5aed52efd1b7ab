"""A socket by its bytes: a client that sends frames and never reads, and what the server has of it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from app.connections import WatchedSocket
from soak.abuse import Address

UPGRADE = (
    b"GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
)
TEXT, BINARY = 0x81, 0x82


def frame(kind: int, content: bytes) -> bytes:
    """One frame of a client: masked, but with zeros."""
    return bytes([kind, 0xFE]) + len(content).to_bytes(2, "big") + b"\0\0\0\0" + content


class NotedSocket(WatchedSocket):
    """A socket that is noted, and counts what it was given to send."""

    noted: ClassVar[list["NotedSocket"]]
    answers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.noted.append(self)
        super().connection_made(transport)

    async def send(self, message: Any) -> None:
        await super().send(message)
        self.answers += 1


@contextmanager
def noted() -> Iterator[list[NotedSocket]]:
    """The sockets that are opened at servers which start meanwhile."""
    NotedSocket.noted = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.serve.WatchedSocket", NotedSocket)
        yield NotedSocket.noted


@dataclass(slots=True)
class Unread:
    """A client that never reads, and its socket in the server."""

    opened: socket.socket
    held: NotedSocket

    async def send(self, message: object) -> None:
        """Send a message, or a text that is none."""
        text = message if isinstance(message, str) else json.dumps(message)
        await asyncio.get_running_loop().sock_sendall(self.opened, frame(TEXT, text.encode()))

    async def answered(self, message: object) -> None:
        """Send a message and wait until it was answered."""
        answers = self.held.answers
        await self.send(message)
        while self.held.answers == answers:
            await asyncio.to_thread(self.opened.fileno)

    async def fill(self) -> None:
        """Ask for answers until the network takes no more: one by one, so that the next is still accepted."""
        while not self.held.transport.get_write_buffer_size():
            await self.answered({"type": "ping", "payload": {"x": "x" * 60_000}})

    async def let_go(self) -> None:
        """Wait until the server has nothing of it any more."""
        while self.held in self.held.connections:
            await asyncio.to_thread(self.opened.fileno)


@asynccontextmanager
async def unread(address: Address, sockets: list[NotedSocket]) -> AsyncIterator[Unread]:
    """Open a socket on a connection that takes little, and read no more."""
    loop = asyncio.get_running_loop()
    with socket.socket() as opened:
        opened.settimeout(0)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        await loop.sock_connect(opened, address)
        await loop.sock_sendall(opened, UPGRADE)
        while not (await loop.sock_recv(opened, 1_000)).endswith(b"\r\n\r\n"):
            pass
        yield Unread(opened, sockets[-1])
