"""`/graphql` over HTTP, as the GraphQL over HTTP specification says: POST, and GET for registered documents."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from graphql import GraphQLError, OperationType
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from graph.admission import Admission
from graph.context import GraphContext
from graph.execution import EVERY_OPERATION, Execution, GraphAnswer
from graph.http.headers import header
from graph.http.negotiation import JSON, gzip_accepted, media_type
from graph.http.requests import CLOSE, got, posted
from graph.http.responses import Profile, Response, response
from graph.refusals import MethodNotAllowed, NotAcceptable, Refusal

READ: Final = frozenset({OperationType.QUERY})


class Observer(Protocol):
    """Is told how operations went, for logs and metrics."""

    def masked(self, error_id: str, error: GraphQLError) -> None:
        """An error was hidden from the client behind an id."""

    def finished(self, outcome: str, seconds: float) -> None:
        """A request was answered: outcome is `ok` or `error`."""


@dataclass(frozen=True, slots=True)
class HttpRules:
    """What an installation decides about HTTP."""

    profile: Profile = Profile.AUDIT
    texts_by_get: bool = False
    """Whether GET may carry a text that is not registered."""


class GraphQLEndpoint:
    """The endpoint. The caller stands in the request's scope: `app` has verified the token before."""

    def __init__(
        self,
        admission: Admission,
        execution: Execution,
        context: Callable[[Request], GraphContext],
        observer: Observer,
        rules: HttpRules,
    ) -> None:
        """Pass requests to `admission`; `context` makes the context of one request."""
        self._admission = admission
        self._execution = execution
        self._context = context
        self._observer = observer
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = time.perf_counter()
        request = Request(scope, receive)
        answered, answer = await self._answered(request)
        self._observer.finished("error" if answer.errors else "ok", time.perf_counter() - started)
        await answered(scope, receive, send)

    async def _answered(self, request: Request) -> tuple[Response, GraphAnswer]:
        compressed = gzip_accepted(header(request.scope, b"accept-encoding"))
        chosen = media_type(header(request.scope, b"accept"))
        try:
            if request.method not in {"GET", "POST"}:
                raise MethodNotAllowed(headers={"allow": "GET, POST"})
            if chosen is None:
                # The body is left unread.
                raise NotAcceptable(headers=CLOSE)
            if request.method == "POST":
                asked = await posted(request, self._admission.limits)
            else:
                asked = got(request.query_params, texts=self._rules.texts_by_get)
        except Refusal as error:
            answer = self._execution.refused((GraphQLError(error.message, original_error=error),))
            return response(answer, chosen or JSON, self._rules.profile, compressed=compressed), answer
        by_get = request.method == "GET"
        answer = await self._admission.answer(asked, self._context(request), READ if by_get else EVERY_OPERATION)
        made = response(
            answer,
            chosen,
            self._rules.profile,
            compressed=compressed,
            cacheable=by_get,
            unless=header(request.scope, b"if-none-match") if by_get else None,
        )
        return made, answer
