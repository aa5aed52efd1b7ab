"""Headers, origins and proxies on a real socket: what a browser is told, who may call, and who is taken for whom."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import websockets
from pydantic import ValidationError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from websockets.exceptions import InvalidStatus

from app.security import GRAPHIQL, LIVE, NOTHING
from app.settings import Settings
from app.wiring import System
from domain.values import new_id
from tests.api import operation
from tests.serving import serving

COCKPIT = "https://cockpit.example"
STRANGER = "https://stranger.example"
ASK = {"query": "{ __typename }"}
JSON = {"content-type": "application/json"}


@asynccontextmanager
async def served(system: System, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the system under other settings."""
    given = Settings.model_validate(system.settings.model_dump() | settings)
    async with serving(replace(system, settings=given)) as client:
        yield client


def own_origin(http: httpx.AsyncClient) -> str:
    return str(http.base_url).rstrip("/")


# ── headers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

CAREFUL = {
    "content-security-policy": NOTHING,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


@pytest.mark.parametrize(
    ("path", "status"),
    [("/healthz", 200), ("/readyz", 200), ("/metrics", 200), ("/", 307), ("/nothing", 404)],
)
async def test_every_answer_is_guarded(http: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await http.get(path)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in CAREFUL} == CAREFUL


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer nonsense"}, {"origin": STRANGER}])
async def test_answers_and_refusals_of_the_graph_are_guarded(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await http.post("/graphql", json=ASK, headers=headers)
    assert {name: answer.headers.get(name) for name in CAREFUL} == CAREFUL
    assert answer.headers["x-request-id"]


async def test_the_page_may_do_what_graphiql_needs_and_its_files_nothing(http: httpx.AsyncClient) -> None:
    page = await http.get("/graphiql")
    assert page.headers["content-security-policy"] == GRAPHIQL
    assert "unsafe-eval" not in GRAPHIQL
    assert "script-src 'self';" in GRAPHIQL
    script = await http.get("/pages/graphiql.js")
    assert script.headers["content-security-policy"] == NOTHING


async def test_the_live_page_may_do_less(http: httpx.AsyncClient) -> None:
    page = await http.get("/live")
    assert page.headers["content-security-policy"] == LIVE
    assert "unsafe" not in LIVE
    assert "worker-src" not in LIVE


async def test_nothing_says_what_serves(http: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/graphiql", "/nothing"):
        answer = await http.get(path)
        assert not {"server", "x-powered-by", "via"} & set(answer.headers)


async def test_tls_is_insisted_on_only_over_tls_and_only_when_set(http: httpx.AsyncClient, system: System) -> None:
    told = {"x-forwarded-proto": "https"}
    assert "strict-transport-security" not in (await http.get("/healthz", headers=told)).headers
    async with served(system, insist_on_tls_seconds=86_400, trusted_proxies="127.0.0.1") as client:
        assert "strict-transport-security" not in (await client.get("/healthz")).headers
        secure = await client.get("/healthz", headers=told)
        assert secure.headers["strict-transport-security"] == "max-age=86400"


# ── methods ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", ["TRACE", "OPTIONS", "PUT", "PATCH", "DELETE", "PROPFIND"])
@pytest.mark.parametrize("path", ["/graphql", "/graphiql", "/healthz", "/metrics", "/pages/graphiql.js"])
async def test_other_methods_are_refused_and_nothing_is_echoed(http: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await http.request(method, path, headers={"x-secret": "canary"})
    assert answer.status_code == 405
    assert "canary" not in answer.text + str(answer.headers)
    assert not [name for name in answer.headers if name.startswith("access-control-")]


# ── origins ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": STRANGER},
        {"origin": "null"},
        {"origin": "http://127.0.0.1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_page_of_another_origin_is_refused(
    http: httpx.AsyncClient, bearer: dict[str, str], method: str, headers: dict[str, str]
) -> None:
    answer = await http.request(method, "/graphql", json=ASK, headers=bearer | headers)
    assert answer.status_code == 403
    assert answer.json() == {
        "errors": [
            {
                "message": "Pages of this origin may not call here. VELOCITY_ORIGINS lists those that may.",
                "extensions": {"code": "NOT_ALLOWED"},
            }
        ]
    }


async def test_the_own_page_and_programs_may_call(http: httpx.AsyncClient) -> None:
    own: tuple[dict[str, str], ...] = (
        {},
        {"origin": own_origin(http)},
        {"origin": own_origin(http), "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "same-origin"},
    )
    for headers in own:
        answer = await http.post("/graphql", json=ASK, headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"data": {"__typename": "Query"}})
        assert "access-control-allow-origin" not in answer.headers


async def test_a_link_from_elsewhere_leads_to_the_page(http: httpx.AsyncClient) -> None:
    answer = await http.get("/graphiql", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"})
    assert answer.status_code == 200


async def test_a_configured_origin_may_call_and_others_may_still_not(system: System) -> None:
    async with served(system, origins=f"{COCKPIT}, https://two.example") as client:
        asked = {
            "origin": COCKPIT,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type",
        }
        before = await client.options("/graphql", headers=asked)
        assert (before.status_code, before.headers["access-control-allow-origin"]) == (200, COCKPIT)
        assert before.headers["access-control-allow-headers"] == "authorization,content-type"
        assert before.headers["access-control-allow-methods"] == "GET, POST, PUT"
        assert "access-control-allow-credentials" not in before.headers

        answer = await client.post("/graphql", json=ASK, headers={"origin": COCKPIT, "sec-fetch-site": "cross-site"})
        assert (answer.status_code, answer.json()) == (200, {"data": {"__typename": "Query"}})
        assert answer.headers["access-control-allow-origin"] == COCKPIT
        assert "origin" in answer.headers["vary"].lower().split(", ")
        refused = await client.post(
            "/graphql", json=ASK, headers={"origin": COCKPIT, "authorization": "Bearer nonsense"}
        )
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, COCKPIT)

        strange = await client.options("/graphql", headers=asked | {"origin": STRANGER})
        assert strange.status_code == 400
        assert "access-control-allow-origin" not in strange.headers
        stranger = await client.post("/graphql", json=ASK, headers={"origin": STRANGER})
        assert (stranger.status_code, "access-control-allow-origin" in stranger.headers) == (403, False)
        assert (await client.get("/assets/x")).headers["cross-origin-resource-policy"] == "cross-origin"
        assert (await client.get("/graphiql")).headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("origin", ["*", "cockpit.example", "https://cockpit.example/", "https://*.example", "null"])
def test_an_origin_is_a_whole_one(origin: str) -> None:
    with pytest.raises(ValidationError, match="origins"):
        Settings.model_validate({"origins": origin})


async def opened(http: httpx.AsyncClient, **headers: str) -> Any:
    """Open a socket to the graph and return its first answer."""
    address = own_origin(http).replace("http", "ws") + "/graphql"
    subprotocol = websockets.Subprotocol(GRAPHQL_TRANSPORT_WS_PROTOCOL)
    async with websockets.connect(address, subprotocols=[subprotocol], additional_headers=headers) as socket:
        await socket.send('{"type": "connection_init"}')
        return json.loads(await socket.recv())


async def test_sockets_are_opened_by_own_pages_and_programs_only(http: httpx.AsyncClient, system: System) -> None:
    accepted = {"type": "connection_ack"}
    assert await opened(http) == accepted
    assert await opened(http, origin=own_origin(http)) == accepted
    for origin in (STRANGER, "null"):
        with pytest.raises(InvalidStatus) as refused:
            await opened(http, origin=origin)
        assert refused.value.response.status_code == 403
    async with served(system, origins=COCKPIT) as client:
        assert await opened(client, origin=COCKPIT) == accepted


# ── requests that a form can send ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None]
)
async def test_what_a_form_can_send_is_not_executed(http: httpx.AsyncClient, kind: str | None, system: System) -> None:
    email = f"{new_id()}@test.example"
    request = httpx.Request(
        "POST",
        http.base_url.join("/graphql"),
        content=_login(email),
        headers={"content-type": kind} if kind else {},
    )
    answer = await http.send(request)
    assert 400 <= answer.status_code < 500
    assert "data" not in answer.text
    # Had it been executed, a failed sign-in would have been counted.
    attempt = await system.sign_in.accounts.attempt(email, str(new_id()), timedelta(minutes=15))
    assert attempt.account_failures == ()


def _login(email: str) -> bytes:
    body = httpx.Request("POST", "http://x", json={"query": operation("Login"), "variables": _credentials(email)})
    return body.content


def _credentials(email: str) -> dict[str, str]:
    return {"email": email, "password": "wrong"}


# ── proxies ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def failed_from(http: httpx.AsyncClient, system: System, address: str, forwarded: str) -> int:
    """Fail to sign in once with this header, and return how many failures count against `address`."""
    await http.post(
        "/graphql", content=_login(f"{new_id()}@test.example"), headers=JSON | {"x-forwarded-for": forwarded}
    )
    attempt = await system.sign_in.accounts.attempt(f"{new_id()}@test.example", address, timedelta(minutes=15))
    await system.sign_in.accounts.withdraw(attempt)
    return len(attempt.address_failures)


async def test_failures_count_against_the_client_behind_a_trusted_proxy(system: System) -> None:
    async with served(system, trusted_proxies="127.0.0.0/8, 10.0.0.0/8") as client:
        # Each case has an address of its own: the one that its failure counts against.
        for forwarded, address in {
            "198.51.100.1": "198.51.100.1",
            "198.51.100.2:4711": "198.51.100.2",
            "203.0.113.9, 198.51.100.3": "198.51.100.3",
            "198.51.100.4, 10.1.2.3, 10.1.2.4": "198.51.100.4",
            "[2001:db8:1::1]:443": "2001:db8:1::/64",
            "2001:db8:2::1": "2001:db8:2::/64",
            "::ffff:198.51.100.5": "198.51.100.5",
            "<script>, 10.99.0.1": "10.99.0.1",
        }.items():
            assert await failed_from(client, system, address, forwarded) == 1, forwarded


async def test_nobody_else_is_believed(http: httpx.AsyncClient, system: System) -> None:
    assert await failed_from(http, system, "198.51.100.11", "198.51.100.11") == 0
    async with served(system, trusted_proxies="10.0.0.0/8") as client:
        assert await failed_from(client, system, "198.51.100.12", "198.51.100.12") == 0


async def test_behind_tls_the_own_origin_is_the_secure_one(system: System) -> None:
    async with served(system, trusted_proxies="127.0.0.1") as client:
        host = urlsplit(own_origin(client)).netloc
        told = {"x-forwarded-proto": "https"}
        for origin, status in ((f"https://{host}", 200), (f"http://{host}", 403)):
            answer = await client.post("/graphql", json=ASK, headers=told | {"origin": origin})
            assert answer.status_code == status


# ── the request's id ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_each_request_has_an_id_of_ours(http: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(http.get("/healthz", headers={"x-request-id": "mine"}) for _ in range(3)))
    found = {answer.headers["x-request-id"] for answer in answers}
    assert len(found) == 3
    assert "mine" not in found
