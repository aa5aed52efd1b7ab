"""Server-sent events: graphql-sse's distinct connections, by POST and by GET."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx

from app.wiring import System
from domain.access import Role
from tests.factories.access import Tenant
from tests.graph.streams import PATIENCE, Served, cursor, served
from tests.graph.test_protocol import token

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


async def test_only_who_asks_for_events_gets_them(live: Served) -> None:
    bearer = await live.api.bearer(DIRECTOR)
    plain = await live.http.post("/graphql", json={"documentId": "CrmActivity"}, headers=bearer)
    assert plain.json()["errors"][0]["extensions"]["code"] == "NOT_ACCEPTABLE"
    both = bearer | {"accept": "application/json, text/event-stream"}
    answer = await live.http.post("/graphql", json={"query": "{ viewer { role } }"}, headers=both)
    assert answer.json() == {"data": {"viewer": {"role": "SALES_DIRECTOR"}}}


async def test_the_token_ends_and_the_heartbeat_carries_the_cursor(system: System, tenant: Tenant) -> None:
    async with served(system, tenant, heartbeat_seconds=0.05) as live:
        headers = await token(system, tenant, timedelta(seconds=3))
        async with posted(live, headers, documentId="ThreadMessages") as events:
            await live.person()
            await events.position(await cursor(live))
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
