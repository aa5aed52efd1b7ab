"""Random documents, variables, JSON and bytes on a real socket: no 5xx, no word from inside, nobody left waiting.

`VELOCITY_FUZZ` multiplies the examples, which are then drawn anew each time.
"""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from asyncpg import Connection, Record
from graphql import OperationDefinitionNode, build_schema, parse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.wiring import System
from db.roles import set_tenant
from db.sources import CATALOGUE
from domain.access import Caller, Role
from domain.values import new_id
from tests.api import OPERATIONS
from tests.demo import Demo
from tests.documents import Generator, Samples
from tests.factories.access import Tenant
from tests.factories.people import lead, person
from tests.fuzz.values import ANYTHING, variables
from tests.serving import serving

TIMES = int(os.environ.get("VELOCITY_FUZZ", "1"))
SEED = 20_261_121 if TIMES == 1 else int(datetime.now(UTC).timestamp())
SECONDS = 60
SCHEMA = build_schema((Path(__file__).parents[2] / "schema.graphql").read_text())
TEXTS = {path.stem: path.read_text() for path in sorted(OPERATIONS.glob("*.graphql"))}
INSIDE = re.compile(r"Traceback|asyncpg|sqlalchemy|psycopg|\.py\b|Error\(|object at 0x|SELECT |/work/|/home/|NoneType")


def examples(number: int) -> settings:
    """Bound a test; the same examples each time, but for a soak."""
    return settings(
        max_examples=number * TIMES,
        deadline=None,
        derandomize=TIMES == 1,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@pytest.fixture(scope="module")
async def door(system: System) -> AsyncIterator[httpx.AsyncClient]:
    """The system without a budget for callers, which a flood of random requests would have spent at once."""
    free = system.settings.model_copy(update={"rate_points": 0})
    async with serving(replace(system, settings=free)) as client:
        client.timeout = httpx.Timeout(SECONDS)
        yield client


async def bearer_of(system: System, caller: Caller) -> dict[str, str]:
    """Sign a caller in."""
    session_id = new_id()
    async with system.units.write(caller) as unit:
        await unit.access.open_session(session_id, caller.as_user(), unit.now)
    token = system.sign_in.tokens.sign(caller, session_id, datetime.now(UTC), timedelta(hours=1))
    return {"authorization": f"Bearer {token}", "content-type": "application/json"}


def check(answer: httpx.Response, sent: object) -> Any:
    """An answer that says nothing of what is inside, and no masked defect either; returns its JSON."""
    assert answer.status_code < 500, (answer.status_code, answer.text[:500], sent)
    content = answer.json()
    assert isinstance(content, dict), (content, sent)
    for error in content.get("errors", ()):
        assert error["extensions"]["code"] != "INTERNAL", (error, sent)
        # What the client itself sent may be repeated to it.
        assert not INSIDE.search(error["message"]) or INSIDE.search(str(sent)), (error, sent)
    return content


# ── documents ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def samples(owner: "Connection[Record]", tenant_id: Any) -> Samples:
    """Ids of every noun."""
    await set_tenant(owner, tenant_id)
    found: dict[str, list[str]] = {}
    for source in CATALOGUE.sources.values():
        rows = await owner.fetch(f"SELECT id FROM {source.table.name} WHERE tenant_id = $1 LIMIT 10", tenant_id)
        found[source.prefix] = [f"{source.prefix}_{row['id']}" for row in rows] or [f"{source.prefix}_none"]
    return Samples(found)


def spoilt(text: str, random: Random) -> str:
    """A document of which a piece is missing, twice there, or somewhere else."""
    pieces = re.findall(r"\w+|\s+|[^\w\s]", text)
    for _ in range(random.randint(1, 3)):
        place, other = random.randrange(len(pieces)), random.randrange(len(pieces))
        change = random.choice(("drop", "double", "swap", "odd"))
        if change == "drop":
            del pieces[place]
        elif change == "double":
            pieces.insert(place, pieces[other])
        elif change == "swap":
            pieces[place], pieces[other] = pieces[other], pieces[place]
        else:
            pieces[place] = random.choice(
                ("\x00", "\ud800", "\ufeff", '"""', "{" * 50, "9" * 400, "null", "$x", "@", "...", "-1")
            )
    return "".join(pieces)


@pytest.mark.parametrize("role", [*Role, None])
async def test_random_documents(role: Role | None, door: httpx.AsyncClient, system: System, demo_tenant: Demo) -> None:
    random = Random(f"{SEED} {role}")  # noqa: S311 -- drawn again from the seed.
    generator = Generator(SCHEMA, random, await samples(demo_tenant.owner, demo_tenant.tenant_id))
    headers = {"content-type": "application/json"}
    if role is not None:
        headers = await bearer_of(system, demo_tenant.caller(role))
    answered = 0
    for number in range(30 * TIMES):
        document = generator.document()
        text = document.text if number % 3 else spoilt(document.text, random)
        sent = {"query": text, "variables": document.variables}
        content = check(await door.post("/graphql", content=json.dumps(sent), headers=headers), sent)
        answered += content.get("data") is not None
    # Documents that everything refuses would show nothing.
    assert answered >= (8 * TIMES if role is not None else 0)


# ── variables ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _operation(name: str) -> OperationDefinitionNode:
    [node] = [each for each in parse(TEXTS[name]).definitions if isinstance(each, OperationDefinitionNode)]
    return node


@pytest.mark.parametrize("role", [Role.ADMIN, Role.JUNIOR_BROKER])
async def test_client_operations_with_random_variables(
    role: Role, door: httpx.AsyncClient, system: System, tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    person_id = await person(owner_connection, tenant)
    lead_id = await lead(owner_connection, tenant, person_id=person_id, assignee_id=tenant.users[role])
    known = [f"person_{person_id}", f"lead_{lead_id}", f"user_{tenant.users[role]}"]
    headers = await bearer_of(system, tenant.caller(role))
    operations = {name: variables(SCHEMA, _operation(name), known) for name in TEXTS}

    @examples(60)
    @given(st.data())
    def drawn(data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(operations)))
        requests.append((name, data.draw(operations[name])))

    requests: list[tuple[str, Any]] = []
    drawn()
    for name, given_variables in requests:
        sent = {"query": TEXTS[name], "variables": given_variables}
        check(await door.post("/graphql", content=json.dumps(sent), headers=headers), sent)


# ── JSON and bytes ──────────────────────────────────────────────────────────────────────────────────────────────────

BODIES = st.one_of(
    ANYTHING.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(
        {},
        optional={
            "query": ANYTHING,
            "operationName": ANYTHING,
            "variables": ANYTHING,
            "extensions": ANYTHING,
            "documentId": ANYTHING,
            "more": ANYTHING,
        },
    ).map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=200),
    st.sampled_from(
        [b"[" * 50_000, b'{"query":' * 10_000, b'{"query":"{ __typename }",' * 2, b"\xff\xfe{\x00}\x00", b""]
    ),
)
KINDS = ("application/json", "application/json; charset=utf-16", "application/graphql", "text/plain", "", "x" * 200)


async def test_random_bodies(door: httpx.AsyncClient) -> None:
    requests: list[tuple[bytes, str, str]] = []

    @examples(120)
    @given(BODIES, st.sampled_from(KINDS), st.sampled_from(["*/*", "text/html", "application/json;q=0", ";;;q=x", "é"]))
    def drawn(body: bytes, kind: str, accept: str) -> None:
        requests.append((body, kind, accept))

    drawn()
    for body, kind, accept in requests:
        headers = [(b"content-type", kind.encode()), (b"accept", accept.encode())]
        answer = await door.post("/graphql", content=body, headers=headers)
        check(answer, body)


LINES = (
    b"POST /graphql HTTP/1.1\r\n",
    b"GET /graphql?query=%7B__typename%7D HTTP/1.1\r\n",
    b"GET /graphql?documentId=%00%ff&variables=%7B HTTP/1.1\r\n",
    b"GET /%ff%00/../\xc3\xa9 HTTP/1.1\r\n",
    b"GET //// HTTP/9.9\r\n",
    b"CONNECT a:1 HTTP/1.1\r\n",
    b"OPTIONS * HTTP/1.1\r\n",
    b"GET http://[::1 HTTP/1.1\r\n",
    b"PRI * HTTP/2.0\r\n",
    b"Host: x\r\n",
    b"Host\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: -1\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked, identity\r\n",
    b"Content-Type: application/json\r\n",
    b"Expect: 100-continue\r\n",
    b"Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n",
    b"Authorization: Bearer \xff\x00\r\n",
    b"Origin: \xff\r\n",
    b" folded: yes\r\n",
    b"\r\n",
    b'5\r\n{"a":\r\n',
    b"FFFFFFFFFFFFFFFFF\r\n",
    b"0\r\n\r\n",
    b'{"query":"{ __typename }"}',
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
    b"\x81\x85\x00\x00\x00\x00hello",
)


async def told(door: httpx.AsyncClient, sent: bytes) -> bytes:
    """Send bytes and nothing more; return all that is answered until the connection ends, which it must."""
    address = door.base_url
    async with asyncio.timeout(SECONDS):
        reader, writer = await asyncio.open_connection(address.host, address.port)
        try:
            writer.write(sent)
            writer.write_eof()
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()


async def test_random_bytes(door: httpx.AsyncClient) -> None:
    requests: list[bytes] = []

    @examples(250)
    @given(st.lists(st.one_of(st.sampled_from(LINES), st.binary(max_size=40)), min_size=1, max_size=9))
    def drawn(pieces: list[bytes]) -> None:
        requests.append(b"".join(pieces))

    drawn()
    for sent in requests:
        answer = await told(door, sent)
        for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer):
            assert int(status) < 500, (sent, answer[:500])
        assert not INSIDE.search(answer.decode("latin-1")), (sent, answer[:500])
    # Whoever asks properly afterwards is answered as ever.
    assert (await door.get("/healthz")).text == "ok"
