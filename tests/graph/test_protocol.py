"""graphql-transport-ws, frame by frame: every close code, and what a socket leaves behind."""

import asyncio
import os
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from websockets import Subprotocol
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from app.serve import MOST_MESSAGE_BYTES
from app.wiring import System
from domain.access import Role
from domain.values import new_id
from graph.persisted import shipped
from tests.factories.access import Tenant
from tests.graph.streams import PROTOCOL, Client, Served, cursor, served, signed_in, socket

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
        ([INIT, {"type": "complete", "id": "1" * 201}], 4400),
        ([INIT, ASK | {"payload": []}], 4400),
        ([INIT, ASK | {"payload": None}], 4400),
        ([INIT, ASK | {"payload": {"query": 1}}], 4400),
        ([INIT, ASK | {"payload": {}}], 4400),
        ([INIT, ASK | {"payload": {"query": None, "variables": {}}}], 4400),
        ([INIT, ASK | {"payload": {"query": "{ __typename }", "variables": []}}], 4400),
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


async def test_of_several_protocols_ours_is_taken_and_without_one_nothing_is_spoken(live: Served) -> None:
    address = str(live.http.base_url.join("/graphql").copy_with(scheme="ws"))
    several = [Subprotocol("graphql-ws"), Subprotocol(PROTOCOL)]
    async with connect(address, subprotocols=several) as opened:
        assert opened.subprotocol == PROTOCOL
        await Client(opened).init()
    async with connect(address) as opened:
        assert (await Client(opened).closed())[0] == 4406


async def test_frames_that_are_no_messages(live: Served) -> None:
    """They end by the codes of RFC 6455, and a message may come in pieces."""
    async with socket(live.http) as client:
        await client.opened.send(b"\xff\xfe", text=True)
        assert (await client.closed())[0] == 1007
    async with socket(live.http) as client:
        with suppress(ConnectionClosed):
            await client.opened.send("x" * (MOST_MESSAGE_BYTES + 1))
        assert (await client.closed())[0] == 1009
    async with socket(live.http) as client:
        await client.opened.send(['{"type":', '"connection_', 'init"}'])
        assert await client.next() == {"type": "connection_ack"}


async def test_pings_are_answered_before_anybody_has_signed_in_and_pongs_are_not(live: Served) -> None:
    async with socket(live.http) as client:
        await client.send({"type": "pong", "payload": {}})
        await client.send({"type": "ping", "payload": {"n": 1}})
        assert await client.next() == {"type": "pong", "payload": {"n": 1}}
        await client.send({"type": "ping"})
        assert await client.next() == {"type": "pong"}


async def test_to_end_what_has_hardly_begun_leaves_its_id_free(live: Served) -> None:
    async with live.client(DIRECTOR) as client:
        start = await cursor(live)
        for _ in range(20):
            await client.subscribe("CrmActivity", after=start)
            await client.send({"id": "1", "type": "complete"})
            await client.send({"id": "never begun", "type": "complete"})
        await client.subscribe("CrmActivity", after=start)
        person = await live.person()
        assert (await client.data("crmActivity"))["entry"]["subject"]["id"] == person
        await live.until(lambda: live.hub.subscriptions == 1)


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


async def test_a_caller_has_so_many_subscriptions_on_all_sockets(system: System, tenant: Tenant) -> None:
    async with served(system, tenant, subscriptions_per_caller=3) as live:
        async with live.client(DIRECTOR) as client, live.client(DIRECTOR) as other, live.client(JUNIOR) as junior:
            for each, id_ in ((client, "a"), (client, "b"), (other, "a"), (junior, "a")):
                await each.subscribe("CrmActivity", id_)
            await live.until_joined(1, 3)
            await other.subscribe("Notifications", "b")
            refused = await other.next()
            assert (refused["id"], refused["type"]) == ("b", "error")
            assert refused["payload"] == [{
                "message": "4 subscriptions of one caller were asked for; 3 are allowed.",
                "extensions": {
                    "code": "LIMIT_EXCEEDED", "limit": "subscriptionsPerCaller", "asked": 4, "allowed": 3,
                },
            }]  # fmt: skip
            # Queries are no subscriptions, and whoever completes one makes room, on whatever socket.
            await other.subscribe("{ __typename }", "q")
            assert [(await other.next())["type"] for _ in range(2)] == ["next", "complete"]
            await client.send({"id": "a", "type": "complete"})
            await live.until(lambda: live.hub.subscriptions == 3)
            await other.subscribe("CrmActivity", "b", after=await cursor(live))
            await live.person()
            assert {(await other.next())["id"] for _ in range(2)} == {"a", "b"}
        await live.until(lambda: not live.hub.callers)


async def token(system: System, tenant: Tenant, lifetime: timedelta) -> dict[str, str]:
    """Sign a director in for a while."""
    caller, session_id = tenant.caller(DIRECTOR), new_id()
    async with system.units.write(caller) as unit:
        await unit.access.open_session(session_id, caller.as_user(), unit.now)
    signed = system.sign_in.tokens.sign(caller, session_id, datetime.now(UTC), lifetime)
    return {"authorization": f"Bearer {signed}"}


async def test_a_token_that_expires_while_connected(live: Served, system: System, tenant: Tenant) -> None:
    headers = await token(system, tenant, timedelta(seconds=3))
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


async def test_an_abrupt_end_leaves_nothing_behind(live: Served) -> None:
    async with live.client(DIRECTOR) as staying:
        await staying.subscribe("CrmActivity", after=await cursor(live))
        await live.until_joined(1)
        tasks = len(asyncio.all_tasks())
        for _ in range(ABRUPT_ENDS):
            headers = await live.api.bearer(DIRECTOR)
            async with socket(live.http) as client:
                await client.init(headers)
                await client.subscribe("CrmActivity", "a")
                await client.subscribe("ThreadMessages", "b", after=await cursor(live))
                client.opened.transport.abort()
        await live.until(lambda: live.hub.subscriptions == 1 and len(asyncio.all_tasks()) <= tasks)
        await live.until(lambda: live.hub.groups == 1 and live.shared.callers.total() == 1)
