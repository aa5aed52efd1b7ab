"""Who reads more slowly than is told: answers and replays wait, what is live is bounded, and nothing goes missing."""

import asyncio
import json
from typing import Any, cast

import pytest

from app.wiring import System
from domain.access import Role
from domain.errors import DomainError
from graph.http.event_streams import EventSource
from graph.http.socket import Socket
from graph.subscriptions import groups
from graph.subscriptions.follower import Follower
from graph.subscriptions.groups import Subscription
from graph.subscriptions.lines import Line, Rules
from graph.subscriptions.session import Session
from graph.subscriptions.telling import Told
from tests.factories.access import Tenant
from tests.frames import noted, unread
from tests.graph.streams import Served, cursor, served, stall
from tests.graph.test_event_streams import posted
from tests.serving import PATIENCE

DIRECTOR = Role.SALES_DIRECTOR


async def test_a_client_that_does_not_read_is_closed_with_its_last_cursor(system: System, tenant: Tenant) -> None:
    async with served(system, tenant, waiting_frames=5) as live:
        async with live.client(DIRECTOR) as slow, live.client(DIRECTOR) as quick:
            start = await cursor(live)
            await slow.subscribe("CrmActivity", "mine", after=start)
            await quick.subscribe("CrmActivity", after=start)
            await live.until_joined(2)
            [group] = live.hub.feeds[tenant.id].groups.values()
            # A connection whose network takes nothing: as if the client had stopped reading.
            [stopped] = [
                each._line
                for each in group.members
                if isinstance(each._line, Socket) and "mine" in each._line._operations
            ]
            stall(stopped)
            for n in range(7):
                await live.person(name=f"Person {n}")
            told = [await quick.data("crmActivity") for _ in range(7)]
            code, reason = await slow.closed()
            assert code == 4413
            assert json.loads(reason) == {"id": "mine", "cursor": start}
            assert (stopped.waiting, live.hub.subscriptions) == (0, 1)
        assert [each["entry"]["kind"] for each in told] == ["PERSON_CREATED"] * 7


class Still(Line):
    """A line whose client reads when it is let."""

    def __init__(self, **rules: Any) -> None:
        super().__init__(Session(None, 5), Rules(**rules))  # type: ignore[arg-type]  # nobody signs in
        self.reads = asyncio.Event()
        self.sent: list[str] = []
        self.slow = 0

    async def write(self, text: str) -> None:
        await self.reads.wait()
        self.sent.append(text)

    def framed(self, _subscription: Follower, _told: Told, response: str) -> str:
        return response

    def failed(self, _subscription: Follower, error: Exception) -> None:
        raise error

    def too_slow(self, _subscription: Follower | None) -> None:
        self.slow += 1

    def refused(self, error: DomainError) -> None:
        raise error

    def gone(self) -> None:
        self.close_line()


class Followed:
    """As much of a subscription as a line needs."""

    ended = False
    sent = 0
    skipped = 0

    def skip(self) -> None:
        self.skipped += 1


async def test_a_slow_client_gets_the_newest_of_each_subject_and_how_many_it_stands_for() -> None:
    line, followed = Still(waiting_frames=3), cast("Subscription", counting := Followed())
    for sequence, subject in enumerate(["a", "a", "b", "a", "b", "b", "a"], start=1):
        line.tell(followed, [Told(sequence, b'{"n":%d,"skipped":\x01,"again":\x01}' % sequence, subject)])
    assert (line.waiting, line.slow) == (2, 0)
    line.reads.set()
    await line.room()
    # The first was on its way already. Each that was skipped is counted once, and positions only rise.
    assert line.sent == [
        '{"data":{"n":1,"skipped":0,"again":0}}',
        '{"data":{"n":6,"skipped":2,"again":2}}',
        '{"data":{"n":7,"skipped":2,"again":2}}',
    ]
    assert (followed.sent, counting.skipped) == (7, 4)


async def test_other_streams_are_bounded_in_frames_and_in_bytes() -> None:
    followed = cast("Subscription", Followed())
    for rules in ({"waiting_frames": 2}, {"waiting_bytes": 50}):
        line = Still(**rules)
        for sequence in range(1, 4):
            line.tell(followed, [Told(sequence, b'{"n":%d}' % sequence, None)])
        assert (line.waiting, line.slow) == (2, 0)
        line.tell(followed, [Told(4, b'{"n":"%s"}' % (b"4" * 30), None)])
        assert line.slow == 1
        line.gone()
        assert line.waiting == 0


class Slow(Still):
    """A line whose network takes one message at a time."""

    async def write(self, text: str) -> None:
        await asyncio.to_thread(self.sent.append, text)


async def test_two_that_replay_on_one_line_wait_for_each_other_and_both_come_to_an_end() -> None:
    line, followed = Slow(waiting_frames=1), cast("Subscription", Followed())

    async def replay(name: str) -> None:
        for number in range(5):
            await line.room()
            line.tell(followed, [Told(number, b'"%s"' % name.encode(), None)])

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(replay(name) for name in "abc"))
        await line.room()
    assert (len(line.sent), line.slow) == (15, 0)


async def test_what_was_missed_is_told_as_fast_as_it_is_read(
    system: System, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = Socket.write

    async def slowly(self: Socket, text: str) -> None:
        await asyncio.to_thread(len, text)
        await writes(self, text)

    monkeypatch.setattr(Socket, "write", slowly)
    monkeypatch.setattr(Socket, "write_at_once", lambda *_: 0)
    async with served(system, tenant, waiting_frames=1, waiting_bytes=1_024) as live:
        start = await cursor(live)
        made = [await live.person(name=f"Person {n}") for n in range(12)]
        async with live.client(DIRECTOR) as client:
            await client.subscribe("CrmActivity", after=start)
            told = [await client.data("crmActivity") for _ in made]
            assert [each["entry"]["subject"]["id"] for each in told] == made


@pytest.mark.parametrize("accept", ["socket", "text/event-stream"])
async def test_an_answer_may_be_longer_than_what_may_wait(system: System, tenant: Tenant, accept: str) -> None:
    query = "{ " + " ".join(f"a{n}: eventCursor" for n in range(30)) + " }"
    async with served(system, tenant, waiting_bytes=1_024) as live:
        if accept == "socket":
            async with live.client(DIRECTOR) as client:
                for id_ in "abc":
                    await client.subscribe(query, id_)
                told = [await client.next() for _ in range(6)]
            assert {each["id"] for each in told if each["type"] == "complete"} == {"a", "b", "c"}
            assert all(len(each["payload"]["data"]) == 30 for each in told if each["type"] == "next")
            return
        headers = await live.api.bearer(DIRECTOR) | {"accept": accept}
        answer = await live.http.post("/graphql", json={"query": query}, headers=headers)
        assert answer.text.startswith('event: next\ndata: {"data":{"a0":')
        assert answer.text.endswith("event: complete\ndata: \n\n")


async def test_a_socket_whose_network_takes_nothing_holds_nothing_up(system: System, tenant: Tenant) -> None:
    """A real one: its client never reads, and TCP's buffers are full."""
    with noted() as sockets:
        async with served(system, tenant, waiting_frames=5) as live, live.client(DIRECTOR) as quick:
            await quick.subscribe("CrmActivity", after=await cursor(live))
            address = (live.http.base_url.host, live.http.base_url.port or 80)
            async with unread(address, sockets) as slow:
                await slow.answered({"type": "connection_init", "payload": await live.api.bearer(DIRECTOR)})
                await slow.send({"id": "1", "type": "subscribe", "payload": {"documentId": "CrmActivity"}})
                await live.until_joined(2)
                await slow.fill()
                await slow.send({"type": "ping", "payload": {"x": "x" * 60_000}})
                await live.until(lambda: slow.held.writable.is_set() is False)
                made = [await live.person(name=f"Person {n}") for n in range(8)]
                told = [await quick.data("crmActivity") for _ in made]
                assert [each["entry"]["subject"]["id"] for each in told] == made
                # All that is left of it is what TCP has not taken, until the socket is let go.
                await live.until(lambda: live.hub.subscriptions == 1)
                assert live.shared.callers.total() == 1
                assert slow.held.transport.get_write_buffer_size() < 200_000


async def test_an_event_stream_that_is_not_read_ends_with_its_last_position(
    system: System, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads, writes = asyncio.Event(), EventSource.write

    async def held_back(self: EventSource, text: str) -> None:
        await reads.wait()
        await writes(self, text)

    monkeypatch.setattr(EventSource, "write", held_back)
    async with served(system, tenant, waiting_frames=1) as live:
        start = await cursor(live)
        bearer = await live.api.bearer(DIRECTOR)
        async with posted(live, bearer, documentId="CrmActivity", variables={"after": start}) as events:
            await live.until_joined(1)
            # Its position is on its way, one event waits, and the next finds no room.
            for n in range(3):
                await live.person(name=f"Person {n}")
            await live.until(lambda: not live.hub.subscriptions)
            reads.set()
            name, told = await events.next()
            assert (name, told["errors"][0]["extensions"]) == ("next", {"code": "TOO_SLOW", "cursor": start})
            assert await events.next() == ("complete", None)


async def test_a_heartbeat_that_finds_no_room_is_the_last(
    system: System, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads, writes, lines = asyncio.Event(), Socket.write, set()

    async def held_back(self: Socket, text: str) -> None:
        lines.add(self)
        await reads.wait()
        await writes(self, text)

    async with (
        served(system, tenant, waiting_frames=1, heartbeat_seconds=0.02) as live,
        live.client(DIRECTOR) as client,
    ):
        monkeypatch.setattr(Socket, "write", held_back)
        assert (await client.closed())[0] == 4413
        [line] = lines
        assert line._timers == {}


async def test_a_group_that_is_behind_reads_what_it_did_not_keep(live: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, evaluated = asyncio.Event(), live.hub.evaluated

    async def late(*asked: Any) -> list[Told]:
        await answers.wait()
        return await evaluated(*asked)

    monkeypatch.setattr(groups, "MOST_OFFERED", 2)
    monkeypatch.setattr(live.hub, "evaluated", late)
    async with live.client(DIRECTOR) as client:
        await client.subscribe("CrmActivity", after=await cursor(live))
        await live.until_joined(1)
        made = [await live.person(name=f"Person {n}") for n in range(7)]
        [feed] = live.hub.feeds.values()
        [group] = feed.groups.values()
        newest = (await live.api.system.events.kept(live.api.tenant.id)).newest
        await live.until(lambda: feed.position == newest)
        # One is being answered, and two are kept.
        assert len(group._offered) == 2
        answers.set()
        told = [await client.data("crmActivity") for _ in made]
        made.append(await live.person(name="The next"))
        told.append(await client.data("crmActivity"))
        assert [each["entry"]["subject"]["id"] for each in told] == made
