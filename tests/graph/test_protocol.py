"""graphql-transport-ws, frame by frame: every close code, and what a socket leaves behind."""

import asyncio
import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from app.wiring import System
from domain.access import Role
from domain.errors import DomainError
from domain.values import new_id
from graph.http.socket import Socket
from graph.persisted import shipped
from graph.subscriptions.groups import Subscription
from graph.subscriptions.lines import Line, Rules
from graph.subscriptions.session import Session
from graph.subscriptions.telling import Told
from tests.factories.access import Tenant
from tests.graph.streams import PROTOCOL, Served, cursor, served, signed_in, socket

DIRECTOR, JUNIOR = Role.SALES_DIRECTOR, Role.JUNIOR_BROKER
ABRUPT_ENDS = int(os.environ.get("VELOCITY_ABRUPT_ENDS", "20"))
"""How many sockets are opened and torn down; `make soak` takes 5 000."""
INIT: dict[str, Any] = {"type": "connection_init"}
ASK = {"id": "1", "type": "subscribe", "payload": {"query": "{ __typename }"}}


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (["not JSON"], 4400),
        ([b"{}"], 4400),
        (["[]"], 4400),
        ([{"id": "1"}], 4400),
        ([{"type": "start", "id": "1"}], 4400),
        ([{"type": "connection_init", "payload": []}], 4400),
        ([INIT, {"type": "ping", "payload": 1}], 4400),
        ([INIT, {"type": "subscribe", "id": "", "payload": {}}], 4400),
        ([INIT, {"type": "complete"}], 4400),
        ([ASK], 4401),
        ([{"type": "connection_init", "payload": {"Authorization": "Bearer none.of.ours"}}], 4403),
        ([{"type": "connection_init", "payload": {"authorization": "Basic YTpi"}}], 4403),
        ([{"type": "connection_init", "payload": {"authorization": 7}}], 4403),
        ([INIT, INIT], 4429),
    ],
)
async def test_what_breaks_the_protocol(live: Served, sent: list[object], code: int) -> None:
    async with socket(live.http) as client:
        for each in sent:
            await client.send(each)
        assert (await client.closed())[0] == code


async def test_another_protocol(live: Served) -> None:
    async with socket(live.http, protocol="graphql-ws") as client:
        assert (await client.closed()) == (4406, f"Only {PROTOCOL} is spoken here.")


async def test_nobody_signs_in_in_time(system: System, tenant: Tenant) -> None:
    async with served(system, tenant, init_seconds=0.05) as live, socket(live.http) as client:
        assert await client.closed() == (4408, "Connection initialisation timeout")


async def test_an_id_that_is_taken(live: Served) -> None:
    async with live.client(DIRECTOR) as client:
        await client.subscribe("CrmActivity", "it")
        await client.subscribe("CrmActivity", "it")
        assert await client.closed() == (4409, "Subscriber for it already exists")


async def test_an_id_is_free_after_its_end(live: Served) -> None:
    async with live.client(DIRECTOR) as client:
        for n in range(3):
            await client.subscribe("CrmActivity", after=await cursor(live))
            person = await live.person(name=f"Person {n}")
            assert (await client.data("crmActivity"))["entry"]["subject"]["id"] == person
            await client.send({"id": "1", "type": "complete"})
        # Nothing comes for an operation that the client has ended.
        await live.person(name="Nobody")
        await client.send({"type": "ping", "payload": {"n": 1}})
        assert await client.next() == {"type": "pong", "payload": {"n": 1}}


async def test_queries_and_mutations_over_the_socket(live: Served) -> None:
    [viewer] = [each for each in shipped() if each.name == "Viewer"]
    async with live.client(DIRECTOR) as client:
        for payload in ({"query": viewer.text}, {"documentId": viewer.document_id}, {"documentId": "Viewer"}):
            await client.send({"id": "q", "type": "subscribe", "payload": payload})
            assert (await client.next())["payload"]["data"]["viewer"]["role"] == "SALES_DIRECTOR"
            assert await client.next() == {"id": "q", "type": "complete"}
        await client.subscribe("{ leads(first: 500) { totalCount } nonsense }")
        assert (await client.next())["type"] == "error"


async def test_limits_of_a_socket_and_of_a_caller(system: System, tenant: Tenant) -> None:
    limits = {"operations_per_socket": 2, "connections_per_caller": 2}
    async with served(system, tenant, **limits) as live:
        async with live.client(DIRECTOR) as client, live.client(DIRECTOR), live.client(JUNIOR):
            for id_ in ("a", "b", "c"):
                await client.subscribe("CrmActivity", id_)
            refused = await client.next()
            assert (refused["id"], refused["type"]) == ("c", "error")
            [error] = refused["payload"]
            assert error["extensions"] == {
                "code": "LIMIT_EXCEEDED", "limit": "operationsPerSocket", "asked": 3, "allowed": 2,
            }  # fmt: skip
            async with socket(live.http) as third:
                await third.send({"type": "connection_init", "payload": await live.api.bearer(DIRECTOR)})
                assert await third.closed() == (1013, "Too many connections of one caller")
        # Whoever leaves makes room.
        async with live.client(DIRECTOR) as client:
            await client.subscribe("CrmActivity", after=await cursor(live))
            await live.person()
            await client.data("crmActivity")


async def token(system: System, tenant: Tenant, lifetime: timedelta) -> dict[str, str]:
    """Sign a director in for a while."""
    caller, session_id = tenant.caller(DIRECTOR), new_id()
    async with system.units.write(caller) as unit:
        await unit.access.open_session(session_id, caller.as_user(), unit.now)
    signed = system.sign_in.tokens.sign(caller, session_id, datetime.now(UTC), lifetime)
    return {"authorization": f"Bearer {signed}"}


async def test_a_token_that_expires_while_connected(live: Served, system: System, tenant: Tenant) -> None:
    headers = await token(system, tenant, timedelta(seconds=2))
    async with signed_in(live.http, headers) as client:
        await client.subscribe("CrmActivity")
        assert await client.closed() == (4403, "The access token has expired. Refresh it.")
    async with socket(live.http) as client:
        await client.send({"type": "connection_init", "payload": headers})
        assert await client.closed() == (4403, "Forbidden: The access token has expired. Refresh it.")


async def test_a_session_that_ends_while_connected(system: System, tenant: Tenant) -> None:
    patient = replace(system, settings=system.settings.model_copy(update={"recheck_seconds": 0}))
    headers = await token(system, tenant, timedelta(minutes=5))
    async with served(patient, tenant, recheck_seconds=0) as live, signed_in(live.http, headers) as client:
        await client.subscribe("CrmActivity", after=await cursor(live))
        person = await live.person()
        assert (await client.data("crmActivity"))["entry"]["subject"]["id"] == person
        session = system.sign_in.tokens.verify(headers["authorization"].removeprefix("Bearer ")).session_id
        async with system.units.write(tenant.caller(DIRECTOR)) as unit:
            await unit.access.end_session(session, unit.now, reused=False)
        system.sign_in.callers.forget(session)
        # It is noticed before the next event is told.
        await live.person(name="Not to be told")
        assert await client.closed() == (4401, "The access token is not valid. Sign in again.")


async def test_a_client_that_does_not_read_is_closed_with_its_last_cursor(system: System, tenant: Tenant) -> None:
    async with served(system, tenant, waiting_frames=5) as live:
        async with live.client(DIRECTOR) as slow, live.client(DIRECTOR) as quick:
            start = await cursor(live)
            await slow.subscribe("CrmActivity", "mine", after=start)
            await quick.subscribe("CrmActivity", after=start)
            await live.until(lambda: live.hub.subscriptions == 2)
            [group] = live.hub.feeds[tenant.id].groups.values()
            # A connection whose network takes nothing: as if the client had stopped reading.
            [stopped] = [
                each._line
                for each in group.members
                if isinstance(each._line, Socket) and "mine" in each._line._operations
            ]
            stalled = asyncio.Event()
            writes = stopped._send

            async def stall(message: Any) -> None:
                if message["type"] == "websocket.send":
                    await stalled.wait()
                await writes(message)

            stopped._send = stall
            stopped._write_at_once = None
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

    def framed(self, _subscription: Subscription, response: str) -> str:
        return response

    def failed(self, _subscription: Subscription, error: Exception) -> None:
        raise error

    def too_slow(self, _subscription: Subscription | None) -> None:
        self.slow += 1

    def refused(self, error: DomainError) -> None:
        raise error

    def gone(self) -> None:
        self.close_line()


class Followed:
    """As much of a subscription as a line needs."""

    ended = False
    sent = 0


async def test_a_slow_client_gets_the_newest_of_each_subject_and_how_many_it_stands_for() -> None:
    line, followed = Still(waiting_frames=3), cast("Subscription", Followed())
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
    assert followed.sent == 7


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


async def test_an_abrupt_end_leaves_nothing_behind(live: Served) -> None:
    async with live.client(DIRECTOR) as staying:
        await staying.subscribe("CrmActivity", after=await cursor(live))
        await live.until(lambda: live.hub.subscriptions == 1)
        tasks = len(asyncio.all_tasks())
        for _ in range(ABRUPT_ENDS):
            headers = await live.api.bearer(DIRECTOR)
            async with socket(live.http) as client:
                await client.init(headers)
                await client.subscribe("CrmActivity", "a")
                await client.subscribe("ThreadMessages", "b", after=await cursor(live))
                client.opened.transport.abort()
        await live.until(lambda: live.hub.subscriptions == 1 and len(asyncio.all_tasks()) <= tasks)
        assert live.hub.groups == 1
        assert live.shared.callers.total() == 1
