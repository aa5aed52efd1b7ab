"""The application on a real socket, in this process and on this event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from app.admission import FrontDoor, front_door
from app.asgi import Observer, application
from app.connections import Limits
from app.serve import Server
from app.wiring import System

PATIENCE = 60
"""Seconds that a client waits for an answer: what takes long on a busy machine is no fault of what answers."""


@asynccontextmanager
async def serving(
    system: System, limits: Limits | None = None, door: FrontDoor | None = None, port: int = 0
) -> AsyncIterator[httpx.AsyncClient]:
    """Serve a system on a port, a free one unless it is named, and give a client of it."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        started = asyncio.Event()
        door = door or front_door(system, Observer(system))
        server = Server(application(system, door), started.set, door.open.stop, limits)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        await started.wait()
        try:
            base = f"http://127.0.0.1:{listener.getsockname()[1]}"
            async with httpx.AsyncClient(base_url=base, timeout=PATIENCE) as client:
                yield client
        finally:
            server.stop()
            await running
