"""GraphQL over the socket: Strawberry speaks graphql-transport-ws, and every operation goes the way of all others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import orjson
import strawberry
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation
from strawberry.subscriptions.protocols.graphql_transport_ws.types import SubscribeMessage

from graph.admission import Admission
from graph.context import GraphContext
from graph.execution import Execution, GraphAnswer
from graph.http.requests import asked_of
from graph.persisted import Asked
from graph.refusals import Refusal


class Handler(BaseGraphQLTransportWSHandler[GraphContext, None]):
    """One socket."""

    def __init__(self, view: GraphQLSockets, *arguments: Any, **named: Any) -> None:
        """Belong to a view."""
        super().__init__(view, *arguments, **named)
        self._door = view
        self._asked: dict[str, Asked | Refusal] = {}

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        """Start an operation; its document may be named instead of sent."""
        operation_id: object = message["id"]
        if not isinstance(operation_id, str):
            await self.handle_invalid_message("The id of an operation is a string.")
            return
        try:
            self._asked[operation_id] = asked_of(message["payload"])
        except Refusal as error:
            self._asked[operation_id] = error
        plain = cast("SubscribeMessage", {**message, "payload": {"query": ""}})
        await super().handle_subscribe(plain)

    async def run_operation(self, operation: Operation[GraphContext, None]) -> None:
        """Answer an operation with a context of its own."""
        asked = self._asked.pop(operation.id)
        if isinstance(asked, Refusal):
            answer = self._door.execution.refused((GraphQLError(asked.message, original_error=asked),))
        else:
            answer = await self._door.admission.answer(asked, replace(self.context, prepared=None))
        await self._send(operation, answer)

    async def _send(self, operation: Operation[GraphContext, None], answer: GraphAnswer) -> None:
        content = orjson.loads(answer.body)
        if not answer.executed:
            await operation.send_operation_message(
                {"id": operation.id, "type": "error", "payload": content["errors"]}
            )  # fmt: skip
            return
        await operation.send_operation_message({"id": operation.id, "type": "next", "payload": content})
        await operation.send_operation_message({"id": operation.id, "type": "complete"})


class GraphQLSockets(GraphQL[GraphContext, None]):
    """The endpoint of sockets. The caller stands in the scope: `app` has verified the token before."""

    graphql_transport_ws_handler_class = Handler

    def __init__(
        self,
        schema: strawberry.Schema,
        admission: Admission,
        execution: Execution,
        context: Callable[[Request | WebSocket], GraphContext],
    ) -> None:
        """Pass operations to `admission`; `context` makes the context of a socket, which each operation copies."""
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            # Pages of other origins are refused before, by the installation's settings.
            allowed_origins=("*",),
        )
        self.admission = admission
        self.execution = execution
        self._context = context

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> GraphContext:
        """Make the context of a socket."""
        return self._context(request)

    def encode_json(self, data: object) -> str:
        """Encode by orjson, as text: clients expect no binary frames."""
        return orjson.dumps(data).decode()
