"""One socket: its protocol, its operations, and its end."""

from __future__ import annotations

import asyncio
from asyncio.events import TimerHandle
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import orjson
from graphql import GraphQLError, OperationType
from starlette.types import Message, Receive, Send

from domain.access import TokenExpired
from domain.errors import DomainError, Unauthenticated, Unavailable
from graph.admission import Admitted, principal_of
from graph.context import GraphContext
from graph.execution import EVERY_OPERATION, GraphAnswer
from graph.http.connections import Open
from graph.http.requests import asked_of
from graph.persisted import Asked
from graph.refusals import LimitExceeded, MalformedParameters
from graph.subscriptions.follower import Follower
from graph.subscriptions.lines import Line
from graph.subscriptions.patience import patiently
from graph.subscriptions.protocol import Broken, Close, message_of, operation_id, short_reason, written
from graph.subscriptions.session import RightsChanged, Session, bearer_token
from graph.subscriptions.telling import Told

EVERYTHING: Final = EVERY_OPERATION | {OperationType.SUBSCRIPTION}
A_MOMENT: Final = 0.01
CLOSE_SECONDS: Final = 10
"""How long a client may take to read what is before its close frame."""

NO_CODE: Final = 1005

WRITES_AT_ONCE: Final = "velocity.writes_at_once"
"""An extension of ASGI: its entry `write` sends text messages at once, as many as it can, and returns how many."""

WriteAtOnce = Callable[[bytes, Sequence[bytes], bytes], int]
"""Takes what every message begins with, what each has of its own, and what every one ends with."""

Operation = asyncio.Task[None] | Follower
"""What runs under an id: a task while it is asked or answered, a subscription once it is followed."""


class Socket(Line):
    """One accepted socket."""

    def __init__(
        self,
        shared: Open,
        context: GraphContext,
        authorization: str | None,
        receive: Receive,
        send: Send,
        write_at_once: WriteAtOnce | None = None,
    ) -> None:
        """Serve with a context that each operation copies; who calls is in the request's header, or said later.

        `write_at_once` is what a server may offer beside `send`.
        """
        super().__init__(Session(context.sign_in, shared.rules.recheck_seconds), shared.rules)
        self._authorization = authorization
        self._shared = shared
        self._context = context
        self._receive = receive
        self._send = send
        self._write_at_once = write_at_once
        self._principal: str | None = None
        self._initialised = False
        self._acknowledged = False
        self._operations: Final[dict[str, Operation]] = {}
        self._prefixes: Final[dict[Follower, bytes]] = {}
        self._timers: Final[dict[str, TimerHandle]] = {}
        self._closing: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Serve until either side ends it."""
        self._later("init", self.rules.init_seconds, self._not_initialised)
        try:
            while (received := await self._receive())["type"] == "websocket.receive":
                try:
                    await self._heard(received)
                except Broken as broken:
                    self._close(broken.code, str(broken))
                except Exception as error:  # noqa: BLE001 -- whatever it was, the client sees an id and the log the rest.
                    [shaped] = self._shared.hub.shaped(error, None)
                    self._close(Close.INTERNAL_ERROR, f"{shaped['message']} {shaped['extensions'].get('id')}")
            if self._closing is None:
                self._shared.closed(received.get("code", NO_CODE))
        finally:
            self.gone()
            if self._closing is not None:
                # Uvicorn ends the connection when the application returns.
                await asyncio.wait([self._closing])

    # What the client says.

    async def _heard(self, received: Message) -> None:
        if self.broken:
            return
        message = message_of(received)
        match message["type"]:
            case "connection_init":
                await self._initialise(message.get("payload") or {})
            case "ping":
                self.say(written("pong", payload=message.get("payload")))
            case "pong":
                pass
            case "subscribe":
                self._subscribe(operation_id(message), message.get("payload"))
            case "complete":
                self._complete(operation_id(message))
            case _:
                raise Broken(Close.BAD_REQUEST, "There is no message of this type.")

    async def _initialise(self, payload: dict[str, Any]) -> None:
        if self._initialised:
            raise Broken(Close.TOO_MANY_INITIALISATIONS, "Too many initialisation requests")
        self._initialised = True
        self._timers.pop("init").cancel()
        sent = next((value for name, value in payload.items() if name.lower() == "authorization"), None)
        try:
            token = bearer_token(sent) or bearer_token(self._authorization)
            if token is not None:
                await self.session.open(token)
        except Unauthenticated as error:
            raise Broken(Close.FORBIDDEN, f"Forbidden: {error.message}") from error
        except Unavailable as error:
            raise Broken(Close.TRY_AGAIN_LATER, error.message) from error
        self._context = replace(self._context, caller_or_none=self.session.caller, prepared=None)
        principal = principal_of(self._context)
        if not self._shared.enter(principal):
            raise Broken(Close.TRY_AGAIN_LATER, "Too many connections of one caller")
        self._principal = principal
        left = self.session.seconds_left()
        if left is not None:
            self._later("expiry", left + A_MOMENT, self.check)
        self._later("heartbeat", self.rules.heartbeat_seconds, self._beat)
        self._acknowledged = True
        self.say(written("connection_ack"))

    def _subscribe(self, id_: str, payload: object) -> None:
        if not self._acknowledged:
            raise Broken(Close.UNAUTHORIZED, "Unauthorized")
        if id_ in self._operations:
            raise Broken(Close.SUBSCRIBER_EXISTS, short_reason(f"Subscriber for {id_} already exists"))
        try:
            asked = asked_of(payload)
        except MalformedParameters as error:
            raise Broken(Close.BAD_REQUEST, error.message) from error
        if asked.empty:
            raise Broken(Close.BAD_REQUEST, "The payload has neither `query` nor `documentId`.")
        most = self.rules.operations_per_socket
        if len(self._operations) >= most:
            refusal = LimitExceeded("operationsPerSocket", "operations on one socket", most + 1, most)
            self._answered(id_, self._shared.execution.refused((GraphQLError(str(refusal), original_error=refusal),)))
            return
        self._operations[id_] = asyncio.create_task(self._operate(id_, asked))

    def _complete(self, id_: str) -> None:
        operation = self._operations.pop(id_, None)
        if isinstance(operation, Follower):
            self._leave(operation)
        elif operation is not None:
            operation.cancel()

    # What it is told.

    async def _operate(self, id_: str, asked: Asked) -> None:
        """Answer an operation, or begin to follow, with a context of its own."""
        context = replace(self._context, prepared=None)
        try:
            await patiently(self.session.renewed)
        except DomainError as error:
            self.refused(error)
            return
        try:
            answered = await self._shared.admission.followed_or_answered(asked, context, EVERYTHING)
            if isinstance(answered, Admitted):
                question = self._shared.hub.question(answered, context.caller_or_none)
                subscription = await self._shared.hub.follow(question, self)
            else:
                # A client that reads slowly waits for its answers, and is not cut off for them.
                await self.room()
                del self._operations[id_]
                self._answered(id_, answered)
                return
        except Exception as error:  # noqa: BLE001 -- whatever it was, the client sees an id and the log the rest.
            self._operations.pop(id_, None)
            tenant_id = context.caller_or_none.tenant_id if context.caller_or_none is not None else None
            self.say(written("error", id_, self._shared.hub.shaped(error, tenant_id)))
            return
        self._prefixes[subscription] = b'{"id":%b,"type":"next","payload":' % orjson.dumps(id_)
        self._operations[id_] = subscription
        subscription.start()

    def _answered(self, id_: str, answer: GraphAnswer) -> None:
        if not answer.executed:
            self.say(written("error", id_, orjson.loads(answer.body)["errors"]))
            return
        name = orjson.dumps(id_)
        told = b'{"id":%b,"type":"next","payload":%b}' % (name, answer.body), b'{"id":%b,"type":"complete"}' % name
        # Both go out in one write where the server offers it: a write costs as much as printing a small answer.
        at_once = self._write_at_once(b"", told, b"") if self._write_at_once is not None and self.clear else 0
        for each in told[at_once:]:
            self.say(each.decode())

    def framed(self, subscription: Follower, told: Told, response: str) -> str:
        """Return the `next` message: what is told is the same text for everybody."""
        return f"{self._prefixes[subscription].decode()}{response}}}"

    def write_at_once(self, subscription: Follower, told: Sequence[Told]) -> int:
        """Send `next` messages past the application's server, where that offers it."""
        write = self._write_at_once
        return 0 if write is None else write(self._prefixes[subscription], [each.body for each in told], b"}")

    def failed(self, subscription: Follower, error: Exception) -> None:
        """Send `error`, after which the id is free."""
        id_ = self._id_of(subscription)
        self._leave(subscription)
        if id_ is not None:
            del self._operations[id_]
            self.say(written("error", id_, self._shared.hub.shaped(error, subscription.tenant_id)))

    async def write(self, text: str) -> None:
        """Send one message."""
        await self._send({"type": "websocket.send", "text": text})

    # How it ends.

    def too_slow(self, subscription: Follower | None) -> None:
        """Close it; the reason holds the last position of what was told."""
        told: dict[str, str | None] = {}
        if subscription is not None and subscription.resumable:
            told = {"id": self._id_of(subscription), "cursor": self._told(subscription)}
        reason = orjson.dumps(told).decode()
        if len(reason) > len(short_reason(reason)):
            told.pop("id")
        self._close(Close.TOO_SLOW, orjson.dumps(told).decode())

    def refused(self, error: DomainError) -> None:
        """Close it: 4403 where a new token helps, 4401 where one has to sign in again."""
        again = isinstance(error, TokenExpired | RightsChanged)
        self._close(Close.FORBIDDEN if again else Close.UNAUTHORIZED, error.message)

    def gone(self) -> None:
        """Forget everything."""
        self.close_line()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for id_ in list(self._operations):
            self._complete(id_)
        if self._principal is not None:
            self._shared.leave(self._principal)
            self._principal = None

    def _close(self, code: Close, reason: str) -> None:
        if self._closing is None:
            # Forgotten first: a client that does not read may keep its socket for a while, but nothing else.
            self.gone()
            self._shared.closed(code)
            self._closing = asyncio.create_task(self._send_close(code, short_reason(reason)))

    async def _send_close(self, code: Close, reason: str) -> None:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._send({"type": "websocket.close", "code": int(code), "reason": reason})

    def _leave(self, subscription: Follower) -> None:
        subscription.end()
        self.forget(subscription)
        self._prefixes.pop(subscription, None)

    def _not_initialised(self) -> None:
        self._close(Close.INITIALISATION_TIMEOUT, "Connection initialisation timeout")

    def _beat(self) -> None:
        """Say how far every subscription of this socket has been told, and look at the caller on the way."""
        self._later("heartbeat", self.rules.heartbeat_seconds, self._beat)
        followed = {
            id_: each.position
            for id_, each in self._operations.items()
            if isinstance(each, Follower) and each.resumable
        }
        if self.session.caller is None or not followed or self.held:
            # What is held was not told yet, so no position is safe to resume from.
            self.say(written("ping"))
        else:
            cursor = self._shared.hub.key.cursor(self.session.caller.tenant_id, min(followed.values()))
            self.say(written("ping", payload={"cursor": cursor, "ids": list(followed)}))
        if not self.session.fresh:
            self.check()

    def _later(self, name: str, seconds: float, what: Callable[[], None]) -> None:
        self._timers[name] = asyncio.get_running_loop().call_later(seconds, what)

    def _id_of(self, subscription: Follower) -> str | None:
        return next((id_ for id_, each in self._operations.items() if each is subscription), None)

    def _told(self, subscription: Follower) -> str:
        return self._shared.hub.key.cursor(subscription.tenant_id, subscription.sent)
