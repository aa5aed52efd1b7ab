"""The page of metrics that a worker answers by itself."""

import asyncio
import socket

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.failures import CannotContinue
from app.metrics.inference import Asked
from app.metrics.jobs import Working
from app.metrics.page import Page, shown
from app.wiring import System
from app.worker.running import made
from domain.jobs import JobKind
from gpu.inference.overview import Alone
from tests.gpu.inference.routing import ASKED, routed
from tests.serving import PATIENCE


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


async def page_of(port: int) -> str:
    """Return the page once it is answered."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client, asyncio.timeout(PATIENCE):
        while True:
            try:
                answer = await client.get("/metrics")
            except httpx.ConnectError:
                continue
            assert answer.status_code == 200
            return answer.text


async def test_a_worker_shows_what_it_does_and_what_it_asks(system: System) -> None:
    settings = system.settings.model_copy(update={"worker_metrics_port": free_port()})
    working = Working(system.engine)
    async with (
        routed({"name": "near"}) as setting,
        made(settings, system.database.app, system.bus, [JobKind.INFERENCE], {}) as worker,
        shown(settings, Page(working, Asked(setting.router, Alone()))),
    ):
        working.worker = worker
        await setting.models.complete(ASKED)
        text = await page_of(settings.worker_metrics_port or 0)
        worker.drain()
    found = {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["velocity_model_requests_total", "ANSWERED", "near", "CHAT"] == 1
    assert (found["velocity_worker_jobs",], found["velocity_worker_places",]) == (0, 16)
    assert found["process_resident_memory_bytes",] > 10_000_000
    assert ("velocity_jobs_queued", "INFERENCE") in found


async def test_a_port_that_is_taken_is_said(system: System) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = system.settings.model_copy(update={"worker_metrics_port": port})
        async with routed() as setting:
            page = Page(Working(system.engine), Asked(setting.router, Alone()))
            with pytest.raises(CannotContinue, match=f"127.0.0.1:{port} is in use.*VELOCITY_WORKER_METRICS_PORT"):
                await shown(settings, page).__aenter__()
