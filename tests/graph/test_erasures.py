"""An erasure reaches every table: what models were asked about somebody, what they made of it, and what goes on."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record
from sqlalchemy.ext.asyncio import AsyncEngine

from app.worker.leases import HeldLease
from db.migrations.declared import metadata
from db.perception.covered import ERASED, STORES
from db.roles import set_tenant
from domain import perception as domain
from domain.access import Actor, Role
from domain.jobs import InferenceTask, JobKind, LeaseLost, NewJob, payload_hash
from tests.api import Api
from tests.factories import cctv, inference, interactions, jobs, people, perception, proposals
from tests.factories.access import Tenant
from tests.factories.rows import rows_of
from tests.graph.test_canvases import advanced, created
from tests.graph.test_canvases_erasure import documented, receipts, states
from tests.graph.test_consents import withdrawn
from tests.working import begin

Owner: TypeAlias = "Connection[Record]"

JUNIOR = Role.JUNIOR_BROKER
NOW = datetime.now(UTC)
DAY = timedelta(days=1)
NAME, PHONE, EMAIL = "Zerlina Quarless", "+919811122233", "z.quarless@mail.example"
PERSONAL: Final = "zerlina|quarless|981112|98111 2|ज़र्लिना"
SCORE, SHARE, OPINION = 61.731829, 0.617318, 74.182736
SEEN = "A couple came in a grey Bentayga."
MEASURED: Final = f"{SCORE}|{SHARE}|{OPINION}|bentayga"

# What an erasure leaves alone because it does not rest on the consent that has ended: the clients themselves, and what
# people wrote and decided. A table of tomorrow is put into one of these lists, or among the stores of an erasure.
OF_CLIENTS: Final = frozenset({
    *("accounts", "activity_entries", "consents", "facts", "households", "interactions", "lead_shares", "leads"),
    *("objections", "opportunities", "people", "person_accounts", "person_duplicates", "property_interests"),
    *("relationships", "stage_changes", "tasks", "thread_messages", "thread_reads", "threads", "transcript_segments"),
})  # fmt: skip
# Who did what to which, and never what it was.
IDS_ALONE: Final = frozenset({
    *("audit_entries", "canvas_data_subjects", "erasure_receipts", "erasures", "events", "idempotency_keys"),
    *("notifications", "render_files", "render_outputs", "slots"),
})  # fmt: skip
# They follow what they are sums of.
FOLLOWING: Final = frozenset({"qd_rollups"})
OF_NOBODY: Final = frozenset({
    *("api_key_operations", "api_keys", "assets", "canvas_components", "canvas_placements", "canvas_revision_parents"),
    *("canvas_revisions", "canvas_shares", "canvases", "fleet_modes", "fleet_releases", "fleet_workers"),
    *("gpu_samples", "gpu_xids", "gpus", "hosts", "inference_providers", "merge_request_reviews", "merge_requests"),
    *("persisted_operations", "projects", "properties", "property_media", "refresh_tokens"),
    *("provider_paces", "provider_settings", "provider_sightings"),
    *("scenes", "sessions", "sign_in_attempts", "sign_ins", "system_actors", "tags", "team_members", "teams"),
    *("tenant_heads", "tenants", "uploads", "users", "videos"),
})  # fmt: skip

EVERY_TABLE = """
SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'p') AND NOT relispartition AND nspname !~ '^(pg_|information_schema)'
"""


def test_every_table_says_what_an_erasure_does_to_it() -> None:
    told = [*STORES, *OF_CLIENTS, *IDS_ALONE, *FOLLOWING, *OF_NOBODY]
    assert sorted(told) == sorted(metadata.tables)


async def holding(owner: Owner, tenant: Tenant, pattern: str) -> set[str]:
    """Every table of the database in which a row of the tenant, or of no tenant, holds what a pattern finds."""
    # An owner with BYPASSRLS sees the rows of every other test.
    await set_tenant(owner, tenant.id)
    found = """SELECT EXISTS (SELECT FROM {} t CROSS JOIN to_jsonb(t) said
        WHERE said::text ~* $1 AND coalesce(said ->> 'tenant_id' = $2, true))"""
    return {
        name.removeprefix("public.")
        for (name,) in await owner.fetch(EVERY_TABLE)
        if await owner.fetchval(found.format(name), pattern, str(tenant.id))
    }


@dataclass(slots=True)
class Client:
    """Somebody who is in every table: rows by what they are called here."""

    person: UUID
    lead: UUID
    consent: UUID
    session: UUID
    event: UUID
    jobs: dict[str, UUID] = field(default_factory=dict)
    proposals: dict[str, UUID] = field(default_factory=dict)
    running: dict[str, HeldLease] = field(default_factory=dict)
    canvas: str = ""


async def measured(api: Api, owner: Owner) -> Client:
    """Make somebody who was measured, by rules and by a model, and seen by a camera."""
    tenant = api.tenant
    person = await people.person(
        owner, tenant, full_name=NAME, primary_phone_e164=PHONE, primary_phone_raw="98111 22233", primary_email=EMAIL
    )
    lead = await people.lead(owner, tenant, person_id=person, assignee_id=tenant.users[JUNIOR])
    await interactions.interaction(owner, tenant, person_id=person, kind="NOTE", text=f"{NAME} called: {PHONE}.")
    consent = await perception.consent(
        owner, tenant, person_id=person, granted_at=NOW - DAY, recorded_by_id=tenant.users[JUNIOR]
    )
    scores: dict[str, Any] = {"peak_score": SCORE}
    for kind, score in (("final", SCORE), ("refined", OPINION)):
        parts = {"score": score, "engagement": SHARE, "valence": SHARE, "attention": SHARE, "confidence": SHARE}
        scores |= {f"{kind}_qd_{name}": value for name, value in {"at": NOW, **parts}.items()}
    session = await perception.session(
        owner, tenant, consent_id=consent, started_by_id=tenant.users[JUNIOR], person_id=person, status="COMPLETED",
        started_at=NOW - timedelta(minutes=9), ended_at=NOW, measured=True, **scores,
    )  # fmt: skip
    await perception.batch(owner, tenant, session_id=session)
    await owner.execute("UPDATE perception_batches SET qd_score = $1 WHERE session_id = $2", SCORE, session)
    for source, score in (("RULES", SCORE), ("MODEL", OPINION)):
        await perception.score(
            owner, tenant, person_id=person, at=NOW, score=score, kind="SESSION", source=source, session_id=session
        )
    async with api.system.units.write(tenant.caller(JUNIOR)) as unit:
        await unit.perception.keep_newest(person)
    event = await cctv.event(
        owner, tenant, session_id=session, plate=bytes(32), summary=SEEN, profiled_at=NOW, profile_confidence=0.5,
        profile_model="small", profile_prompt_version="2", profile_prompt_hash="0" * 64,
    )  # fmt: skip
    return Client(person, lead, consent, session, event)


async def asked_about(api: Api, owner: Owner, engine: AsyncEngine, client: Client) -> None:
    """Make work about somebody: asked for, under way, failed, and done."""
    tenant, junior = api.tenant, api.tenant.users[JUNIOR]
    subjects = {
        "refining": (InferenceTask.QD_CALCULATOR, Actor("perception_sessions", client.session)),
        "profiling": (InferenceTask.CCTV_PROFILER, Actor("cctv_events", client.event)),
        "tagging": (InferenceTask.LEAD_TAGGER, Actor("leads", client.lead)),
        "batch": (InferenceTask.CHAT, None),
    }
    async with api.system.units.write(tenant.caller(JUNIOR)) as unit:
        for name, (task, subject) in subjects.items():
            payload = {"items": "a hash"} if subject is None else {"about": str(subject.id)}
            new = NewJob(kind=JobKind.INFERENCE, task=task, subject=subject, payload=payload, takes_slot=False)
            client.jobs[name] = await unit.jobs.enqueue(new)
    for name in ("tagging", "batch"):
        client.running[name] = await begin(api.system, engine, tenant, client.jobs[name])
    told: dict[str, Any] = {"status": "FAILED", "error_code": "FAILED", "error_message": NAME, "error_retryable": False}
    client.jobs["failed"] = await jobs.job(
        owner, tenant, requested_by=junior, task="LEAD_TAGGER", subject_noun="leads", subject_id=client.lead, **told
    )
    client.jobs["refused"] = refused = await jobs.job(
        owner, tenant, requested_by=junior, payload='{"items": "a hash", "model": "m1"}', **told
    )
    await inference.item(owner, tenant, job_id=refused, messages='[{"role": "user", "content": "Who is Quarless?"}]')
    for name, status in (("render", "QUEUED"), ("rendered", "SUCCEEDED")):
        client.jobs[name] = await jobs.job(
            owner, tenant, requested_by=junior, kind="RENDER", status=status, room_type="KITCHEN",
            keywords=["oak", "as Zerlina likes it"], prompt="Oak, for QUARLESS", payload=f'{{"keywords": "{NAME}"}}',
        )  # fmt: skip


ITEMS: Final = (
    {"messages": "Hello.\nZerlina's budget?"},
    {"messages": "Write to z.quarless@mail.example."},
    {"messages": "Call +91 98111-22233."},
    {"messages": "Who?", "output_text": "Mr Quárless.", "status": "SUCCEEDED"},
    {"messages": "Who?", "output_json": '{"said": "Zerlin\\u0061"}', "output_text": "{}", "status": "SUCCEEDED"},
    {"messages": "Who?", "error_code": "FAILED", "error_message": "quarless", "status": "FAILED"},
    {"messages": "Who?", "request_id": "zerlina quarless"},
)
OTHERS: Final = ({"messages": "Zerlin and Quarles are others."}, {"messages": "Call 98765 43210."})


async def items(owner: Owner, tenant: Tenant, job_id: UUID) -> None:
    """Give a batch its items: those that name somebody, in all the ways there are, and others."""
    for number, given in enumerate((*ITEMS, *OTHERS)):
        messages = json.dumps([{"role": "user", "content": given["messages"]}])
        ended = {"finished_at": NOW, "attempt": 1} if "status" in given else {}
        failed = {"error_retryable": False} if given.get("status") == "FAILED" else {}
        values: dict[str, Any] = {**given, "messages": messages, **ended, **failed}
        await inference.item(owner, tenant, job_id=job_id, number=number, **values)


async def proposed(owner: Owner, tenant: Tenant, client: Client) -> None:
    evidence = [{"text": f"{NAME} pays in cash", "interaction_id": None}]
    client.proposals["waiting"] = await proposals.proposal(
        owner, tenant, lead_id=client.lead, reason=f"{NAME} says so.", evidence=evidence
    )
    client.proposals["decided"] = await proposals.proposal(
        owner, tenant, lead_id=client.lead, evidence=evidence, status="REJECTED", decided_at=NOW,
        decided_by_noun="users", decided_by_id=tenant.users[JUNIOR], comment="Not Zerlina.",
    )  # fmt: skip
    client.proposals["fact"] = await proposals.proposal(
        owner, tenant, person_id=client.person, kind="FACT", changes=[{"field": "text", "before": None, "after": NAME}]
    )


async def shown(api: Api, owner: Owner, client: Client) -> None:
    """Keep on a canvas what models answered, and why they did not."""
    asked = "($id: ID!) { inferenceJob(id: $id) { items(first: 9) { edges { node { requestId output { text } } } } } }"
    error = "($id: ID!) { inferenceJob(id: $id) { status error { message } } }"
    client.canvas, _ = await created(api)
    await advanced(
        api, client.canvas,
        await documented(owner, api.tenant, "items", asked, id=f"job_{client.jobs['batch']}"),
        await documented(owner, api.tenant, "error", error, id=f"job_{client.jobs['failed']}"),
    )  # fmt: skip


@pytest.fixture
async def client(api: Api, tenant: Tenant, owner_connection: Owner, write_engine: AsyncEngine) -> Client:
    """Somebody about whom there is something in every table."""
    found = await measured(api, owner_connection)
    await asked_about(api, owner_connection, write_engine, found)
    await items(owner_connection, tenant, found.jobs["batch"])
    await proposed(owner_connection, tenant, found)
    await shown(api, owner_connection, found)
    return found


async def test_nothing_is_left_of_somebody_but_what_rests_on_no_consent(
    api: Api, tenant: Tenant, owner_connection: Owner, client: Client
) -> None:
    clients = {"interactions", "people"}
    assert await holding(owner_connection, tenant, PERSONAL) == clients | {
        "canvas_data", "inference_items", "jobs", "proposals"
    }  # fmt: skip
    assert await holding(owner_connection, tenant, MEASURED) == {
        "cctv_events", "people", "perception_batches", "perception_sessions", "qd_rollups", "qd_scores"
    }  # fmt: skip

    answer = await withdrawn(api, f"consent_{client.consent}")

    assert await holding(owner_connection, tenant, PERSONAL) == clients
    assert await holding(owner_connection, tenant, MEASURED) == set()
    assert await receipts(api, answer["erasure"]["id"]) == {
        "canvas_data": 2, "cctv_events": 1, "inference_items": len(ITEMS) + 1, "jobs": 5, "perception_batches": 1,
        "perception_sessions": 1, "proposals": 3, "qd_scores": 2, "visitor_scores": 0,
    }  # fmt: skip
    assert await states(api, client.canvas) == {"items": "ERASED", "error": "ERASED"}
    left = await rows_of(owner_connection, "inference_items", tenant.id)
    assert [json.loads(row["messages"])[0]["content"] for row in left] == [each["messages"] for each in OTHERS]


async def test_work_about_somebody_ends_where_it_is(
    api: Api, tenant: Tenant, owner_connection: Owner, client: Client, write_engine: AsyncEngine
) -> None:
    await withdrawn(api, f"consent_{client.consent}")

    rows = {row["id"]: row for row in await rows_of(owner_connection, "jobs", tenant.id)}
    assert {name: rows[job_id]["status"] for name, job_id in client.jobs.items()} == {
        "refining": "CANCELLED", "profiling": "CANCELLED", "tagging": "CANCELLED", "render": "CANCELLED",
        "batch": "QUEUED", "failed": "FAILED", "refused": "FAILED", "rendered": "SUCCEEDED",
    }  # fmt: skip
    assert [rows[client.jobs[name]]["error_message"] for name in ("failed", "refused")] == [ERASED] * 2
    # Not even a hash of what was asked.
    refused = rows[client.jobs["refused"]]
    assert json.loads(refused["payload"]) == {"items": "", "model": "m1"}
    assert refused["payload_hash"] == payload_hash({})
    for name in ("tagging", "batch"):
        with pytest.raises(LeaseLost):
            async with client.running[name].unit():
                pass
    tickets = await owner_connection.fetch(
        "SELECT dedupe_key FROM pgqueuer.pgqueuer WHERE dedupe_key = ANY($1)", [str(each) for each in rows]
    )
    assert [row["dedupe_key"] for row in tickets] == [str(client.jobs["batch"])]
    # What is left of the batch goes on, and the attempt that was taken from its worker is not counted against it.
    lease = await begin(api.system, write_engine, tenant, client.jobs["batch"])
    assert (lease.claim.job.attempt, lease.claim.job.max_attempts) == (2, 4)
    async with lease.unit() as unit:
        assert len(await unit.inference.begin_items(client.jobs["batch"])) == len(OTHERS)
    audited = [
        (row["subject_noun"], row["subject_id"]) for row in await rows_of(owner_connection, "audit_entries", tenant.id)
    ]
    ended = [("jobs", client.jobs[name]) for name in ("refining", "profiling", "tagging", "render")]
    waiting = [("proposals", client.proposals[name]) for name in ("waiting", "fact")]
    assert {*ended, *waiting} <= set(audited)
    assert ("proposals", client.proposals["decided"]) not in audited


async def test_proposals_about_somebody_lose_what_they_say(
    api: Api, tenant: Tenant, owner_connection: Owner, client: Client
) -> None:
    stays = await proposals.proposal(owner_connection, tenant, lead_id=await people.lead(
        owner_connection, tenant, person_id=await people.person(owner_connection, tenant, full_name=NAME)
    ), reason="Of somebody of the same name.")  # fmt: skip

    await withdrawn(api, f"consent_{client.consent}")

    rows = {row["id"]: row for row in await rows_of(owner_connection, "proposals", tenant.id)}
    assert rows[stays]["reason"] == "Of somebody of the same name."
    for name, status in {"waiting": "EXPIRED", "fact": "EXPIRED", "decided": "REJECTED"}.items():
        row = rows[client.proposals[name]]
        assert (row["status"], row["changes"], row["evidence"], row["reason"], row["comment"]) == (
            status, "[]", "[]", None, None
        )  # fmt: skip
        assert row["decided_at"] is not None
    queue = await api.data("ProposalQueue", role=JUNIOR, first=9)
    assert all(edge["node"]["changes"] == [] for edge in queue["proposals"]["edges"] if "EXPIRED" in str(edge))


async def test_an_erasure_of_many_goes_on_until_nothing_is_left(
    api: Api, tenant: Tenant, owner_connection: Owner, client: Client
) -> None:
    caller = tenant.caller(JUNIOR)
    async with api.system.units.write(caller) as unit:
        ordered = await domain.withdraw(unit, domain.ConsentWithdraw(client.consent))
    assert ordered.erasure_id is not None
    rounds, left = 0, True
    while left:
        async with api.system.units.write(caller) as unit:
            left = await domain.run(unit, ordered.erasure_id, 1)
        rounds += 1
    assert rounds > len(ITEMS)
    assert await holding(owner_connection, tenant, PERSONAL) == {"interactions", "people"}
    assert await holding(owner_connection, tenant, MEASURED) == set()
    counted = await receipts(api, f"erasure_{ordered.erasure_id}")
    assert (counted["inference_items"], counted["canvas_data"], counted["proposals"]) == (len(ITEMS) + 1, 2, 3)


async def test_who_a_visitor_may_be_goes_with_the_visit(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person = await people.person(owner_connection, tenant, full_name=NAME)
    await people.lead(owner_connection, tenant, person_id=person, assignee_id=tenant.users[JUNIOR])
    visits = []
    for _ in range(2):
        consent = await perception.consent(
            owner_connection, tenant, granted_at=NOW - DAY, subject_kind="VISITOR", recorded_by_id=tenant.users[JUNIOR]
        )
        session = await perception.session(
            owner_connection, tenant, consent_id=consent, started_by_id=tenant.users[JUNIOR]
        )
        changes = [{"field": "session", "before": None, "after": {"id": f"session_{session}"}}]
        match = await proposals.proposal(
            owner_connection, tenant, person_id=person, kind="MATCH", source_kind="RULES", changes=changes
        )
        visits.append((consent, match))
    # A tag that rests on what the person said has nothing to do with the visit.
    tag = await proposals.proposal(owner_connection, tenant, person_id=person)

    await withdrawn(api, f"consent_{visits[0][0]}")

    rows = {row["id"]: row for row in await rows_of(owner_connection, "proposals", tenant.id)}
    assert [rows[match]["status"] for _, match in visits] == ["EXPIRED", "PENDING"]
    assert (rows[visits[0][1]]["changes"], rows[tag]["status"]) == ("[]", "PENDING")
