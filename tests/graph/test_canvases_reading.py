"""Canvases as each role reads them, by one statement, and as fast with a long history as with none."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import orjson
import pytest
from asyncpg import Connection, Record

from db.engine import READ_SETTINGS, SET_TENANT
from domain.access import Caller, Role
from graph.compilation import Planner
from graph.documents import Documents
from graph.execution import Execution, GraphRequest
from tests.api import Api, operation, unmasked
from tests.factories import canvases
from tests.factories.access import Tenant
from tests.factories.canvases import Made

JUNIOR, SENIOR, DIRECTOR, ADMIN = Role.JUNIOR_BROKER, Role.SENIOR_BROKER, Role.SALES_DIRECTOR, Role.ADMIN
SEES = "query ($id: ID!) { canvas(id: $id) { viewerAccess head { number components { key } } } }"

INDICES_ONLY = {"enable_seqscan": "off"}
"""The tables of a test are so small that reading one whole, other tests' rows and all, is cheaper than an index."""


async def compiled(api: Api, document: str, caller: Caller, **variables: Any) -> dict[str, Any]:
    """Answer a document by its one statement; fails if it was not."""
    system = api.system
    execution = Execution(system.schema, Documents(system.schema), system.answers, unmasked)
    text = document if "{" in document else operation(document)
    answer = await execution.execute(GraphRequest(text, None, variables), api.context(caller))
    assert answer.compiled, answer.body
    data: dict[str, Any] = orjson.loads(answer.body)["data"]
    return data


async def access(api: Api, made: Made, caller: Caller) -> str | None:
    """What a caller may do with a canvas; None where they do not see it. Both executions say the same."""
    variables = {"id": f"canvas_{made.id}"}
    resolved = await api.data(SEES, caller=caller, **variables)
    assert resolved == await compiled(api, SEES, caller, **variables)
    canvas = resolved["canvas"]
    return None if canvas is None else str(canvas["viewerAccess"])


async def test_each_role_sees_and_may_do_what_the_table_says(
    api: Api, owner_connection: "Connection[Record]", tenant: Tenant, other_tenant: Tenant
) -> None:
    made = await canvases.canvas(owner_connection, tenant, owner_id=tenant.users[JUNIOR], keys=("a", "b"))

    callers = [*map(tenant.caller, (JUNIOR, SENIOR, DIRECTOR, ADMIN)), tenant.outside]
    assert [await access(api, made, caller) for caller in callers] == ["EDIT", "COMMENT", "EDIT", "EDIT", None]
    elsewhere = Api(api.system, other_tenant)
    assert await access(elsewhere, made, other_tenant.caller(ADMIN)) is None


async def rows_read(
    reading: "Connection[Record]", api: Api, made: Made, caller: Caller, document: str = "CanvasView", **more: Any
) -> list[tuple[str, int]]:
    """How many rows each scan of an operation's statement reads, by the index or table that it reads."""
    system = api.system
    documents, planner = Documents(system.schema), Planner(system.schema)
    prepared = documents.get(operation(document))
    variables = {"id": f"canvas_{made.id}", **more}
    plan = planner.compiled(prepared, prepared.operation(None), variables, caller)
    template, bound = system.answers.prepared(caller, plan.plan, plan.given(variables))
    await reading.fetchval(SET_TENANT, str(caller.tenant_id))
    explained = await reading.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {template.sql}", *template.filled(bound))
    return sorted(_scans(orjson.loads(explained)[0]["Plan"]))


def _scans(node: dict[str, Any]) -> Sequence[tuple[str, int]]:
    found = [scan for child in node.get("Plans", ()) for scan in _scans(child)]
    if "Relation Name" in node or "Index Name" in node:
        removed = sum(count for name, count in node.items() if name.startswith("Rows Removed"))
        rows = round((node["Actual Rows"] + removed) * node["Actual Loops"])
        found.append((str(node.get("Index Name", node.get("Relation Name"))), rows))
    return found


@pytest.mark.parametrize("role", [JUNIOR, ADMIN], ids=lambda role: role.name)
async def test_a_long_history_is_no_slower_to_open_than_none(
    api: Api, owner_connection: "Connection[Record]", tenant: Tenant, role: Role
) -> None:
    owner_id = tenant.users[JUNIOR]
    new = await canvases.canvas(owner_connection, tenant, owner_id=owner_id)
    old = await canvases.canvas(owner_connection, tenant, owner_id=owner_id)
    await canvases.grown(owner_connection, tenant, new, components=500, revisions=1)
    await canvases.grown(owner_connection, tenant, old, components=500, revisions=2_000)
    reading = await asyncpg.connect(api.system.database.app, server_settings={**READ_SETTINGS, **INDICES_ONLY})
    try:
        fresh, aged = [await rows_read(reading, api, made, tenant.caller(role)) for made in (new, old)]
    finally:
        await reading.close()

    assert aged == fresh
    assert dict(aged)["ix_canvas_placements_of_revision"] == 500
    view = await compiled(api, "CanvasView", tenant.caller(role), id=f"canvas_{old.id}")
    assert view["canvas"]["head"]["number"] == 2_000
    assert [each["key"] for each in view["canvas"]["head"]["components"]] == [f"k{n}" for n in range(500)]


async def test_a_page_of_a_long_history_reads_a_page(
    api: Api, owner_connection: "Connection[Record]", tenant: Tenant
) -> None:
    old = await canvases.canvas(owner_connection, tenant, owner_id=tenant.users[JUNIOR])
    await canvases.grown(owner_connection, tenant, old, components=5, revisions=2_000)
    caller, seen, after = tenant.caller(JUNIOR), list[int](), None
    reading = await asyncpg.connect(api.system.database.app, server_settings={**READ_SETTINGS, **INDICES_ONLY})
    try:
        for _ in range(3):
            page = {"first": 100, "after": after}
            scans = await rows_read(reading, api, old, caller, "CanvasHistory", **page)
            assert dict(scans)["ix_canvas_revisions_tenant_id_canvas_id_number_id"] == 101
            found = (await compiled(api, "CanvasHistory", caller, id=f"canvas_{old.id}", **page))["canvas"]["revisions"]
            seen += [edge["node"]["number"] for edge in found["edges"]]
            after = found["pageInfo"]["endCursor"]
    finally:
        await reading.close()

    assert seen == list(range(2_000, 1_700, -1))


async def test_shares_by_name_give_what_they_say(
    api: Api, owner_connection: "Connection[Record]", tenant: Tenant
) -> None:
    for given in ("VIEW", "COMMENT", "EDIT"):
        made = await canvases.canvas(owner_connection, tenant, owner_id=tenant.users[DIRECTOR])
        for user_id in (tenant.outsider, tenant.users[SENIOR]):
            await canvases.share(owner_connection, tenant, canvas_id=made.id, user_id=user_id, access=given)
        assert await access(api, made, tenant.outside) == given
        assert await access(api, made, tenant.caller(SENIOR)) == given
        assert await access(api, made, tenant.caller(JUNIOR)) is None


async def test_a_share_of_less_takes_nothing_from_who_has_more(
    api: Api, owner_connection: "Connection[Record]", tenant: Tenant
) -> None:
    made = await canvases.canvas(owner_connection, tenant, owner_id=tenant.users[JUNIOR])
    for role in (SENIOR, DIRECTOR):
        await canvases.share(owner_connection, tenant, canvas_id=made.id, user_id=tenant.users[role], access="VIEW")

    assert await access(api, made, tenant.caller(SENIOR)) == "COMMENT"
    assert await access(api, made, tenant.caller(DIRECTOR)) == "EDIT"


async def test_who_sees_a_canvas_sees_what_is_to_be_merged_into_it_and_not_the_other_way(
    api: Api, owner_connection: "Connection[Record]", tenant: Tenant
) -> None:
    target = await canvases.canvas(owner_connection, tenant, owner_id=tenant.users[JUNIOR])
    source = await canvases.canvas(owner_connection, tenant, owner_id=tenant.outsider)
    request = await canvases.merge_request(
        owner_connection, tenant, source=source, target=target, author_id=tenant.outsider
    )
    document = "query ($id: ID!) { mergeRequest(id: $id) { source { id } target { id } base { id } } }"
    found = [
        (await compiled(api, document, caller, id=f"mergerequest_{request}"))["mergeRequest"]
        for caller in (tenant.caller(JUNIOR), tenant.caller(SENIOR), tenant.outside)
    ]

    assert await access(api, source, tenant.caller(JUNIOR)) == "VIEW"
    assert await access(api, source, tenant.caller(SENIOR)) == "VIEW"
    assert await access(api, target, tenant.outside) is None
    seen = {"source": {"id": f"canvas_{source.id}"}, "target": {"id": f"canvas_{target.id}"}}
    assert found == [{**seen, "base": {"id": f"canvasrevision_{target.head_id}"}}] * 2 + [None]


async def test_lists_and_their_filters(api: Api, owner_connection: "Connection[Record]", tenant: Tenant) -> None:
    mine = await canvases.canvas(owner_connection, tenant, owner_id=tenant.users[JUNIOR], title="Mine")
    theirs = await canvases.canvas(owner_connection, tenant, owner_id=tenant.outsider, title="Theirs")
    await canvases.canvas(owner_connection, tenant, owner_id=tenant.outsider, title="Hidden")
    await canvases.share(owner_connection, tenant, canvas_id=theirs.id, user_id=tenant.users[JUNIOR], access="VIEW")
    request = await canvases.merge_request(
        owner_connection, tenant, source=theirs, target=mine, author_id=tenant.outsider
    )

    async def titles(**filter: Any) -> list[str]:
        answer = await compiled(api, "Canvases", tenant.caller(JUNIOR), first=10, filter=filter)
        assert answer == await api.data("Canvases", role=JUNIOR, first=10, filter=filter)
        return sorted(edge["node"]["title"] for edge in answer["canvases"]["edges"])

    async def requests(**filter: Any) -> list[str]:
        answer = await compiled(api, "MergeRequests", tenant.caller(JUNIOR), first=10, filter=filter)
        return [edge["node"]["id"] for edge in answer["mergeRequests"]["edges"]]

    assert await titles() == ["Mine", "Theirs"]
    assert await titles(sharedWithMe=True) == ["Theirs"]
    assert await titles(sharedWithMe=False) == ["Mine"]
    assert await titles(ownerIds=[f"user_{tenant.outsider}"]) == ["Theirs"]
    assert await titles(search="THEI") == ["Theirs"]
    assert await titles(archived=True) == []
    assert await requests(canvasId=f"canvas_{theirs.id}") == [f"mergerequest_{request}"]
    assert await requests(canvasId=f"canvas_{mine.id}", statuses=["MERGED"]) == []


@pytest.mark.parametrize(
    ("author", "states"),
    [
        (JUNIOR, {JUNIOR: "READY", SENIOR: "RERUN", DIRECTOR: "READY", ADMIN: "READY"}),
        (DIRECTOR, {JUNIOR: "RERUN", SENIOR: "RERUN", DIRECTOR: "READY", ADMIN: "READY"}),
        (ADMIN, {JUNIOR: "RERUN", SENIOR: "RERUN", DIRECTOR: "RERUN", ADMIN: "READY"}),
    ],
    ids=["junior", "director", "admin"],
)
async def test_kept_rows_are_for_who_would_have_been_given_all_of_them(
    api: Api, owner_connection: "Connection[Record]", tenant: Tenant, author: Role, states: dict[Role, str]
) -> None:
    rows = [{"stage": "NEW"}]
    made = await canvases.canvas(owner_connection, tenant, owner_id=tenant.users[JUNIOR])
    digest = await canvases.data(owner_connection, tenant, author=author, rows=rows)
    erased = await canvases.data(owner_connection, tenant, author=author, rows=None)
    source: dict[str, Any] = {"kind": "TABLE", "source_document_id": "LeadBoard", "source_variables": '{"first": 5}'}
    for key, kept in (("kept", digest), ("erased", erased), ("never", None)):
        await canvases.component(owner_connection, tenant, canvas_id=made.id, key=key, data_digest=kept, **source)
    for role, state in states.items():
        view = await compiled(api, "CanvasView", tenant.caller(role), id=f"canvas_{made.id}")
        assert view["canvas"] == (await api.data("CanvasView", role=role, id=f"canvas_{made.id}"))["canvas"]
        data = {each["key"]: each["data"] for each in view["canvas"]["head"]["components"]}
        assert data["kept"]["state"] == state
        assert data["kept"]["rows"] == (rows if state == "READY" else None)
        assert data["erased"]["state"] == ("ERASED" if state == "READY" else "RERUN")
        assert (data["never"]["state"], data["never"]["rows"]) == ("RERUN", None)


@pytest.mark.parametrize(
    ("role", "alone", "state"),
    [(SENIOR, False, "READY"), (SENIOR, True, "RERUN"), (JUNIOR, True, "RERUN")],
    ids=["as-then", "without-the-team", "demoted"],
)
async def test_authors_whose_scope_has_shrunk_read_again(
    api: Api, owner_connection: "Connection[Record]", tenant: Tenant, role: Role, *, alone: bool, state: str
) -> None:
    author = tenant.caller(SENIOR)
    made = await canvases.canvas(owner_connection, tenant, owner_id=author.as_user())
    digest = await canvases.data(owner_connection, tenant, author=SENIOR, rows=[{"stage": "NEW"}])
    await canvases.component(
        owner_connection, tenant, canvas_id=made.id, key="kept", data_digest=digest, kind="TABLE",
        source_document_id="LeadBoard", source_variables="{}",
    )  # fmt: skip
    now = Caller(tenant.id, author.user_id, role, (author.as_user(),) if alone else author.members)
    view = await compiled(api, "CanvasView", now, id=f"canvas_{made.id}")
    [component] = view["canvas"]["head"]["components"]

    assert component["data"]["state"] == state
