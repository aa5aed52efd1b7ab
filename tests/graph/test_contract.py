"""Every client operation of `graph/operations` on the seeded demo tenant: real rows in exactly so many statements."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from app.fleet import report
from domain.access import Role
from domain.fleet import WorkerSeen
from gpu.fleet.scenarios import Scenario, SimulatedSensors
from tests.api import OPERATIONS, Api
from tests.demo import NOW, Demo
from tests.factories import access, assets, fleet, inference, jobs
from tests.factories.access import Tenant
from tests.graph.streams import Served

Variables = dict[str, Any]
JUNIOR, SENIOR, DIRECTOR, ADMIN = Role.JUNIOR_BROKER, Role.SENIOR_BROKER, Role.SALES_DIRECTOR, Role.ADMIN


@dataclass(frozen=True, slots=True)
class Case:
    """One operation: who sends it, with what, and how many statements its reading takes."""

    name: str
    role: Role
    statements: int
    variables: Callable[[Demo], Awaitable[Variables]]


def fixed(**variables: Any) -> Callable[[Demo], Awaitable[Variables]]:
    """Return variables that need nothing from the demo."""

    async def give(_demo: Demo) -> Variables:
        return variables

    return give


def made(**given: Any) -> Callable[[Demo], Awaitable[Variables]]:
    """Return variables whose entries may be names of the demo's rows, also in an `input` or a `filter`."""

    async def give(demo: Demo) -> Variables:
        found = await demo.ids(**given)
        return {
            name: await demo.ids(**entry) if isinstance(entry, dict) and name in {"input", "filter"} else entry
            for name, entry in found.items()
        }

    return give


async def avatar(demo: Demo) -> Variables:
    """Return an upload of the junior's own picture."""
    made = await assets.upload(demo.owner, demo.api.tenant, user_id=demo.caller(JUNIOR).as_user())
    return {"uploadId": f"upload_{made}"}


async def brochure(demo: Demo) -> Variables:
    """Return a property, and an upload of a document about it."""
    given = {"purpose": "PROPERTY_MEDIA", "content_type": "application/pdf"}
    made = await assets.upload(demo.owner, demo.api.tenant, user_id=demo.caller(SENIOR).as_user(), **given)
    return {"uploadId": f"upload_{made}", "category": "DOCUMENT", **await demo.ids(propertyId="property")}


async def room(demo: Demo) -> Variables:
    """Return an upload of a photograph, and what the room is to look like."""
    made = await assets.upload(demo.owner, demo.api.tenant, user_id=demo.caller(JUNIOR).as_user(), purpose="ROOM_PHOTO")
    return {"input": {"photoUploadId": f"upload_{made}", "roomType": "LIVING_ROOM", "keywords": ["warm", "oak"]}}


async def rendered(demo: Demo) -> Variables:
    """Return a render of the junior's that has ended with a picture."""
    junior = demo.caller(JUNIOR).as_user()
    asked_by: dict[str, Any] = {"created_by_noun": "users", "created_by_id": junior}
    photo = await assets.asset(demo.owner, demo.api.tenant, **asked_by)
    job = await jobs.job(
        demo.owner, demo.api.tenant, requested_by=junior, kind="RENDER", status="SUCCEEDED", photo_id=photo
    )
    await assets.output(demo.owner, demo.api.tenant, job_id=job, **asked_by)
    return {"id": f"job_{job}"}


async def running(demo: Demo) -> Variables:
    """Return a session of a visitor that has just begun."""
    given = {"subjectKind": "VISITOR", "purpose": "SHOWROOM_ENGAGEMENT", "modality": "FACE", "noticeVersion": "2026-11"}
    caller = demo.caller(JUNIOR)
    consent = (await demo.api.data("ConsentGrant", caller=caller, input=given))["consentGrant"]["consent"]["id"]
    began = await demo.api.data("PerceptionSessionStart", caller=caller, consentId=consent, surface="KIOSK")
    return {"sessionId": began["perceptionSessionStart"]["session"]["id"]}


async def batch(demo: Demo) -> Variables:
    """Return a batch of ten packets of a face."""
    now, face = datetime.now(UTC), {"blendShapes": [0.2] * 52}
    packets = [{"at": (now + timedelta(milliseconds=100 * number)).isoformat(), "face": face} for number in range(10)]
    return {"sequence": 1, "packets": packets, **await running(demo)}


async def walk_in(demo: Demo) -> Variables:
    """Return a session of somebody who becomes a lead."""
    return {"target": {"newLead": {"fullName": "Meera Iyer"}}, **await running(demo)}


async def camera_event(_demo: Demo) -> Variables:
    """Return what a camera has just seen."""
    seen = [{"label": "car", "confidence": 0.9, "attributes": {"colour": "white"}}]
    given = {"camera": "Gate", "at": datetime.now(UTC).isoformat(), "plate": "KA 05 MM 9999", "detections": seen}
    return {"input": {**given, "idempotencyKey": uuid4().hex}}


async def detections(_demo: Demo) -> Variables:
    """Return what a camera's detector has seen."""
    moment = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    return {"input": {"camera": "Lobby", "detections": [{"label": "person", "confidence": 0.8, "at": moment}]}}


async def scene_map(demo: Demo) -> Variables:
    """Return a video, and an upload of its scenes."""
    content, user = b"title,start_ms,end_ms\nThe arrival,0,8000\n", demo.caller(SENIOR).as_user()
    upload = await assets.upload(
        demo.owner, demo.api.tenant, user_id=user, purpose="SCENE_MAP", content_type="text/csv", bytes=len(content),
        stored_bytes=len(content), width=None, height=None,
    )  # fmt: skip
    await demo.api.system.uploads.objects.put(f"uploads/{demo.tenant_id}/{upload}.png", content, "text/csv")
    return {"uploadId": f"upload_{upload}", **await demo.ids(videoId="video")}


async def job(demo: Demo, status: str = "QUEUED") -> str:
    """Return a job of the junior's."""
    junior = demo.caller(JUNIOR).as_user()
    return f"job_{await jobs.job(demo.owner, demo.api.tenant, requested_by=junior, status=status)}"


async def listed_jobs(demo: Demo) -> Variables:
    """Let there be a job."""
    await job(demo)
    return {"first": 20}


async def answered(demo: Demo) -> Variables:
    """Return a job with an item that has an answer and one that failed."""
    tenant, junior = demo.api.tenant, demo.caller(JUNIOR).as_user()
    provider, now = await inference.provider(demo.owner, tenant), datetime.now(UTC)
    job_id = await jobs.job(
        demo.owner, tenant, requested_by=junior, status="PARTIAL", submitted_count=2, completed_count=1, failed_count=1,
        started_at=now, provider_id=provider, model="qwen", error_code="BUSY", error_message="Busy.",
        error_retryable=True,
    )  # fmt: skip
    said: dict[str, Any] = {
        "output_text": "Hello.",
        "prompt_tokens": 3,
        "completion_tokens": 2,
        "provider_id": provider,
    }
    await inference.item(demo.owner, tenant, job_id=job_id, status="SUCCEEDED", attempt=1, finished_at=now, **said)
    wrong: dict[str, Any] = {"error_code": "BUSY", "error_message": "Busy.", "error_retryable": True}
    await inference.item(demo.owner, tenant, job_id=job_id, number=1, status="FAILED", finished_at=now, **wrong)
    return {"id": f"job_{job_id}", "first": 20}


async def queued(demo: Demo) -> Variables:
    """Return a job that waits."""
    return {"jobId": await job(demo)}


async def failed(demo: Demo) -> Variables:
    """Return a job that failed."""
    return {"jobId": await job(demo, "FAILED")}


async def operation_id(demo: Demo) -> str:
    """Return a registered document."""
    text = f"query Registered{uuid4().hex} {{ viewer {{ id }} }}"
    return f"operation_{await access.operation(demo.owner, demo.api.tenant, text=text, name='Registered')}"


async def new_key(demo: Demo) -> Variables:
    """Return what a key is made of."""
    return {"input": {"displayName": "Portal", "role": "JUNIOR_BROKER", "operationIds": [await operation_id(demo)]}}


async def key(demo: Demo) -> Variables:
    """Return an API key that is bound to a document."""
    answer = await demo.api.data("ApiKeyCreate", caller=demo.caller(ADMIN), **await new_key(demo))
    return {"apiKeyId": answer["apiKeyCreate"]["apiKey"]["id"]}


async def keys(demo: Demo) -> Variables:
    """Let there be a key, and a document that it may send."""
    await key(demo)
    return {"first": 20}


async def machine(demo: Demo) -> Variables:
    """Let there be a machine, and something that serves work."""
    system = demo.api.system
    await fleet.emptied(demo.owner)
    await report(replace(system.reporting, sensors=SimulatedSensors(Scenario.BUSY, system.reporting.clock)))
    await system.reporting.state.register([WorkerSeen(fleet.comfy())], datetime.now(UTC))
    return {}


def words(key: str, markdown: str) -> Variables:
    """Return a change that adds a text."""
    layout = {"x": 0, "y": 40, "width": 48, "height": 3}
    return {"add": {"key": key, "kind": "TEXT", "layout": layout, "visualization": {"markdown": markdown}}}


async def commit(demo: Demo) -> Variables:
    """Return a commit on the board."""
    place = await demo.ids(canvasId="canvas", expectedHeadId="canvas_head")
    return {**place, "message": "Say more", "changes": [words(f"k{uuid4().hex}", "More.")]}


async def request(demo: Demo) -> Variables:
    """Return a fork of the board with something new, and the board."""
    board, caller = (await demo.ids(id="canvas"))["id"], demo.caller(JUNIOR)
    fork = (await demo.api.data("CanvasFork", caller=caller, canvasId=board))["canvasFork"]["canvas"]
    sent = {"canvasId": fork["id"], "expectedHeadId": fork["head"]["id"], "message": "New"}
    await demo.api.data("CanvasCommit", caller=caller, **sent, changes=[words(f"k{uuid4().hex}", "New.")])
    return {"sourceCanvasId": fork["id"], "targetCanvasId": board, "title": "Something new"}


async def opened(demo: Demo) -> str:
    """Return a merge request into the board."""
    answer = await demo.api.data("MergeRequestOpen", caller=demo.caller(JUNIOR), **await request(demo))
    return str(answer["mergeRequestOpen"]["mergeRequest"]["id"])


async def review(demo: Demo) -> Variables:
    """Return an approval."""
    return {"mergeRequestId": await opened(demo), "decision": "APPROVE", "comment": "Good."}


async def merge(demo: Demo) -> Variables:
    """Return a merge without conflicts."""
    return {"mergeRequestId": await opened(demo), **await demo.ids(expectedHeadId="canvas_head"), "resolutions": []}


YEAR = {"from": (NOW - timedelta(days=365)).isoformat(), "to": NOW.isoformat()}

QUERIES = [
    Case("Viewer", JUNIOR, 3, fixed()),
    Case("Team", SENIOR, 1, fixed(first=50)),
    Case("AuditTrail", ADMIN, 4, made(first=20, filter={"subjectId": "audited"})),
    Case("LeadBoard", JUNIOR, 6, fixed(first=20)),
    Case("PipelineBoard", SENIOR, 6, fixed(perStage=5)),
    Case("Lead", JUNIOR, 10, lambda demo: demo.ids(id="lead")),
    Case("Client360", JUNIOR, 22, lambda demo: demo.ids(personId="person")),
    Case("PersonTimeline", JUNIOR, 4, lambda demo: demo.ids(personId="person", first=50)),
    Case("CallTranscript", JUNIOR, 3, lambda demo: demo.ids(id="call", first=50)),
    Case("QdHistory", JUNIOR, 1, lambda demo: demo.ids(personId="person", points=100, **YEAR)),
    Case("People", SENIOR, 1, fixed(first=20)),
    Case("Opportunities", JUNIOR, 4, fixed(first=20)),
    Case("Tasks", JUNIOR, 4, fixed(first=20)),
    Case("LeadDemographics", DIRECTOR, 1, fixed(currency="INR")),
    Case("SentimentScatter", DIRECTOR, 2, fixed(first=50, **YEAR)),
    Case("PersonDuplicates", DIRECTOR, 2, lambda demo: demo.ids(personId="duplicated", first=5)),
    Case("Activity", DIRECTOR, 2, fixed(first=20)),
    Case("Properties", JUNIOR, 3, fixed(first=20)),
    Case("Property", JUNIOR, 5, lambda demo: demo.ids(id="property")),
    Case("Projects", JUNIOR, 1, fixed(first=20)),
    Case("ProposalQueue", DIRECTOR, 6, fixed(first=20)),
    Case("ApiKeys", ADMIN, 2, keys),
    Case("PersistedOperations", ADMIN, 1, keys),
    Case("Consents", JUNIOR, 2, fixed(first=20)),
    Case("Erasure", DIRECTOR, 1, lambda demo: demo.ids(id="erasure")),
    Case("CctvEvents", JUNIOR, 2, fixed(first=20)),
    Case("Videos", JUNIOR, 2, fixed(first=20)),
    Case("PerceptionSessions", JUNIOR, 4, fixed(first=20)),
    Case("PerceptionSession", JUNIOR, 2, lambda demo: demo.ids(id="session", points=100, **YEAR)),
    Case("NotificationInbox", JUNIOR, 2, fixed(first=20)),
    Case("Jobs", JUNIOR, 2, listed_jobs),
    Case("InferenceJob", JUNIOR, 3, answered),
    Case("RenderJob", JUNIOR, 3, rendered),
    Case("Threads", JUNIOR, 4, fixed(first=20)),
    Case("Thread", JUNIOR, 5, lambda demo: demo.ids(id="thread", last=20)),
    Case("Canvases", JUNIOR, 4, fixed(first=20)),
    Case("CanvasView", JUNIOR, 6, lambda demo: demo.ids(id="canvas")),
    Case("CanvasRevision", JUNIOR, 3, lambda demo: demo.ids(id="canvas_head")),
    Case("CanvasHistory", JUNIOR, 4, lambda demo: demo.ids(id="canvas", first=20)),
    Case("MergeRequests", JUNIOR, 3, fixed(first=20)),
    Case("MergeRequest", JUNIOR, 6, lambda demo: demo.ids(id="merge_request")),
]

PROCESS_STATE = [
    Case("Fleet", DIRECTOR, 6, machine),
    Case("InferenceProviders", JUNIOR, 1, fixed()),
]
"""A function answers these. What it names is read like any other rows."""

RUN_AGAIN = [Case("CanvasData", JUNIOR, 0, lambda demo: demo.ids(revisionId="canvas_head", keys=["leads", "sources"]))]
"""Resolvers answer these: documents are run for them, each with its own statements."""


MUTATIONS: dict[str, tuple[Role, Callable[[Demo], Awaitable[Variables]]]] = {
    "PersonCreate": (JUNIOR, made(input={"fullName": "Meera Iyer", "phone": "+91 98200 12345", "city": "Mumbai"})),
    "PersonUpdate": (JUNIOR, made(input={"personId": "person", "city": "Pune"})),
    "LeadCreate": (
        JUNIOR,
        made(
            input={
                "personId": "person",
                "source": "REFERRAL",
                "budget": {"amount": "42500000", "currency": "INR"},
                "idempotencyKey": uuid4().hex,
            }
        ),
    ),
    "LeadUpdate": (JUNIOR, made(input={"leadId": "lead", "qualification": "HOT", "tags": ["sea view"]})),
    "LeadTag": (JUNIOR, made(leadId="open_lead")),
    "LeadMove": (JUNIOR, made(leadId="open_lead", toStage="QUALIFIED", expectedStage="NEGOTIATION", note="Thinking.")),
    "LeadAssign": (SENIOR, made(leadId="lead", assigneeId="junior")),
    "OpportunityCreate": (
        JUNIOR,
        made(input={"leadId": "open_lead", "amount": {"amount": "30000000", "currency": "INR"}, "probability": 0.4}),
    ),
    "OpportunityUpdate": (JUNIOR, made(input={"opportunityId": "opportunity", "probability": 0.6})),
    "PropertyInterestSet": (JUNIOR, made(input={"personId": "person", "propertyId": "property", "level": "HIGH"})),
    "FactCorrect": (JUNIOR, made(factId="fact", text="Wants to move in by March.")),
    "InteractionLog": (
        JUNIOR,
        made(
            input={
                "personId": "person",
                "occurredAt": (NOW - timedelta(hours=1)).isoformat(),
                "direction": "OUTBOUND",
                "detail": {"note": {"text": "Asked about the clubhouse."}},
            }
        ),
    ),
    "InferenceProviderUpdate": (
        ADMIN,
        fixed(providerId=f"inferenceprovider_{inference.LOCAL}", enabled=False, priority=7, model="small"),
    ),
    "InferenceSubmit": (
        JUNIOR,
        fixed(
            input={
                "task": "CHAT",
                "items": [
                    {"requestId": f"req_{number:03}", "messages": [{"role": "user", "content": "Say hello."}]}
                    for number in range(2)
                ],
                "idempotencyKey": uuid4().hex,
            }
        ),
    ),
    "FleetModeSet": (DIRECTOR, fixed(mode="SPLIT")),
    "JobCancel": (JUNIOR, queued),
    "JobRetry": (JUNIOR, failed),
    "RenderSubmit": (JUNIOR, room),
    "TaskCreate": (JUNIOR, made(input={"personId": "person", "title": "Send the floor plan", "priority": "HIGH"})),
    "TaskUpdate": (JUNIOR, made(input={"taskId": "task", "priority": "URGENT"})),
    "TaskComplete": (JUNIOR, made(taskId="task")),
    "PersonMerge": (DIRECTOR, made(input={"keepPersonId": "duplicated", "absorbPersonIds": ["duplicate"]})),
    "PropertyCreate": (
        SENIOR,
        made(
            input={
                "listingKey": f"TEST-{uuid4().hex[:8]}",
                "listPrice": {"amount": "55000000", "currency": "INR"},
                "propertyType": "RESIDENTIAL",
                "projectId": "project",
            }
        ),
    ),
    "PropertyUpdate": (SENIOR, made(input={"propertyId": "property", "publicRemarks": "Facing the sea."})),
    "PropertyMediaAdd": (SENIOR, brochure),
    "PropertyMediaRemove": (SENIOR, made(mediaId="medium")),
    "ProposalDecide": (DIRECTOR, made(proposalId="proposal", decision="APPROVE", comment="So they said.")),
    "PropertyArchive": (SENIOR, made(propertyId="property")),
    "UploadCreate": (JUNIOR, fixed(purpose="AVATAR", contentType="image/png", bytes=1000)),
    "ViewerAvatarSet": (JUNIOR, avatar),
    "ApiKeyCreate": (ADMIN, new_key),
    "ApiKeyRotate": (ADMIN, key),
    "ApiKeyRevoke": (ADMIN, key),
    "ConsentGrant": (
        JUNIOR,
        made(
            input={
                "personId": "person",
                "subjectKind": "PERSON",
                "purpose": "SHOWROOM_ENGAGEMENT",
                "modality": "FACE",
                "noticeVersion": "2026-11",
            }
        ),
    ),
    "ConsentWithdraw": (JUNIOR, made(consentId="showroom_consent")),
    "PerceptionSessionStart": (JUNIOR, made(consentId="visitor_consent", surface="KIOSK", videoId="video")),
    "PerceptionIngest": (JUNIOR, batch),
    "PerceptionSessionComplete": (JUNIOR, running),
    "PerceptionSessionMatch": (JUNIOR, walk_in),
    "SceneMapUpload": (SENIOR, scene_map),
    "CctvEventIngest": (SENIOR, camera_event),
    "DetectionBatchSubmit": (SENIOR, detections),
    "NotificationsMarkRead": (JUNIOR, made(ids=["notification"])),
    "ThreadOpen": (JUNIOR, made(channel="WHATSAPP", personId="person", address=None)),
    "MessageSend": (JUNIOR, made(threadId="thread", text="The floor plan is on its way.")),
    "ThreadLinkPerson": (JUNIOR, made(threadId="thread", personId="person")),
    "CanvasCreate": (JUNIOR, fixed(title="My week", idempotencyKey=uuid4().hex)),
    "CanvasUpdate": (SENIOR, made(canvasId="canvas", title="Sales floor", archived=False)),
    "CanvasCommit": (SENIOR, commit),
    "CanvasRollback": (SENIOR, made(canvasId="canvas", revisionId="canvas_before", expectedHeadId="canvas_head")),
    "CanvasFork": (JUNIOR, made(canvasId="canvas", title="A copy")),
    "CanvasShare": (SENIOR, made(canvasId="canvas", userId="broker", access="EDIT")),
    "CanvasUnshare": (SENIOR, made(canvasId="canvas", userId="broker")),
    "MergeRequestOpen": (JUNIOR, request),
    "MergeRequestReview": (SENIOR, review),
    "MergeRequestMerge": (SENIOR, merge),
    "ThreadMarkRead": (JUNIOR, made(threadId="thread", upToMessageId="message")),
}


@pytest.mark.parametrize("case", [*QUERIES, *PROCESS_STATE], ids=lambda case: case.name)
async def test_query_answers_real_rows_in_this_many_statements(case: Case, demo_tenant: Demo) -> None:
    api: Api = demo_tenant.api
    data = await api.data(case.name, caller=demo_tenant.caller(case.role), **await case.variables(demo_tenant))
    assert empty_places(data) == []
    assert api.statements == case.statements + len(nouns_of_subjects(data))


@pytest.mark.parametrize("case", RUN_AGAIN, ids=lambda case: case.name)
async def test_query_that_runs_documents_answers_real_rows(case: Case, demo_tenant: Demo) -> None:
    variables = await case.variables(demo_tenant)
    data = await demo_tenant.api.data(case.name, caller=demo_tenant.caller(case.role), **variables)
    answered = data["canvasRevision"]["componentData"]
    assert [each["key"] for each in answered] == variables["keys"]
    assert all(each["data"]["state"] == "READY" and each["data"]["rows"] for each in answered)


@pytest.mark.parametrize("name", MUTATIONS)
async def test_mutation_answers_its_payload(name: str, demo_tenant: Demo) -> None:
    role, variables = MUTATIONS[name]
    data = await demo_tenant.api.data(name, caller=demo_tenant.caller(role), **await variables(demo_tenant))
    [(_field, answer)] = data.items()
    assert answer["__typename"] == f"{name}Payload", answer
    assert None not in answer.values()


# What makes something to be told, and which places of that are empty: where there are several kinds of events.
SUBSCRIPTIONS: dict[str, tuple[str, list[str]]] = {
    "CrmActivity": ("InteractionLog", []),
    "ThreadMessages": ("MessageSend", []),
    "CanvasUpdates": ("CanvasCommit", ["data.mergeRequest"]),
    "PerceptionScores": ("PerceptionIngest", ["data.scene"]),
    "JobUpdates": ("JobCancel", []),
    "Notifications": ("PerceptionSessionComplete", []),
}


@pytest.mark.parametrize("name", SUBSCRIPTIONS)
async def test_subscription_tells_real_rows(name: str, demo_tenant: Demo, live: Served) -> None:
    mutation, empty = SUBSCRIPTIONS[name]
    role, variables = MUTATIONS[mutation]
    given = await variables(demo_tenant)
    caller = demo_tenant.caller(role)
    users = {each: demo_tenant.caller(each).as_user() for each in (JUNIOR, role)}
    live.api = Api(demo_tenant.api.system, Tenant(demo_tenant.tenant_id, users))
    async with live.client(role) as client:
        after = (await demo_tenant.api.data("{ eventCursor }", caller=caller))["eventCursor"]
        await client.subscribe(name, after=after)
        [answer] = (await demo_tenant.api.data(mutation, caller=caller, **given)).values()
        assert answer["__typename"] == f"{mutation}Payload", answer
        told = await client.data(name[0].lower() + name[1:])
        assert empty_places(told) == empty


# Operations whose answers hold secrets, or that no mutation is told of: where they are sent and looked at.
ELSEWHERE = {
    "FleetUpdates": "test_fleet.py",
    "Login": "test_access.py",
    "SessionRefresh": "test_access.py",
    "SessionRevoke": "test_access.py",
}


def test_every_client_operation_has_a_case() -> None:
    covered = (
        {case.name for case in [*QUERIES, *PROCESS_STATE, *RUN_AGAIN]}
        | set(MUTATIONS)
        | set(SUBSCRIPTIONS)
        | set(ELSEWHERE)
    )
    assert covered == {path.stem for path in OPERATIONS.glob("*.graphql")}
    for name, module in ELSEWHERE.items():
        assert f'"{name}"' in (Path(__file__).parent / module).read_text(encoding="utf-8")


def nouns_of_subjects(data: Variables) -> set[tuple[str, str]]:
    """Return who acted and what was acted upon in a feed, or is told of: each noun there takes one statement."""
    nodes = [edge["node"] for feed in ("activity", "notifications") for edge in data.get(feed, {}).get("edges", ())]
    named = [(name, node[name]) for node in nodes for name in ("actor", "subject") if name in node]
    kinds = [(name, node["__typename"]) for name, node in named if node is not None]
    return {(name, "Interaction" if kind.endswith("Interaction") else kind) for name, kind in kinds}


def empty_places(value: object, path: str = "data") -> list[str]:
    """Return the root fields and lists that answered nothing. Below the first rows, emptiness is the data's own."""
    if not isinstance(value, dict):
        return [path] if value is None else []
    found = []
    for name, entry in value.items():
        place = f"{path}.{name}"
        if entry is None or (isinstance(entry, (list, dict)) and not entry):
            found.append(place)
        elif isinstance(entry, dict) and entry.get("edges") == []:
            found.append(f"{place}.edges")
    return found
