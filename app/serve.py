"""What `velocity serve` does: database, migration, demo tenant, server, and a clean end."""

from __future__ import annotations

import asyncio
import errno
import shlex
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog
import uvicorn
from starlette.types import ASGIApp

from app import logs
from app.admission import front_door
from app.asgi import Observer, application
from app.connections import Limits, limited
from app.database import Database, check_answers, check_serves, database
from app.demo.team import SAFFRON
from app.failures import CannotContinue
from app.operations import register_shipped
from app.seeding import demo_password, is_empty, load_demo
from app.settings import Settings
from app.sweeping import Sweeps, sweep_regularly
from app.warming import warm
from app.wiring import system
from db.migrations import migrate, newest_revision
from domain.access import Role
from graph.persisted.manifests import shipped

MOST_MESSAGE_BYTES: Final = 1_048_576
"""The longest message on a socket."""
GRACE: Final = 10
"""Seconds that requests under way get when the server stops."""

log = structlog.get_logger()


class Stop:
    """What a signal does: it ends the start-up, or asks the server to finish."""

    def __init__(self) -> None:
        """Belong to the task that starts the server."""
        self._starting = asyncio.current_task()
        self.server: Server | None = None

    def __call__(self) -> None:
        """End in good order; a second signal ends requests under way at once."""
        if self.server is not None:
            self.server.stop()
        elif self._starting is not None:
            self._starting.cancel()
            # Once only: a second signal must not end the ending.
            self._starting = None


async def serve(settings: Settings, *, demo: bool) -> int:
    """Serve until SIGINT or SIGTERM comes; return the exit status. Raises CannotContinue."""
    logs.configure(settings.log_format)
    asyncio.get_running_loop().set_exception_handler(logs.unhandled)
    stop = Stop()
    for received in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(received, stop)
    try:
        # The port comes first: who has none should not wait for a demo tenant to be loaded.
        with _bound(settings) as bound:
            async with database(settings) as found:
                await _prepare(settings, found, demo=demo)
                await _serve(settings, found, stop, bound)
    except asyncio.CancelledError:
        log.info("stopped_while_starting")
    return 0


async def _prepare(settings: Settings, found: Database, *, demo: bool) -> None:
    if found.owner_or_none is not None:
        await check_answers(found.owner, "DATABASE_OWNER_URL")
        await migrate(found.owner)
    await check_answers(found.app, "DATABASE_URL")
    await check_serves(found.app)
    log.info("database_ready", revision=newest_revision(), embedded=found.embedded)
    if demo and await is_empty(found.owner):
        log.info("demo_loading")
        log.info("demo_loaded", summary=await load_demo(settings, found, settings.demo_scale))
    if found.owner_or_none is not None:
        await register_shipped(found.owner)


async def _serve(settings: Settings, found: Database, stop: Stop, bound: socket.socket) -> None:
    async with system(settings, found) as made:
        port = bound.getsockname()[1]
        door = front_door(made, Observer(made))
        stop.server = Server(application(made, door), lambda: _announce(settings, port))
        sweeps = Sweeps(made.uploads, found, made.units, made.overdue)
        beside = [
            asyncio.create_task(sweep_regularly(sweeps, settings.sweep_seconds)),
            asyncio.create_task(warm(made, door.execution, [each.text for each in shipped()])),
        ]
        try:
            await stop.server.serve(sockets=[bound])
        finally:
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)


def _bound(settings: Settings) -> socket.socket:
    """Take the address, without listening yet: whoever connects too early is refused, not kept waiting."""
    bound = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((settings.host, settings.port))
        return bound
    except OSError as error:
        bound.close()
        where = f"{settings.host}:{settings.port}"
        if error.errno == errno.EADDRINUSE:
            raise CannotContinue(f"{where} is in use. Stop what uses it, or set VELOCITY_PORT.") from error
        reason = error.strerror or str(error)
        raise CannotContinue(
            f"Nothing can be served on {where} ({reason}). Set VELOCITY_HOST and VELOCITY_PORT."
        ) from error


class Server(uvicorn.Server):
    """Uvicorn, but a signal only ends it: uvicorn would raise it again, and PostgreSQL would be left running."""

    def __init__(self, app: ASGIApp, announce: Callable[[], None], limits: Limits | None = None) -> None:
        """Serve `app`, and call `announce` once requests are answered."""
        super().__init__(
            uvicorn.Config(
                app,
                loop="none",
                http=limited(limits or Limits()),
                ws="websockets-sansio",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                # Uvicorn would take any local process for a proxy; `app/security.py` asks the settings.
                proxy_headers=False,
                ws_per_message_deflate=False,
                ws_max_size=MOST_MESSAGE_BYTES,
                timeout_graceful_shutdown=GRACE,
            )
        )
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self._announce()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the event loop."""
        yield

    def stop(self) -> None:
        """Finish what is under way and end; at once when asked twice."""
        self.force_exit = self.should_exit
        self.should_exit = True


def _announce(settings: Settings, port: int) -> None:
    base = f"http://{f'[{settings.host}]' if ':' in settings.host else settings.host}:{port}"
    lines = ["", f"Velocity serves {base}/graphql. GraphiQL is at {base}/graphiql. Ctrl-C stops it."]
    if (password := demo_password(settings)) is not None:
        lines += ["", f"Sign in with the password {password} as"]
        lines += [f"  {SAFFRON.email(role)}" for role in Role]
        lines += ["", "Ask for three leads:", "", curl_line(settings, base)]
    sys.stdout.write("\n".join([*lines, "", ""]))
    sys.stdout.flush()


def curl_line(settings: Settings, base: str) -> str:
    """Return one line for a shell in any folder: it signs in as the demo's senior and asks for three leads."""
    velocity = shlex.quote(str(Path(sys.executable).parent / "velocity"))
    folder = shlex.quote(str(settings.data_dir.resolve()))
    token = f"VELOCITY_DATA_DIR={folder} {velocity} token --email {SAFFRON.email(Role.SENIOR_BROKER)}"
    document = "{ leads(first: 3) { edges { node { id stage person { fullName } } } } }"
    return (
        f"curl -s {base}/graphql -H 'content-type: application/json'"
        f""" -H "authorization: Bearer $({token})" -d '{{"query": "{document}"}}'"""
    )
