"""GraphQL as server-sent events: graphql-sse's distinct connections, one operation each."""

from __future__ import annotations

import asyncio
from asyncio.events import TimerHandle
from dataclasses import replace
from typing import Final

import orjson
from graphql import GraphQLError, OperationType
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from domain.errors import DomainError, Unauthenticated
from graph.admission import Admitted, principal_of
from graph.execution import EVERY_OPERATION, GraphAnswer
from graph.http.connections import EVENT_STREAM as CARRIER
from graph.http.connections import Open
from graph.http.headers import header
from graph.http.negotiation import JSON, media_type
from graph.http.requests import got, posted
from graph.http.responses import Profile, response
from graph.persisted import Asked
from graph.refusals import MethodNotAllowed, Overloaded, Refusal
from graph.subscriptions.follower import Follower
from graph.subscriptions.lines import Line
from graph.subscriptions.session import Session, bearer_token
from graph.subscriptions.telling import Question, Told

EVENT_STREAM: Final = "text/event-stream"
LAST_EVENT: Final = "Last-Event-ID"
BY_POST: Final = EVERY_OPERATION | {OperationType.SUBSCRIPTION}
BY_GET: Final = frozenset({OperationType.QUERY, OperationType.SUBSCRIPTION})
HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # Proxies that gather answers would keep events back.
    (b"x-accel-buffering", b"no"),
]


class TooSlow(DomainError):
    """You read more slowly than you are told. Follow again from `cursor`."""

    code = "TOO_SLOW"


class EventStreams:
    """Serves who accepts nothing but events; passes everybody else on."""

    def __init__(self, others: ASGIApp, shared: Open, *, texts_by_get: bool) -> None:
        """Serve requests that share limits and subscriptions with sockets."""
        self._others = others
        self._shared = shared
        self._texts_by_get = texts_by_get

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        accept = header(scope, b"accept") or ""
        if EVENT_STREAM not in accept or media_type(accept) is not None:
            await self._others(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            asked = await self._asked(request)
        except Refusal as error:
            answer = self._shared.execution.refused((GraphQLError(error.message, original_error=error),))
            await response(answer, JSON, Profile.DRAFT, compressed=False)(scope, receive, send)
            return
        principal = principal_of(self._shared.context(request))
        if not self._shared.enter(principal):
            refusal = Overloaded("connectionsPerCaller", self._shared.rules.connections_per_caller + 1,
                                 self._shared.rules.connections_per_caller)  # fmt: skip
            answer = self._shared.execution.refused((GraphQLError(refusal.message, original_error=refusal),))
            await response(answer, JSON, Profile.AUDIT, compressed=False)(scope, receive, send)
            return
        try:
            with self._shared.counted(CARRIER):
                await EventSource(self._shared, request, send).serve(asked)
        finally:
            self._shared.leave(principal)

    async def _asked(self, request: Request) -> Asked:
        if request.method == "POST":
            return await posted(request, self._shared.admission.limits)
        if request.method == "GET":
            return got(request.query_params, texts=self._texts_by_get)
        raise MethodNotAllowed(headers={"allow": "GET, POST"})


class EventSource(Line):
    """One response that goes on."""

    def __init__(self, shared: Open, request: Request, send: Send) -> None:
        """Serve one operation."""
        context = shared.context(request)
        super().__init__(Session(context.sign_in, shared.rules.recheck_seconds), shared.rules)
        self._shared = shared
        self._context = context
        self._request = request
        self._send = send
        self._subscription: Follower | None = None
        self._over: Final = asyncio.Event()
        self._timers: Final[dict[str, TimerHandle]] = {}

    async def serve(self, asked: Asked) -> None:
        """Serve until the operation ends or the client goes."""
        leaving = None
        self._shared.streams.add(self.stop)
        try:
            await self._send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            # What is at its end before it begins is still an answer.
            await self._begin(asked)
            leaving = asyncio.create_task(self._left())
            await self._over.wait()
            if not leaving.done():
                await self.room()
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        except OSError:
            # The client has gone.
            return
        finally:
            self._shared.streams.discard(self.stop)
            self.gone()
            if leaving is not None:
                leaving.cancel()

    def stop(self) -> None:
        """End without `complete`, as when the network fails: the client connects again."""
        if self._subscription is not None:
            self._subscription.end()
        self._stop_timers()
        self._over.set()

    async def _begin(self, asked: Asked) -> None:
        hub, caller = self._shared.hub, self._context.caller_or_none
        try:
            token = bearer_token(self._request.headers.get("authorization"))
            if token is not None:
                await self.session.open(token)
            allowed = BY_GET if self._request.method == "GET" else BY_POST
            answered = await self._shared.admission.followed_or_answered(asked, self._context, allowed)
            if isinstance(answered, GraphAnswer):
                self._end(answered.body.decode())
                return
            await self._follow(answered)
        except Exception as error:  # noqa: BLE001 -- whatever it was, the client sees an id and the log the rest.
            self._fail(hub.shaped(error, caller.tenant_id if caller is not None else None))

    async def _follow(self, admitted: Admitted) -> None:
        question = self._shared.hub.question(admitted, self._context.caller_or_none)
        seen = self._request.headers.get(LAST_EVENT)
        if seen and isinstance(question, Question):
            # A browser that connects again repeats its request as it was, and says here how far it had come.
            after = self._shared.hub.key.position(question.caller.tenant_id, seen, LAST_EVENT)
            question = replace(question, after=after)
        self._subscription = await self._shared.hub.follow(question, self)
        left = self.session.seconds_left()
        if left is not None:
            self._timers["expiry"] = asyncio.get_running_loop().call_later(left + 0.01, self.check)
        self._beat()
        self._subscription.start()

    async def _left(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass
        self._over.set()

    async def write(self, text: str) -> None:
        """Send one event."""
        await self._send({"type": "http.response.body", "body": text.encode(), "more_body": True})

    def framed(self, subscription: Follower, told: Told, response: str) -> str:
        """Return the `next` event; its id is the position that a browser comes back with."""
        if not subscription.resumable:
            return event("next", response)
        cursor = self._shared.hub.key.cursor(subscription.tenant_id, told.sequence)
        return f"id: {cursor}\n{event('next', response)}"

    def failed(self, subscription: Follower, error: Exception) -> None:
        """Send why the subscription has ended, and end."""
        self._fail(self._shared.hub.shaped(error, subscription.tenant_id))

    def too_slow(self, subscription: Follower | None) -> None:
        """End, and say from where to go on."""
        shaped = self._shared.hub.shaped(TooSlow(), None)
        if self._subscription is not None and self._subscription.resumable:
            cursor = self._shared.hub.key.cursor(self._subscription.tenant_id, self._subscription.sent)
            shaped[0]["extensions"]["cursor"] = cursor
        self._fail(shaped)

    def refused(self, error: DomainError) -> None:
        """End, and say that the caller may no longer have it."""
        self._fail(self._shared.hub.shaped(error if isinstance(error, Unauthenticated) else Unauthenticated(), None))

    def gone(self) -> None:
        """Forget everything."""
        self.close_line()
        self._stop_timers()
        if self._subscription is not None:
            self._subscription.end()

    def _fail(self, shaped: list[dict[str, object]]) -> None:
        if self._subscription is not None:
            self._subscription.end()
            self.forget(self._subscription)
        self._end(orjson.dumps({"errors": shaped}).decode())

    def _end(self, last: str) -> None:
        """Say the last result, and that it was the last; nothing comes after that."""
        if self._over.is_set():
            return
        self._stop_timers()
        self._over.set()
        self.say(event("next", last))
        self.say(event("complete", ""))

    def _stop_timers(self) -> None:
        for timer in self._timers.values():
            timer.cancel()

    def _beat(self) -> None:
        """Say how far the subscription has been told, in an id without an event: so that proxies see life, too."""
        loop = asyncio.get_running_loop()
        self._timers["heartbeat"] = loop.call_later(self.rules.heartbeat_seconds, self._beat)
        if self._subscription is None:
            return
        # What is held was not told yet, so no position is safe to resume from.
        if self.held or not self._subscription.resumable:
            self.say(":\n\n")
        else:
            cursor = self._shared.hub.key.cursor(self._subscription.tenant_id, self._subscription.position)
            self.say(f"id: {cursor}\n\n")
        if not self.session.fresh:
            self.check()


def event(name: str, data: str) -> str:
    """Write one event. A line feed, which JSON may have between its tokens, begins another line of data."""
    lines = data.replace("\n", "\ndata: ")
    return f"event: {name}\ndata: {lines}\n\n"
