"""The fleet through the schema: what machines said, what serves work, the mode and what waits for it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import pytest
from asyncpg import Connection, Record
from sqlalchemy.ext.asyncio import AsyncEngine

from db.fleet.reports import SqlReports
from db.fleet.state import SqlFleetState
from db.jobs.slots import SqlSlots
from db.roles import set_tenant
from domain.access import Role
from domain.fleet import (
    GpuProcess,
    GpuSample,
    HostSample,
    Machine,
    RecoveryAction,
    Resource,
    TelemetrySource,
    ThrottleReason,
    WorkerSeen,
    XidSeen,
)
from domain.jobs import SlotKind
from domain.values import new_id
from gpu.fleet.scenarios import Scenario, simulated
from tests.api import Answer, Api
from tests.factories import fleet, jobs
from tests.factories.access import Tenant
from tests.factories.fleet import GPU, MACHINE, comfy, llm
from tests.factories.rows import rows_of
from tests.graph.streams import Served, served

Owner: TypeAlias = "Connection[Record]"
DIRECTOR, SENIOR, JUNIOR = Role.SALES_DIRECTOR, Role.SENIOR_BROKER, Role.JUNIOR_BROKER
AT = datetime(2026, 11, 21, 18, 0, 30, tzinfo=UTC)
H100 = GpuSample(
    uuid=GPU, name="NVIDIA H100", pci="00000000:10:1C.0", temperature_c=71, power_watts=612.5, utilization=97,
    memory_used_mib=70_000, memory_total_mib=81_559, throttle=(ThrottleReason.SW_POWER_CAP,), ecc_uncorrected=2**40,
    recovery=RecoveryAction.NONE, processes=(GpuProcess(4000, "vllm", 60_000), GpuProcess(4001, "comfyui", None)),
)  # fmt: skip
SAMPLE = HostSample(TelemetrySource.NVML, AT, (H100,), driver="580.95.05")
XIDS = "{ fleet { hosts { xids(first: 5) { code } gpus { uuid xids(first: 5) { code at meaning action } } } } }"
MINUTES = """{ fleet { hosts { gpus { minutes(first: 10) {
    at source sampleCount temperatureC highestTemperatureC powerWatts utilization usedMiB mostUsedMiB
} } } } }"""


@pytest.fixture(autouse=True)
async def installation(owner_connection: Owner, tenant: Tenant) -> AsyncIterator[None]:
    """No machine before, and none behind."""
    await fleet.emptied(owner_connection)
    yield
    await fleet.emptied(owner_connection)


@pytest.fixture
def state(write_engine: AsyncEngine) -> SqlFleetState:
    return SqlFleetState(write_engine)


async def shown(api: Api, role: Role = DIRECTOR) -> Answer:
    found: Answer = (await api.data("Fleet", role=role))["fleet"]
    return found


async def serve(engine: AsyncEngine, *resources: Resource, slots: int = 1) -> None:
    """Let resources be known, each with open slots."""
    await SqlFleetState(engine).register([WorkerSeen(each) for each in resources], datetime.now(UTC))
    for each in resources:
        await SqlSlots(engine).declare(SlotKind[each.kind.name], each.name, slots)


async def test_a_machine_is_shown_as_it_reported(api: Api, write_engine: AsyncEngine) -> None:
    await fleet.reported(write_engine, SAMPLE)
    [host] = (await shown(api))["hosts"]

    assert host | {"id": ""} == {
        "id": "",
        "hostname": "gpu-1",
        "gpus": [
            {
                "uuid": GPU, "name": "NVIDIA H100", "temperatureC": 71, "powerWatts": 612.5, "utilization": 97,
                "memory": {"usedMiB": 70_000, "totalMiB": 81_559}, "throttleReasons": ["SW_POWER_CAP"],
                # GraphQL's Int ends here, and nobody counts so far.
                "eccUncorrected": 2**31 - 1,
                "xids": [], "source": "NVML", "sampledAt": "2026-11-21T18:00:30+00:00",
                "processes": [
                    {"pid": 4000, "name": "vllm", "memoryMiB": 60_000},
                    {"pid": 4001, "name": "comfyui", "memoryMiB": None},
                ],
            }
        ],
    }  # fmt: skip
    again = await api.data("query($id: ID!) { node(id: $id) { ... on FleetHost { hostname } } }", id=host["id"])
    assert again == {"node": {"hostname": "gpu-1"}}


async def test_only_what_is_wrong_is_an_alarm(api: Api, write_engine: AsyncEngine) -> None:
    reasons = (
        ThrottleReason.GPU_IDLE, ThrottleReason.SW_POWER_CAP, ThrottleReason.HW_THERMAL_SLOWDOWN,
        ThrottleReason.HW_POWER_BRAKE_SLOWDOWN,
    )  # fmt: skip
    await fleet.reported(write_engine, replace(SAMPLE, gpus=(replace(H100, throttle=reasons),)))
    data = await api.data("{ fleet { hosts { gpus { throttleReasons alarms } } } }", role=DIRECTOR)
    await fleet.reported(write_engine, replace(SAMPLE, at=AT + timedelta(minutes=1)))
    after = await api.data("{ fleet { hosts { gpus { throttleReasons alarms } } } }", role=DIRECTOR)

    [gpu], [well] = data["fleet"]["hosts"][0]["gpus"], after["fleet"]["hosts"][0]["gpus"]
    assert gpu["throttleReasons"] == [reason.name for reason in reasons]
    assert gpu["alarms"] == ["HW_THERMAL_SLOWDOWN", "HW_POWER_BRAKE_SLOWDOWN"]
    assert well == {"throttleReasons": ["SW_POWER_CAP"], "alarms": []}


async def test_a_machine_without_a_gpu_says_none(api: Api, write_engine: AsyncEngine) -> None:
    await fleet.reported(write_engine, HostSample(TelemetrySource.NONE, AT, problem="NVML has not answered."))
    data = await api.data("{ fleet { hosts { source problem driver sampledAt gpus { uuid } } } }", role=DIRECTOR)

    assert data["fleet"]["hosts"] == [
        {"source": "NONE", "problem": "NVML has not answered.", "driver": None, "gpus": [],
         "sampledAt": "2026-11-21T18:00:30+00:00"}
    ]  # fmt: skip


async def test_what_a_gpu_does_not_say_is_null(api: Api, write_engine: AsyncEngine) -> None:
    await fleet.reported(write_engine, replace(SAMPLE, gpus=(GpuSample(GPU, "NVIDIA T4"),)))
    [gpu] = (await shown(api))["hosts"][0]["gpus"]

    silent = ("temperatureC", "powerWatts", "utilization", "memory", "eccUncorrected")
    assert [gpu[name] for name in silent] == [None] * 5
    assert (gpu["throttleReasons"], gpu["processes"]) == ([], [])


async def test_simulated_gpus_go_when_nothing_is_simulated_any_more(api: Api, write_engine: AsyncEngine) -> None:
    await fleet.reported(write_engine, simulated(Scenario.BUSY, AT))
    [simulation] = (await shown(api))["hosts"][0]["gpus"]
    await fleet.reported(write_engine, replace(SAMPLE, at=AT + timedelta(minutes=1)))
    [measured] = (await shown(api))["hosts"][0]["gpus"]

    assert (simulation["source"], simulation["name"]) == ("SIMULATED", "Simulated GPU")
    assert (measured["source"], measured["uuid"]) == ("NVML", GPU)


async def test_samples_are_kept_by_the_minute(api: Api, write_engine: AsyncEngine) -> None:
    made = fleet.reports(write_engine, fleet.Told(), at=AT)
    host = await made.reports.claim(MACHINE, made.reporter, AT, timedelta(seconds=15))
    assert host is not None
    for seconds, celsius, used in ((0, 60, 10_000), (5, 80, 40_000), (10, 70, 10_000), (30, 50, 5_000)):
        gpu = replace(H100, temperature_c=celsius, memory_used_mib=used)
        await made.reports.store(host, made.reporter, replace(SAMPLE, at=AT + timedelta(seconds=seconds), gpus=(gpu,)))
    [gpu] = (await api.data(MINUTES, role=DIRECTOR))["fleet"]["hosts"][0]["gpus"]

    same = {"source": "NVML", "powerWatts": 612.5, "utilization": 97}
    assert gpu["minutes"] == [
        {"at": "2026-11-21T18:01:00+00:00", "sampleCount": 1, "temperatureC": 50, "highestTemperatureC": 50,
         "usedMiB": 5_000, "mostUsedMiB": 5_000, **same},
        {"at": "2026-11-21T18:00:00+00:00", "sampleCount": 3, "temperatureC": 70, "highestTemperatureC": 80,
         "usedMiB": 20_000, "mostUsedMiB": 40_000, **same},
    ]  # fmt: skip
    assert gpu["minutes"][0] | same == gpu["minutes"][0]


async def test_xids_are_explained_and_counted_once(api: Api, write_engine: AsyncEngine) -> None:
    reports, reporter = SqlReports(write_engine), new_id()
    host = await reports.claim(MACHINE, reporter, AT, timedelta(seconds=15))
    assert host is not None
    await reports.store(host, reporter, SAMPLE)
    seen = [
        XidSeen(79, "0000:10:1c", AT, "boot:1"),
        XidSeen(999, "0000:10:1C", AT + timedelta(seconds=1), "boot:2"),
        XidSeen(13, "0000:20:00", AT, "boot:3"),
    ]
    stored = [await reports.store_xids(host, TelemetrySource.NVML, seen) for _ in range(2)]
    [found] = (await api.data(XIDS, role=DIRECTOR))["fleet"]["hosts"]

    assert stored == [3, 0]
    assert sorted(each["code"] for each in found["xids"]) == [13, 79, 999]
    assert found["gpus"][0]["xids"] == [
        {"code": 999, "at": "2026-11-21T18:00:31+00:00", "meaning": "Not in the catalogue",
         "action": "Look it up in NVIDIA's catalogue for the installed driver."},
        {"code": 79, "at": "2026-11-21T18:00:30+00:00", "meaning": "GPU has fallen off the bus",
         "action": "The GPU is down and its leases expire: reboot the machine."},
    ]  # fmt: skip


@pytest.mark.parametrize("first", [-1, 101])
async def test_a_list_that_is_too_long_is_refused(first: int, api: Api, write_engine: AsyncEngine) -> None:
    await fleet.reported(write_engine, SAMPLE)
    answer = await api.run(f"{{ fleet {{ hosts {{ xids(first: {first}) {{ code }} }} }} }}", role=DIRECTOR)

    assert answer["errors"][0]["message"] == f"`first` is from 0 to 100; {first} was sent."


async def test_one_process_samples_a_machine_until_it_falls_silent(write_engine: AsyncEngine) -> None:
    reports, one, other = SqlReports(write_engine), new_id(), new_id()
    silent = timedelta(seconds=15)
    host = await reports.claim(MACHINE, one, AT, silent)
    later = AT + silent

    assert host is not None
    assert await reports.claim(MACHINE, other, later, silent) is None
    assert await reports.claim(MACHINE, one, AT, silent) == host
    assert await reports.claim(MACHINE, other, later + timedelta(seconds=1), silent) == host
    assert await reports.claim(MACHINE, one, later + timedelta(seconds=2), silent) is None
    # What it still had under way is too late.
    await reports.store(host, one, SAMPLE)
    assert await reports.claim(Machine("m-2:gpu-2", "gpu-2"), one, AT, silent) is not None


async def test_a_machine_that_fell_silent_is_offline(api: Api, write_engine: AsyncEngine) -> None:
    """By the database's clock, whatever the machines' own say."""
    reports = SqlReports(write_engine)
    await reports.claim(MACHINE, new_id(), AT, timedelta(0))
    await reports.claim(Machine("m-2:gpu-2", "gpu-2"), new_id(), AT, timedelta(minutes=1))
    found = await api.data("{ fleet { hosts { hostname status } } }", role=DIRECTOR)

    assert found["fleet"]["hosts"] == [
        {"hostname": "gpu-1", "status": "OFFLINE"}, {"hostname": "gpu-2", "status": "ONLINE"},
    ]  # fmt: skip


async def test_a_late_reporter_stores_nothing(api: Api, write_engine: AsyncEngine) -> None:
    reports, one, other = SqlReports(write_engine), new_id(), new_id()
    host = await reports.claim(MACHINE, one, AT, timedelta(seconds=15))
    assert host is not None
    await reports.claim(MACHINE, other, AT + timedelta(minutes=1), timedelta(seconds=15))
    await reports.store(host, one, SAMPLE)

    assert [each["gpus"] for each in (await shown(api))["hosts"]] == [[]]


async def test_what_is_old_is_forgotten(api: Api, write_engine: AsyncEngine, owner_connection: Owner) -> None:
    await fleet.reported(write_engine, SAMPLE)
    await fleet.reported(
        write_engine, replace(SAMPLE, at=AT + timedelta(days=1)), machine=Machine("m-2:gpu-2", "gpu-2")
    )
    await SqlReports(write_engine).forget(AT + timedelta(hours=1))

    assert [each["hostname"] for each in (await shown(api))["hosts"]] == ["gpu-2"]
    assert await owner_connection.fetchval("SELECT count(*) FROM gpu_samples") == 1


@pytest.mark.parametrize("role", [JUNIOR, SENIOR])
async def test_brokers_see_no_machines(role: Role, api: Api, write_engine: AsyncEngine) -> None:
    await fleet.reported(write_engine, SAMPLE)
    [host] = (await shown(api))["hosts"]
    answer = await api.run("Fleet", role=role)
    node = await api.data("query($id: ID!) { node(id: $id) { id } }", role=role, id=host["id"])

    assert answer["data"] == {"fleet": None}
    assert answer["errors"][0]["message"] == f"Your role, {role.name}, lacks FLEET_READ."
    assert node == {"node": None}


async def test_workers_show_what_runs_there(
    api: Api, write_engine: AsyncEngine, owner_connection: Owner, tenant: Tenant, other_tenant: Tenant
) -> None:
    await serve(write_engine, comfy(), llm(), slots=2)
    mine = await jobs.job(owner_connection, tenant, requested_by=tenant.users[JUNIOR], kind="RENDER", status="RUNNING")
    theirs = await jobs.job(owner_connection, other_tenant, requested_by=other_tenant.users[JUNIOR], status="RUNNING")
    for tenant_id, job_id, kind in ((tenant.id, mine, "COMFYUI"), (other_tenant.id, theirs, "LLM")):
        await owner_connection.execute(
            "UPDATE slots SET job_tenant_id = $1, job_id = $2, lease_token = $2, leased_at = now()"
            " WHERE kind = $3 AND number = 1",
            tenant_id, job_id, kind,
        )  # fmt: skip
    found = (await api.data("{ fleet { workers { kind name status open slots runningJob { id } } } }"))["fleet"]

    assert found["workers"] == [
        {"kind": "COMFYUI", "name": "comfy-1", "status": "BUSY", "open": True, "slots": 2,
         "runningJob": {"id": f"job_{mine}"}},
        {"kind": "LLM", "name": "ollama", "status": "BUSY", "open": True, "slots": 2, "runningJob": None},
    ]  # fmt: skip


async def test_a_worker_that_nobody_has_asked_is_down(api: Api, state: SqlFleetState) -> None:
    now = datetime.now(UTC)
    await state.register([WorkerSeen(comfy(), queue_depth=3)], now, timedelta(0))
    await state.register([WorkerSeen(llm(), answers=False), WorkerSeen(llm(name="other"))], now)

    workers = (await shown(api))["workers"]
    assert [(each["kind"], each["status"], each["queueDepth"]) for each in workers] == [
        ("COMFYUI", "DOWN", 3), ("LLM", "DOWN", 0), ("LLM", "IDLE", 0),
    ]  # fmt: skip


async def test_a_worker_that_was_removed_takes_no_gpu(
    api: Api, state: SqlFleetState, write_engine: AsyncEngine, owner_connection: Owner
) -> None:
    now = datetime.now(UTC)
    await serve(write_engine, comfy())
    await state.register([WorkerSeen(llm())], now - timedelta(minutes=11))
    await api.data("FleetModeSet", role=DIRECTOR, mode="LLM_FIRST")
    still_open = await owner_connection.fetchval("SELECT open FROM slots")
    await SqlReports(write_engine).forget(now - timedelta(minutes=5))

    assert still_open is True
    assert [each["kind"] for each in (await shown(api))["workers"]] == ["COMFYUI"]


async def test_queues_count_everybodys_work(
    api: Api, owner_connection: Owner, tenant: Tenant, other_tenant: Tenant
) -> None:
    # What others have ended leaves the minutes that count at a moment of its own.
    await owner_connection.execute("UPDATE jobs SET finished_at = finished_at - interval '1 day'")
    before = {each["name"]: each for each in (await api.data(QUEUES))["fleet"]["queues"]}
    for of in (tenant, other_tenant):
        await jobs.job(
            owner_connection, of, requested_by=of.users[JUNIOR], created_at=datetime.now(UTC) - timedelta(days=400)
        )
    await jobs.job(owner_connection, tenant, requested_by=tenant.users[JUNIOR], kind="RENDER", status="RUNNING")
    for _ in range(5):
        await jobs.job(owner_connection, tenant, requested_by=tenant.users[JUNIOR], kind="RENDER", status="SUCCEEDED")
    after = {each["name"]: each for each in (await api.data(QUEUES))["fleet"]["queues"]}

    assert list(after) == ["INFERENCE", "RENDER"]
    assert after["INFERENCE"]["depth"] - before["INFERENCE"]["depth"] == 2
    assert after["INFERENCE"]["oldestSeconds"] == pytest.approx(400 * 86_400, abs=60)
    assert after["RENDER"]["running"] - before["RENDER"]["running"] == 1
    assert after["RENDER"]["finishedPerMinute"] - before["RENDER"]["finishedPerMinute"] == pytest.approx(1)
    assert after["RENDER"]["waitsFor"] is None
    assert all((each["oldestSeconds"] is None) == (each["depth"] == 0) for each in (*before.values(), *after.values()))
    await set_tenant(owner_connection, tenant.id)
    await owner_connection.execute("DELETE FROM jobs WHERE tenant_id = $1", tenant.id)


QUEUES = "{ fleet { queues { name depth running oldestSeconds finishedPerMinute waitsFor } } }"


async def test_the_mode_is_split_until_somebody_sets_one(api: Api, tenant: Tenant) -> None:
    first = (await shown(api))["mode"]
    set_ = await api.data("FleetModeSet", role=DIRECTOR, mode="LLM_FIRST")
    found = (await shown(api))["mode"]

    assert (first["current"], first["setBy"]) == ("SPLIT", None)
    assert set_ == {
        "fleetModeSet": {
            "__typename": "FleetModeSetPayload", "unconfirmed": [],
            "fleet": {"mode": {"current": "LLM_FIRST", "since": found["since"]}},
        }
    }  # fmt: skip
    assert (found["current"], found["setBy"]["id"]) == ("LLM_FIRST", f"user_{tenant.users[DIRECTOR]}")
    assert found["since"] > first["since"]


async def test_a_mode_is_audited_once(api: Api, owner_connection: Owner, tenant: Tenant) -> None:
    for _ in range(2):
        await api.data("FleetModeSet", role=DIRECTOR, mode="MEDIA_FIRST")

    entries = await rows_of(owner_connection, "audit_entries", tenant.id)
    assert [(each["action"], each["subject_noun"], each["changed_fields"], each["actor_id"]) for each in entries] == [
        ("UPDATE", "fleet_modes", ["mode"], tenant.users[DIRECTOR])
    ]


async def test_another_company_sees_the_mode_and_not_who_set_it(api: Api, other_tenant: Tenant) -> None:
    await api.data("FleetModeSet", role=DIRECTOR, mode="MEDIA_FIRST")
    mode = (await shown(Api(api.system, other_tenant)))["mode"]

    assert (mode["current"], mode["setBy"]) == ("MEDIA_FIRST", None)


async def test_machines_are_told_at_once_and_when_they_report(api: Api, write_engine: AsyncEngine) -> None:
    await fleet.reported(write_engine, SAMPLE)
    hot = replace(SAMPLE, at=AT + timedelta(minutes=1), gpus=(replace(H100, temperature_c=88),))
    async with served(api.system, api.tenant, fleet_seconds=0.01) as live, live.client(DIRECTOR) as client:
        await client.subscribe("FleetUpdates")
        first = await client.data("fleetUpdates")
        await fleet.reported(write_engine, hot)
        second = await client.data("fleetUpdates")

    assert [each["host"]["gpus"][0]["temperatureC"] for each in (first, second)] == [71, 88]
    assert [each["name"] for each in first["queues"]] == ["INFERENCE", "RENDER"]


async def test_who_asks_the_same_is_answered_together(live: Served, write_engine: AsyncEngine) -> None:
    await fleet.reported(write_engine, SAMPLE)
    async with live.client(DIRECTOR) as one, live.client(DIRECTOR) as other:
        for client in (one, other):
            await client.subscribe("FleetUpdates")
            await client.data("fleetUpdates")
        assert (len(live.hub.watches.groups), live.hub.subscriptions) == (1, 2)
        await one.send({"type": "complete", "id": "1"})
        await live.until(lambda: live.hub.subscriptions == 1)


async def test_brokers_watch_no_machines(live: Served, write_engine: AsyncEngine) -> None:
    async with live.client(SENIOR) as client:
        await client.subscribe("FleetUpdates")
        message = await client.next()

    assert message["type"] == "error"
    assert message["payload"][0]["message"] == "Your role, SENIOR_BROKER, lacks FLEET_READ."


async def test_work_that_the_mode_forbids_says_so(
    api: Api, write_engine: AsyncEngine, owner_connection: Owner, tenant: Tenant
) -> None:
    junior = tenant.users[JUNIOR]
    waiting = await jobs.job(owner_connection, tenant, requested_by=junior, kind="RENDER", slot_kind="COMFYUI")
    await jobs.job(owner_connection, tenant, requested_by=junior, kind="RENDER", slot_kind="COMFYUI", status="FAILED")
    await jobs.job(owner_connection, tenant, requested_by=junior, slot_kind="LLM")
    asked = "{ jobs(first: 9) { edges { node { status waitsFor ... on RenderJob { id } } } } }"
    before = await api.data(asked, role=JUNIOR)
    await serve(write_engine, comfy(), llm())
    set_ = await api.data("FleetModeSet", role=DIRECTOR, mode="LLM_FIRST")
    after = [edge["node"] for edge in (await api.data(asked, role=JUNIOR))["jobs"]["edges"]]
    [queue] = [each for each in (await api.data(QUEUES))["fleet"]["queues"] if each["name"] == "RENDER"]

    assert [edge["node"]["waitsFor"] for edge in before["jobs"]["edges"]] == [None, None, None]
    assert after == [
        {"status": "QUEUED", "waitsFor": None},
        {"status": "FAILED", "waitsFor": None, "id": after[1]["id"]},
        {
            "status": "QUEUED", "id": f"job_{waiting}",
            "waitsFor": "The mode is LLM_FIRST: this begins when the machines serve it again.",
        },
    ]  # fmt: skip
    assert queue["waitsFor"] == "The mode is LLM_FIRST: work for renders waits until it is another."
    assert set_["fleetModeSet"]["unconfirmed"] == ["comfy-1 could not be asked to free its memory: It does not answer."]
    await set_tenant(owner_connection, tenant.id)
    await owner_connection.execute("DELETE FROM jobs WHERE tenant_id = $1", tenant.id)
