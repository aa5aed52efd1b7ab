"""Server-sent events: graphql-sse's distinct connections, by POST and by GET."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx

from app.serve import GRACE
from app.wiring import System
from domain.access import Role
from graph.http.event_streams import event
from tests.factories.access import Tenant
from tests.graph.streams import Served, cursor, served
from tests.graph.test_protocol import ABRUPT_ENDS, token
from tests.serving import PATIENCE

ACCEPT = {"accept": "text/event-stream"}
DIRECTOR = Role.SALES_DIRECTOR


class Events:
    """What comes on one response."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()

    async def next(self) -> tuple[str, Any]:
        """The next event: its name and its data."""
        async with asyncio.timeout(PATIENCE):
            while True:
                line = await anext(self._lines)
                if line.startswith("event: "):
                    data = (await anext(self._lines)).removeprefix("data:").strip()
                    return line.removeprefix("event: "), json.loads(data) if data else None

    async def event(self) -> dict[str, Any]:
        """The next event with an id: what it has, by name."""
        found: dict[str, Any] = {}
        async with asyncio.timeout(PATIENCE):
            while not found.keys() >= {"id", "data"}:
                name, _, value = (await anext(self._lines)).partition(": ")
                found[name] = json.loads(value) if name == "data" else value
        del found[""]
        return found

    async def position(self, cursor: str) -> None:
        """Wait for a position."""
        async with asyncio.timeout(PATIENCE):
            while await anext(self._lines) != f"id: {cursor}":
                pass


@asynccontextmanager
async def posted(live: Served, headers: dict[str, str], **body: Any) -> AsyncIterator[Events]:
    async with live.http.stream("POST", "/graphql", json=body, headers=headers | ACCEPT) as answer:
        yield Events(answer)


async def test_a_subscription(live: Served) -> None:
    bearer = await live.api.bearer(DIRECTOR)
    start = await cursor(live)
    missed = await live.person(name="Missed")
    body = {"documentId": "CrmActivity", "variables": {"after": start}}
    async with posted(live, bearer, **body) as events:
        assert (events.answer.status_code, events.answer.headers["content-type"]) == (
            200, "text/event-stream; charset=utf-8",
        )  # fmt: skip
        new = None
        for person in (missed, new):
            expected = person or await live.person(name="New")
            name, told = await events.next()
            assert (name, told["data"]["crmActivity"]["entry"]["subject"]["id"]) == ("next", expected)
    await live.until(lambda: not live.hub.subscriptions and not live.shared.callers)


async def test_by_get_a_registered_document_only(live: Served) -> None:
    bearer = await live.api.bearer(DIRECTOR)
    variables = json.dumps({"after": await cursor(live)})
    asked = {"documentId": "CrmActivity", "variables": variables}
    async with live.http.stream("GET", "/graphql", params=asked, headers=bearer | ACCEPT) as answer:
        person = await live.person()
        name, told = await Events(answer).next()
        assert (name, told["data"]["crmActivity"]["entry"]["subject"]["id"]) == ("next", person)
    text = {"query": "{ viewer { id } }"}
    refused = await live.http.get("/graphql", params=text, headers=bearer | ACCEPT)
    assert (refused.status_code, refused.headers["content-type"]) == (405, "application/json; charset=utf-8")


async def test_queries_and_errors_end_at_once(live: Served) -> None:
    bearer = await live.api.bearer(DIRECTOR)
    async with posted(live, bearer, query="{ viewer { role } }") as events:
        assert await events.next() == ("next", {"data": {"viewer": {"role": "SALES_DIRECTOR"}}})
        assert await events.next() == ("complete", None)
    for headers, body, code in (
        (bearer, {"query": "subscription { nonsense }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({}, {"documentId": "CrmActivity"}, "UNAUTHENTICATED"),
        (bearer, {"documentId": "CrmActivity", "variables": {"after": "x"}}, "INVALID"),
    ):
        async with posted(live, headers, **body) as events:
            name, told = await events.next()
            assert (name, told["errors"][0]["extensions"]["code"]) == ("next", code)
            assert await events.next() == ("complete", None)


async def test_streams_that_end_abruptly_leave_nothing_behind(live: Served) -> None:
    bearer = await live.api.bearer(DIRECTOR)
    await live.until(lambda: not live.shared.streams)
    tasks = len(asyncio.all_tasks())
    for _ in range(ABRUPT_ENDS):
        async with posted(live, bearer, documentId="CrmActivity"):
            # The response is open now, and is cut off by the client without being read.
            pass
    await live.until(lambda: not live.hub.subscriptions and len(asyncio.all_tasks()) <= tasks)
    assert (live.shared.callers.total(), live.shared.streams, live.hub.feeds) == (0, set(), {})


async def test_only_who_asks_for_events_gets_them(live: Served) -> None:
    bearer = await live.api.bearer(DIRECTOR)
    plain = await live.http.post("/graphql", json={"documentId": "CrmActivity"}, headers=bearer)
    assert plain.json()["errors"][0]["extensions"]["code"] == "NOT_ACCEPTABLE"
    both = bearer | {"accept": "application/json, text/event-stream"}
    answer = await live.http.post("/graphql", json={"query": "{ viewer { role } }"}, headers=both)
    assert answer.json() == {"data": {"viewer": {"role": "SALES_DIRECTOR"}}}


async def test_the_heartbeat_carries_the_cursor(system: System, tenant: Tenant) -> None:
    async with served(system, tenant, heartbeat_seconds=0.05) as live:
        async with posted(live, await live.api.bearer(DIRECTOR), documentId="ThreadMessages") as events:
            await live.person()
            await events.position(await cursor(live))
        await live.until(lambda: not live.shared.streams)


async def test_the_token_ends(live: Served, system: System, tenant: Tenant) -> None:
    headers = await token(system, tenant, timedelta(seconds=3))
    async with posted(live, headers, documentId="ThreadMessages") as events:
        name, told = await events.next()
        assert (name, told["errors"][0]["extensions"]["code"]) == ("next", "UNAUTHENTICATED")
        assert await events.next() == ("complete", None)


async def test_a_caller_opens_so_many(system: System, tenant: Tenant) -> None:
    async with served(system, tenant, connections_per_caller=1) as live:
        bearer = await live.api.bearer(DIRECTOR)
        async with posted(live, bearer, documentId="CrmActivity"), posted(
            live, bearer, documentId="CrmActivity"
        ) as second:  # fmt: skip
            assert (second.answer.status_code, second.answer.headers["retry-after"]) == (503, "1")


async def test_a_caller_has_so_many_subscriptions(system: System, tenant: Tenant) -> None:
    async with served(system, tenant, subscriptions_per_caller=1) as live:
        bearer, body = await live.api.bearer(DIRECTOR), {"documentId": "CrmActivity"}
        async with live.client(DIRECTOR) as client:
            await client.subscribe("CrmActivity")
            await live.until_joined(1)
            async with posted(live, bearer, **body) as events:
                name, told = await events.next()
                assert (name, [each["extensions"] for each in told["errors"]]) == (
                    "next", [{"code": "LIMIT_EXCEEDED", "limit": "subscriptionsPerCaller", "asked": 2, "allowed": 1}],
                )  # fmt: skip
                assert await events.next() == ("complete", None)
        await live.until(lambda: not live.hub.callers)
        async with posted(live, bearer, **body) as events:
            await live.until_joined(1)
            async with posted(live, bearer, **body) as second:
                assert (await second.next())[1]["errors"][0]["extensions"]["limit"] == "subscriptionsPerCaller"
            await live.person()
            assert (await events.next())[1]["data"]["crmActivity"]["entry"]["kind"] == "PERSON_CREATED"
        await live.until(lambda: not live.hub.callers)


async def test_a_browser_comes_back_with_the_last_id_it_saw(live: Served) -> None:
    """Whatever it asked for at first is repeated as it was, and the id counts."""
    bearer = await live.api.bearer(DIRECTOR)
    body = {"documentId": "CrmActivity", "variables": {"after": await cursor(live)}}
    made = [await live.person(name=f"Person {n}") for n in range(3)]
    async with posted(live, bearer, **body) as events:
        seen = [await events.event() for _ in made]
    assert [each["data"]["data"]["crmActivity"]["entry"]["subject"]["id"] for each in seen] == made
    assert [each["id"] for each in seen] == [each["data"]["data"]["crmActivity"]["cursor"] for each in seen]
    async with posted(live, bearer | {"last-event-id": seen[1]["id"]}, **body) as events:
        assert await events.event() == seen[2]
    variables = json.dumps(body["variables"])
    asked = {"documentId": "CrmActivity", "variables": variables}
    headers = bearer | ACCEPT | {"last-event-id": seen[0]["id"]}
    async with live.http.stream("GET", "/graphql", params=asked, headers=headers) as answer:
        assert await Events(answer).event() == seen[1]
    async with posted(live, bearer | {"last-event-id": "nonsense"}, **body) as events:
        _, told = await events.next()
        assert told["errors"][0]["extensions"] == {"code": "INVALID", "field": "Last-Event-ID"}


async def test_single_connection_mode_is_refused(live: Served) -> None:
    """A client that would reserve a stream, as graphql-sse's other mode has it, learns at once that it cannot."""
    bearer = await live.api.bearer(DIRECTOR)
    for method in ("PUT", "DELETE"):
        for accepted in ({}, ACCEPT):
            refused = await live.http.request(method, "/graphql", headers=bearer | accepted)
            assert (refused.status_code, refused.headers["allow"]) == (405, "GET, POST")
            assert refused.json()["errors"][0]["extensions"]["code"] == "METHOD_NOT_ALLOWED"


async def test_a_server_that_stops_ends_its_streams_at_once(system: System, tenant: Tenant) -> None:
    """Without `complete`, so that clients connect again; and without waiting for what would never end."""
    loop = asyncio.get_running_loop()
    async with served(system, tenant) as live:
        bearer = await live.api.bearer(DIRECTOR)
        stream = live.http.stream("POST", "/graphql", json={"documentId": "CrmActivity"}, headers=bearer | ACCEPT)
        answer = await stream.__aenter__()
        await live.until_joined(1)
        stopped = loop.time()
        live.shared.stop()
        assert [line async for line in answer.aiter_lines() if line.startswith(("event", "data"))] == []
        await stream.__aexit__(None, None, None)
    assert loop.time() - stopped < GRACE


def test_json_over_several_lines_is_one_event() -> None:
    assert event("next", '{"a":\n1}') == 'event: next\ndata: {"a":\ndata: 1}\n\n'
