"""What a machine reports and how a mode comes about: PostgreSQL, real sockets, a driver at its C interface."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

import pytest
from asyncpg import Connection, Record
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.fleet import (
    InstalledFleet,
    Reporting,
    language_models,
    render_workers,
    report,
    report_regularly,
    reporting,
    this_machine,
)
from app.inference import routing
from app.settings import Settings
from db.engine import ReadPool
from db.fleet.reports import SqlReports
from db.fleet.state import SqlFleetState
from db.fleet.view import SqlFleetView
from db.jobs.slots import SqlSlots
from domain import fleet as domain
from domain.access import Role
from domain.errors import Unavailable
from domain.fleet import (
    FleetMode,
    FleetModeSet,
    GpuSample,
    HostSample,
    Machine,
    Resource,
    TelemetrySource,
    WorkerSeen,
    XidSeen,
)
from domain.jobs import SlotKind
from gpu.fleet.kernel_log import from_kmsg
from gpu.fleet.nvml import NvmlSensors
from gpu.fleet.runtimes import HttpRuntimes
from gpu.fleet.scenarios import Scenario, SimulatedSensors
from tests.api import Api
from tests.comfy.workers import rendering
from tests.factories import fleet
from tests.factories.access import Tenant
from tests.factories.fleet import GPU, Told, comfy, llm
from tests.gpu.fleet.drivers import built
from tests.gpu.fleet.runtimes import serving
from tests.serving import PATIENCE

Owner: TypeAlias = "Connection[Record]"
DIRECTOR = Role.SALES_DIRECTOR
FREES = {"POST /free": (200, b"")}


@pytest.fixture(autouse=True)
async def installation(owner_connection: Owner, tenant: Tenant) -> AsyncIterator[None]:
    await fleet.emptied(owner_connection)
    yield
    await fleet.emptied(owner_connection)


def measured(used: int) -> HostSample:
    gpu = GpuSample(GPU, "NVIDIA H100", "00000000:10:1C.0", memory_used_mib=used, memory_total_mib=81_559)
    return HostSample(TelemetrySource.NVML, datetime.now(UTC), (gpu,))


async def served_by(engine: AsyncEngine, *resources: Resource) -> None:
    await SqlFleetState(engine).register([WorkerSeen(each) for each in resources], datetime.now(UTC))
    for each in resources:
        await SqlSlots(engine).declare(SlotKind[each.kind.name], each.name, 1)


async def opened(owner: Owner) -> dict[str, bool]:
    return {row["resource"]: row["open"] for row in await owner.fetch("SELECT resource, open FROM slots")}


async def lease(owner: Owner, resource: str, *, held: bool) -> None:
    """Let a job hold the slot of a resource, or end."""
    held_by = uuid4() if held else None
    await owner.execute(
        "UPDATE slots SET job_tenant_id = $1, job_id = $1, lease_token = $1, leased_at = CASE WHEN $2 THEN now() END"
        " WHERE resource = $3",
        held_by, held, resource,
    )  # fmt: skip


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.to_thread(os.sched_yield)


async def set_mode(api: Api, mode: str) -> list[str]:
    data = await api.data("FleetModeSet", role=DIRECTOR, mode=mode)
    unconfirmed: list[str] = data["fleetModeSet"]["unconfirmed"]
    return unconfirmed


async def test_a_mode_frees_confirms_and_opens(api: Api, write_engine: AsyncEngine, owner_connection: Owner) -> None:
    async with serving(FREES) as server:
        await served_by(write_engine, llm(), comfy(server.url))
        await fleet.reported(write_engine, measured(60_000))
        changing = asyncio.create_task(set_mode(api, "LLM_FIRST"))
        await until(lambda: server.asked)
        closed = await opened(owner_connection)
        # What the driver says once ComfyUI has let go.
        sample = measured(2_000)
        await fleet.reported(write_engine, replace(sample, at=sample.at + timedelta(minutes=1)))
        unconfirmed = await changing
        assert server.asked == [("POST /free", {"unload_models": True, "free_memory": True})]

    assert closed == {"ollama": True, "comfy-1": False}
    assert unconfirmed == []
    assert await opened(owner_connection) == {"ollama": True, "comfy-1": False}


async def test_the_other_kind_opens_once_the_first_has_let_go(
    api: Api, write_engine: AsyncEngine, owner_connection: Owner
) -> None:
    async with serving(FREES) as server:
        await served_by(write_engine, llm(), comfy(server.url))
        await set_mode(api, "LLM_FIRST")
        before = await opened(owner_connection)
        unconfirmed = await set_mode(api, "MEDIA_FIRST")

    assert before == {"ollama": True, "comfy-1": False}
    assert await opened(owner_connection) == {"ollama": False, "comfy-1": True}
    assert unconfirmed == ["ollama could not be asked to free its memory: It does not answer."]


async def test_without_telemetry_it_is_said(api: Api, write_engine: AsyncEngine) -> None:
    async with serving(FREES) as server:
        await served_by(write_engine, llm(), comfy(server.url))
        unconfirmed = await set_mode(api, "LLM_FIRST")

    assert unconfirmed == ["comfy-1 was asked to free its memory; no telemetry of its GPU confirms it."]


async def test_simulated_telemetry_confirms_nothing(api: Api, write_engine: AsyncEngine) -> None:
    idle = replace(measured(600), source=TelemetrySource.SIMULATED)
    async with serving(FREES) as server:
        await served_by(write_engine, llm(), comfy(server.url))
        await fleet.reported(write_engine, replace(idle, at=idle.at + timedelta(minutes=1)))
        unconfirmed = await set_mode(api, "LLM_FIRST")

    assert unconfirmed == ["comfy-1 was asked to free its memory; no telemetry of its GPU confirms it."]


async def test_what_runs_is_drained_and_the_rest_follows_by_itself(
    api: Api, write_engine: AsyncEngine, read_pool: ReadPool, owner_connection: Owner
) -> None:
    queue = "{ fleet { mode { current } workers { name status open } queues { name waitsFor } } }"
    async with serving(FREES) as server:
        state = SqlFleetState(write_engine)
        await served_by(write_engine, llm(), comfy(server.url))
        await set_mode(api, "MEDIA_FIRST")
        await lease(owner_connection, "comfy-1", held=True)
        async with api.system.units.write(api.tenant.caller(DIRECTOR)) as unit:
            await domain.set_mode(unit, FleetModeSet(FleetMode.LLM_FIRST))
        impatient = InstalledFleet(
            state, SqlFleetView(read_pool), HttpRuntimes(PATIENCE), lambda: datetime.now(UTC), 0.0
        )
        first = await impatient.settle()
        second = await impatient.settle()
        asked_while_running = len(server.asked)
        draining = (await api.data(queue))["fleet"]
        await lease(owner_connection, "comfy-1", held=False)
        # Whoever looks next goes on with what the mutation began.
        for _ in range(3):
            await fleet.looked(write_engine)
        asked = len(server.asked)

    assert first == ["The machines are still changing over."]
    assert second == ["A job is still running on comfy-1; its GPU changes over when that has ended."]
    assert (asked_while_running, asked) == (0, 1)
    assert draining["workers"] == [
        {"name": "comfy-1", "status": "DRAINING", "open": False}, {"name": "ollama", "status": "IDLE", "open": False},
    ]  # fmt: skip
    assert await opened(owner_connection) == {"ollama": True, "comfy-1": False}


async def test_a_switch_that_another_mode_overtook_changes_nothing(
    api: Api, write_engine: AsyncEngine, owner_connection: Owner
) -> None:
    await served_by(write_engine, llm(), comfy())
    state = SqlFleetState(write_engine)
    old = (await state.situation(datetime.now(UTC))).mode.id
    await set_mode(api, "LLM_FIRST")
    before = await opened(owner_connection)
    await state.switch(old, comfy(), to=True)

    assert await opened(owner_connection) == before == {"ollama": True, "comfy-1": False}


async def test_a_machine_reports_what_its_driver_says(api: Api, write_engine: AsyncEngine, tmp_path: Path) -> None:
    driver = built(tmp_path)
    driver.says(temperature=71, used_mib=70_000, processes=1)
    now = datetime.now(UTC)
    sensors = NvmlSensors(lambda: now, environment=driver.environment)
    try:
        await report(replace(fleet.reports(write_engine, Told(), at=now), sensors=sensors))
    finally:
        await sensors.close()
    [host] = (await api.data("Fleet", role=DIRECTOR))["fleet"]["hosts"]

    assert [(gpu["uuid"], gpu["temperatureC"], gpu["source"]) for gpu in host["gpus"]] == [(GPU, 71, "NVML")]
    assert host["gpus"][0]["processes"] == [{"pid": 4000, "name": "engine-4000", "memoryMiB": 2048}]


async def test_a_simulation_reports_its_xid(api: Api, write_engine: AsyncEngine) -> None:
    at = datetime(2026, 11, 21, 18, 2, tzinfo=UTC)
    made = fleet.reports(write_engine, Told(), at=at)
    made.scenario = Scenario.XID_79
    made.sensors = SimulatedSensors(Scenario.XID_79, lambda: at)
    await report(made)
    await report(made)
    data = await api.data("{ fleet { hosts { source problem xids(first: 9) { code meaning } } } }", role=DIRECTOR)

    assert data["fleet"]["hosts"] == [
        {
            "source": "SIMULATED",
            "problem": "Simulated: the GPU at position 0 does not answer: GPU is lost.",
            "xids": [{"code": 79, "meaning": "GPU has fallen off the bus"}],
        }
    ]


async def running(made: Reporting, owner: Owner, statement: str) -> None:
    """Let a machine report until a statement answers true."""
    task = asyncio.create_task(report_regularly(made))
    try:
        async with asyncio.timeout(PATIENCE):
            while not await owner.fetchval(statement):
                assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_reporting_follows_the_kernels_log(write_engine: AsyncEngine, owner_connection: Owner) -> None:
    async def log() -> AsyncIterator[XidSeen]:
        yield XidSeen(63, "0000:10:1c", datetime.now(UTC), "boot:1")
        await asyncio.Event().wait()

    made = fleet.reports(write_engine, Told(measured(600)), at=datetime.now(UTC))
    made.seconds, made.xid_log, made.kept = 0.01, log, timedelta(days=1)
    await running(made, owner_connection, "SELECT count(*) = 1 FROM gpu_xids WHERE code = 63 AND source = 'NVML'")


async def test_a_log_that_cannot_be_read_is_said_with_the_machine(
    write_engine: AsyncEngine, owner_connection: Owner, tmp_path: Path
) -> None:
    made = fleet.reports(write_engine, Told(measured(600)), at=datetime.now(UTC))
    made.seconds, made.xid_log = 0.01, lambda: from_kmsg(tmp_path / "kmsg")
    said = f"XIDs are not seen: {tmp_path}/kmsg cannot be opened: No such file or directory."
    await running(made, owner_connection, f"SELECT problem = '{said}' FROM hosts")


async def test_a_machine_without_a_gpu_reads_no_log(write_engine: AsyncEngine, owner_connection: Owner) -> None:
    opened_logs: list[int] = []

    async def log() -> AsyncIterator[XidSeen]:
        opened_logs.append(1)
        await asyncio.Event().wait()
        yield XidSeen(0, "", datetime.now(UTC), "")

    made = fleet.reports(write_engine, Told(), at=datetime.now(UTC))
    made.seconds, made.xid_log = 0.01, log
    await running(made, owner_connection, "SELECT count(*) = 1 FROM hosts WHERE source = 'NONE'")

    assert opened_logs == []


async def test_a_database_that_is_away_is_waited_for(write_engine: AsyncEngine, owner_connection: Owner) -> None:
    class Away(SqlReports):
        failures = 3

        async def claim(self, *arguments: object) -> None:
            self.failures -= 1
            if self.failures >= 0:
                raise Unavailable
            return await super().claim(*arguments)  # type: ignore[arg-type,return-value]  # they are passed on as they came

    made = fleet.reports(write_engine, Told(measured(600)), at=datetime.now(UTC))
    made.reports, made.seconds = Away(write_engine), 0.01
    await running(made, owner_connection, "SELECT count(*) = 1 FROM hosts WHERE source = 'NVML'")


def test_settings_choose_what_is_sampled(api: Api, write_engine: AsyncEngine, tmp_path: Path) -> None:
    def made(**settings: object) -> Reporting:
        given = Settings(data_dir=tmp_path, **settings)  # type: ignore[arg-type]  # pydantic reads them
        return reporting(given, write_engine, lambda: datetime.now(UTC), api.system.router)

    measuring, simulating = made(), made(fleet_simulation="POWER_BRAKE", fleet_seconds=2, fleet_days=1)
    assert (type(measuring.sensors), measuring.scenario, measuring.xid_log is None) == (NvmlSensors, None, False)
    assert (type(simulating.sensors), simulating.scenario) == (SimulatedSensors, Scenario.POWER_BRAKE)
    assert (simulating.xid_log, simulating.seconds, simulating.kept) == (None, 2, timedelta(days=1))
    assert made(kernel_log="off").xid_log is None
    with pytest.raises(ValidationError):
        made(fleet_simulation="SOMETHING")


async def test_language_models_are_found_with_their_gpu(
    read_pool: ReadPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tags = b'{"models":[{"name":"qwen3:8b","model":"qwen3:8b"}]}'
    answers = {
        "GET /": (200, b"Ollama is running"), "GET /api/version": (200, b'{"version":"1"}'),
        "GET /api/tags": (200, tags), "GET /api/ps": (200, b'{"models":[]}'),
    }  # fmt: skip
    async with serving(answers) as server:
        monkeypatch.setenv("OLLAMA_BASE_URL", server.url)
        async with routing(Settings(data_dir=tmp_path), read_pool) as router:
            found = await language_models(router, [("ollama", GPU)])()
    async with routing(Settings(data_dir=tmp_path), read_pool) as router:
        gone = await language_models(router, [])()

    assert found == [WorkerSeen(llm(server.url))]
    assert gone == [WorkerSeen(llm(server.url, None), answers=False)]


async def test_render_workers_are_found_with_their_gpu(tmp_path: Path) -> None:
    async with rendering(tmp_path) as studio:
        found = await render_workers(studio.pool, [("one", GPU)])()
        await studio.fake.crash()
        gone = await render_workers(studio.pool, [])()

    assert found == [WorkerSeen(comfy(studio.fake.url, name="one"))]
    assert gone == [WorkerSeen(comfy(studio.fake.url, None, name="one"), answers=False)]


async def test_a_mode_frees_a_comfyui(
    api: Api, write_engine: AsyncEngine, owner_connection: Owner, tmp_path: Path
) -> None:
    """The one that renders are tried on: what it is asked is what a ComfyUI understands."""
    async with rendering(tmp_path) as studio:
        await served_by(write_engine, llm(), comfy(studio.fake.url))
        unconfirmed = await set_mode(api, "LLM_FIRST")

    assert unconfirmed == ["comfy-1 was asked to free its memory; no telemetry of its GPU confirms it."]
    assert await opened(owner_connection) == {"ollama": True, "comfy-1": False}


def test_placements_are_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VELOCITY_GPU_PLACEMENTS", "ollama=GPU-a, comfy-1 = GPU-b")
    assert Settings().gpu_placements == (("ollama", "GPU-a"), ("comfy-1", "GPU-b"))
    monkeypatch.setenv("VELOCITY_GPU_PLACEMENTS", "ollama")
    with pytest.raises(ValidationError, match="write name=GPU-… with commas between them"):
        Settings()


def test_a_machine_is_told_by_its_id_and_name(tmp_path: Path) -> None:
    (tmp_path / "machine-id").write_text("0e9c\n")
    known, unknown = this_machine(None, tmp_path / "machine-id"), this_machine(None, tmp_path / "nothing")

    assert known == Machine(f"0e9c:{known.hostname}", known.hostname)
    assert unknown == Machine(f":{known.hostname}", known.hostname)
    assert this_machine("renders", tmp_path / "machine-id") == Machine("0e9c:renders", "renders")
