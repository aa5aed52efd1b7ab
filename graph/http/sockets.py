"""GraphQL over the socket, as graphql-transport-ws says; every operation goes the way of all others."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from graph.http.connections import SOCKET, Open
from graph.http.socket import WRITES_AT_ONCE, Socket
from graph.subscriptions.protocol import SUBPROTOCOL, Close


class GraphQLSockets:
    """The endpoint of sockets. Pages of other origins are refused before, by the installation's settings."""

    def __init__(self, shared: Open) -> None:
        """Serve sockets that share limits and subscriptions."""
        self.shared = shared

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket to its end."""
        await receive()
        if SUBPROTOCOL not in scope["subprotocols"]:
            await send({"type": "websocket.accept"})
            self.shared.closed(Close.SUBPROTOCOL_NOT_ACCEPTABLE)
            reason = f"Only {SUBPROTOCOL} is spoken here."
            await send({"type": "websocket.close", "code": Close.SUBPROTOCOL_NOT_ACCEPTABLE, "reason": reason})
            return
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        connection = HTTPConnection(scope)
        authorization = connection.headers.get("authorization")
        write = scope.get("extensions", {}).get(WRITES_AT_ONCE, {}).get("write")
        with self.shared.counted(SOCKET):
            await Socket(self.shared, self.shared.context(connection), authorization, receive, send, write).serve()
