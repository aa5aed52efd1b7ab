"""What `velocity serve` does with a database: migration, demo tenant, server, and a clean end."""

from __future__ import annotations

import asyncio
import shlex
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog
import uvicorn
from starlette.types import ASGIApp

from app.admission import front_door
from app.asgi import Observer, application
from app.beside import beside
from app.commands.operations import register_shipped
from app.connections import Limits, WatchedSocket, limited
from app.database import Database, check_answers, check_serves
from app.demo.team import SAFFRON
from app.fleet import report_regularly
from app.inference import configured_providers, inference_settings
from app.prompts import loaded_prompts
from app.seeding import demo_password, is_empty, load_demo
from app.settings import Settings
from app.starting import Stop
from app.sweeping import Sweeps, forget_regularly, sweep_regularly
from app.warming import warm
from app.wiring import System, system
from app.worker.handlers import handlers, opened
from app.worker.running import made as made_worker
from app.worker.working import Worker
from db.inference.registering import register_providers
from db.jobs.slots import SqlSlots
from db.migrations import migrate, newest_revision
from db.renders import SqlLeftFiles
from domain.access import Role
from domain.jobs import JobKind
from graph.persisted.manifests import shipped

MOST_MESSAGE_BYTES: Final = 1_048_576
"""The longest message on a socket."""
GRACE: Final = 10
"""Seconds that requests under way get when the server stops."""

log = structlog.get_logger()


async def run(settings: Settings, found: Database, stop: Stop, bound: socket.socket, *, demo: bool) -> None:
    """Serve on a bound socket until stopped. Raises CannotContinue."""
    loaded_prompts(settings)
    inference_settings(settings)
    await _prepare(settings, found, demo=demo)
    await _serve(settings, found, stop, bound)


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
        await register_providers(found.owner, configured_providers(settings))


async def _serve(settings: Settings, found: Database, stop: Stop, bound: socket.socket) -> None:
    async with system(settings, found) as made:
        port = bound.getsockname()[1]
        door = front_door(made, Observer(made))
        server = Server(application(made, door), lambda: _announce(settings, port), door.open.stop)
        sweeps = Sweeps(made.uploads, found, made.units, made.overdue, SqlLeftFiles(made.engine), settings)
        async with (
            beside(
                sweep_regularly(sweeps, settings.sweep_seconds),
                forget_regularly(made.events, timedelta(days=settings.event_days), settings.sweep_seconds),
                report_regularly(made.reporting),
                warm(made, door.execution, [each.text for each in shipped()]),
            ),
            _working(made) as worker,
        ):
            stop.server = Both(server, worker)
            await server.serve(sockets=[bound])


@asynccontextmanager
async def _working(system: System) -> AsyncIterator[Worker | None]:
    """Run a worker in this process unless told not to; it ends with its jobs."""
    settings = system.settings
    if not settings.worker:
        yield None
        return
    async with (
        opened(
            settings, system.uploads, SqlSlots(system.engine), system.units, system.router, machine=system.reporting
        ) as parts,
        made_worker(settings, system.database.app, system.bus, tuple(JobKind), handlers(parts)) as worker,
    ):
        running = asyncio.create_task(worker.run())
        system.metrics.working.worker = worker
        try:
            yield worker
        finally:
            if not worker.draining:
                worker.drain()
            await running


class Both:
    """The server and the worker beside it: both finish what is under way."""

    def __init__(self, server: Server, worker: Worker | None) -> None:
        """Stop both together."""
        self._server = server
        self._worker = worker

    def stop(self) -> None:
        """Finish what is under way and end; at once when asked twice."""
        self._server.stop()
        if self._worker is not None:
            self._worker.drain()


class Server(uvicorn.Server):
    """Uvicorn, but a signal only ends it: uvicorn would raise it again, and PostgreSQL would be left running."""

    def __init__(
        self,
        app: ASGIApp,
        announce: Callable[[], None],
        leave: Callable[[], None] = lambda: None,
        limits: Limits | None = None,
    ) -> None:
        """Serve `app`; call `announce` once requests are answered, and `leave` to end what would go on for ever."""
        limits = limits or Limits()
        super().__init__(
            uvicorn.Config(
                app,
                loop="none",
                http=limited(limits),
                ws=WatchedSocket,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                # Uvicorn would take any local process for a proxy; `app/security.py` asks the settings.
                proxy_headers=False,
                ws_per_message_deflate=False,
                ws_max_size=MOST_MESSAGE_BYTES,
                ws_ping_interval=limits.ping_seconds,
                ws_ping_timeout=limits.pong_seconds,
                timeout_graceful_shutdown=GRACE,
            )
        )
        self._announce = announce
        self._leave = leave

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop; uvicorn would wait for the end of event streams."""
        self._leave()
        await super().shutdown(sockets)

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
    lines = [
        "",
        f"GraphiQL is at {base}/graphiql, and what happens now at {base}/live.",
        f"Velocity serves {base}/graphql. Ctrl-C stops it.",
    ]
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
