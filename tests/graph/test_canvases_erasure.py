"""An erasure takes the rows that canvases have kept about somebody, and leaves every history whole."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from asyncpg import Connection, Record

from domain.access import Role
from domain.access.operations import sha256_id
from domain.canvases import CanvasCommit, ComponentAdd, ComponentKind, Layout, OperationSource, committer
from domain.perception import ErasureScope, run
from domain.perception.consents import order
from tests.api import Api
from tests.factories import access, people, perception
from tests.factories.access import Tenant
from tests.factories.rows import rows_of
from tests.graph.test_canvas_chain import broken
from tests.graph.test_canvases import DOCUMENTS, JUNIOR, LAYOUT, SENIOR, advanced, created, edit, forked, leads, words
from tests.graph.test_consents import granted, withdrawn
from tests.graph.test_people_merge import merge
from tests.serving import PATIENCE

Owner: TypeAlias = "Connection[Record]"

ADMIN = Role.ADMIN
NOW = datetime.now(UTC).replace(microsecond=0)
RANGE = f'from: "{(NOW - timedelta(days=1)).isoformat()}", to: "{(NOW + timedelta(days=1)).isoformat()}"'
ABOUT = {
    "scores": "{ leads(first: 9) { edges { node { person { latestQd { score } } } } } }",
    "scatter": f"{{ sentimentScatter({RANGE}, first: 9) {{ points {{ qdScore interactionCount }} }} }}",
    "stages": "{ pipeline { stages { stage leadCount } } }",
}
"""Documents that name nobody in their rows; of the last one, the rows are about nobody."""
DATA = """
query ($id: ID!) { canvas(id: $id) { head { hash components { key data { state rows columns { name } } } } } }
"""


async def documented(owner: Owner, tenant: Tenant, key: str, text: str, **variables: Any) -> dict[str, Any]:
    """An addition of a table of what a document answers; the document is registered."""
    name = f"query {key.title()}{text}"
    await access.operation(owner, tenant, text=name, name=key.title())
    source = {"operation": {"documentId": sha256_id(name), "variables": variables}}
    return {"add": {"key": key, "kind": "TABLE", "layout": LAYOUT, "source": source}}


async def client(api: Api, owner: Owner, name: str, role: Role = JUNIOR) -> UUID:
    """Make somebody with a lead of the user of a role, and a score."""
    tenant = api.tenant
    person = await people.client(owner, tenant, role, full_name=name)
    await perception.score(owner, tenant, person_id=person, at=NOW, score=61)
    async with api.system.units.write(tenant.caller(role)) as unit:
        await unit.perception.keep_newest(person)
    return person


async def head(api: Api, canvas: str, role: Role = JUNIOR) -> tuple[str, dict[str, Any]]:
    """The hash of a canvas's head, and the data of its components by their keys."""
    found = (await api.data(DATA, id=canvas, role=role))["canvas"]["head"]
    return found["hash"], {each["key"]: each["data"] for each in found["components"]}


async def states(api: Api, canvas: str, role: Role = JUNIOR) -> dict[str, str]:
    return {key: data["state"] for key, data in (await head(api, canvas, role))[1].items() if data is not None}


async def kept(owner: Owner, tenant: Tenant) -> list[bool]:
    """Of all that was kept, whether it is still there; what is erased has no salt either."""
    found = await owner.fetch("SELECT * FROM canvas_data WHERE tenant_id = $1 ORDER BY as_of", tenant.id)
    assert all((row["rows"] is None) is (row["salt"] is None) is (row["erased_at"] is not None) for row in found)
    return [row["rows"] is not None for row in found]


async def receipts(api: Api, erasure_id: str) -> dict[str, int]:
    erasure = (await api.data("Erasure", role=ADMIN, id=erasure_id))["erasure"]
    assert erasure["status"] == "DONE"
    return {each["store"]: each["rows"] for each in erasure["receipts"]}


async def test_rows_about_somebody_go_and_the_history_stays(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    asha = await client(api, owner_connection, "Asha Rao")
    await client(api, owner_connection, "Omar Aziz", SENIOR)
    about = [await documented(owner_connection, tenant, key, text) for key, text in ABOUT.items()]
    history = {"personId": f"person_{asha}", "from": NOW.isoformat(), "to": "2099-01-01T00:00:00Z", "points": 5}
    curve = {"operation": {"documentId": DOCUMENTS["QdHistory"], "variables": history}}
    canvas, _ = await created(api)
    shown = await advanced(
        api, canvas, words("note"), leads("leads"), *about,
        {"add": {"key": "curve", "kind": "TABLE", "layout": LAYOUT, "source": curve}},
    )  # fmt: skip
    await advanced(api, canvas, edit("note", "Later."))
    fork = await forked(api, canvas)
    others, _ = await created(api, role=SENIOR)
    await advanced(api, others, {**leads("leads")}, role=SENIOR)
    mine = {"operation": {"documentId": DOCUMENTS["LeadBoard"], "variables": {"first": 1}}}
    await advanced(
        api, others, {"add": {"key": "first", "kind": "TABLE", "layout": LAYOUT, "source": mine}}, role=SENIOR
    )
    before, data = await head(api, canvas)
    assert {each["state"] for each in data.values() if each} == {"READY"}
    assert data["scores"]["rows"] == [{"personLatestQdScore": 61.0}]
    assert data["scatter"]["rows"] == [{"qdScore": 61.0, "interactionCount": 0}]
    assert len(data["curve"]["rows"]) == 1
    consent = (await granted(api, personId=f"person_{asha}"))["consent"]["id"]

    answer = await withdrawn(api, consent)

    # The senior sees the junior's lead too, so Asha is in their leads; the newest lead alone is Omar's.
    gone = {"leads": "ERASED", "scores": "ERASED", "scatter": "ERASED", "stages": "READY", "curve": "ERASED"}
    assert await states(api, canvas) == await states(api, fork) == gone
    assert await states(api, others, SENIOR) == {"leads": "ERASED", "first": "READY"}
    assert await states(api, canvas, ADMIN) == gone
    assert (await receipts(api, answer["erasure"]["id"]))["canvas_data"] == 5
    assert sorted(await kept(owner_connection, tenant)) == [False] * 5 + [True] * 2
    after, erased = await head(api, canvas)
    assert after == before
    assert erased["leads"]["rows"] is None
    assert erased["leads"]["columns"] == data["leads"]["columns"]
    assert await broken(api.system, tenant) == []
    again = await api.data("CanvasData", revisionId=shown, keys=["leads", "scores"], role=JUNIOR)
    rerun = {each["key"]: each["data"] for each in again["canvasRevision"]["componentData"]}
    assert {key: (each["state"], len(each["rows"])) for key, each in rerun.items()} == {
        "leads": ("READY", 1), "scores": ("READY", 1),
    }  # fmt: skip


async def test_what_is_kept_after_an_erasure_stays(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    asha = await client(api, owner_connection, "Asha Rao")
    canvas, _ = await created(api)
    await advanced(api, canvas, leads("leads"))
    consent = (await granted(api, personId=f"person_{asha}"))["consent"]["id"]
    await withdrawn(api, consent)
    again = {"operation": {"documentId": DOCUMENTS["LeadBoard"], "variables": {"first": 20}}}
    await advanced(api, canvas, {"edit": {"key": "leads", "source": again}})

    assert await states(api, canvas) == {"leads": "READY"}
    assert await kept(owner_connection, tenant) == [False, True]
    assert await broken(api.system, tenant) == []


async def test_the_rows_of_a_visitors_session_go_with_it(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    consents = [(await granted(api, subjectKind="VISITOR"))["consent"]["id"] for _ in range(2)]
    for consent in consents:
        await perception.session(
            owner_connection, tenant, consent_id=UUID(consent.removeprefix("consent_")),
            started_by_id=tenant.users[JUNIOR], measured=True,
        )  # fmt: skip
    text = "($n: Int!) { perceptionSessions(first: $n) { edges { node { startedAt } } } }"
    canvas, _ = await created(api)
    await advanced(
        api, canvas, await documented(owner_connection, tenant, "both", text, n=2),
        await documented(owner_connection, tenant, "newest", text.replace("{ per", " { per"), n=1),
    )  # fmt: skip

    answer = await withdrawn(api, consents[0])

    assert await states(api, canvas) == {"both": "ERASED", "newest": "READY"}
    assert (await receipts(api, answer["erasure"]["id"]))["canvas_data"] == 1


async def test_what_was_kept_about_an_absorbed_person_goes_with_the_survivor(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    keep = await client(api, owner_connection, "Asha Rao")
    absorbed = await client(api, owner_connection, "Asha R", SENIOR)
    canvas, _ = await created(api)
    text = f'{{ person(id: "person_{absorbed}") {{ fullName }} }}'
    await advanced(api, canvas, await documented(owner_connection, tenant, "absorbed", text))
    await merge(api, keep, absorbed)
    consent = (await granted(api, personId=f"person_{keep}", role=ADMIN))["consent"]["id"]

    await withdrawn(api, consent, role=ADMIN)

    assert await states(api, canvas) == {"absorbed": "ERASED"}


async def test_an_erasure_finds_what_is_read_before_it_and_kept_after(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    """A commit has read rows and is not stored yet when the withdrawal comes: the erasure waits for it."""
    asha = await client(api, owner_connection, "Asha Rao")
    consent = (await granted(api, personId=f"person_{asha}"))["consent"]["id"]
    canvas, first = await created(api)
    source = OperationSource(DOCUMENTS["LeadBoard"], {"first": 20})
    command = CanvasCommit(
        UUID(canvas.removeprefix("canvas_")), UUID(first.removeprefix("canvasrevision_")), "Leads",
        [ComponentAdd(ComponentKind.TABLE, Layout(0, 0, 12, 4), key="leads", source=source)],
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE), api.system.units.write(tenant.caller(JUNIOR)) as unit:
        await committer(api.system.sources)(unit, command)
        erasing = asyncio.create_task(withdrawn(api, consent))
        while not await owner_connection.fetchval(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        ):
            assert not erasing.done()
    answer = await erasing

    assert (await receipts(api, answer["erasure"]["id"]))["canvas_data"] == 1
    assert await states(api, canvas) == {"leads": "ERASED"}
    assert len(await rows_of(owner_connection, "canvas_revisions", tenant.id)) == 2


async def test_many_kept_rows_go_some_at_a_time(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    """Rows that an erasure finds by a person and by a session of theirs count once, so that none is left behind."""
    asha = await client(api, owner_connection, "Asha Rao")
    consent = (await granted(api, personId=f"person_{asha}"))["consent"]["id"]
    consent_id = UUID(consent.removeprefix("consent_"))
    await perception.session(
        owner_connection, tenant, consent_id=consent_id, started_by_id=tenant.users[JUNIOR], person_id=asha
    )
    text = "{ perceptionSessions(first: 5) { edges { node { startedAt person { fullName } } } } }"
    canvas, _ = await created(api)
    await advanced(
        api, canvas, *[await documented(owner_connection, tenant, key, f" {text}") for key in ("one", "two", "three")]
    )
    caller = tenant.caller(JUNIOR)
    async with api.system.units.write(caller) as unit:
        consent_row = await unit.consents.get_for_update(consent_id)
        erasure_id = await order(unit, consent_row, ErasureScope.SUBJECT)
    left = []
    for _ in range(4):
        async with api.system.units.write(caller) as unit:
            left.append(await run(unit, erasure_id, 2))

    assert left == [True, False, False, False]
    assert await kept(owner_connection, tenant) == [False] * 3
    assert (await receipts(api, f"erasure_{erasure_id}"))["canvas_data"] == 3
