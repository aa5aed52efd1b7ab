"""The page of metrics that a worker answers by itself: nobody else knows what it asked of models."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import uvicorn
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, ProcessCollector, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.metrics.inference import Asked
from app.metrics.jobs import Working
from app.settings import Settings
from app.starting import bound

PORT: Final = "VELOCITY_WORKER_METRICS_PORT"


class Page:
    """What a worker tells Prometheus."""

    def __init__(self, working: Working, asked: Asked) -> None:
        """Show queues and the worker, and what it asks of models."""
        self._working: Final = working
        self._asked: Final = asked
        self._registry: Final = CollectorRegistry()
        self._registry.register(working)
        self._registry.register(asked)
        ProcessCollector(registry=self._registry)

    async def answer(self, _request: Request) -> Response:
        """Answer `/metrics`."""
        await asyncio.gather(self._working.read(), self._asked.read())
        return Response(generate_latest(self._registry), headers={"content-type": CONTENT_TYPE_PLAIN_0_0_4})


class _Beside(uvicorn.Server):
    """Uvicorn beside something else, to which the signals belong."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the event loop."""
        yield


@asynccontextmanager
async def shown(settings: Settings, page: Page) -> AsyncIterator[None]:
    """Answer the page for as long as something else is done, where the settings name a port; raises CannotContinue."""
    if settings.worker_metrics_port is None:
        yield
        return
    application = Starlette(routes=[Route("/metrics", page.answer)])
    with bound(settings.host, settings.worker_metrics_port, PORT) as listening:
        server = _Beside(
            uvicorn.Config(
                application, loop="none", lifespan="off", log_config=None, access_log=False, server_header=False
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield
        finally:
            server.should_exit = server.force_exit = True
            await serving
