"""`/metrics`: what Prometheus reads, and that it moves with what happens."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from asyncpg import Connection, Record
from prometheus_client.parser import text_string_to_metric_families

from app.wiring import System
from app.worker.running import made
from db.fleet.state import SqlFleetState
from db.jobs.slots import SqlSlots
from domain.access import Role
from domain.fleet import WorkerSeen, WorkerStatus
from domain.jobs import JobKind, SlotKind
from graph.http.socket import Socket
from tests.api import Api
from tests.factories import fleet, jobs, perception
from tests.factories.access import Tenant
from tests.graph.streams import cursor, served, signed_in, socket, stall
from tests.graph.test_event_streams import posted
from tests.serving import serving

QUERY = "{ viewer { id } }"


@pytest.fixture
async def http(system: System) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a door of its own: the metrics show the door that was opened last."""
    async with serving(system) as client:
        yield client


async def samples(http: httpx.AsyncClient) -> dict[str, float]:
    """Every sample by its name and labels."""
    answer = await http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        f"{sample.name}{sample.labels or ''}": sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_metrics_count_what_happens(http: httpx.AsyncClient, bearer: dict[str, str]) -> None:
    before = await samples(http)
    for document in (QUERY, QUERY, "{ nonsense }"):
        await http.post("/graphql", json={"query": document}, headers=bearer)
    await http.post("/graphql", json={"query": QUERY}, headers={"authorization": "Bearer nonsense"})
    after = await samples(http)
    moved = {name: after[name] - before[name] for name in before}

    assert moved["velocity_operations_total{'outcome': 'ok'}"] == 2
    assert moved["velocity_operations_total{'outcome': 'error'}"] == 1
    assert moved["velocity_operation_seconds_count"] == 3
    assert moved["velocity_refused_tokens_total"] == 1
    assert moved["velocity_masked_errors_total"] == 0
    # Two answers, and the one look at the session that both share.
    assert moved["velocity_read_statements_total"] == 3


async def test_refusals_are_counted_by_their_code(http: httpx.AsyncClient, bearer: dict[str, str]) -> None:
    before = await samples(http)
    for body in ({"query": "{ nonsense }"}, {"query": "{"}, {"documentId": "No such one"}, {}):
        await http.post("/graphql", json=body, headers=bearer)
    await http.put("/graphql")
    await http.post("/graphql", json={"query": "{ leads { totalCount } }"})
    await http.post("/graphql", json={"query": QUERY}, headers={"authorization": "Bearer nonsense"})
    after = await samples(http)
    # What was asked for names no label, so there are no new ones.
    assert after.keys() == before.keys()
    refusals = {name: after[name] - before[name] for name in before if name.startswith("velocity_refusals_total")}
    assert {name: count for name, count in refusals.items() if count} == {
        "velocity_refusals_total{'code': 'GRAPHQL_VALIDATION_FAILED'}": 2,
        "velocity_refusals_total{'code': 'DOCUMENT_NOT_FOUND'}": 1,
        "velocity_refusals_total{'code': 'BAD_REQUEST'}": 1,
        "velocity_refusals_total{'code': 'METHOD_NOT_ALLOWED'}": 1,
        "velocity_refusals_total{'code': 'UNAUTHENTICATED'}": 2,
    }
    assert refusals["velocity_refusals_total{'code': 'INTERNAL'}"] == 0


async def test_metrics_tell_the_process(http: httpx.AsyncClient) -> None:
    found = await samples(http)
    assert found["process_resident_memory_bytes"] > 10_000_000
    assert found["velocity_operation_seconds_bucket{'le': '+Inf'}"] == found["velocity_operation_seconds_count"]


async def test_connections_and_their_ends_are_counted(system: System, tenant: Tenant) -> None:
    async with served(system, tenant) as live:
        bearer, before = await live.api.bearer(Role.JUNIOR_BROKER), await samples(live.http)
        async with (
            signed_in(live.http, bearer) as first,
            socket(live.http),
            socket(live.http, protocol="none") as other,
        ):
            async with posted(live, bearer, documentId="Notifications"):
                await first.subscribe("Notifications")
                await live.until(lambda: live.hub.subscriptions == 2)
                await other.closed()
                # A client hears of the end before its server has forgotten the connection.
                await live.until(lambda: live.shared.connections.total() == 3)
                found = await samples(live.http)
                assert found["velocity_connections{'carrier': 'socket'}"] == 2
                assert found["velocity_connections{'carrier': 'event stream'}"] == 1
                assert found["velocity_subscriptions"] == 2
            await first.send({"type": "connection_init"})
            await first.closed()
        await live.until(lambda: not live.shared.connections.total())
        after = await samples(live.http)
    assert after.keys() == before.keys()
    closes = {name: after[name] - before[name] for name in after if name.startswith("velocity_socket_closes_total")}
    assert {name: count for name, count in closes.items() if count} == {
        "velocity_socket_closes_total{'code': '4406'}": 1,
        "velocity_socket_closes_total{'code': '4429'}": 1,
        # The client of the second closed it.
        "velocity_socket_closes_total{'code': '1000'}": 1,
    }
    assert after["velocity_connections{'carrier': 'socket'}"] == 0


async def test_errors_of_subscriptions_are_counted_by_their_code(system: System, tenant: Tenant) -> None:
    async with served(system, tenant, subscriptions_per_caller=1) as live, live.client(Role.JUNIOR_BROKER) as client:
        for id_ in ("a", "b"):
            await client.subscribe("Notifications", id_)
        assert (await client.next())["type"] == "error"
        assert (await samples(live.http))["velocity_refusals_total{'code': 'LIMIT_EXCEEDED'}"] == 1


async def test_what_a_slow_client_skips_is_counted(
    system: System, tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    junior = tenant.users[Role.JUNIOR_BROKER]
    consent_id = await perception.consent(
        owner_connection, tenant, subject_kind="VISITOR", granted_at=datetime.now(UTC), recorded_by_id=junior
    )
    async with served(system, tenant) as live, live.client(Role.JUNIOR_BROKER) as client:
        await client.subscribe("PerceptionScores", after=await cursor(live))
        await live.until_joined(1)
        [group] = live.hub.feeds[tenant.id].groups.values()
        [line] = [each._line for each in group.members]
        assert isinstance(line, Socket)
        reads = stall(line)
        # One is on its way. Of the two that wait the newer takes the place of the older.
        begun = [await begun_session(live.api, consent_id) for _ in range(2)]
        await live.api.data("PerceptionSessionComplete", role=Role.JUNIOR_BROKER, sessionId=begun[1])
        await live.until(lambda: live.hub.told == 3)
        assert (await samples(live.http))["velocity_skipped_events_total"] == 1
        reads.set()
        told = [await client.data("perceptionScores") for _ in range(2)]
        assert [each["session"]["id"] for each in told] == begun


async def begun_session(api: Api, consent_id: object) -> str:
    data = await api.data(
        "PerceptionSessionStart", role=Role.JUNIOR_BROKER, consentId=f"consent_{consent_id}", surface="KIOSK"
    )
    session_id: str = data["perceptionSessionStart"]["session"]["id"]
    return session_id


async def test_what_waits_and_what_the_worker_does_is_shown(
    http: httpx.AsyncClient, system: System, tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    before = await samples(http)
    await jobs.job(owner_connection, tenant, requested_by=tenant.outsider)
    await jobs.job(owner_connection, tenant, requested_by=tenant.outsider, kind="RENDER", status="RUNNING")
    after = await samples(http)
    moved = {name: after[name] - before[name] for name in before if name.startswith("velocity_jobs")}
    assert moved["velocity_jobs_queued{'queue': 'INFERENCE'}"] == 1
    assert moved["velocity_jobs_queued{'queue': 'RENDER'}"] == 0
    assert moved["velocity_jobs_running{'queue': 'RENDER'}"] == 1
    assert after["velocity_jobs_oldest_seconds{'queue': 'INFERENCE'}"] >= 0
    assert "velocity_worker_places" not in after
    async with made(system.settings, system.database.app, system.bus, [JobKind.RENDER], {}) as worker:
        system.metrics.working.worker = worker
        shown = await samples(http)
        worker.drain()
        drained = await samples(http)
        system.metrics.working.worker = None
    assert (shown["velocity_worker_places"], drained["velocity_worker_places"]) == (16, 0)
    assert (shown["velocity_worker_jobs"], shown["velocity_worker_attempts_total{'end': 'SUCCEEDED'}"]) == (0, 0)


async def test_what_serves_work_is_shown_as_it_is(
    http: httpx.AsyncClient, system: System, tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    """As `fleet { workers }` says it: idle, busy, still busy where the mode has closed it, and silent."""
    await fleet.emptied(owner_connection)
    state, slots = SqlFleetState(system.engine), SqlSlots(system.engine)
    served = {WorkerSeen(each): SlotKind[each.kind.name] for each in (fleet.comfy(), fleet.llm())}
    await state.register(list(served), datetime.now(UTC))
    for each, kind in served.items():
        await slots.declare(kind, each.resource.name, 1)
    idle = await serving_states(http)
    await owner_connection.execute(
        "UPDATE slots SET job_tenant_id = $1, job_id = $1, lease_token = $1, leased_at = now()", tenant.id
    )
    busy = await serving_states(http)
    await slots.open(SlotKind.LLM, "ollama", to=False)
    closed = await serving_states(http)
    await state.register(list(served), datetime.now(UTC), timedelta(0))
    silent = await serving_states(http)
    await fleet.emptied(owner_connection)

    comfy, llm = ("COMFYUI", "comfy-1"), ("LLM", "ollama")
    assert (idle, busy) == ({comfy: "IDLE", llm: "IDLE"}, {comfy: "BUSY", llm: "BUSY"})
    assert (closed, silent) == ({comfy: "BUSY", llm: "DRAINING"}, {comfy: "DOWN", llm: "DOWN"})
    assert await serving_states(http) == {}


async def serving_states(http: httpx.AsyncClient) -> dict[tuple[str, str], str]:
    """The one state that each has; every other is shown as 0."""
    families = text_string_to_metric_families((await http.get("/metrics")).text)
    [family] = [each for each in families if each.name == "velocity_fleet_workers"]
    labels = [(each.labels, each.value) for each in family.samples]
    assert {value for _, value in labels} <= {0, 1}
    found = [(label["kind"], label["name"], label["state"]) for label, value in labels if value]
    assert len(found) * len(WorkerStatus) == len(labels)
    return {(kind, name): status for kind, name, status in found}
