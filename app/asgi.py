"""The web application: who is calling, and which path answers."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import asyncpg
import orjson
import structlog
from graphql import GraphQLError
from starlette.applications import Starlette
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars

from app.admission import FrontDoor, front_door
from app.assets.addresses import Assets, Uploads
from app.metrics.server import OUTCOMES
from app.security import ENDPOINT, GRAPHIQL, LIVE, Trust, secured
from app.wiring import System
from db.migrations import current_revision, newest_revision
from domain.errors import Unauthenticated, Unavailable
from domain.values import new_id
from graph.errors import Report, formatted
from graph.http.headers import header

PAGES: Final = Path(__file__).parent.parent / "graph" / "pages" / "dist"
BEARER: Final = "bearer "
READY_SECONDS: Final = 5
FOR_EVER: Final = "public, max-age=31536000, immutable"
ASK_AGAIN: Final = "no-cache"

log = structlog.get_logger()


class Observer:
    """Passes what happens in the graph to logs and metrics."""

    def __init__(self, system: System) -> None:
        """Count in the metrics of `system`."""
        self._metrics = system.metrics
        self._outcomes = {outcome: system.metrics.operations.labels(outcome) for outcome in OUTCOMES}

    def masked(self, error_id: str, error: GraphQLError) -> None:
        """Log an error that the client sees only as an id."""
        self._metrics.masked.inc()
        log.error("error_masked", error_id=error_id, exc_info=error.original_error)

    def finished(self, outcome: str, seconds: float) -> None:
        """Count a request."""
        self._outcomes[outcome].inc()
        self._metrics.seconds.observe(seconds)


class Authenticated:
    """Verifies the bearer token before anything else looks at a request; none at all is an anonymous caller."""

    def __init__(self, app: ASGIApp, system: System) -> None:
        """Guard `app`."""
        self._app = app
        self._system = system

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Put the caller into the scope; answer 401 where there is none, and 503 where nobody can tell."""
        sent = header(scope, b"authorization")
        if sent:
            try:
                if sent[: len(BEARER)].lower() != BEARER:
                    raise Unauthenticated("The Authorization header holds no bearer token.")
                scope["velocity.caller"] = await self._system.callers.caller_for(sent[len(BEARER) :].strip())
            except Unauthenticated as error:
                self._system.metrics.refused.inc()
                self._system.metrics.turned_away[error.code] += 1
                await _refusal(error, 401, {"www-authenticate": 'Bearer error="invalid_token"'})(scope, receive, send)
                return
            except Unavailable as error:
                self._system.metrics.turned_away[error.code] += 1
                await _refusal(error, 503, {"retry-after": "1"})(scope, receive, send)
                return
            except Exception as error:  # noqa: BLE001 -- whatever it was, the client sees an id and the log the rest.
                self._system.metrics.turned_away["INTERNAL"] += 1
                await _refusal(error, 500, {}, Observer(self._system).masked)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _refusal(
    error: Exception, status: int, headers: dict[str, str], report: Report = lambda _error_id, _error: None
) -> Response:
    shape = formatted(GraphQLError(str(error), original_error=error), report)
    return Response(orjson.dumps({"errors": [shape]}), status, headers, media_type="application/json")


class RequestLog:
    """Gives every request an id that is in its answer and in everything logged for it, and logs one line at its end."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Bind the id for logs and send it as `x-request-id`."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, started = str(new_id()), time.perf_counter()

        async def tagged(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
                milliseconds = round((time.perf_counter() - started) * 1000, 1)
                # The path without its query, which may carry what nobody should read.
                log.info(
                    "request",
                    method=scope["method"],
                    path=scope["path"],
                    status=message["status"],
                    milliseconds=milliseconds,
                )
            await send(message)

        bound = bind_contextvars(request_id=request_id)
        try:
            await self._app(scope, receive, tagged)
        finally:
            reset_contextvars(**bound)


class Pages(StaticFiles):
    """The built files. One whose name holds a hash of its content never changes; the others are asked for again."""

    hashed: Final = re.compile(r"-[A-Z0-9]{8}\.\w+$")

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Answer a file and how long it may be kept."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = FOR_EVER if self.hashed.search(os.fspath(full_path)) else ASK_AGAIN
        return response


def health(_request: Request) -> Response:
    """Say that the process runs."""
    return PlainTextResponse("ok")


async def ready(request: Request) -> Response:
    """Say whether the database answers and has the newest revision; 503 names what is missing."""
    system: System = request.app.state.system
    wanted, problem = newest_revision(), None
    try:
        async with asyncio.timeout(READY_SECONDS):
            connection = await asyncpg.connect(system.database.app)
            try:
                found = await current_revision(connection)
            finally:
                await connection.close()
        if found != wanted:
            problem = (
                f"The database is at revision {found or 'none'}; this release needs {wanted}. Run `velocity migrate`."
            )
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        log.warning("database_unreachable", error=type(error).__name__)
        problem = "The database does not answer."
    checks = {"ready": problem is None} | ({"problem": problem} if problem else {})
    return JSONResponse(checks, 200 if problem is None else 503, {"cache-control": "no-store"})


def page(name: str, policy: str) -> Callable[[Request], Response]:
    """Serve a page under its content policy, or say how to build it."""

    def answer(_request: Request) -> Response:
        file = PAGES / f"{name}.html"
        if not file.exists():
            return PlainTextResponse("The pages are not built. Run `make run`, or `npm run build` in graph/pages.", 503)
        return FileResponse(file, headers={"cache-control": ASK_AGAIN, "content-security-policy": policy})

    return answer


def application(system: System, door: FrontDoor | None = None) -> ASGIApp:
    """Make the application that serves an open system, through a front door of its own unless one is given."""
    door = door or front_door(system, Observer(system))
    app = Starlette(
        routes=[
            WebSocketRoute(ENDPOINT, Authenticated(door.sockets, system)),
            Route("/metrics", system.metrics.page),
            Route("/", lambda _request: RedirectResponse("/graphiql"), name="home"),
            Route("/healthz", health),
            Route("/readyz", ready),
            Route("/graphiql", page("graphiql", GRAPHIQL)),
            Route("/live", page("live", LIVE)),
            Route("/assets/{object_key:path}", Assets(system.uploads).answer),
            Route("/uploads/{tenant}/{upload}", Uploads(system.uploads).answer, methods=["PUT"]),
            Mount("/pages", Pages(directory=PAGES, check_dir=False)),
        ]
    )
    app.state.system = system
    graph = ServerErrorMiddleware(Authenticated(door.http, system))

    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        # The graph is asked a thousand times as often as the rest, with every method: it needs none of the routes.
        found = graph if scope["type"] == "http" and scope["path"] == ENDPOINT else app
        await found(scope, receive, send)

    return RequestLog(secured(routed, Trust.of(system.settings)))
