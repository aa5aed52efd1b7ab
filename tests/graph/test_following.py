"""What is told of sessions, canvases and notifications: exact frames, to whom, and what a slow client gets."""

import asyncio
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from asyncpg import Connection, Record

from app.wiring import System
from domain.access import Actor, Role
from domain.notifications import News, NotificationKind, tell
from domain.perception import ConsentWithdraw, withdraw
from graph.http.socket import Socket
from tests.factories import canvases, people, perception
from tests.factories.access import Tenant
from tests.graph.streams import Client, Message, Served, cursor, stall
from tests.graph.test_sessions import completed, consent_of, ingested, packets, session_of, shown, started
from tests.serving import PATIENCE

Owner: TypeAlias = "Connection[Record]"
JUNIOR, SENIOR, DIRECTOR, ADMIN = Role.JUNIOR_BROKER, Role.SENIOR_BROKER, Role.SALES_DIRECTOR, Role.ADMIN


async def without_cursor(client: Client, live: Served, field: str) -> Message:
    """What is told next; its position is the newest."""
    told = await client.data(field)
    assert told.pop("cursor") == await cursor(live)
    return told


def of_nobody(qd: Message) -> bool:
    """Whether a score says that nothing is known."""
    known = {"score": 50, "confidence": 0, "kind": "LIVE", "source": "RULES"}
    return qd == {"at": qd["at"], "engagement": None, "valence": None, "attention": None} | known


async def test_a_session_is_told_from_start_to_end(live: Served, owner_connection: Owner) -> None:
    api, tenant = live.api, live.api.tenant
    person_id = await people.client(owner_connection, tenant)
    consent_id = await consent_of(owner_connection, tenant, person_id)
    video_id = await perception.video(owner_connection, tenant)
    scene = await perception.scene(owner_connection, tenant, video_id=video_id, start_ms=0, end_ms=10_000)
    async with live.client(JUNIOR) as client:
        await client.subscribe("PerceptionScores", after=await cursor(live))
        began = await started(api, consent_id, videoId=f"video_{video_id}")
        session_id = began["session"]["id"]
        session = {
            "id": session_id, "status": "RUNNING", "person": {"id": f"person_{person_id}", "fullName": "Asha Rao"},
        }  # fmt: skip
        told = await without_cursor(client, live, "perceptionScores")
        assert of_nobody(told["qd"])
        nothing = told | {"skipped": 0, "session": session, "scene": None}
        assert told == nothing

        first = await ingested(api, session_id, 1, packets(0, 4, video=True))
        assert first["qd"]["confidence"] > 0
        assert await without_cursor(client, live, "perceptionScores") == nothing | {
            "scene": {"id": f"scene_{scene}", "title": "From 0"}, "qd": first["qd"],
        }  # fmt: skip
        # No face, and no scene of the video is shown by then: the score holds, and its confidence is gone.
        gone = packets(10, 4, face=None, video=True)
        assert (await ingested(api, session_id, 2, gone))["qd"] is None
        held = await without_cursor(client, live, "perceptionScores")
        assert held == nothing | {"qd": first["qd"] | {"at": held["qd"]["at"], "confidence": 0}}
        assert datetime.fromisoformat(held["qd"]["at"]) == datetime.fromisoformat(gone[-1]["at"])
        await completed(api, session_id)
        told = await client.data("perceptionScores")
        del told["cursor"]
        assert told == held | {"session": session | {"status": "COMPLETED"}}


async def test_a_visitor_who_gets_a_name_is_told(live: Served, owner_connection: Owner) -> None:
    session_id = await session_of(live.api, await consent_of(owner_connection, live.api.tenant))
    await ingested(live.api, session_id, 1, packets(0, 4))
    last = await ingested(live.api, session_id, 2, packets(4, 4))
    async with live.client(JUNIOR) as client:
        await client.subscribe("PerceptionScores", sessionId=session_id, after=await cursor(live))
        await live.api.data(
            "PerceptionSessionMatch", role=JUNIOR, sessionId=session_id, target={"newLead": {"fullName": "Meera Iyer"}}
        )
        told = await client.data("perceptionScores")
        assert told["session"]["person"]["fullName"] == "Meera Iyer"
        assert told["qd"] == last["qd"]


async def test_a_session_is_told_to_those_who_may_see_it(live: Served, owner_connection: Owner) -> None:
    api, tenant = live.api, live.api.tenant
    persons = [await people.client(owner_connection, tenant, role) for role in (SENIOR, JUNIOR)]
    theirs, mine = [
        await session_of(api, await consent_of(owner_connection, tenant, person), role=DIRECTOR) for person in persons
    ]
    after = await cursor(live)
    async with live.client(JUNIOR) as junior, live.client(DIRECTOR) as director:
        await junior.subscribe("PerceptionScores", "all", after=after)
        await junior.subscribe("PerceptionScores", "theirs", sessionId=theirs, after=after)
        await junior.subscribe("PerceptionScores", "their person", personId=f"person_{persons[0]}", after=after)
        await director.subscribe("PerceptionScores", "one", sessionId=theirs, after=after)
        await director.subscribe("PerceptionScores", "person", personId=f"person_{persons[1]}", after=after)
        await director.subscribe("PerceptionScores", "none", sessionId=f"person_{persons[0]}", after=after)
        for number in (1, 2):
            await ingested(api, theirs, number, packets(number, 1), role=DIRECTOR)
            await ingested(api, mine, number, packets(number, 1), role=DIRECTOR)
            # The second round follows at once: nothing else was told of the first.
            assert (await junior.data("perceptionScores", "all"))["session"]["id"] == mine
            told = [await director.next() for _ in range(2)]
            ids = {each["id"]: each["payload"]["data"]["perceptionScores"]["session"]["id"] for each in told}
            assert ids == {"one": theirs, "person": mine}


def stalled(live: Served) -> asyncio.Event:
    """Let the only follower's network take nothing until this is set."""
    [group] = live.hub.feeds[live.api.tenant.id].groups.values()
    [member] = group.members
    assert isinstance(member._line, Socket)
    return stall(member._line)


async def test_a_slow_client_gets_the_newest_of_each_session_and_the_series_has_all(
    live: Served, owner_connection: Owner
) -> None:
    api, tenant = live.api, live.api.tenant
    one, other = [await session_of(api, await consent_of(owner_connection, tenant)) for _ in range(2)]
    async with live.client(JUNIOR) as client:
        await client.subscribe("PerceptionScores", after=await cursor(live))
        await live.until_joined(1)
        reads = stalled(live)
        qds = [(await ingested(api, one, 1, packets(0, 2)))["qd"]]
        # It is on its way by now, and the others wait behind it.
        await live.until(lambda: live.hub.told == 1)
        qds += [(await ingested(api, one, number, packets(2 * number, 2)))["qd"] for number in range(2, 7)]
        last = await ingested(api, other, 1, packets(0, 2))
        await live.until(lambda: live.hub.told == 7)
        reads.set()
        told = [await client.data("perceptionScores") for _ in range(3)]
        assert [(each["session"]["id"], each["skipped"], each["qd"]) for each in told] == [
            (one, 0, qds[0]), (one, 4, qds[-1]), (other, 0, last["qd"]),
        ]  # fmt: skip
        assert told[-1]["cursor"] == await cursor(live)
    # Ten packets a batch; with the first packet of all nothing is known yet.
    assert (await shown(api, one))["qdSeries"]["count"] == 59


async def test_a_withdrawn_consent_is_told_and_what_was_measured_no_more(live: Served, owner_connection: Owner) -> None:
    api, tenant = live.api, live.api.tenant
    consent_id = await consent_of(owner_connection, tenant, await people.client(owner_connection, tenant))
    start = await cursor(live)
    session_id = await session_of(api, consent_id)
    async with live.client(JUNIOR) as client, live.client(DIRECTOR) as director:
        await client.subscribe("PerceptionScores", sessionId=session_id, after=await cursor(live))
        first = await ingested(api, session_id, 1, packets(0, 4))
        assert (await client.data("perceptionScores"))["qd"] == first["qd"]
        withdrawn = await api.data("ConsentWithdraw", role=JUNIOR, consentId=consent_id)
        told = await client.data("perceptionScores")
        assert told["session"]["status"] == "STOPPED"
        assert of_nobody(told["qd"])
        await erased(live, withdrawn["consentWithdraw"]["erasure"]["id"])
        # Whoever replays it gets what is left.
        await director.subscribe("PerceptionScores", sessionId=session_id, after=start)
        again = [await director.data("perceptionScores") for _ in range(3)]
        assert [(each["session"]["status"], of_nobody(each["qd"])) for each in again] == [("STOPPED", True)] * 3
        assert again[-1]["cursor"] == told["cursor"]


async def test_from_the_withdrawal_on_nothing_measured_is_told(live: Served, owner_connection: Owner) -> None:
    """Not even while the erasure waits for its turn."""
    api, tenant = live.api, live.api.tenant
    consent_id = await consent_of(owner_connection, tenant)
    session_id = await session_of(api, consent_id)
    start = await cursor(live)
    await ingested(api, session_id, 1, packets(0, 4))
    async with live.client(JUNIOR) as client:
        await client.subscribe("PerceptionScores", "before", after=start)
        assert (await client.data("perceptionScores", "before"))["qd"]["confidence"] > 0
        async with api.system.units.write(tenant.caller(JUNIOR)) as unit:
            await withdraw(unit, ConsentWithdraw(UUID(consent_id.removeprefix("consent_"))))
        await client.subscribe("PerceptionScores", "after", after=start)
        told = [each for _ in range(3) if (each := await client.next())["id"] == "after"]
    assert [of_nobody(each["payload"]["data"]["perceptionScores"]["qd"]) for each in told] == [True, True]
    assert await owner_connection.fetchval("SELECT qd_score FROM perception_batches WHERE tenant_id = $1", tenant.id)


async def erased(live: Served, erasure_id: str) -> None:
    """Wait until nothing of it is left."""
    async with asyncio.timeout(PATIENCE):
        while (await live.api.data("Erasure", id=erasure_id))["erasure"]["status"] != "DONE":
            await live.http.get("/healthz")


def text(key: str) -> Message:
    """A change that adds a text."""
    layout = {"x": 0, "y": 0, "width": 4, "height": 4}
    return {"add": {"key": key, "kind": "TEXT", "layout": layout, "visualization": {"markdown": "Hello."}}}


async def committed(live: Served, canvas: str, head: str, key: str) -> str:
    """The junior adds a text; returns the revision."""
    done = await live.api.data(
        "CanvasCommit", role=JUNIOR, canvasId=canvas, expectedHeadId=head, message=f"Add {key}", changes=[text(key)]
    )
    revision: str = done["canvasCommit"]["revision"]["id"]
    return revision


async def board_of(live: Served) -> tuple[str, str]:
    """The junior makes a canvas; returns it and its head."""
    made = (await live.api.data("CanvasCreate", role=JUNIOR, title="Board"))["canvasCreate"]["canvas"]
    return made["id"], made["head"]["id"]


Update: TypeAlias = tuple[str, str, str | None, str | None]


async def updates(client: Client, count: int = 1) -> list[Update]:
    """Of what is told next: the kind, the title, how the revision came to be, and how the merge request stands."""
    told = [await client.data("canvasUpdates") for _ in range(count)]
    return [
        (
            each["kind"],
            each["canvas"]["title"],
            each["revision"] and each["revision"]["kind"],
            each["mergeRequest"] and each["mergeRequest"]["status"],
        )
        for each in told
    ]


async def test_revisions_are_told_with_their_author_and_changes(live: Served) -> None:
    async with live.client(JUNIOR) as client:
        await client.subscribe("CanvasUpdates", after=await cursor(live))
        board, first = await board_of(live)
        told = await without_cursor(client, live, "canvasUpdates")
        author = told["revision"].pop("author")
        assert (author["__typename"], author["id"]) == ("User", f"user_{live.api.tenant.users[JUNIOR]}")
        assert told == {
            "kind": "REVISION",
            "canvas": {"id": board, "title": "Board"},
            "revision": {"id": first, "number": 1, "kind": "COMMIT", "message": None, "changes": []},
            "mergeRequest": None,
        }
        head = await committed(live, board, first, "a")
        told = (await without_cursor(client, live, "canvasUpdates"))["revision"]
        assert told.pop("author") == author
        change = {"kind": "ADD", "componentKey": "a", "path": None}
        assert told == {"id": head, "number": 2, "kind": "COMMIT", "message": "Add a", "changes": [change]}
        await live.api.data("CanvasRollback", role=JUNIOR, canvasId=board, revisionId=first, expectedHeadId=head)
        assert await updates(client) == [("REVISION", "Board", "ROLLBACK", None)]


async def test_what_happens_to_a_canvas_is_told(live: Served) -> None:
    api, sales = live.api, f"user_{live.api.tenant.users[DIRECTOR]}"
    board, _ = await board_of(live)
    of_board: Message = {"role": JUNIOR, "canvasId": board}
    async with live.client(JUNIOR) as client:
        await client.subscribe("CanvasUpdates", after=await cursor(live))
        await api.data("CanvasUpdate", title="Open house", **of_board)
        assert await updates(client) == [("RENAMED", "Open house", None, None)]
        await api.data("CanvasShare", userId=sales, access="VIEW", **of_board)
        assert await updates(client) == [("SHARED", "Open house", None, None)]
        await api.data("CanvasUnshare", userId=sales, **of_board)
        assert await updates(client) == [("SHARED", "Open house", None, None)]
        fork = (await api.data("CanvasFork", title="Mine", **of_board))["canvasFork"]["canvas"]
        assert await updates(client) == [("REVISION", "Mine", "FORK", None)]
        head = await committed(live, fork["id"], fork["head"]["id"], "b")
        assert await updates(client) == [("REVISION", "Mine", "COMMIT", None)]
        await merged(live, client, board, fork["id"])
        opened = await requested(live, client, board, fork["id"], head)
        await api.data("CanvasUpdate", archived=True, **of_board)
        told = sorted(await updates(client, 2))
        assert told == [("ARCHIVED", "Open house", None, None), ("MERGE_REQUEST", "Open house", None, "CLOSED")]
        assert (await api.data("MergeRequest", id=opened))["mergeRequest"]["status"] == "CLOSED"
        await api.data("CanvasUpdate", archived=False, **of_board)
        assert await updates(client) == [("ARCHIVED", "Open house", None, None)]


async def opened_and_approved(live: Served, client: Client, board: str, fork: str) -> str:
    """Have a merge request opened and approved: it is told with its target."""
    opened = await live.api.data(
        "MergeRequestOpen", role=JUNIOR, sourceCanvasId=fork, targetCanvasId=board, title="Take it"
    )
    request: str = opened["mergeRequestOpen"]["mergeRequest"]["id"]
    assert await updates(client) == [("MERGE_REQUEST", "Open house", None, "OPEN")]
    await live.api.data("MergeRequestReview", role=ADMIN, mergeRequestId=request, decision="APPROVE")
    assert await updates(client) == [("MERGE_REQUEST", "Open house", None, "APPROVED")]
    return request


async def merged(live: Served, client: Client, board: str, fork: str) -> None:
    """Have what is in the fork merged into the board."""
    request = await opened_and_approved(live, client, board, fork)
    head = (await live.api.data("CanvasView", id=board))["canvas"]["head"]["id"]
    await live.api.data("MergeRequestMerge", role=JUNIOR, mergeRequestId=request, expectedHeadId=head, resolutions=[])
    assert sorted(await updates(client, 2)) == [
        ("MERGE_REQUEST", "Open house", None, "MERGED"),
        ("REVISION", "Open house", "MERGE", None),
    ]


async def requested(live: Served, client: Client, board: str, fork: str, head: str) -> str:
    """Have another one approved, and open again because its source goes on."""
    head = await committed(live, fork, head, "c")
    assert await updates(client) == [("REVISION", "Mine", "COMMIT", None)]
    request = await opened_and_approved(live, client, board, fork)
    await committed(live, fork, head, "d")
    assert sorted(await updates(client, 2)) == [
        ("MERGE_REQUEST", "Open house", None, "OPEN"),
        ("REVISION", "Mine", "COMMIT", None),
    ]
    return request


async def test_a_canvas_is_told_to_those_who_may_see_it(live: Served, owner_connection: Owner) -> None:
    api, tenant = live.api, live.api.tenant
    theirs, source = [await canvases.canvas(owner_connection, tenant, owner_id=tenant.users[ADMIN]) for _ in range(2)]
    mine = await canvases.canvas(owner_connection, tenant, owner_id=tenant.users[JUNIOR])
    shared = await canvases.canvas(owner_connection, tenant, owner_id=tenant.users[ADMIN])
    requests = [
        await canvases.merge_request(owner_connection, tenant, author_id=tenant.users[ADMIN], source=a, target=b)
        for a, b in ((source, theirs), (theirs, mine))
    ]
    after = await cursor(live)

    async def rename(canvas: UUID, title: str) -> None:
        await api.data("CanvasUpdate", canvasId=f"canvas_{canvas}", title=title)

    async with live.client(JUNIOR) as junior, live.client(DIRECTOR) as director:
        await junior.subscribe("CanvasUpdates", after=after)
        await director.subscribe("CanvasUpdates", "one", canvasId=f"canvas_{theirs.id}", after=after)

        async def next_of_junior() -> tuple[str, str, str | None]:
            told = await junior.data("canvasUpdates")
            return told["kind"], told["canvas"]["id"], told["mergeRequest"] and told["mergeRequest"]["id"]

        await rename(shared.id, "Not yet")
        await rename(source.id, "Never")
        # The junior sees the canvas that is to be merged into theirs; but not who else wants what of it.
        for request in requests:
            reviewed = await api.data(
                "MergeRequestReview",
                role=DIRECTOR,
                mergeRequestId=f"mergerequest_{request}",
                decision="REQUEST_CHANGES",
            )
            assert reviewed["mergeRequestReview"]["__typename"] == "MergeRequestReviewPayload"
        assert await next_of_junior() == ("MERGE_REQUEST", f"canvas_{mine.id}", f"mergerequest_{requests[1]}")
        user = f"user_{tenant.users[JUNIOR]}"
        await api.data("CanvasShare", canvasId=f"canvas_{shared.id}", userId=user, access="VIEW")
        assert await next_of_junior() == ("SHARED", f"canvas_{shared.id}", None)
        await rename(shared.id, "Shared")
        assert await next_of_junior() == ("RENAMED", f"canvas_{shared.id}", None)
        await api.data("CanvasUnshare", canvasId=f"canvas_{shared.id}", userId=user)
        await rename(shared.id, "No more")
        await rename(theirs.id, "Theirs")
        assert await next_of_junior() == ("RENAMED", f"canvas_{theirs.id}", None)
        # Of a canvas, its followers hear of the requests into it and from it.
        told = [await director.data("canvasUpdates", "one") for _ in range(3)]
        assert [(each["kind"], each["canvas"]["id"]) for each in told] == [
            ("MERGE_REQUEST", f"canvas_{theirs.id}"),
            ("MERGE_REQUEST", f"canvas_{mine.id}"),
            ("RENAMED", f"canvas_{theirs.id}"),
        ]


async def test_everybody_is_told_of_their_own_notifications(live: Served, system: System, tenant: Tenant) -> None:
    lead = Actor("perception_sessions", tenant.users[ADMIN])
    news = News(NotificationKind.SESSION_COMPLETE, "A session is completed.", "A session is complete", lead)

    async def told(*roles: Role) -> None:
        async with system.units.write(tenant.caller(ADMIN)) as unit:
            await tell(unit, news, [tenant.users[role] for role in roles])

    async with live.client(JUNIOR) as junior, live.client(DIRECTOR) as director, live.client(DIRECTOR) as again:
        after = await cursor(live)
        for client in (junior, director, again):
            await client.subscribe("Notifications", after=after)
        await live.until_joined(1, 2)
        before = live.hub.evaluations
        await told(SENIOR)
        await told(DIRECTOR)
        frames = [await client.data("notifications") for client in (director, again)]
        assert frames[0] == frames[1]
        # Only whoever is meant is looked up: one statement for the two sockets of one director, and none for others.
        assert live.hub.evaluations - before == 1
        await told(JUNIOR)
        told_ = await without_cursor(junior, live, "notifications")
        inbox = (await live.api.data("NotificationInbox", role=JUNIOR, first=5))["notifications"]["edges"]
        assert [told_["notification"]] == [edge["node"] for edge in inbox]
        assert told_["notification"] | {"id": "", "at": ""} == {
            "id": "", "kind": "SESSION_COMPLETE", "rule": "A session is completed.", "title": "A session is complete",
            "body": None, "at": "", "readAt": None, "subject": None,
        }  # fmt: skip


async def test_whoever_follows_one_session_and_whoever_follows_all_share_a_statement(
    live: Served, owner_connection: Owner
) -> None:
    api, tenant = live.api, live.api.tenant
    sessions = [await session_of(api, await consent_of(owner_connection, tenant)) for _ in range(3)]
    after = await cursor(live)
    async with live.client(JUNIOR) as client, live.client(DIRECTOR) as director:
        for number, session_id in enumerate(sessions):
            await client.subscribe("PerceptionScores", f"of {number}", sessionId=session_id, after=after)
        await client.subscribe("PerceptionScores", "all", after=after)
        await director.subscribe("PerceptionScores", "all", after=after)
        await live.until_joined(*[1] * 5)
        [feed] = live.hub.feeds.values()
        # What is asked of an event depends on who asks, and not on which events are followed.
        assert [each.groups for each in feed.answering.values()] == [4, 1]
        for number, session_id in enumerate(sessions):
            before = live.hub.evaluations
            await ingested(api, session_id, 1, packets(0, 1))
            told = {each["id"]: each["payload"] for each in [await client.next(), await client.next()]}
            assert told.keys() == {f"of {number}", "all"}
            assert told["all"] == told[f"of {number}"] == (await director.next())["payload"]
            assert live.hub.evaluations - before == 2
        await client.send({"type": "complete", "id": "all"})
        await live.until(lambda: live.hub.groups == 4)
        assert [each.groups for each in feed.answering.values()] == [3, 1]
    await live.until(lambda: not live.hub.feeds)
    assert not feed.answering
