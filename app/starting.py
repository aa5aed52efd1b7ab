"""What `velocity serve` does first: it takes the port, starts the database, and loads the program meanwhile."""

from __future__ import annotations

import asyncio
import errno
import gc
import signal
import socket
from importlib import import_module
from typing import Protocol

import structlog

from app import logs
from app.database import Database, database
from app.failures import CannotContinue
from app.settings import Settings

log = structlog.get_logger()


class Running(Protocol):
    """A server that can be asked to end."""

    def stop(self) -> None:
        """Finish what is under way and end; at once when asked twice."""


class Program(Protocol):
    """What `app.serve` offers."""

    async def run(self, settings: Settings, found: Database, stop: Stop, bound: socket.socket, *, demo: bool) -> None:
        """Serve on a bound socket until stopped."""


class Stop:
    """What a signal does: it ends the start-up, or asks the server to finish."""

    def __init__(self) -> None:
        """Belong to the task that starts the server."""
        self._starting = asyncio.current_task()
        self.server: Running | None = None

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
        with bound(settings.host, settings.port, "VELOCITY_PORT") as listening:
            loading = asyncio.create_task(asyncio.to_thread(_loaded))
            async with database(settings) as found:
                program = await loading
                await program.run(settings, found, stop, listening, demo=demo)
    except asyncio.CancelledError:
        log.info("stopped_while_starting")
    return 0


def _loaded() -> Program:
    """Import what serves, which takes longer than PostgreSQL to start. None of it is garbage."""
    gc.disable()
    try:
        program: Program = import_module("app.serve")
        return program
    finally:
        gc.enable()


def bound(host: str, port: int, variable: str) -> socket.socket:
    """Take an address, whose port a variable sets, without listening yet.

    Whoever connects too early is refused, not kept waiting. Raises CannotContinue.
    """
    taken = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, port))
        return taken
    except OSError as error:
        taken.close()
        where = f"{host}:{port}"
        if error.errno == errno.EADDRINUSE:
            raise CannotContinue(f"{where} is in use. Stop what uses it, or set {variable}.") from error
        reason = error.strerror or str(error)
        raise CannotContinue(
            f"Nothing can be served on {where} ({reason}). Set VELOCITY_HOST and {variable}."
        ) from error
