"""Canvases through the schema: what each mutation makes, what it refuses, and who wins a race."""

import asyncio
from typing import Any

import orjson
import pytest
from asyncpg import Connection, Record

from domain.access import Role
from graph.persisted import shipped
from tests.api import Api
from tests.factories import people
from tests.factories.access import Tenant
from tests.factories.rows import rows_of

JUNIOR, SENIOR, DIRECTOR, ADMIN = Role.JUNIOR_BROKER, Role.SENIOR_BROKER, Role.SALES_DIRECTOR, Role.ADMIN
DOCUMENTS = {each.name: each.document_id for each in shipped()}
LAYOUT = {"x": 0, "y": 0, "width": 12, "height": 4}
HEAD = "query ($id: ID!) { canvas(id: $id) { head { id } } }"


def words(key: str, markdown: str = "Hello.") -> dict[str, Any]:
    """An addition of a text."""
    return {"add": {"key": key, "kind": "TEXT", "layout": LAYOUT, "visualization": {"markdown": markdown}}}


def edit(key: str, markdown: str) -> dict[str, Any]:
    return {"edit": {"key": key, "visualization": {"markdown": markdown}}}


def leads(key: str) -> dict[str, Any]:
    """An addition of a table of leads."""
    source = {"operation": {"documentId": DOCUMENTS["LeadBoard"], "variables": {"first": 20}}}
    return {"add": {"key": key, "kind": "TABLE", "layout": LAYOUT, "source": source}}


async def created(api: Api, title: str = "Board", **as_: Any) -> tuple[str, str]:
    """Make a canvas; its id and its head's."""
    canvas = (await api.data("CanvasCreate", title=title, **{"role": JUNIOR, **as_}))["canvasCreate"]["canvas"]
    return canvas["id"], canvas["head"]["id"]


async def committed(api: Api, canvas: str, head: str, *changes: dict[str, Any], **as_: Any) -> dict[str, Any]:
    """Commit; the answer, payload or problem."""
    sent = {"canvasId": canvas, "expectedHeadId": head, "message": "Change", "changes": list(changes)}
    answer: dict[str, Any] = (await api.data("CanvasCommit", **sent, **{"role": JUNIOR, **as_}))["canvasCommit"]
    return answer


async def advanced(api: Api, canvas: str, *changes: dict[str, Any], **as_: Any) -> str:
    """Commit on top of whatever the head is; the new head's id."""
    answer = await committed(api, canvas, await head_of(api, canvas), *changes, **as_)
    assert answer["__typename"] == "CanvasCommitPayload", answer
    return str(answer["revision"]["id"])


async def head_of(api: Api, canvas: str) -> str:
    return str((await api.data(HEAD, id=canvas))["canvas"]["head"]["id"])


async def texts(api: Api, canvas: str) -> dict[str, str]:
    """What the texts of a canvas say, by their keys."""
    document = "query ($id: ID!) { canvas(id: $id) { head { components { key visualization } } } }"
    components = (await api.data(document, id=canvas))["canvas"]["head"]["components"]
    return {each["key"]: each["visualization"]["markdown"] for each in components}


async def forked(api: Api, canvas: str, **as_: Any) -> str:
    answer = (await api.data("CanvasFork", canvasId=canvas, title="Fork", **{"role": JUNIOR, **as_}))["canvasFork"]
    return str(answer["canvas"]["id"])


async def opened(api: Api, source: str, target: str, **as_: Any) -> dict[str, Any]:
    sent = {"sourceCanvasId": source, "targetCanvasId": target, "title": "Take these"}
    answer: dict[str, Any] = (await api.data("MergeRequestOpen", **sent, **{"role": JUNIOR, **as_}))["mergeRequestOpen"]
    return answer


async def merged(api: Api, request: str, head: str, *resolutions: dict[str, Any], **as_: Any) -> dict[str, Any]:
    sent = {"mergeRequestId": request, "expectedHeadId": head, "resolutions": list(resolutions)}
    answer: dict[str, Any] = await api.data("MergeRequestMerge", **sent, **{"role": JUNIOR, **as_})
    return dict(answer["mergeRequestMerge"])


async def events(owner: "Connection[Record]", tenant: Tenant) -> list[str]:
    return [row["kind"] for row in await rows_of(owner, "events", tenant.id)]


async def test_a_canvas_is_made_with_an_empty_first_revision(
    api: Api, tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    canvas, head = await created(api, idempotencyKey="once")
    again, _ = await created(api, idempotencyKey="once")
    view = (await api.data("CanvasView", id=canvas, role=JUNIOR))["canvas"]

    assert again == canvas
    assert view["owner"]["id"] == f"user_{tenant.users[JUNIOR]}"
    assert view["viewerAccess"] == "EDIT"
    assert (view["head"]["id"], view["head"]["number"], view["head"]["components"]) == (head, 1, [])
    assert await events(owner_connection, tenant) == ["CanvasCreated"]


async def test_a_commit_makes_a_revision_that_says_what_changed(api: Api) -> None:
    canvas, head = await created(api)
    first = await committed(api, canvas, head, words("a"), words("b"))
    move = {"move": {"key": "b", "layout": {"x": 4, "y": 0, "width": 4, "height": 4}}}
    await advanced(api, canvas, edit("a", "New."), move)
    await advanced(api, canvas, {"remove": {"key": "b"}})
    edges = (await api.data("CanvasHistory", id=canvas, first=10, role=JUNIOR))["canvas"]["revisions"]["edges"]

    assert [each["key"] for each in first["revision"]["components"]] == ["a", "b"]
    told = [[(c["kind"], c["componentKey"], c["path"]) for c in edge["node"]["changes"]] for edge in edges]
    assert told == [
        [("REMOVE", "b", None)],
        [("EDIT", "a", "visualization.markdown"), ("MOVE", "b", "layout")],
        [("ADD", "a", None), ("ADD", "b", None)],
        [],
    ]
    assert [edge["node"]["number"] for edge in edges] == [4, 3, 2, 1]
    assert [edge["node"]["parents"][0]["number"] for edge in edges[:3]] == [3, 2, 1]
    assert len({edge["node"]["hash"] for edge in edges}) == 4


async def test_a_revision_that_changes_one_component_stores_one(
    api: Api, tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    canvas, head = await created(api)
    await committed(api, canvas, head, *(words(f"k{number}") for number in range(50)))
    before = (await api.data("CanvasView", id=canvas, role=JUNIOR))["canvas"]["head"]["components"]
    await advanced(api, canvas, edit("k7", "Other."))
    after = (await api.data("CanvasView", id=canvas, role=JUNIOR))["canvas"]["head"]["components"]

    assert [one["key"] for one, other in zip(before, after, strict=True) if one["id"] != other["id"]] == ["k7"]
    assert len(await rows_of(owner_connection, "canvas_components", tenant.id)) == 51
    placements = await owner_connection.fetch("SELECT * FROM canvas_placements WHERE tenant_id = $1", tenant.id)
    assert len(placements) == 51


async def test_of_commits_at_once_on_one_head_one_wins_and_the_others_learn_the_head(api: Api) -> None:
    canvas, head = await created(api)
    answers = await asyncio.gather(*(committed(api, canvas, head, words(f"k{number}")) for number in range(6)))
    [won] = [each for each in answers if each["__typename"] == "CanvasCommitPayload"]
    lost = [each for each in answers if each["__typename"] == "CanvasHeadMovedProblem"]

    assert len(lost) == 5
    assert {each["currentHead"]["id"] for each in lost} == {won["revision"]["id"]}
    assert {(each["code"], each["field"], each["currentHead"]["number"]) for each in lost} == {
        ("CONFLICT", "expectedHeadId", 2)
    }
    assert await head_of(api, canvas) == won["revision"]["id"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ([], "changes"),
        ([words("a b")], "changes.0.add.key"),
        ([{"remove": {"key": "none"}}], "changes.0.remove.key"),
        ([words("a"), words("a")], "changes.1.add.key"),
        ([{"add": {"kind": "TEXT", "layout": LAYOUT}}], "changes.0.add.visualization"),
        ([{"add": {"kind": "TABLE", "layout": {**LAYOUT, "x": 60}}}], "changes.0.add.layout.x"),
    ],
    ids=["none", "key", "missing", "twice", "text", "layout"],
)
async def test_a_commit_that_is_not_valid_changes_nothing(api: Api, changes: list[Any], field: str) -> None:
    canvas, head = await created(api)
    answer = await committed(api, canvas, head, *changes)

    assert (answer["__typename"], answer["code"], answer["field"]) == ("InvalidProblem", "INVALID", field)
    assert await head_of(api, canvas) == head


async def test_a_commit_that_leaves_everything_as_it_was_is_refused(api: Api) -> None:
    canvas, head = await created(api)
    await committed(api, canvas, head, words("a"))
    answer = await committed(api, canvas, await head_of(api, canvas), edit("a", "Hello."))

    assert (answer["__typename"], answer["message"]) == ("ConflictProblem", "The components would be what they are.")


async def test_a_rollback_is_a_new_revision_with_the_old_versions(api: Api) -> None:
    canvas, head = await created(api)
    first = (await committed(api, canvas, head, words("a"), words("b")))["revision"]
    await advanced(api, canvas, edit("a", "Worse."), {"remove": {"key": "b"}})
    sent = {"canvasId": canvas, "revisionId": first["id"], "expectedHeadId": await head_of(api, canvas)}
    answer = (await api.data("CanvasRollback", **sent, role=JUNIOR))["canvasRollback"]
    stale = (await api.data("CanvasRollback", **sent, role=JUNIOR))["canvasRollback"]
    document = "query ($id: ID!) { canvasRevision(id: $id) { components { id key } } }"
    then, now = [
        (await api.data(document, id=each))["canvasRevision"] for each in (first["id"], answer["revision"]["id"])
    ]

    assert (answer["revision"]["number"], answer["revision"]["kind"]) == (4, "ROLLBACK")
    assert now == then
    assert await texts(api, canvas) == {"a": "Hello.", "b": "Hello."}
    assert (stale["__typename"], stale["currentHead"]["id"]) == ("CanvasHeadMovedProblem", answer["revision"]["id"])
    same = {**sent, "expectedHeadId": answer["revision"]["id"]}
    assert (await api.data("CanvasRollback", **same, role=JUNIOR))["canvasRollback"]["code"] == "CONFLICT"
    other, _ = await created(api)
    astray = {"canvasId": other, "revisionId": first["id"], "expectedHeadId": await head_of(api, other)}
    assert (await api.data("CanvasRollback", **astray, role=JUNIOR))["canvasRollback"]["code"] == "NOT_FOUND"


async def test_a_fork_is_a_canvas_of_ones_own_that_goes_on_from_the_head(api: Api, tenant: Tenant) -> None:
    canvas, head = await created(api)
    head = (await committed(api, canvas, head, words("a")))["revision"]["id"]
    fork = await forked(api, canvas, role=SENIOR)
    view = (await api.data("CanvasView", id=fork, role=SENIOR))["canvas"]
    edges = (await api.data("CanvasHistory", id=fork, first=5, role=SENIOR))["canvas"]["revisions"]["edges"]

    assert view["owner"]["id"] == f"user_{tenant.users[SENIOR]}"
    assert [each["key"] for each in view["head"]["components"]] == ["a"]
    assert [(edge["node"]["kind"], edge["node"]["parents"]) for edge in edges] == [
        ("FORK", [{"id": head, "number": 2}])
    ]
    await advanced(api, fork, edit("a", "Mine."), role=SENIOR)
    assert (await texts(api, canvas), await texts(api, fork)) == ({"a": "Hello."}, {"a": "Mine."})


async def test_shares_give_what_they_say_and_end(
    api: Api, tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    canvas, head = await created(api)
    them, user = tenant.outside, f"user_{tenant.outsider}"
    hidden = await committed(api, canvas, head, words("a"), caller=them)
    shared = (await api.data("CanvasShare", canvasId=canvas, userId=user, access="VIEW", role=JUNIOR))["canvasShare"]
    viewing = await committed(api, canvas, head, words("a"), caller=them)
    await api.data("CanvasShare", canvasId=canvas, userId=user, access="EDIT", role=JUNIOR)
    editing = await committed(api, canvas, head, words("a"), caller=them)
    passing = (await api.data("CanvasShare", canvasId=canvas, userId=user, access="VIEW", caller=them))["canvasShare"]
    unshared = (await api.data("CanvasUnshare", canvasId=canvas, userId=user, role=JUNIOR))["canvasUnshare"]
    gone = await api.data("CanvasView", id=canvas, caller=them)

    assert (hidden["code"], viewing["code"], passing["code"]) == ("NOT_FOUND", "NOT_ALLOWED", "NOT_ALLOWED")
    assert [(each["user"]["id"], each["access"]) for each in shared["canvas"]["shares"]] == [(user, "VIEW")]
    assert editing["__typename"] == "CanvasCommitPayload"
    assert unshared["canvas"]["shares"] == []
    assert gone["canvas"] is None
    told = await events(owner_connection, tenant)
    assert told == ["CanvasCreated", "CanvasShared", "CanvasShared", "CanvasCommitted", "CanvasUnshared"]


async def test_an_archived_canvas_does_not_change(api: Api) -> None:
    canvas, head = await created(api)
    answer = (await api.data("CanvasUpdate", canvasId=canvas, title="Old", archived=True, role=JUNIOR))["canvasUpdate"]
    refused = await committed(api, canvas, head, words("a"))
    shown = [
        (await api.data("Canvases", first=5, filter={"archived": archived}, role=JUNIOR))["canvases"]["edges"]
        for archived in (True, False)
    ]

    assert answer["canvas"]["title"] == "Old"
    assert answer["canvas"]["archivedAt"] is not None
    assert (refused["__typename"], refused["message"]) == ("ConflictProblem", "An archived canvas does not change.")
    assert [len(edges) for edges in shown] == [1, 0]


async def test_a_merge_takes_what_only_the_source_changed(api: Api) -> None:
    canvas, head = await created(api)
    await committed(api, canvas, head, words("a"), words("b"))
    fork = await forked(api, canvas)
    await advanced(api, fork, edit("a", "Their."))
    await advanced(api, fork, edit("a", "Theirs"))
    theirs = await advanced(api, fork, edit("a", "Theirs."))
    head = await advanced(api, canvas, edit("b", "Ours."))
    request = (await opened(api, fork, canvas))["mergeRequest"]
    twice = await opened(api, fork, canvas)
    answer = await merged(api, request["id"], head)
    again = await merged(api, request["id"], head)

    assert (request["status"], request["base"]["number"], request["conflicts"]) == ("OPEN", 2, [])
    assert twice["__typename"] == "ConflictProblem"
    assert answer["mergeRequest"]["status"] == "MERGED"
    assert (answer["revision"]["kind"], answer["revision"]["parents"]) == ("MERGE", [{"id": head}, {"id": theirs}])
    assert await texts(api, canvas) == {"a": "Theirs.", "b": "Ours."}
    assert again["code"] == "CONFLICT"
    nothing = await opened(api, fork, canvas)
    assert nothing["code"] == "CONFLICT"


async def test_a_conflict_is_listed_and_takes_a_resolution(api: Api) -> None:
    canvas, head = await created(api)
    await committed(api, canvas, head, words("a"))
    fork = await forked(api, canvas)
    await advanced(api, fork, edit("a", "Theirs."))
    request = (await opened(api, fork, canvas))["mergeRequest"]
    head = await advanced(api, canvas, edit("a", "Ours."))
    [conflict] = (await api.data("MergeRequest", id=request["id"], role=JUNIOR))["mergeRequest"]["conflicts"]
    refused = await merged(api, request["id"], head)
    resolution = {"conflictKey": conflict["key"], "choice": {"value": "Both."}}
    answer = await merged(api, request["id"], head, resolution)

    assert request["conflicts"] == []
    assert (conflict["kind"], conflict["componentKey"], conflict["path"]) == (
        "EDIT_EDIT", "a", "visualization.markdown"
    )  # fmt: skip
    assert (conflict["base"], conflict["ours"], conflict["theirs"]) == ("Hello.", "Ours.", "Theirs.")
    assert refused["__typename"] == "MergeConflictProblem"
    assert [each["key"] for each in refused["conflicts"]] == [conflict["key"]]
    assert answer["__typename"] == "MergeRequestMergePayload"
    assert await texts(api, canvas) == {"a": "Both."}


async def test_who_may_not_commit_to_the_target_proposes_and_others_decide(api: Api, tenant: Tenant) -> None:
    canvas, head = await created(api)
    user = f"user_{tenant.outsider}"
    await committed(api, canvas, head, words("a"))
    await api.data("CanvasShare", canvasId=canvas, userId=user, access="VIEW", role=JUNIOR)
    them = tenant.outside
    fork = await forked(api, canvas, caller=them)
    await advanced(api, fork, edit("a", "Theirs."), caller=them)
    hidden = await api.data("CanvasView", id=fork, role=JUNIOR)
    request = (await opened(api, fork, canvas, caller=them))["mergeRequest"]["id"]
    shown = (await api.data("MergeRequest", id=request, role=JUNIOR))["mergeRequest"]
    own = await reviewed(api, request, "APPROVE", caller=them)
    head = await head_of(api, canvas)
    pushed = await merged(api, request, head, caller=them)
    wished = await reviewed(api, request, "REQUEST_CHANGES", role=SENIOR)
    blocked = await merged(api, request, head)
    approved = await reviewed(api, request, "APPROVE", role=SENIOR)
    done = await merged(api, request, head)
    reviews = (await api.data("MergeRequest", id=request, role=JUNIOR))["mergeRequest"]["reviews"]["edges"]

    assert hidden["canvas"] is None
    assert (shown["source"]["id"], shown["target"]["id"]) == (fork, canvas)
    assert (own["code"], pushed["code"]) == ("NOT_ALLOWED", "NOT_ALLOWED")
    assert wished["mergeRequest"]["status"] == "OPEN"
    assert blocked["__typename"] == "ConflictProblem"
    assert approved["mergeRequest"]["status"] == "APPROVED"
    assert done["mergeRequest"]["status"] == "MERGED"
    assert [edge["node"]["decision"] for edge in reviews] == ["APPROVE", "REQUEST_CHANGES"]


async def reviewed(api: Api, request: str, decision: str, **as_: Any) -> dict[str, Any]:
    sent = {"mergeRequestId": request, "decision": decision, "comment": "Why."}
    answer: dict[str, Any] = (await api.data("MergeRequestReview", **sent, **as_))["mergeRequestReview"]
    return answer


async def test_canvases_without_a_common_revision_do_not_merge(api: Api) -> None:
    (one, _), (other, _) = await created(api), await created(api)
    answer = await opened(api, one, other)

    assert (answer["__typename"], answer["code"]) == ("ConflictProblem", "CONFLICT")


async def with_leads(owner: "Connection[Record]", tenant: Tenant) -> None:
    """Give the junior one lead, and somebody else another."""
    for name, assignee in (("Asha Rao", tenant.users[JUNIOR]), ("Omar Aziz", tenant.outsider)):
        person = await people.person(owner, tenant, full_name=name)
        await people.lead(owner, tenant, person_id=person, assignee_id=assignee)


async def data_of(api: Api, canvas: str, **as_: Any) -> tuple[str, list[str] | None]:
    """The state of the first component's rows, and whose leads they are."""
    [component, *_] = (await api.data("CanvasView", id=canvas, **as_))["canvas"]["head"]["components"]
    rows = component["data"]["rows"]
    return component["data"]["state"], None if rows is None else [row["personFullName"] for row in rows]


async def rerun(api: Api, canvas: str, *keys: str, **as_: Any) -> list[tuple[str, str, list[str]]]:
    """What CanvasData answers: each key with its state and whose leads there are."""
    head = (await api.data(HEAD, id=canvas, **as_))["canvas"]["head"]["id"]
    answer = await api.data("CanvasData", revisionId=head, keys=list(keys), **as_)
    return [
        (each["key"], each["data"]["state"], sorted(row["personFullName"] for row in each["data"]["rows"] or ()))
        for each in answer["canvasRevision"]["componentData"]
    ]


async def test_rows_are_read_as_the_author_and_shown_to_no_lesser_scope(
    api: Api, tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    await with_leads(owner_connection, tenant)
    canvas, head = await created(api, role=DIRECTOR)
    await committed(api, canvas, head, leads("leads"), leads("again"), role=DIRECTOR)
    user = f"user_{tenant.users[JUNIOR]}"
    await api.data("CanvasShare", canvasId=canvas, userId=user, access="EDIT", role=DIRECTOR)

    assert await data_of(api, canvas, role=DIRECTOR) == ("READY", ["Omar Aziz", "Asha Rao"])
    assert await data_of(api, canvas, role=ADMIN) == ("READY", ["Omar Aziz", "Asha Rao"])
    assert await data_of(api, canvas, role=JUNIOR) == ("RERUN", None)
    assert await rerun(api, canvas, "again", "leads", "none", role=JUNIOR) == [
        ("leads", "READY", ["Asha Rao"]), ("again", "READY", ["Asha Rao"])
    ]  # fmt: skip
    both = ["Asha Rao", "Omar Aziz"]
    assert await rerun(api, canvas, "leads", role=DIRECTOR) == [("leads", "READY", both)]
    await api.data("CanvasFork", canvasId=canvas, title="Mine", role=JUNIOR)
    forks = (await api.data("Canvases", first=5, filter={"search": "mine"}, role=JUNIOR))["canvases"]["edges"]
    assert await data_of(api, forks[0]["node"]["id"], role=JUNIOR) == ("RERUN", None)


async def test_a_juniors_rows_are_a_directors_to_see_and_not_another_brokers(
    api: Api, tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    await with_leads(owner_connection, tenant)
    canvas, head = await created(api)
    await committed(api, canvas, head, leads("leads"))

    assert await data_of(api, canvas, role=JUNIOR) == ("READY", ["Asha Rao"])
    assert await data_of(api, canvas, role=DIRECTOR) == ("READY", ["Asha Rao"])
    assert await data_of(api, canvas, role=SENIOR) == ("RERUN", None)


async def test_who_may_see_the_kept_rows_gets_them_as_they_were(
    api: Api, tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    canvas, _ = await created(api)
    head = await advanced(api, canvas, leads("leads"))
    await people.client(owner_connection, tenant)
    rows = {}
    for role in (JUNIOR, SENIOR, ADMIN):
        answer = await api.data("CanvasData", revisionId=head, keys=["leads"], role=role)
        [component] = answer["canvasRevision"]["componentData"]
        rows[role] = (component["data"]["state"], len(component["data"]["rows"]))

    assert rows == {JUNIOR: ("READY", 0), SENIOR: ("READY", 1), ADMIN: ("READY", 0)}


async def test_erased_rows_leave_the_history_whole_and_say_so(
    api: Api, tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    await with_leads(owner_connection, tenant)
    canvas, head = await created(api)
    await committed(api, canvas, head, leads("leads"))
    before = (await api.data("CanvasHistory", id=canvas, first=5, role=JUNIOR))["canvas"]["revisions"]["edges"]
    await owner_connection.execute(
        "UPDATE canvas_data SET rows = NULL, salt = NULL, erased_at = now() WHERE tenant_id = $1", tenant.id
    )
    after = (await api.data("CanvasHistory", id=canvas, first=5, role=JUNIOR))["canvas"]["revisions"]["edges"]

    assert after == before
    assert await data_of(api, canvas, role=JUNIOR) == ("ERASED", None)
    assert await rerun(api, canvas, "leads", role=JUNIOR) == [("leads", "READY", ["Asha Rao"])]


@pytest.mark.parametrize(
    ("document_id", "variables", "code"),
    [
        ("sha256:" + "0" * 64, {}, "INVALID"),
        (DOCUMENTS["LeadMove"], {}, "INVALID"),
        (DOCUMENTS["LeadBoard"], {"first": "many"}, "INVALID"),
        (DOCUMENTS["LeadBoard"], {"first": 101}, "INVALID"),
        (DOCUMENTS["ApiKeys"], {"first": 5}, "NOT_ALLOWED"),
    ],
    ids=["unknown", "mutation", "variables", "page", "permission"],
)
async def test_a_document_that_cannot_be_run_refuses_the_commit(
    api: Api, document_id: str, variables: dict[str, Any], code: str
) -> None:
    canvas, head = await created(api)
    source = {"operation": {"documentId": document_id, "variables": variables}}
    answer = await committed(
        api, canvas, head, {"add": {"key": "a", "kind": "TABLE", "layout": LAYOUT, "source": source}}
    )

    assert (answer["code"], answer["field"]) == (code, "changes.0.add.source.operation"), answer
    assert await head_of(api, canvas) == head


async def test_the_rows_digest_is_part_of_the_hashed_tree(
    api: Api, tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    await with_leads(owner_connection, tenant)
    canvas, head = await created(api)
    await committed(api, canvas, head, leads("leads"))
    source = {"operation": {"documentId": DOCUMENTS["LeadBoard"], "variables": {"first": 20}}}
    await advanced(api, canvas, {"edit": {"key": "leads", "source": source}})
    kept = await owner_connection.fetch(
        "SELECT digest, rows FROM canvas_data WHERE tenant_id = $1 ORDER BY as_of", tenant.id
    )
    trees = [row["tree_hash"] for row in await rows_of(owner_connection, "canvas_revisions", tenant.id)]
    changes = (await api.data("CanvasHistory", id=canvas, first=1, role=JUNIOR))["canvas"]["revisions"]["edges"]

    assert len({row["digest"] for row in kept}) == 2
    assert [len(orjson.loads(row["rows"])) for row in kept] == [1, 1]
    assert len(set(trees)) == 3
    assert [each["path"] for each in changes[0]["node"]["changes"]] == ["data"]


async def test_each_mutation_tells_what_it_did(
    api: Api, tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    canvas, head = await created(api)
    first = (await committed(api, canvas, head, words("a")))["revision"]["id"]
    fork = await forked(api, canvas)
    await advanced(api, fork, edit("a", "Theirs."))
    request = (await opened(api, fork, canvas))["mergeRequest"]["id"]
    await reviewed(api, request, "APPROVE", role=SENIOR)
    await advanced(api, fork, edit("a", "Theirs again."))
    await merged(api, request, first)
    sent = {"canvasId": canvas, "revisionId": first, "expectedHeadId": await head_of(api, canvas)}
    await api.data("CanvasRollback", **sent, role=JUNIOR)
    await advanced(api, fork, edit("a", "Once more."))
    await opened(api, fork, canvas)
    await api.data("CanvasUpdate", canvasId=canvas, title="Old", archived=True, role=JUNIOR)
    await api.data("CanvasUpdate", canvasId=canvas, archived=False, role=JUNIOR)
    found = await rows_of(owner_connection, "events", tenant.id)

    assert [(row["kind"], row["subject_noun"], sorted(orjson.loads(row["payload"]))) for row in found] == [
        ("CanvasCreated", "canvases", ["kind", "revisionId"]),
        ("CanvasCommitted", "canvases", ["kind", "revisionId"]),
        ("CanvasForked", "canvases", ["forkedFromId", "kind", "revisionId"]),
        ("CanvasCommitted", "canvases", ["kind", "revisionId"]),
        ("MergeRequestOpened", "merge_requests", ["sourceId", "status", "targetId"]),
        ("MergeRequestReviewed", "merge_requests", ["sourceId", "status", "targetId"]),
        ("CanvasCommitted", "canvases", ["kind", "revisionId"]),
        ("MergeRequestReopened", "merge_requests", ["sourceId", "status", "targetId"]),
        ("CanvasMerged", "canvases", ["kind", "revisionId"]),
        ("MergeRequestMerged", "merge_requests", ["sourceId", "status", "targetId"]),
        ("CanvasRolledBack", "canvases", ["kind", "revisionId"]),
        ("CanvasCommitted", "canvases", ["kind", "revisionId"]),
        ("MergeRequestOpened", "merge_requests", ["sourceId", "status", "targetId"]),
        ("CanvasRenamed", "canvases", []),
        ("CanvasArchived", "canvases", []),
        ("MergeRequestClosed", "merge_requests", ["sourceId", "status", "targetId"]),
        ("CanvasRestored", "canvases", []),
    ]
    audited = await rows_of(owner_connection, "audit_entries", tenant.id)
    assert len(audited) == len(found)
