"""The load generator's own limit: every request gets the same answer, written before anything was asked."""

from __future__ import annotations

import asyncio
import os
from typing import Final, cast

import uvloop

from bench.places import HOST

LENGTH: Final = 30_000
"""About as long as a board of 20 leads."""
ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % LENGTH + b"x" * LENGTH
)


class Fixed(asyncio.Protocol):
    """Answers whatever ends a request of the load generator, which never sends the next before the answer."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Uvloop's transports have the methods, not the class.
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._received.endswith(b"}") and self._transport is not None:
            self._received = b""
            self._transport.write(ANSWER)


async def main() -> None:
    """Serve on the port that the environment names, until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Fixed, HOST, int(os.environ["PORT"]))
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
