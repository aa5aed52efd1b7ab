"""Providers and batches through the schema: how providers are, who switches them, and what is submitted."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, TypeAlias

import pytest
from asyncpg import Connection, Record

from app.wiring import System
from db.inference.registering import register_providers
from db.inference.store import SqlSwitches
from domain.access import Role
from domain.inference import Provider, ProviderKind, provider_id
from gpu.inference.capabilities import Memory
from gpu.inference.overview import Overview
from gpu.inference.router import Router
from gpu.inference.settings import InferenceSettings
from tests.api import Api
from tests.factories import inference, jobs
from tests.factories.access import Tenant
from tests.factories.rows import rows_of
from tests.fake_llm import FakeLlm

Owner: TypeAlias = "Connection[Record]"
ADMIN, DIRECTOR, JUNIOR = Role.ADMIN, Role.SALES_DIRECTOR, Role.JUNIOR_BROKER
NEAR, FAR = (f"inferenceprovider_{provider_id(name)}" for name in ("near", "far"))
STATE = """
{ inferenceProviders {
    id name kind status reason models { name contextLength loaded } queueDepth inFlight circuit enabled priority model
    onPremise errorRate latencyMs
} }
"""
HELLO = {"role": "user", "content": "Say hello."}


@pytest.fixture
async def routed(api: Api, system: System) -> AsyncIterator[Api]:
    """The system with two providers: one that answers, and one that does not."""
    async with FakeLlm(ProviderKind.LLAMA_CPP).serving() as fake:
        near = {"name": "near", "kind": "LLAMA_CPP", "url": fake.url, "model": "m1", "priority": 5}
        far = {"name": "far", "kind": "OLLAMA", "url": "http://127.0.0.1:9", "model": "m9", "priority": 1}
        settings = InferenceSettings.model_validate({"providers": [near, far]})
        router = Router(settings, SqlSwitches(system.pool), Memory(None))
        try:
            yield replace(api, system=replace(system, router=router, providers=Overview(router)))
        finally:
            await router.close()


async def test_providers_are_shown_as_they_are_now(routed: Api) -> None:
    far, near = (await routed.data(STATE, role=JUNIOR))["inferenceProviders"]
    assert near == {
        "id": NEAR, "name": "near", "kind": "LLAMA_CPP", "status": "HEALTHY", "reason": None,
        "models": [{"name": name, "contextLength": 4096, "loaded": True} for name in ("m1", "m2")],
        "queueDepth": 3, "inFlight": 0, "circuit": "CLOSED", "enabled": True, "priority": 5, "model": "m1",
        "onPremise": True, "errorRate": None, "latencyMs": None,
    }  # fmt: skip
    assert (far["status"], far["reason"]) == ("DOWN", "it cannot be reached")
    assert far["models"] == [{"name": "m9", "contextLength": None, "loaded": None}]


async def test_an_operator_switches_a_provider_for_the_tenant_and_every_process_follows(
    routed: Api, system: System, tenant: Tenant, other_tenant: Tenant, owner_connection: Owner
) -> None:
    given = {"providerId": FAR, "enabled": False, "priority": 9, "model": "m8"}
    answer = (await routed.data("InferenceProviderUpdate", **given))["inferenceProviderUpdate"]
    assert answer["provider"] == {"id": FAR, "enabled": False, "priority": 9}
    near, far = (await routed.data(STATE, role=JUNIOR))["inferenceProviders"]
    assert (near["name"], far["enabled"], far["priority"], far["model"]) == ("near", False, 9, "m8")
    elsewhere = await SqlSwitches(system.pool).of(tenant.id)
    assert [(each.enabled, each.priority, each.model) for each in elsewhere.values()] == [(False, 9, "m8")]
    assert await SqlSwitches(system.pool).of(other_tenant.id) == {}
    [entry] = await rows_of(owner_connection, "audit_entries", tenant.id)
    assert (entry["action"], entry["subject_noun"], entry["changed_fields"]) == (
        "UPDATE", "inference_providers", ["enabled", "priority", "model"],
    )  # fmt: skip
    # Null gives back what the file says, and what is left out stays.
    document = (
        "mutation ($id: ID!) { inferenceProviderUpdate(input: { providerId: $id, enabled: null }) { __typename } }"
    )
    await routed.data(document, id=FAR)
    _, far = (await routed.data(STATE))["inferenceProviders"]
    assert (far["enabled"], far["priority"]) == (True, 9)


async def test_a_switch_that_changes_nothing_is_not_recorded(
    routed: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    for _ in range(2):
        await routed.data("InferenceProviderUpdate", providerId=NEAR, priority=5)
    assert len(await rows_of(owner_connection, "audit_entries", tenant.id)) == 1


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"providerId": f"inferenceprovider_{provider_id('gone')}", "enabled": True}, "NOT_FOUND", "providerId"),
        ({"providerId": NEAR, "priority": 1001}, "INVALID", "priority"),
        ({"providerId": NEAR, "model": " m1"}, "INVALID", "model"),
    ],
)
async def test_what_cannot_be_switched_is_refused(routed: Api, given: Any, code: str, field: str) -> None:
    answer = (await routed.data("InferenceProviderUpdate", **given))["inferenceProviderUpdate"]
    assert (answer["code"], answer["field"]) == (code, field)


async def test_only_administrators_switch(routed: Api) -> None:
    answer = await routed.data("InferenceProviderUpdate", role=DIRECTOR, providerId=NEAR, enabled=False)
    assert answer["inferenceProviderUpdate"]["code"] == "NOT_ALLOWED"


async def test_a_provider_of_earlier_times_is_unknown_and_found_by_its_id(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    await inference.provider(owner_connection, tenant)
    document = (
        "query ($id: ID!) { node(id: $id) { ... on InferenceProvider { name kind status enabled models { name } } } }"
    )
    known = await api.data(document, id=f"inferenceprovider_{inference.LOCAL}")
    assert known["node"] == {
        "name": "local", "kind": "OLLAMA", "status": "DOWN", "enabled": True,
        "models": [{"name": "qwen"}, {"name": "small"}],
    }  # fmt: skip
    gone = replace(
        api.system, providers=Overview(Router(InferenceSettings(), SqlSwitches(api.system.pool), Memory(None)))
    )
    later = await Api(gone, tenant).data(document, id=f"inferenceprovider_{inference.LOCAL}")
    assert later["node"] == {"name": "local", "kind": "OLLAMA", "status": "UNKNOWN", "enabled": False, "models": []}


async def submitted(api: Api, items: int = 2, **given: Any) -> Any:
    entries = [{"requestId": f"req_{number:04}", "messages": [HELLO]} for number in range(items)]
    wanted = {"task": "CHAT", "items": entries} | given
    return (await api.data("InferenceSubmit", role=JUNIOR, input=wanted))["inferenceSubmit"]


async def test_a_batch_of_a_thousand_is_stored_at_once_and_paged_as_submitted(api: Api) -> None:
    answer = await submitted(api, 1000)
    job = answer["job"]
    assert (job["status"], job["submittedCount"], len(job["payloadHash"])) == ("QUEUED", 1000, 64)
    first = (await api.data("InferenceJob", role=JUNIOR, id=job["id"], first=100))["inferenceJob"]
    assert (first["completedCount"], first["failedCount"], first["provider"], first["model"]) == (0, 0, None, None)
    nodes = [edge["node"] for edge in first["items"]["edges"]]
    assert [node["requestId"] for node in nodes] == [f"req_{number:04}" for number in range(100)]
    assert {(node["status"], node["attempt"], node["output"], node["usage"]) for node in nodes} == {
        ("QUEUED", 0, None, None)
    }
    after = first["items"]["pageInfo"]["endCursor"]
    second = (await api.data("InferenceJob", role=JUNIOR, id=job["id"], first=1, after=after))["inferenceJob"]
    assert second["items"]["edges"][0]["node"]["requestId"] == "req_0100"


async def test_the_same_key_is_one_job_and_other_work_is_a_conflict(api: Api) -> None:
    first = await submitted(api, idempotencyKey="visit-7")
    again = await submitted(api, idempotencyKey="visit-7")
    assert first["job"]["id"] == again["job"]["id"]
    other = await submitted(api, 3, idempotencyKey="visit-7")
    assert (other["__typename"], other["code"]) == ("ConflictProblem", "CONFLICT")


async def test_the_payload_hash_is_of_what_was_submitted(api: Api) -> None:
    one, same, other = await submitted(api), await submitted(api), await submitted(api, 3)
    assert one["job"]["id"] != same["job"]["id"]
    assert one["job"]["payloadHash"] == same["job"]["payloadHash"] != other["job"]["payloadHash"]
    by_name = await submitted(api, model="m2")
    assert by_name["job"]["payloadHash"] != one["job"]["payloadHash"]


WRONG: list[tuple[Any, list[str]]] = [
    ([], ["items"]),
    ([{"requestId": "a", "messages": [HELLO]}, {"requestId": "a", "messages": [HELLO]}], ["items.1.requestId"]),
    ([{"requestId": "", "messages": []}], ["items.0.requestId", "items.0.messages"]),
    (
        [{"requestId": "a", "messages": [{"role": "robot", "content": " "}]}],
        ["items.0.messages.0.role", "items.0.messages.0.content"],
    ),
    ([{"requestId": "a", "messages": [{"role": "system", "content": "Be kind."}]}], ["items.0.messages"]),
    ([{"requestId": f"{n}", "messages": [HELLO]} for n in range(1001)], ["items"]),
]


@pytest.mark.parametrize(("items", "fields"), WRONG)
async def test_every_mistake_of_a_batch_is_named(api: Api, tenant: Tenant, items: Any, fields: list[str]) -> None:
    document = """mutation ($input: InferenceSubmitInput!) { inferenceSubmit(input: $input) {
        ... on InvalidProblem { issues { field } } } }"""
    data = await api.data(document, role=JUNIOR, input={"task": "CHAT", "items": items})
    assert [issue["field"] for issue in data["inferenceSubmit"]["issues"]] == fields


async def test_items_are_seen_by_whoever_sees_their_job(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    mine = await jobs.job(owner_connection, tenant, requested_by=tenant.users[JUNIOR], status="CANCELLED")
    item = await inference.item(owner_connection, tenant, job_id=mine)
    theirs = await jobs.job(owner_connection, tenant, requested_by=tenant.outsider)
    hidden = await inference.item(owner_connection, tenant, job_id=theirs)
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on InferenceItem { requestId status } } }"
    named = [f"inferenceitem_{each}" for each in (item, hidden)]
    data = await api.data(document, role=JUNIOR, ids=named)
    # What nobody got to before its job was cancelled is cancelled too.
    assert data["nodes"] == [{"id": named[0], "requestId": "req_000", "status": "CANCELLED"}, None]
    everything = await api.data(document, role=DIRECTOR, ids=named)
    assert [node["status"] for node in everything["nodes"]] == ["CANCELLED", "QUEUED"]


async def test_every_tenant_knows_the_providers_once_the_server_has_started(
    api: Api, tenant: Tenant, owner_connection: Owner, owner_dsn: str
) -> None:
    near = Provider(provider_id("local"), "local", ProviderKind.OLLAMA)
    await register_providers(owner_dsn, [near])
    document = "mutation ($id: ID!) { inferenceProviderUpdate(input: { providerId: $id, priority: 3 }) { __typename } }"
    await api.data(document, id=f"inferenceprovider_{inference.LOCAL}")
    await register_providers(owner_dsn, [replace(near, kind=ProviderKind.VLLM)])
    [row] = await rows_of(owner_connection, "inference_providers", tenant.id)
    assert (row["name"], row["kind"], row["priority"], row["enabled"]) == ("local", "VLLM", 3, None)
    await register_providers(owner_dsn, [near])
