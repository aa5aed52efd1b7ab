"""The installation's machines. They are of no tenant, so a test begins and ends without any."""

from datetime import UTC, datetime
from typing import Final

from asyncpg import Connection, Record
from sqlalchemy.ext.asyncio import AsyncEngine

from app.fleet import Reporting, look, report
from db.fleet.reports import SqlReports
from db.fleet.state import SqlFleetState
from domain.fleet import HostSample, Machine, Resource, Runtime, TelemetrySource, WorkerKind
from gpu.fleet.runtimes import HttpRuntimes
from tests.serving import PATIENCE

MACHINE: Final = Machine("m-1:gpu-1", "gpu-1")
GPU: Final = "GPU-00000000-0000-0000-0000-000000000000"
NOTHING: Final = HostSample(TelemetrySource.NONE, datetime.fromtimestamp(0, UTC))


async def emptied(owner: "Connection[Record]") -> None:
    """Forget every machine, worker, slot and mode but the first."""
    await owner.execute("DELETE FROM hosts; DELETE FROM fleet_workers; DELETE FROM slots")
    await owner.execute("DELETE FROM fleet_modes WHERE set_by_id IS NOT NULL")


class Told:
    """Sensors that say what a test tells them."""

    def __init__(self, sample: HostSample = NOTHING) -> None:
        self.next = sample

    async def sample(self) -> HostSample:
        return self.next

    async def close(self) -> None:
        """Nothing was opened."""


def reports(engine: AsyncEngine, sensors: Told, *, at: datetime, machine: Machine = MACHINE) -> Reporting:
    """A process of a machine that reports at a moment."""
    state = SqlFleetState(engine)
    return Reporting(
        reports=SqlReports(engine), state=state, runtimes=HttpRuntimes(PATIENCE), sensors=sensors, machine=machine,
        clock=lambda: at, seconds=5, kept=datetime.resolution,
    )  # fmt: skip


async def reported(engine: AsyncEngine, sample: HostSample, *, machine: Machine = MACHINE) -> None:
    """Let a machine report a sample."""
    await report(reports(engine, Told(sample), at=sample.at, machine=machine))


async def looked(engine: AsyncEngine) -> None:
    """Let some process do what can be done now to bring the mode about."""
    await look(reports(engine, Told(), at=datetime.now(UTC)))


def comfy(url: str = "http://127.0.0.1:9", gpu: str | None = GPU, name: str = "comfy-1") -> Resource:
    return Resource(WorkerKind.COMFYUI, name, url, Runtime.COMFYUI, gpu=gpu)


def llm(url: str = "http://127.0.0.1:9", gpu: str | None = GPU, name: str = "ollama") -> Resource:
    return Resource(WorkerKind.LLM, name, url, Runtime.OLLAMA, gpu=gpu)
