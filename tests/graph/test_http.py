"""GraphQL over HTTP on a real socket: media types, statuses of both profiles, forms of requests, what caches keep."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.wiring import System
from domain.access import Role
from domain.access.operations import sha256_id
from graph.http.negotiation import GRAPHQL, JSON, gzip_accepted, media_type
from tests.api import Api, operation
from tests.serving import serving

TYPENAME = {"query": "{ __typename }"}
VIEWER = sha256_id(operation("Viewer"))


@asynccontextmanager
async def served(system: System, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the system with other settings."""
    changed = replace(system, settings=system.settings.model_copy(update=settings))
    async with serving(changed) as client:
        yield client


def code(answer: httpx.Response) -> str:
    [error] = answer.json()["errors"]
    found: str = error["extensions"]["code"]
    return found


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("application/graphql-response+json", GRAPHQL),
        ("application/graphql-response+json, application/json", GRAPHQL),
        ("application/json, application/graphql-response+json", GRAPHQL),
        ("application/graphql-response+json, application/json;q=0.9", GRAPHQL),
        ("application/graphql-response+json;q=0.5, application/json", JSON),
        ("application/graphql-response+json, */*", GRAPHQL),
        ("*/*, application/graphql-response+json;q=0.1", JSON),
        ("application/json;q=0, */*", GRAPHQL),
        ("application/json; charset=utf-8", JSON),
        ("application/json; charset=latin1", None),
        ("text/html, */*;q=0.1", JSON),
        ("text/html", None),
        ("application/json;q=0", None),
        ("application/json;q=nonsense", None),
        ("application/json;q=2", None),
    ],
)
async def test_media_type(accept: str | None, chosen: str | None) -> None:
    assert media_type(accept) == chosen


@pytest.mark.parametrize(
    ("header", "accepted"),
    [(None, False), ("gzip", True), ("br, gzip;q=0.2", True), ("gzip;q=0", False), ("*", True), ("identity", False)],
)
async def test_gzip_is_asked_for(header: str | None, *, accepted: bool) -> None:
    assert gzip_accepted(header) is accepted


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
async def test_other_methods(http: httpx.AsyncClient, method: str) -> None:
    answer = await http.request(method, "/graphql")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


async def test_nothing_acceptable(http: httpx.AsyncClient) -> None:
    answer = await http.post("/graphql", json=TYPENAME, headers={"accept": "text/html"})
    assert (answer.status_code, code(answer)) == (406, "NOT_ACCEPTABLE")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    "content_type",
    [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/graphql",
     "application/json; charset=utf-16"],
)  # fmt: skip
async def test_only_json_is_read(http: httpx.AsyncClient, content_type: str | None) -> None:
    headers = {"content-type": content_type} if content_type else {}
    answer = await http.post("/graphql", content=json.dumps(TYPENAME), headers=headers)
    assert (answer.status_code, code(answer)) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "The body is not JSON in UTF-8."),
        (b'{"query": "\xff"}', "The body is not JSON in UTF-8."),
        (b"[" * 2000, "The body is not JSON in UTF-8."),
        (b"[]", "One request holds one operation: batches are not supported."),
        (b'[{"query": "{ __typename }"}]', "One request holds one operation: batches are not supported."),
        (b'"{ __typename }"', "The request is not a JSON object."),
        (b"{}", "`query` or `documentId` is missing."),
        (b'{"query": 1}', "`query` is not a string."),
        (b'{"query": "{ __typename }", "operationName": []}', "`operationName` is not a string."),
        (b'{"query": "{ __typename }", "variables": []}', "`variables` is not an object."),
        (b'{"query": "{ __typename }", "extensions": "x"}', "`extensions` is not an object."),
        (b'{"query": "{ __typename }", "documentId": "Viewer"}', "Send either `query` or `documentId`."),
    ],
)
@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
async def test_malformed(http: httpx.AsyncClient, body: bytes, message: str, accept: str) -> None:
    answer = await http.post("/graphql", content=body, headers={"content-type": "application/json", "accept": accept})
    assert (answer.status_code, answer.json()) == (
        400,
        {"errors": [{"message": message, "extensions": {"code": "BAD_REQUEST"}}]},
    )
    assert answer.headers["content-type"] == f"{accept}; charset=utf-8"


FORBIDDEN = "{ auditEntries(first: 1) { totalCount } __typename }"
"""A non-null field that a junior may not read: executed, and its error takes all data with it."""
PARTIAL = '{ person(id: "x") { id } node(id: "x") { id } lead(id: "x") { id } viewer { id } }'

STATUSES = [
    # what is sent, application/json, application/graphql-response+json, the draft
    (TYPENAME, 200, 200, 200),
    ({"query": "{"}, 200, 400, 400),
    ({"query": "{ nothing }"}, 200, 400, 422),
    ({"query": "query A { __typename } query B { __typename }"}, 200, 400, 422),
    ({"query": "query A { __typename }", "operationName": "B"}, 200, 400, 422),
    ({"query": "query A($id: ID!) { node(id: $id) { id } }"}, 200, 400, 422),
    ({"query": "query A($id: ID!) { node(id: $id) { id } }", "variables": {"id": {}}}, 200, 400, 422),
    ({"query": FORBIDDEN}, 200, 200, 422),
    ({"query": "query A($ids: [ID!]!) { nodes(ids: $ids) { id } }", "variables": {"ids": [""] * 101}}, 200, 200, 422),
    ({"query": f"{{ {'a:__typename ' * 31} }}"}, 200, 400, 422),
    ({"documentId": f"sha256:{'0' * 64}"}, 200, 400, 422),
    ({"documentId": "Nothing"}, 200, 400, 422),
    ({"query": 1}, 400, 400, 422),
]


@pytest.fixture
async def junior(api: Api) -> dict[str, str]:
    """The header of a junior."""
    return await api.bearer(Role.JUNIOR_BROKER)


@pytest.mark.parametrize(("sent", "plain", "graphql", "draft"), STATUSES)
async def test_statuses_of_the_audit_profile(
    http: httpx.AsyncClient, junior: dict[str, str], sent: Mapping[str, Any], plain: int, graphql: int, draft: int
) -> None:
    for accept, status in ((JSON, plain), (GRAPHQL, graphql)):
        answer = await http.post("/graphql", json=sent, headers={**junior, "accept": accept})
        assert (accept, answer.status_code) == (accept, status)


async def test_statuses_of_the_draft(system: System, junior: dict[str, str]) -> None:
    async with served(system, http_profile="draft-2026-08") as client:
        for sent, _, _, status in STATUSES:
            for accept in (JSON, GRAPHQL):
                answer = await client.post("/graphql", json=sent, headers={**junior, "accept": accept})
                assert (sent, answer.status_code) == (sent, status)
        unreadable = await client.post("/graphql", content=b"{", headers={"content-type": "application/json"})
        anonymous = await client.post("/graphql", json={"query": "{ leads { totalCount } }"})
        by_get = await client.get("/graphql", params={"query": "{ __typename }"})
    assert [unreadable.status_code, anonymous.status_code, by_get.status_code] == [400, 401, 405]


async def test_an_anonymous_caller_is_asked_to_sign_in(http: httpx.AsyncClient) -> None:
    sent = {"query": "{ leads { totalCount } }"}
    plain = await http.post("/graphql", json=sent)
    answer = await http.post("/graphql", json=sent, headers={"accept": GRAPHQL})
    assert (plain.status_code, answer.status_code) == (200, 401)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json() == {"errors": [{"message": "Sign in first.", "extensions": {"code": "UNAUTHENTICATED"}}]}


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { queryType { name } } }",
        '{ __type(name: "Lead") { name } }',
        "{ leads { totalCount } }",
        "{ nonsense }",
        "{ __typename ...F } fragment F on Query { ...G } fragment G on Query { users { totalCount } }",
        "{ ... on Query { users { totalCount } } }",
        "query A { __typename } query B { users { totalCount } }",
        "subscription { anything }",
        "fragment F on Query { __typename }",
    ],
)
async def test_an_anonymous_caller_learns_nothing_of_the_schema(
    http: httpx.AsyncClient, query: str, junior: dict[str, str]
) -> None:
    # What validation said is kept with the document; it was said to somebody who had signed in.
    await http.post("/graphql", json={"query": query, "operationName": "A"}, headers=junior)
    answer = await http.post("/graphql", json={"query": query, "operationName": "A"})
    assert code(answer) == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    ("query", "data"),
    [
        ("{ __typename }", {"__typename": "Query"}),
        ("{ viewer { id } }", {"viewer": None}),
        ("{ ...F } fragment F on Query { a: __typename }", {"a": "Query"}),
        (
            'mutation { login(input: { email: "a@b.example", password: "x" }) { __typename } }',
            {"login": {"__typename": "NotAllowedProblem"}},
        ),
        (
            'mutation { sessionRefresh(input: { refreshToken: "x" }) { __typename } }',
            {"sessionRefresh": {"__typename": "NotAllowedProblem"}},
        ),
        (
            'mutation { sessionRevoke(input: { refreshToken: "x" }) { __typename } }',
            {"sessionRevoke": {"__typename": "NotAllowedProblem"}},
        ),
    ],
)
async def test_what_an_anonymous_caller_may_do(http: httpx.AsyncClient, query: str, data: dict[str, Any]) -> None:
    assert (await http.post("/graphql", json={"query": query})).json() == {"data": data}


LOGIN = 'mutation { login(input: { email: "a@b.example", password: "x" }) { ... on LoginPayload { acessToken } } }'
REFRESH = "mutation A($input: SessionRefreshInput!) { sessionRefresh(input: $input) { __typename } }"


async def test_suggestions_are_for_those_who_signed_in(http: httpx.AsyncClient, junior: dict[str, str]) -> None:
    said = "Cannot query field 'acessToken' on type 'LoginPayload'."
    for headers, message in (({}, said), (junior, f"{said} Did you mean 'accessToken' or 'refreshToken'?")):
        answer = await http.post("/graphql", json={"query": LOGIN}, headers=headers)
        assert [error["message"] for error in answer.json()["errors"]] == [message]
    variables = {"input": {"refreshToken": "x", "refreshTokn": "y"}}
    answers = [
        (await http.post("/graphql", json={"query": REFRESH, "variables": variables}, headers=headers)).text
        for headers in ({}, junior)
    ]
    assert ["Did you mean" in answer for answer in answers] == [False, True]


async def test_introspection_is_for_those_who_signed_in(http: httpx.AsyncClient, junior: dict[str, str]) -> None:
    answer = await http.post("/graphql", json={"query": '{ __type(name: "Lead") { name } }'}, headers=junior)
    assert answer.json() == {"data": {"__type": {"name": "Lead"}}}


async def test_get_is_for_registered_documents(http: httpx.AsyncClient, junior: dict[str, str]) -> None:
    refused = await http.get("/graphql", params={"query": "{ __typename }"}, headers=junior)
    assert (refused.status_code, refused.headers["allow"], code(refused)) == (405, "POST", "METHOD_NOT_ALLOWED")
    assert (await http.get("/graphql")).status_code == 400

    answer = await http.get("/graphql", params={"documentId": VIEWER}, headers=junior)
    assert answer.status_code == 200
    assert answer.json()["data"]["viewer"]["role"] == "JUNIOR_BROKER"


async def test_get_with_a_text_where_it_is_allowed(system: System) -> None:
    async with served(system, texts_by_get=True) as client:
        answer = await client.get("/graphql", params={"query": "{ __typename }", "variables": "{}"})
        broken = await client.get("/graphql", params={"query": "{ __typename }", "variables": "{"})
        mutation = await client.get("/graphql", params={"query": LOGIN.replace("acess", "access")})
    assert answer.json() == {"data": {"__typename": "Query"}}
    assert (broken.status_code, broken.json()["errors"][0]["message"]) == (400, "`variables` is not JSON.")
    assert (mutation.status_code, mutation.headers["allow"]) == (405, "POST")
    assert mutation.json()["errors"][0]["message"] == "A mutation is sent by POST."


async def test_a_registered_mutation_is_not_got(http: httpx.AsyncClient, junior: dict[str, str]) -> None:
    parameters = {"documentId": "TaskComplete", "variables": '{"taskId": "x"}'}
    answer = await http.get("/graphql", params=parameters, headers=junior)
    assert (answer.status_code, answer.headers["allow"], code(answer)) == (405, "POST", "METHOD_NOT_ALLOWED")


async def test_a_got_answer_is_kept_and_asked_for_again(http: httpx.AsyncClient, junior: dict[str, str]) -> None:
    parameters = {"documentId": "Team", "variables": '{"first": 5}'}
    answer = await http.get("/graphql", params=parameters, headers=junior)
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "authorization" in answer.headers["vary"].lower()
    tag = answer.headers["etag"]

    for unless in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = await http.get("/graphql", params=parameters, headers={**junior, "if-none-match": unless})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    changed = await http.get("/graphql", params=parameters, headers={**junior, "if-none-match": 'W/"other"'})
    assert (changed.status_code, changed.json()) == (200, answer.json())

    posted = await http.post("/graphql", json={"documentId": "Team", "variables": {"first": 5}}, headers=junior)
    refused = await http.get("/graphql", params={"documentId": "Team"}, headers=junior)
    assert [each.headers["cache-control"] for each in (posted, refused)] == ["no-store", "no-store"]
    assert ["etag" in each.headers for each in (posted, refused)] == [False, False]


async def test_answers_are_compressed_where_it_is_worth_it(http: httpx.AsyncClient, junior: dict[str, str]) -> None:
    introspection = {"query": "{ __schema { types { name } } }"}
    for asked, encoding in (("gzip", "gzip"), ("identity", None)):
        answer = await http.post("/graphql", json=introspection, headers={**junior, "accept-encoding": asked})
        assert answer.headers.get("content-encoding") == encoding
        assert {"name": "Lead"} in answer.json()["data"]["__schema"]["types"]
    small = await http.post("/graphql", json=TYPENAME, headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in small.headers


async def test_compressed_bytes_are_gzip(http: httpx.AsyncClient, junior: dict[str, str]) -> None:
    request = http.build_request("POST", "/graphql", json={"query": "{ __schema { types { name } } }"}, headers=junior)
    async with http.stream("POST", request.url, content=request.content, headers=request.headers) as answer:
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert len(gzip.decompress(raw)) > 4 * len(raw)


async def test_many_mistakes_are_not_all_listed(http: httpx.AsyncClient, junior: dict[str, str]) -> None:
    query = "{ " + " ".join(f"wrong{number}" for number in range(50)) + " }"
    answer = await http.post("/graphql", json={"query": query}, headers=junior)
    assert len(answer.json()["errors"]) == 9
    assert answer.json()["errors"][-1]["message"].startswith("Too many validation errors")


async def test_requests_at_once_do_not_share_what_they_read(http: httpx.AsyncClient, junior: dict[str, str]) -> None:
    sent = [{"query": f"{{ a{number}: __typename viewer {{ role }} }}"} for number in range(10)]
    answers = await asyncio.gather(*(http.post("/graphql", json=each, headers=junior) for each in sent))
    assert [answer.json()["data"] for answer in answers] == [
        {f"a{number}": "Query", "viewer": {"role": "JUNIOR_BROKER"}} for number in range(10)
    ]
