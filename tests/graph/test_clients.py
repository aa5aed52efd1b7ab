"""Others' clients and tools from npm, unmodified, against the served schema. `make test` installs them."""

import asyncio
import json
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from asyncpg import Connection, Record

from app.wiring import System
from db.access.operations import register
from domain.access import Role
from domain.access.operations import sha256_id
from graph.persisted import read_manifest
from tests.api import Api
from tests.clients.released import compared
from tests.factories import people
from tests.graph.test_http import served

CLIENTS = Path(__file__).parents[1] / "clients"
TOOLS = CLIENTS / "node_modules" / ".bin"
OPERATIONS = Path(__file__).parents[2] / "graph" / "operations"

ADDRESS = "/graphql"
VARIABLES = "MAY allow URL-encoded JSON string {variables} parameter in GETs when accepting"
BY_GET = {
    "5A70": "MAY accept application/x-www-form-urlencoded formatted GET requests",
    "D6D5": f"{VARIABLES} application/graphql-response+json",
    "6A70": f"{VARIABLES} application/json",
}
"""The audits that send a text by GET."""


async def run(*command: object, cwd: Path = CLIENTS, fails: bool = False) -> str:
    """Run a program beside the server and return what it printed."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command), cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    printed = (await process.communicate())[0].decode()
    assert (process.returncode != 0) is fails, printed
    return printed


async def audit(client: httpx.AsyncClient, bearer: dict[str, str]) -> list[dict[str, str]]:
    token = bearer["authorization"].removeprefix("Bearer ")
    printed = await run("node", "audit.mjs", client.base_url.join(ADDRESS), token)
    return [json.loads(line) for line in printed.splitlines()]


def table(audits: list[dict[str, str]]) -> str:
    lines = (f"{each['status']:<6} {each['id']} {each['name']} {each['reason']}".rstrip() for each in audits)
    return "\n".join(["", *lines, ""])


async def test_the_audit_with_texts_by_get(
    system: System, bearer: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    async with served(system, texts_by_get=True) as client:
        audits = await audit(client, bearer)
    with capsys.disabled():
        sys.stdout.write(table(audits))
    assert [each for each in audits if each["status"] != "ok"] == []
    assert len(audits) == 61


async def test_the_audit_as_installed(
    http: httpx.AsyncClient, bearer: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    audits = await audit(http, bearer)
    with capsys.disabled():
        sys.stdout.write(table(audits))
    assert {each["id"]: each["name"] for each in audits if each["status"] != "ok"} == BY_GET
    assert Counter(each["status"] for each in audits) == {"ok": 58, "notice": 3}


async def script(name: str, http: httpx.AsyncClient, bearer: dict[str, str]) -> dict[str, Any]:
    token = bearer["authorization"].removeprefix("Bearer ")
    answer: dict[str, Any] = json.loads(await run("node", name, http.base_url.join(ADDRESS), token))
    return answer


async def test_apollo_client(http: httpx.AsyncClient, bearer: dict[str, str]) -> None:
    done = await script("apollo.mjs", http, bearer)
    kind = "application/graphql-response+json; charset=utf-8"
    unknown = {"status": 200, "type": kind, "errors": ["PERSISTED_QUERY_NOT_FOUND"], "text": False, "method": "POST"}
    known = unknown | {"errors": []}
    assert done["requests"] == [
        unknown,
        known | {"text": True},
        unknown,
        known | {"text": True},
        known,
        known | {"method": "GET"},
        known,
    ]
    created, first, second, third, refused = done["data"]
    assert created["personCreate"]["person"]["fullName"] == "Asha Rao"
    assert first == second == third
    assert [edge["node"]["fullName"] for edge in first["people"]["edges"]] == ["Asha Rao"]
    assert (first["people"]["totalCount"], first["viewer"]["role"]) == (1, "SALES_DIRECTOR")
    assert (refused["personCreate"]["code"], refused["personCreate"]["field"]) == ("INVALID", "fullName")


async def test_urql(http: httpx.AsyncClient, bearer: dict[str, str]) -> None:
    done = await script("urql.mjs", http, bearer)
    assert done["requests"] == [
        {"method": "POST", "status": 200, "errors": ["PERSISTED_QUERY_NOT_FOUND"]},
        {"method": "POST", "status": 200, "errors": []},
        {"method": "GET", "status": 200, "errors": []},
        {"method": "POST", "status": 200, "errors": ["PERSISTED_QUERY_NOT_FOUND"]},
        {"method": "POST", "status": 200, "errors": ["INVALID"]},
    ]
    first, second = done["data"]
    assert first == second
    assert (first["viewer"]["role"], first["leads"]) == (
        "SALES_DIRECTOR",
        {"__typename": "LeadConnection", "edges": [], "totalCount": 0},
    )
    assert done["errors"] == [[], [], ["INVALID"]]


async def test_the_clients_of_graphql_ws_and_graphql_sse(http: httpx.AsyncClient, api: Api) -> None:
    bearer = await api.bearer(Role.SALES_DIRECTOR)
    start = (await api.data("{ eventCursor }"))["eventCursor"]
    made = [await api.data("PersonCreate", input={"fullName": f"Person {n}"}) for n in range(2)]
    token = bearer["authorization"].removeprefix("Bearer ")
    done = json.loads(await run("node", "streams.mjs", http.base_url.join(ADDRESS), token, start))
    people_made = [each["personCreate"]["person"]["id"] for each in made]
    assert len(done["told"]) == 4
    for told in done["told"]:
        assert [each["entry"]["subject"]["id"] for each in told] == people_made
    assert done["answers"] == [[{"data": {"viewer": {"role": "SALES_DIRECTOR"}}}]] * 2
    assert (done["closed"]["code"], done["reserved"]) == (4403, 405)
    [[by_socket], [by_events]] = done["refused"]
    for error in (by_socket["thrown"][0], by_events["errors"][0]):
        assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def compiled_by_relay(system: System, folder: Path) -> Path:
    """Let relay-compiler read the components and persist their documents; return what it wrote."""
    source = folder / "source"
    (source / "__generated__").mkdir(parents=True)
    shutil.copy(CLIENTS / "relay" / "People.js", source)
    (folder / "schema.graphql").write_text(system.schema.as_str())
    (folder / "persisted.json").write_text("{}")
    configuration = {
        "src": "./source",
        "schema": "./schema.graphql",
        "language": "javascript",
        "artifactDirectory": "./source/__generated__",
        "persistConfig": {"file": "./persisted.json", "algorithm": "SHA256"},
    }
    (folder / "relay.config.json").write_text(json.dumps(configuration))
    await run(TOOLS / "relay-compiler", cwd=folder)
    await run(TOOLS / "relay-compiler", "--validate", cwd=folder)
    return folder / "persisted.json"


async def test_what_relay_compiles_is_registered_and_runs(
    system: System, http: httpx.AsyncClient, api: Api, owner_connection: "Connection[Record]", tmp_path: Path
) -> None:
    operations = read_manifest((await compiled_by_relay(system, tmp_path)).read_bytes())
    assert {each.name for each in operations} == {"PeopleQuery", "PeoplePageQuery", "PersonAgainQuery"}
    await register(owner_connection, operations, api.tenant.id)
    person = await people.person(owner_connection, api.tenant, full_name="Asha Rao")
    bearer = await api.bearer(Role.ADMIN)

    names = {each.name: each.document_id.removeprefix("sha256:") for each in operations}
    answer = await http.post(
        ADDRESS, json={"documentId": f"sha256:{names['PeopleQuery']}", "variables": {"first": 2}}, headers=bearer
    )
    [edge] = answer.json()["data"]["people"]["edges"]
    assert (edge["node"]["id"], edge["node"]["fullName"]) == (f"person_{person}", "Asha Rao")
    again = await http.get(
        ADDRESS,
        params={"documentId": "PersonAgainQuery", "variables": json.dumps({"id": edge["node"]["id"]})},
        headers=bearer,
    )
    assert again.json()["data"]["node"]["fullName"] == "Asha Rao"
    for name, digest in names.items():
        text = next(each.text for each in operations if each.name == name)
        assert sha256_id(text) == f"sha256:{digest}"


PAGES = Path("graph", "pages", "source")
LINT = (TOOLS / "eslint", "--config", CLIENTS / "eslint.config.mjs")
"""What `make check` runs."""


@pytest.fixture
def linted(system: System, tmp_path: Path) -> Path:
    """A folder with the schema, the operations and the pages' sources."""
    (tmp_path / "schema.graphql").write_text(system.schema.as_str())
    shutil.copytree(OPERATIONS, tmp_path / "graph" / "operations")
    shutil.copytree(CLIENTS.parents[1] / PAGES, tmp_path / PAGES)
    return tmp_path


async def test_the_schema_the_operations_and_the_pages_keep_the_rules_of_eslint(linted: Path) -> None:
    assert await run(*LINT, "schema.graphql", "graph/operations", PAGES, cwd=linted) == ""


async def test_what_breaks_rules_of_eslint_is_found(linted: Path) -> None:
    schema, operation = linted / "schema.graphql", linted / "graph" / "operations" / "GetLeads.graphql"
    schema.write_text(f'{schema.read_text()}\n"""Nobody\'s."""\ntype un_used {{ """A number.""" a: Int }}\n')
    nested = "leads(first: 1) { edges { node { person { " * 3 + "fullName" + " } } } }" * 3
    operation.write_text(f"query GetLeads($unused: ID) {{ {nested} }}\n")
    page = linted / PAGES / "live" / "more.jsx"
    page.write_text("const Unused = () => <Missing of={nothing} />;\n")
    reported = json.loads(await run(*LINT, "--format", "json", schema, operation, page, cwd=linted, fails=True))
    rules = {
        Path(each["filePath"]).name: {found["ruleId"].removeprefix("@graphql-eslint/") for found in each["messages"]}
        for each in reported
        if each["messages"]
    }
    assert rules == {
        "schema.graphql": {"naming-convention", "no-unreachable-types"},
        "GetLeads.graphql": {"naming-convention", "no-unused-variables", "require-selections", "selection-set-depth"},
        "more.jsx": {"no-undef", "no-unused-vars"},
    }


async def test_a_breaking_change_since_the_last_tag_is_found(tmp_path: Path) -> None:
    async def git(*arguments: str) -> None:
        await run("git", "-c", "user.name=A", "-c", "user.email=a@b.example", *arguments, cwd=tmp_path)

    schema, inspector = tmp_path / "schema.graphql", TOOLS / "graphql-inspector"
    schema.write_text("type Query { a: Int b: Int }\n")
    await git("init", "--quiet")
    await git("add", "schema.graphql")
    await git("commit", "--quiet", "--message=A")
    assert compared(inspector, tmp_path) == (
        0,
        "No release has a schema yet: there is nothing that could have been broken.",
    )
    await git("tag", "v1.0.0")
    status, said = compared(inspector, tmp_path)
    assert (status, said.splitlines()[0]) == (0, "Compared with v1.0.0.")
    schema.write_text("type Query { a: Int c: Int }\n")
    status, said = compared(inspector, tmp_path)
    assert status == 1
    assert "Field b was removed from object type Query" in said
