"""Every root field and every mutation, tried by somebody who has not signed in, by another tenant's admin, by a role
that is too low, and by one that is allowed. A field without a line in the table fails.
"""

from dataclasses import replace
from string import Template

import pytest
from asyncpg import Connection, Record
from graphql import GraphQLObjectType

from app.wiring import System
from domain.access import Caller
from tests.api import Api
from tests.factories.access import Tenant
from tests.graph.permissions import (
    ADMIN,
    DIRECTOR,
    JUNIOR,
    SCENES,
    SENIOR,
    Line,
    Sees,
    World,
    change,
    digest,
    page,
    row,
    secret,
    seen,
    sent,
    tried,
    world,
)
from tests.graph.streams import Served, joined, signed_in

NODE = '(id: "$lead") { id }'
LEADS = "{ stages { leadCount } }"

TABLE = [
    # What anybody may try, and only a secret opens.
    secret("login", 'email: "$email", password: "$password"', 'email: "$email", password: "$token"'),
    secret("sessionRefresh", 'refreshToken: "$token"', 'refreshToken: "$password"'),
    secret("sessionRevoke", 'refreshToken: "$token"', 'refreshToken: "$password"'),
    # One's own.
    Line(field="viewer", text="{ id }", holds="$junior", anonymous=Sees.HIDDEN, stranger=Sees.OTHER, low=Sees.OTHER),
    Line(field="eventCursor", text="", holds="$cursor", stranger=Sees.OTHER, low=Sees.UNTRIED),
    # Rows by their id.
    Line(field="node", text=NODE, holds="$lead"),
    Line(field="nodes", text='(ids: ["$lead"]) { id }', holds="$lead"),
    row("person", low=Sees.SHOWN),
    row("lead"),
    row("opportunity"),
    row("property", low=Sees.UNTRIED),
    row("project", low=Sees.UNTRIED),
    row("call"),
    row("thread"),
    # Lists.
    page("users", of="junior", low=Sees.OTHER, stranger=Sees.OTHER),
    page("people", of="person", low=Sees.SHOWN),
    page("leads", of="lead"),
    page("opportunities", of="opportunity"),
    page("properties", of="property", low=Sees.UNTRIED),
    page("projects", of="project", low=Sees.UNTRIED),
    page("tasks", of="task"),
    page("threads", of="thread"),
    page("activity", of="activity"),
    page("proposals", of="proposal"),
    page("apiKeys", of="key", role=ADMIN, low=Sees.REFUSED),
    page("persistedOperations", of="operation", role=ADMIN, low=Sees.REFUSED),
    page("auditEntries", of="audit", role=SENIOR, low=Sees.REFUSED),
    row("canvas"),
    row("canvasRevision"),
    row("mergeRequest"),
    page("canvases", of="canvas"),
    page("mergeRequests", of="mergeRequest"),
    page("jobs", of="job"),
    Line(field="inferenceJob", text='(id: "$job") { id }', holds="$job"),
    # Providers are the installation's: whoever may submit work sees them, each tenant with its own switches.
    Line(
        field="inferenceProviders",
        text="{ id name }",
        holds="$inferenceProvider",
        stranger=Sees.SHOWN,
        low=Sees.UNTRIED,
    ),
    Line(field="renderJob", text='(id: "$render") { id }', holds="$render"),
    page("cctvEvents", of="cctvEvent"),
    # Sums.
    Line(field="pipeline", text=LEADS, holds='"leadCount": 1', low=Sees.OTHER, stranger=Sees.OTHER),
    Line(
        field="leadDemographics",
        text="{ bySource { count } }",
        holds='"count": 1',
        low=Sees.OTHER,
        stranger=Sees.OTHER,
    ),
    Line(
        field="sentimentScatter",
        text='(from: "$from", to: "$to", first: 5) { points { person { id } } }',
        holds="$person",
        low=Sees.OTHER,
        stranger=Sees.OTHER,
    ),
    # Machines, which every company shares.
    Line(
        field="fleet",
        text="{ mode { current } }",
        holds='"current"',
        role=DIRECTOR,
        stranger=Sees.SHOWN,
        low=Sees.REFUSED,
    ),
    # A stranger's director sets it, too: to another mode, or there were nothing left to change.
    Line(
        field="fleetModeSet",
        text=sent("mode: LLM_FIRST"),
        wrong=sent("mode: MEDIA_FIRST"),
        holds="Payload",
        mutation=True,
        role=DIRECTOR,
        stranger=Sees.SHOWN,
        low=Sees.REFUSED,
    ),
    # People.
    change("personCreate", 'fullName: "Meera Iyer"', low=Sees.UNTRIED, stranger=Sees.SHOWN),
    change("personUpdate", 'personId: "$person", city: "Pune"', low=Sees.NOT_YOURS),
    change("factCorrect", 'factId: "$fact", text: "Wants a garden."'),
    change(
        "personMerge",
        'keepPersonId: "$person", absorbPersonIds: ["$twin"], dryRun: false',
        role=SENIOR,
        low=Sees.REFUSED,
    ),
    change(
        "interactionLog",
        'personId: "$person", occurredAt: "$from", detail: { note: { text: "Called." } }',
        low=Sees.NOT_YOURS,
    ),
    # Leads.
    change("leadCreate", 'personId: "$person", source: REFERRAL', low=Sees.UNTRIED),
    change("leadUpdate", 'leadId: "$lead", qualification: HOT'),
    change("leadMove", 'leadId: "$lead", toStage: CONTACTED'),
    change("leadTag", 'leadId: "$lead"'),
    change("leadAssign", 'leadId: "$lead", assigneeId: "$senior"', role=SENIOR, low=Sees.REFUSED),
    change("propertyInterestSet", 'personId: "$person", propertyId: "$property", level: HIGH', low=Sees.NOT_YOURS),
    change("opportunityCreate", 'leadId: "$lead"'),
    change("opportunityUpdate", 'opportunityId: "$opportunity", probability: 0.5'),
    # Cameras.
    change(
        "cctvEventIngest",
        'camera: "Gate", at: "$now", idempotencyKey: "gate"',
        role=SENIOR,
        low=Sees.REFUSED,
        stranger=Sees.SHOWN,
    ),
    change(
        "detectionBatchSubmit",
        'camera: "Gate", detections: [{ label: "car", confidence: 0.9, at: "$now" }]',
        role=SENIOR,
        low=Sees.REFUSED,
        stranger=Sees.SHOWN,
    ),
    change("proposalDecide", 'proposalId: "$proposal", decision: APPROVE', role=SENIOR, low=Sees.REFUSED),
    # Properties.
    change(
        "propertyCreate",
        'listingKey: "K-1", listPrice: { amount: "1", currency: "AED" }, propertyType: LAND, projectId: "$project"',
        role=SENIOR,
        low=Sees.REFUSED,
    ),
    change("propertyUpdate", 'propertyId: "$property", city: "Dubai"', role=SENIOR, low=Sees.REFUSED),
    change("propertyArchive", 'propertyId: "$property"', role=SENIOR, low=Sees.REFUSED),
    change(
        "propertyMediaAdd",
        'propertyId: "$property", uploadId: "$brochure", category: DOCUMENT',
        role=SENIOR,
        low=Sees.REFUSED,
    ),
    change("propertyMediaRemove", 'mediaId: "$medium"', role=SENIOR, low=Sees.REFUSED),
    # Uploads and keys.
    change(
        "uploadCreate",
        'purpose: PROPERTY_MEDIA, contentType: "image/png", bytes: 10',
        role=SENIOR,
        low=Sees.REFUSED,
        stranger=Sees.SHOWN,
    ),
    change("viewerAvatarSet", 'uploadId: "$avatar"'),
    change(
        "apiKeyCreate", 'displayName: "Site", role: ADMIN, operationIds: ["$operation"]', role=ADMIN, low=Sees.REFUSED
    ),
    change("apiKeyRotate", 'apiKeyId: "$key"', role=ADMIN, low=Sees.REFUSED),
    change("apiKeyRevoke", 'apiKeyId: "$key"', role=ADMIN, low=Sees.REFUSED),
    # Tasks.
    change("taskCreate", 'title: "Call back", leadId: "$lead"'),
    change("taskUpdate", 'taskId: "$task", title: "Call again"'),
    change("taskComplete", 'taskId: "$task"'),
    # Jobs.
    change(
        "inferenceProviderUpdate",
        'providerId: "$inferenceProvider", enabled: false',
        role=ADMIN,
        low=Sees.REFUSED,
        stranger=Sees.SHOWN,
    ),
    change(
        "inferenceSubmit",
        'task: CHAT, items: [{ requestId: "one", messages: [{ role: "user", content: "Hello." }] }]',
        low=Sees.UNTRIED,
        stranger=Sees.SHOWN,
    ),
    change("jobCancel", 'jobId: "$job"'),
    change("jobRetry", 'jobId: "$render"'),
    change("renderSubmit", 'photoUploadId: "$roomPhoto", roomType: KITCHEN, keywords: ["oak"]'),
    # Perception.
    page("consents", of="consent"),
    page("perceptionSessions", of="session"),
    page("videos", of="video", low=Sees.UNTRIED),
    page("notifications", of="notification"),
    row("erasure"),
    Line(field="perceptionSession", text='(id: "$session") { id }', holds="$session"),
    change(
        "consentGrant",
        'subjectKind: PERSON, personId: "$person", purpose: MARKETING, modality: VOICE, noticeVersion: "1"',
        low=Sees.NOT_YOURS,
    ),
    change("consentWithdraw", 'consentId: "$consent"'),
    change("perceptionSessionStart", 'consentId: "$consent", surface: IPAD'),
    change("perceptionIngest", 'sessionId: "$session", sequence: 1, packets: [{ at: "$now" }]'),
    change("perceptionSessionComplete", 'sessionId: "$session"'),
    change("perceptionSessionMatch", 'sessionId: "$session", target: { newLead: { fullName: "Asha" } }'),
    change("sceneMapUpload", 'videoId: "$video", uploadId: "$scenes"', role=SENIOR, low=Sees.REFUSED),
    change("notificationsMarkRead", 'ids: ["$notification"]'),
    # Conversations.
    change("threadOpen", 'channel: WHATSAPP, address: "+971509876543", personId: "$person"', low=Sees.NOT_YOURS),
    change("threadLinkPerson", 'threadId: "$thread", personId: "$twin"'),
    change("threadMarkRead", 'threadId: "$thread", upToMessageId: "$message"'),
    change("messageSend", 'threadId: "$thread", text: "Hello"'),
    # Canvases.
    change("canvasCreate", 'title: "Board"', low=Sees.UNTRIED, stranger=Sees.SHOWN),
    change("canvasUpdate", 'canvasId: "$canvas", title: "Other"'),
    change(
        "canvasCommit",
        'canvasId: "$canvas", expectedHeadId: "$canvasRevision", message: "More", changes: [{ add: { kind: TEXT,'
        ' layout: { x: 0, y: 0, width: 4, height: 4 }, visualization: { markdown: "Hello." } } }]',
    ),
    change("canvasRollback", 'canvasId: "$canvas", revisionId: "$first", expectedHeadId: "$canvasRevision"'),
    change("canvasFork", 'canvasId: "$canvas"'),
    change("canvasShare", 'canvasId: "$canvas", userId: "$senior", access: EDIT'),
    change("canvasUnshare", 'canvasId: "$canvas", userId: "$sales"'),
    change("mergeRequestOpen", 'sourceCanvasId: "$fork", targetCanvasId: "$canvas", title: "Take these"'),
    change("mergeRequestReview", 'mergeRequestId: "$mergeRequest", decision: REQUEST_CHANGES'),
    change("mergeRequestMerge", 'mergeRequestId: "$mergeRequest", expectedHeadId: "$canvasRevision", resolutions: []'),
]


@pytest.fixture
async def filled(owner_connection: "Connection[Record]", api: Api, tenant: Tenant, other_tenant: Tenant) -> World:
    """The world that a line is tried in."""
    made = await world(owner_connection, tenant, other_tenant)
    await api.system.uploads.objects.put(f"uploads/{tenant.id}/scenes.csv", SCENES, "text/csv")
    made.words["cursor"] = (await api.data("{ eventCursor }"))["eventCursor"]
    return made


# What each subscription takes, and a mutation that makes something to be told to the junior who owns it.
FOLLOWED = {
    "crmActivity": ("{ entry { subject { id } } }", 'leadMove(input: { leadId: "$lead", toStage: CONTACTED })'),
    "threadMessages": ("{ threadMessage { id } }", 'messageSend(input: { threadId: "$thread", text: "Hello." })'),
    "canvasUpdates": ("{ canvas { id } }", 'canvasUpdate(input: { canvasId: "$canvas", title: "Other" })'),
    "perceptionScores": (
        "{ session { id } qd { score } }",
        'perceptionIngest(input: { sessionId: "$session", sequence: 1, packets: [{ at: "$now" }] })',
    ),
    "jobUpdates": ("{ job { id } }", 'jobCancel(input: { jobId: "$job" })'),
    "notifications": ("{ notification { id } }", 'perceptionSessionComplete(input: { sessionId: "$session" })'),
}


WATCHED = {"fleetUpdates"}
"""What is sampled, and no mutation makes: tests/graph/test_fleet.py tries who may watch it."""


@pytest.mark.parametrize("field", FOLLOWED)
async def test_subscriptions_tell_each_caller_what_it_may_know(
    field: str, api: Api, filled: World, live: Served, system: System
) -> None:
    inside, change = FOLLOWED[field]
    document = f"subscription {{ {field} {inside} }}"
    stranger = Api(system, filled.other)
    outsider = filled.outsider
    async with (
        signed_in(live.http, {}) as nobody,
        signed_in(live.http, await stranger.bearer(ADMIN)) as other,
        signed_in(live.http, await bearer_of(api, outsider)) as low,
        live.client(JUNIOR) as junior,
    ):
        await nobody.subscribe(document)
        [error] = (await nobody.next())["payload"]
        assert error["extensions"]["code"] == "UNAUTHENTICATED"
        for client in (other, low, junior):
            await client.subscribe(document)
        await live.until(lambda: sum(joined(live)) == 3)
        made = await api.run(f"mutation {{ {Template(change).substitute(filled.words)} {{ __typename }} }}")
        assert "errors" not in made
        assert await junior.data(field)
        for client in (other, low):
            # Whoever is told nothing hears the answer to a ping next.
            await live.until(lambda: idle(live))
            await client.send({"type": "ping"})
            assert (await client.next())["type"] == "pong"


def idle(live: Served) -> bool:
    """Whether every group has come to where its feed is."""
    return all(group.position == feed.position for feed in live.hub.feeds.values() for group in feed.groups.values())


def test_every_subscription_is_tried(system: System) -> None:
    kind = system.schema._schema.subscription_type
    assert isinstance(kind, GraphQLObjectType)
    assert set(kind.fields) == set(FOLLOWED) | WATCHED


async def bearer_of(api: Api, caller: Caller) -> dict[str, str]:
    """The header of any caller."""
    return await Api(api.system, replace(api.tenant, users={caller.role: caller.as_user()})).bearer(caller.role)


def test_every_root_field_has_a_line(system: System) -> None:
    schema = system.schema._schema
    fields = [
        (name, kind is schema.mutation_type)
        for kind in (schema.query_type, schema.mutation_type)
        if isinstance(kind, GraphQLObjectType)
        for name in kind.fields
    ]
    assert sorted(fields) == sorted((line.field, line.mutation) for line in TABLE)


@pytest.mark.parametrize("line", TABLE, ids=lambda line: line.field)
async def test_each_caller_is_answered_as_the_line_says(
    api: Api, filled: World, owner_connection: "Connection[Record]", line: Line
) -> None:
    before = await digest(owner_connection, filled.tenant)
    low = filled.tenant.caller(JUNIOR) if line.low is Sees.REFUSED else filled.outsider
    for caller, expected in (
        (None, line.anonymous),
        (filled.other.caller(ADMIN), line.stranger),
        (low, line.low),
    ):
        if expected is not Sees.UNTRIED:
            answer = await tried(api, filled, line, caller=caller, wrong=True)
            wanted = Sees.REFUSED if expected is Sees.NOT_YOURS else expected
            assert seen(line, filled, answer) is wanted, answer
            assert await digest(owner_connection, filled.tenant) == before
    allowed: Caller | None = None if line.role is None else filled.tenant.caller(line.role)
    answer = await tried(api, filled, line, caller=allowed)
    assert seen(line, filled, answer) is Sees.SHOWN, answer
    assert (await digest(owner_connection, filled.tenant) != before) is line.mutation
    if line.low is Sees.UNTRIED:
        assert line.role is JUNIOR, "There is a lower role: try it."
