"""What one connection may hold, and for how long: who sends or reads too slowly is cut off, so that others are not."""

from __future__ import annotations

import asyncio
import resource
from asyncio.events import TimerHandle
from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Final, cast

import structlog
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from graph.http import WHOLE, WRITES_AT_ONCE

log = structlog.get_logger()

RESERVED_FILES: Final = 256
"""What the process opens beside its clients' connections."""
MOST_FILES: Final = 65_536
COMPLAINT_SECONDS: Final = 60

# A text message in one frame: the first byte, and how long a payload may be for each form of a head.
TEXT: Final = 0x81
SHORT: Final = 125
MIDDLE: Final = 65_535
MOST_AT_ONCE: Final = 65_536
MIDDLE_HEAD: Final = Struct("!BBH").pack
LONG_HEAD: Final = Struct("!BBQ").pack


@dataclass(frozen=True, slots=True)
class Limits:
    """What a connection may do. Seconds are looked at once a round, so each limit holds to a round's length."""

    connections: int = 16_384
    """So many at once; then whoever has waited longest without a request makes room."""
    head_bytes: int = 32_768
    """The request line and the headers together, or any other piece between two parts of a body."""
    head_seconds: float = 10
    """From the first moment, or the first byte of a later request, to the end of its headers."""
    bytes_each_round: int = 4_096
    """A body that comes more slowly is given up, while somebody waits for it; so is an answer read more slowly."""
    round_seconds: float = 5
    unread_rounds: int = 4
    """An answer gets so many rounds in a row before it is given up."""
    ping_seconds: float = 20
    """A WebSocket is asked so often whether its client is still there."""
    pong_seconds: float = 20
    """It is closed when it has not answered by then."""


def most_connections(limits: Limits) -> int:
    """Return how many connections this process can have, once it may open as many files as it is ever allowed."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return max(1, min(limits.connections, files - RESERVED_FILES))


class Connection(HttpToolsProtocol):
    """Uvicorn's connection, watched. Make the class of one server with `limited`."""

    limits: Limits
    most: int
    waiting: dict[Connection, None]
    """Connections that have no request yet, the longest waiting first; shared by all of one server."""

    complained_at: float | None = None

    _timer: TimerHandle | None = None
    _head_since: float | None = None
    _head_bytes: int = 0
    _unheard_bytes: int = 0
    _body_bytes: int = 0
    _body_since: float = 0
    _reading_body: bool = False
    _unwritten: int = 0
    _has_read: bool = False
    _unread_rounds: int = 0
    _too_long: bool = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Watch from the first moment; a full house sends the longest waiting away."""
        super().connection_made(transport)
        self._wait_for_head()
        self._timer = self.loop.call_later(self.limits.round_seconds, self._round)
        if len(self.connections) > self.most:
            next(iter(self.waiting)).cut()
            self._complain()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        self._stop_watching()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """Stop watching: a socket has rules of its own."""
        self._stop_watching()
        super().handle_websocket_upgrade()

    def data_received(self, data: bytes) -> None:
        """Parse, but never collect more of one piece than a head may have."""
        if self._head_since is None and not self._reading_body:
            self._wait_for_head()
        self._unheard_bytes += len(data)
        super().data_received(data)
        if self._unheard_bytes > self.limits.head_bytes and not self.transport.is_closing():
            self._too_long = True
            self.send_400_response("The request's headers are too long.")

    def send_400_response(self, msg: str) -> None:
        """Answer a request that is none; one whose head is too long is told so."""
        if not self._too_long:
            super().send_400_response(msg)
            return
        self.transport.write(STATUS_LINE[431] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()

    def on_message_begin(self) -> None:
        """Start counting the head."""
        super().on_message_begin()
        self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there; from here on a body comes, be it empty."""
        self._unheard_bytes = 0
        self._head_since = None
        self.waiting.pop(self, None)
        self._reading_body, self._body_bytes, self._body_since = True, 0, self.loop.time()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unheard_bytes = 0
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unheard_bytes = 0
        self._reading_body = False
        cast("Scope", self.scope)[WHOLE] = True
        super().on_message_complete()

    def resume_writing(self) -> None:
        """The client has read what was waiting."""
        self._has_read = True
        super().resume_writing()

    def _count(self, length: int) -> None:
        self._unheard_bytes = 0
        self._head_bytes += length
        if self._head_bytes > self.limits.head_bytes:
            self._too_long = True
            raise ValueError("The request's headers are too long.")

    def _complain(self) -> None:
        """Log that there are too many, but not once for each of them."""
        now = self.loop.time()
        if self.complained_at is None or now - self.complained_at > COMPLAINT_SECONDS:
            type(self).complained_at = now
            log.warning("connections_full", most=self.most)

    def _wait_for_head(self) -> None:
        self._head_since = self.loop.time()
        self.waiting[self] = None

    def _stop_watching(self) -> None:
        self.waiting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _round(self) -> None:
        """Look whether the connection got on since the last round."""
        self._timer = self.loop.call_later(self.limits.round_seconds, self._round)
        if self._head_is_late() or self._body_is_late() or self._answer_is_unread():
            self.cut()

    def _head_is_late(self) -> bool:
        return self._head_since is not None and self.loop.time() - self._head_since >= self.limits.head_seconds

    def _body_is_late(self) -> bool:
        came, self._body_bytes = self._body_bytes, 0
        if not self._reading_body or self.loop.time() - self._body_since < self.limits.round_seconds:
            # One that has just begun has had no round yet.
            return False
        return not self.flow.read_paused and came < self.limits.bytes_each_round

    def _answer_is_unread(self) -> bool:
        """Whether a client has read next to nothing for so long; a closing connection is held by that alone."""
        before, self._unwritten = self._unwritten, self.transport.get_write_buffer_size()
        has_read, self._has_read = self._has_read, False
        is_stuck = self._unwritten > 0 and not has_read and before - self._unwritten < self.limits.bytes_each_round
        self._unread_rounds = self._unread_rounds + 1 if is_stuck else 0
        return self._unread_rounds >= self.limits.unread_rounds

    def cut(self) -> None:
        """End the connection now, with all that is left to be said on it."""
        self._stop_watching()
        self.transport.abort()


def limited(limits: Limits) -> type[Connection]:
    """Return the class of one server's connections."""
    members = {"limits": limits, "most": most_connections(limits), "waiting": {}}
    return cast("type[Connection]", type("LimitedConnection", (Connection,), members))


class WatchedSocket(WebSocketsSansIOProtocol):
    """Uvicorn's socket, but a client that answers no ping is let go, even if it leaves unread what was sent.

    It offers the application to write a message at once: what is told to thousands is a few bytes of one's own before a
    text that all of them share, and neither needs a message of ASGI, a coroutine or a frame object for each client.
    """

    paused = False

    def handle_connect(self, event: Request) -> None:
        """Offer it beside what uvicorn offers."""
        super().handle_connect(event)
        if self.handshake_initiated and not self.handshake_complete:
            self.scope["extensions"][WRITES_AT_ONCE] = {"write": self.write_at_once}

    def pause_writing(self) -> None:
        """The client leaves unread what was written."""
        self.paused = True
        super().pause_writing()

    def resume_writing(self) -> None:
        """The client has read."""
        self.paused = False
        super().resume_writing()

    def write_at_once(self, before: bytes, texts: Sequence[bytes], behind: bytes) -> int:
        """Write a text message of each text, between the same bytes; return how many, which may be none.

        None is written to a connection that is ending or whose client does not read; and no more than a client should
        have to read at a time, so that the bounds of what waits for it hold.
        """
        if self.paused or self.close_sent or self.transport.is_closing():
            return 0
        around, size = len(before) + len(behind), 0
        pieces: list[bytes] = []
        for text in texts:
            length = around + len(text)
            if length <= SHORT:
                head = bytes((TEXT, length))
            elif length <= MIDDLE:
                head = MIDDLE_HEAD(TEXT, 126, length)
            else:
                head = LONG_HEAD(TEXT, 127, length)
            pieces += (head, before, text, behind)
            size += length
            if size > MOST_AT_ONCE:
                break
        self.transport.write(b"".join(pieces))
        return len(pieces) // 4

    def send_keepalive_ping(self) -> None:
        """Ask whether the client is still there; where the socket is closing, give it as long to read the rest."""
        super().send_keepalive_ping()
        if self.pong_timer is None:
            self.pong_timer = self.loop.call_later(self.ping_timeout or 0, self.keepalive_timeout)

    def keepalive_timeout(self) -> None:
        """Close the socket, without waiting for what cannot be written."""
        super().keepalive_timeout()
        self.transport.abort()
