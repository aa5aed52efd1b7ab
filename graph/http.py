"""GraphQL over HTTP and the socket: Strawberry's view with our context, our errors and orjson."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

import orjson
import strawberry
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult

from graph.context import GraphContext
from graph.errors import formatted


class Observer(Protocol):
    """Is told how operations went, for logs and metrics."""

    def masked(self, error_id: str, error: GraphQLError) -> None:
        """An error was hidden from the client behind an id."""

    def finished(self, outcome: str, seconds: float) -> None:
        """A request was answered: outcome is `ok` or `error`."""


class GraphQLView(GraphQL[GraphContext, None]):
    """The endpoint. The caller stands in the request's state: `app` has verified the token before."""

    def __init__(
        self, schema: strawberry.Schema, context: Callable[[Request | WebSocket], GraphContext], observer: Observer
    ) -> None:
        """Serve `schema`; `context` makes the context of one request."""
        super().__init__(
            schema,
            graphql_ide=None,
            allow_queries_via_get=False,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
        )
        self._context = context
        self._observer = observer

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> GraphContext:
        """Make the context of one request."""
        context = self._context(request)
        if isinstance(request, Request):
            request.state.started = time.perf_counter()
        return context

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        """Shape the answer; errors first, as the specification recommends."""
        answer: dict[str, Any] = {}
        if result.errors:
            answer["errors"] = [formatted(error, self._observer.masked) for error in result.errors]
        if result.data is not None or not result.errors or any(error.path for error in result.errors):
            answer["data"] = result.data
        if result.extensions:
            answer["extensions"] = result.extensions
        started = getattr(request.state, "started", time.perf_counter())
        self._observer.finished("error" if result.errors else "ok", time.perf_counter() - started)
        return answer  # type: ignore[return-value]  # Strawberry types errors as its own shape

    def encode_json(self, data: object) -> bytes:
        """Encode by orjson."""
        return orjson.dumps(data)
