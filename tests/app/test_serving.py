"""What the web application answers on a real socket: health, metrics, pages, the graph, refusals, and its log."""

import io
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import asyncpg
import httpx
import pytest
from asyncpg import Connection, Record

from app import logs
from app.asgi import PAGES
from app.wiring import System
from db.migrations import newest_revision
from domain.access import Role
from domain.signing import ASSET_SIGNATURE
from graph.http import GraphQLEndpoint
from tests.api import operation
from tests.clusters import copied_server
from tests.factories import access
from tests.factories.access import Tenant
from tests.serving import serving

NAME = "query Who { viewer { id fullName role } }"
SECRET = "correct horse battery staple"


@contextmanager
def written_logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What production's logging writes, as JSON; pytest's own is put back afterwards."""
    root, written = logging.getLogger(), io.StringIO()
    before = root.handlers, root.level
    with monkeypatch.context() as patch:
        patch.setattr("sys.stderr", written)
        logs.configure("json", for_good=False)
        yield written
    root.handlers, root.level = before


async def test_health(http: httpx.AsyncClient) -> None:
    answer = await http.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok")


async def test_ready(http: httpx.AsyncClient) -> None:
    answer = await http.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True})


async def test_not_ready_behind_on_migrations(
    http: httpx.AsyncClient, superuser_connection: "Connection[Record]"
) -> None:
    newest = newest_revision()
    await superuser_connection.execute("UPDATE alembic_version SET version_num = 'foundation'")
    try:
        answer = await http.get("/readyz")
    finally:
        await superuser_connection.execute("UPDATE alembic_version SET version_num = $1", newest)
    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False,
        "problem": f"The database is at revision foundation; this release needs {newest}. Run `velocity migrate`.",
    }


async def test_not_ready_without_its_database(system: System, blank: Path) -> None:
    with copied_server(blank) as stopped:
        address = stopped.addresses.app
    async with serving(replace(system, database=replace(system.database, app=address))) as client:
        ready, health = await client.get("/readyz"), await client.get("/healthz")
    assert (ready.status_code, ready.json()) == (503, {"ready": False, "problem": "The database does not answer."})
    assert health.status_code == 200


async def test_signed_in_over_the_socket(
    http: httpx.AsyncClient, owner_connection: "Connection[Record]", tenant: Tenant
) -> None:
    email = f"{tenant.id.hex}@test.example"
    user_id = tenant.users[Role.SENIOR_BROKER]
    await access.password(owner_connection, tenant, user_id, email=email, secret=SECRET)

    variables = {"email": email.upper(), "password": SECRET}
    answer = await http.post("/graphql", json={"query": operation("Login"), "variables": variables})
    assert answer.status_code == 200
    login = answer.json()["data"]["login"]
    assert (login["__typename"], login["viewer"]["role"]) == ("LoginPayload", "SENIOR_BROKER")

    bearer = {"authorization": f"Bearer {login['accessToken']}"}
    viewer = await http.post("/graphql", json={"query": NAME}, headers=bearer)
    assert viewer.json() == {
        "data": {"viewer": {"id": f"user_{user_id}", "fullName": "Senior_Broker", "role": "SENIOR_BROKER"}}
    }


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer", "Basic dXNlcjpwYXNz", "Bearer a.b.c"])
async def test_a_bad_token_is_refused_before_anything_else(http: httpx.AsyncClient, header: str) -> None:
    answer = await http.post("/graphql", json={"query": "{ __typename }"}, headers={"authorization": header})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    [error] = answer.json()["errors"]
    assert error["extensions"] == {"code": "UNAUTHENTICATED"}
    assert "data" not in answer.json()


async def test_an_anonymous_caller_is_told_to_sign_in(http: httpx.AsyncClient) -> None:
    answer = await http.post("/graphql", json={"query": "{ leads(first: 1) { totalCount } }"})
    assert answer.status_code == 200
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["UNAUTHENTICATED"]


async def test_unknown_path(http: httpx.AsyncClient) -> None:
    assert (await http.get("/nothing/here")).status_code == 404
    assert (await http.get("/pages/../graphiql.html")).status_code == 404
    assert (await http.get("/pages/%2e%2e/%2e%2e/source/graphiql.js")).status_code == 404


async def test_pages_and_how_long_they_are_kept(http: httpx.AsyncClient) -> None:
    page = await http.get("/graphiql")
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-cache")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["x-content-type-options"] == "nosniff"

    script = await http.get("/pages/graphiql.js")
    assert (script.status_code, script.headers["cache-control"]) == (200, "no-cache")
    again = await http.get("/pages/graphiql.js", headers={"if-none-match": script.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")

    [hashed, *_] = sorted(PAGES.glob("chunk-*.js"))
    chunk = await http.get(f"/pages/{hashed.name}")
    assert (chunk.status_code, chunk.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")

    home = await http.get("/")
    assert (home.status_code, home.headers["location"]) == (307, "/graphiql")


async def test_assets_for_whoever_has_a_signed_address(system: System, http: httpx.AsyncClient) -> None:
    system.settings.assets.mkdir(exist_ok=True)
    (system.settings.assets / "picture.png").write_bytes(b"picture")
    (system.settings.data_dir / "private").write_text("private")
    expires = int(datetime.now(UTC).timestamp()) + 600

    def address(object_key: str, until: int = expires) -> str:
        signature = system.uploads.key.sign(f"{object_key}\n{until}".encode(), ASSET_SIGNATURE).hex()
        return f"/assets/{quote(object_key, safe='/')}?expires={until}&signature={signature}"

    found = await http.get(address("picture.png"))
    assert (found.status_code, found.content, found.headers["content-type"]) == (200, b"picture", "image/png")
    kept = re.fullmatch(r"private, max-age=(\d+), immutable", found.headers["cache-control"])
    assert kept is not None
    assert expires - int(datetime.now(UTC).timestamp()) <= int(kept[1]) <= 600
    for refused in (
        "/assets/picture.png",
        address("picture.png").replace("signature=", "signature=0"),
        address("picture.png", expires - 700),
        address("picture.png").replace(f"expires={expires}", f"expires={expires + 1}"),
        address("missing.png"),
        address("..%2fprivate"),
        f"/assets/%2e%2e%2fprivate{address('../private').partition('private')[2]}",
    ):
        assert (await http.get(refused)).status_code == 404, refused


async def test_a_request_is_one_line_without_what_was_asked(
    http: httpx.AsyncClient, bearer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    document = "query Private { viewer { id canary: fullName } }"
    with written_logs(monkeypatch) as written:
        answer = await http.post(
            "/graphql?note=canary", json={"query": document, "variables": {"secret": "canary"}}, headers=bearer
        )
        refused = await http.post("/graphql", json={"query": NAME}, headers={"authorization": "Bearer canary"})
    assert (answer.status_code, refused.status_code) == (200, 401)
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [(line["event"], line["method"], line["path"], line["status"]) for line in lines] == [
        ("request", "POST", "/graphql", 200),
        ("request", "POST", "/graphql", 401),
    ]
    assert [line["request_id"] for line in lines] == [
        answer.headers["x-request-id"],
        refused.headers["x-request-id"],
    ]
    assert "canary" not in written.getvalue()
    assert bearer["authorization"].removeprefix("Bearer ") not in written.getvalue()


async def test_an_exception_is_logged_without_values(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        canary = "canary in a frame"
        raise RuntimeError(f"canary in a message {canary}") from asyncpg.UniqueViolationError("canary in a detail")

    monkeypatch.setattr(GraphQLEndpoint, "_answered", fail)
    with written_logs(monkeypatch) as written:
        answer = await http.post("/graphql", json={"query": NAME})
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert "canary" not in written.getvalue()
    assert "Traceback" not in written.getvalue()
    request, failure = (json.loads(line) for line in written.getvalue().splitlines())
    assert (request["event"], request["status"]) == ("request", 500)
    raised, cause = failure["exceptions"]
    assert raised["type"] == "builtins.RuntimeError"
    assert raised["frames"][-1].startswith("tests/app/test_serving.py:")
    assert raised["frames"][-1].endswith(" fail")
    assert (cause["type"], cause["sqlstate"]) == ("asyncpg.exceptions.UniqueViolationError", "23505")


def test_built_pages_are_what_is_served() -> None:
    assert Path(__file__).parents[2] / "graph" / "pages" / "dist" == PAGES
