"""What `velocity serve` does: database, migration, demo tenant, server, and a clean end."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from datetime import UTC, datetime
from typing import Final

import asyncpg
import structlog
import uvicorn
from rich.console import Console

from app import logs
from app.asgi import application
from app.database import Database, database
from app.demo.seed import SeedSummary, seed
from app.secrets import kept
from app.settings import Settings
from app.wiring import System, system
from db.migrations import migrate
from db.roles import tenant_ids

DEMO_ROLES: Final = ("admin", "director", "senior", "junior")
GRACE: Final = 10
"""Seconds that requests under way get when the server stops."""

log = structlog.get_logger()


async def serve(settings: Settings, *, demo: bool) -> int:
    """Serve until a signal comes; return the exit status."""
    logs.configure(settings.log_format)
    async with database(settings) as found:
        if found.owner_or_none is not None:
            await migrate(found.owner)
        if demo:
            await _first_demo(settings, found)
        return await _serve(settings, found, demo=demo)


async def seed_demo(settings: Settings, scale: float) -> str:
    """Migrate and load the demo tenants; return what was loaded."""
    async with database(settings) as found:
        await migrate(found.owner)
        return str(await _seed(settings, found, scale))


async def _first_demo(settings: Settings, found: Database) -> None:
    owner = await asyncpg.connect(found.owner)
    try:
        present = await tenant_ids(owner)
    finally:
        await owner.close()
    if not present:
        log.info("demo_loading")
        summary = await _seed(settings, found, 1.0)
        log.info("demo_loaded", summary=str(summary))


async def _seed(settings: Settings, found: Database, scale: float) -> SeedSummary:
    return await seed(
        found.owner,
        scale=scale,
        password=demo_password(settings),
        asset_folder=settings.assets,
        now=datetime.now(UTC),
    )


def demo_password(settings: Settings) -> str:
    """Return the demo users' password, made the first time and kept with mode 600."""
    return kept(settings.data_dir / "demo.password")


class _Server(uvicorn.Server):
    """Uvicorn, but a signal only ends it: uvicorn would raise it again, and PostgreSQL would be left running."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        """Call `announce` once requests are answered."""
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        if self.started:
            self._announce()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the event loop."""
        yield

    def stop(self) -> None:
        """Finish what is under way and end; at once when asked twice."""
        self.force_exit = self.should_exit
        self.should_exit = True


async def _serve(settings: Settings, found: Database, *, demo: bool) -> int:
    def opened() -> AbstractAsyncContextManager[System]:
        return system(settings, found)

    listener = socket.create_server((settings.host, settings.port))
    config = uvicorn.Config(
        application(opened),
        loop="none",
        http="httptools",
        ws="websockets-sansio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=GRACE,
    )
    server = _Server(config, lambda: _announce(settings, listener.getsockname()[1], demo=demo))
    for received in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(received, server.stop)
    await server.serve(sockets=[listener])
    return 0 if server.started else 1


def _announce(settings: Settings, port: int, *, demo: bool) -> None:
    base = f"http://{settings.host}:{port}"
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"\n[bold]Velocity[/bold] serves {base}/graphql; GraphiQL is at {base}/graphiql. Ctrl-C stops it.")
    if not demo:
        return
    domain = settings.demo_email_domain
    console.print(f"\nSign in with the password [bold]{demo_password(settings)}[/bold] as")
    for role in DEMO_ROLES:
        console.print(f"  {role}@{domain}")
    document = "{ leads(first: 3) { edges { node { id stage person { fullName } } } } }"
    console.print("\nAsk for three leads:\n")
    print(  # noqa: T201 -- to be copied as it is, so nothing may wrap or colour it.
        f"curl -s {base}/graphql -H 'content-type: application/json'"
        f' -H "authorization: Bearer $(.venv/bin/velocity token --email senior@{domain})"'
        f""" -d '{{"query": "{document}"}}'\n"""
    )
