"""Limits: each refusal names the limit, what was asked and what is allowed; what every client needs passes."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from asyncpg import Connection, Record
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    get_introspection_query,
    parse,
)

from app.admission import FrontDoor, front_door
from app.wiring import System
from domain.access import Role
from domain.qd import BLEND_SHAPES, MOST_PACKETS
from graph.budgets import Budgets, Places
from graph.context import GraphContext
from graph.cost import Cost, Estimator
from graph.documents import Documents, Prepared
from graph.execution import GraphAnswer, GraphRequest
from graph.limits import Limits, check_variables, document_check
from graph.persisted import Asked, shipped
from graph.refusals import LimitExceeded, MalformedParameters, Overloaded, RateExceeded
from tests.api import Api
from tests.graph.test_http import served
from tests.serving import PATIENCE

ROWS = build_schema("""
interface Node { id: ID! }
type PageInfo { hasNextPage: Boolean! }
type Lead implements Node { id: ID! name: String person: Person people(first: Int, last: Int): PersonConnection! }
type LeadEdge { cursor: String! node: Lead! }
type LeadConnection { edges: [LeadEdge!]! pageInfo: PageInfo! totalCount: Int! }
type Person implements Node { id: ID! tags: [String!]! leads(first: Int): LeadConnection! facts: [Fact!]! }
type PersonEdge { cursor: String! node: Person! }
type PersonConnection { edges: [PersonEdge!]! pageInfo: PageInfo! totalCount: Int! }
type Fact { text: String series(points: Int!): [Point!]! }
type Point { at: Int }
union Found = Lead | Person
type Query {
  lead: Lead leads(first: Int, last: Int): LeadConnection! nodes(ids: [ID!]!): [Node]! found: Found node: Node
}
type Mutation { leadMove: Lead count: Int }
""")


def cost(text: str, **variables: Any) -> tuple[int, int]:
    """Return the rows and points of a document's first operation."""
    document = parse(text)
    [operation, *_] = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    found = Estimator(ROWS, fragments(document)).operation(operation).under(variables)
    return found.nodes, found.points


def fragments(document: DocumentNode) -> dict[str, Any]:
    return {node.name.value: node for node in document.definitions if node.kind == "fragment_definition"}  # type: ignore[attr-defined]  # only fragments


@pytest.mark.parametrize(
    ("text", "variables", "rows_and_points"),
    [
        ("{ __typename }", {}, (0, 1)),
        ("{ lead { id name } }", {}, (1, 2)),
        ("{ lead { person { id } } }", {}, (2, 3)),
        ("{ leads(first: 5) { edges { cursor node { id } } } }", {}, (5, 7)),
        ("{ leads { edges { node { id } } pageInfo { hasNextPage } } }", {}, (20, 22)),
        ("{ leads(first: 5) { totalCount } }", {}, (0, 7)),
        ("{ leads(last: 3) { edges { node { person { tags } } } } }", {}, (6, 8)),
        ("{ leads(first: 5) { edges { node { people(first: 4) { edges { node { id } } } } } } }", {}, (25, 32)),
        ("query A($n: Int) { leads(first: $n) { edges { node { id } } } }", {"n": 7}, (7, 9)),
        ("query A($n: Int) { leads(first: $n) { edges { node { id } } } }", {}, (20, 22)),
        ("query A($n: Int = 3) { leads(first: $n) { edges { node { id } } } }", {}, (3, 5)),
        ("query A($n: Int) { leads(first: $n) { edges { node { id } } } }", {"n": 5000}, (100, 102)),
        ("query A($n: Int) { leads(first: $n) { edges { node { id } } } }", {"n": -1}, (0, 2)),
        ("query A($n: Int) { leads(first: $n) { edges { node { id } } } }", {"n": "x"}, (20, 22)),
        (
            """query A($n: Int, $m: Int) {
                leads(first: $n) { edges { node { people(last: $m) { edges { node { id } } } } } }
            }""",
            {"n": 10, "m": 10},
            (110, 122),
        ),
        ("{ leads(first: 5) { ...P } } fragment P on LeadConnection { edges { node { person { id }}}}", {}, (10, 12)),
        ("{ leads(first: 5) { ... { ...P } } } fragment P on LeadConnection { edges { node { id } } }", {}, (5, 7)),
        ("{ lead { person { facts { series(points: 9) { at } } } } }", {}, (102, 114)),
        ('{ nodes(ids: ["a", "b"]) { id } }', {}, (2, 4)),
        ("query A($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["a"] * 9}, (9, 11)),
        ("{ found { ... on Lead { person { id } } ... on Person { id } } }", {}, (2, 3)),
        ("{ node { ... on Lead { id } ... on Lead { person { id } } ... on Node { id } } }", {}, (2, 3)),
        ("{ __schema { types { name } } }", {}, (0, 21)),
        ("mutation { leadMove { id } count }", {}, (1, 22)),
    ],
)
def test_cost(text: str, variables: dict[str, Any], rows_and_points: tuple[int, int]) -> None:
    assert cost(text, **variables) == rows_and_points


def test_fragments_that_double_are_estimated_once_each() -> None:
    doubled = "".join(
        f"fragment F{n} on Lead {{ person {{ leads(first: $n) {{ edges {{ node {{ ...F{n + 1} }} }} }} }}"
        f" people(first: $n) {{ edges {{ node {{ leads(first: $n) {{ edges {{ node {{ ...F{n + 1} }} }} }} }} }} }} }}"
        for n in range(40)
    )
    text = f"query A($n: Int) {{ lead {{ ...F0 }} }} {doubled} fragment F40 on Lead {{ id }}"
    assert cost(text, n=1)[0] > 2**40


def test_every_shipped_operation_is_far_from_every_limit(system: System) -> None:
    schema: GraphQLSchema = system.schema._schema
    check, limits = document_check(Limits(depth=9, aliases=0, directives=0)), Limits()
    for each in shipped():
        document = parse(each.text, max_tokens=limits.tokens // 2)
        assert check(document) == [], each.name
        [operation] = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        largest = {node.variable.name.value: 100 for node in operation.variable_definitions or ()}
        most = Estimator(schema, fragments(document)).operation(operation).under(largest)
        assert most.larger(Cost(limits.nodes // 3, limits.points // 3)) == Cost(limits.nodes // 3, limits.points // 3)


def refusals(text: str, **limits: int) -> list[dict[str, object]]:
    """Return the details of what the check of a document says."""
    found = document_check(replace(Limits(), **limits))(parse(text))
    return [details(each) for each in found]


def details(error: GraphQLError) -> dict[str, object]:
    assert isinstance(error.original_error, LimitExceeded)
    return error.original_error.details


@pytest.mark.parametrize(
    ("limit", "allowed", "fits", "asked", "exceeds"),
    [
        ("depth", 2, "{ a { b } }", 3, "{ a { ... { ...F } } } fragment F on X { b { c } }"),
        ("aliases", 2, "{ x: a { y: b } }", 4, "{ ...F ...F } fragment F on X { x: a y: b }"),
        (
            "directives",
            2,
            "query A @x { a @y }",
            6,
            "query A($v: Int @x) @y { a @a ... @b { b } ...F @c } fragment F on X @d { a }",
        ),
        ("introspectionDepth", 1, "{ __schema { types { fields { name } } } }", 2,
         "{ __schema { types { fields { type { ...F } } } } } fragment F on __Type { interfaces { name } }"),
        ("digits", 4, "{ a(x: [-123, { y: 12.3 }]) }", 5, "query A($v: Int = 12345) { a(x: { y: [1, -23.4] }) }"),
        ("listItems", 2, "{ a(x: [1, 2]) }", 3, "query A($v: [Int] = [1]) { a { b(x: { y: [[1, 2, 3], [4]] }) } }"),
    ],
)  # fmt: skip
def test_what_is_counted_in_a_document(limit: str, allowed: int, fits: str, asked: int, exceeds: str) -> None:
    named = {"introspectionDepth": "introspection_depth", "listItems": "list_items"}.get(limit, limit)
    assert refusals(fits, **{named: allowed}) == []
    assert refusals(exceeds, **{named: allowed}) == [{"limit": limit, "asked": asked, "allowed": allowed}]


def test_every_broken_limit_is_named_at_once() -> None:
    found = refusals("{ a: a { b: b @x } }", depth=1, aliases=1, directives=0)
    assert [each["limit"] for each in found] == ["depth", "aliases", "directives"]


def test_the_largest_introspection_query_passes() -> None:
    text = get_introspection_query(descriptions=True, specified_by_url=True, input_value_deprecation=True)
    assert refusals(text) == []


def test_fragments_in_a_circle_end() -> None:
    assert refusals("{ ...A } fragment A on X { a { ...B } } fragment B on X { b { ...A } }") == []


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({"a": ["x"] * 1000}, None),
        ({"a": {"b": [["x"] * 1001]}}, {"limit": "listItems", "asked": 1001, "allowed": 1000}),
        ({"a": "x" * 262_136}, None),
        ({"a": "x" * 262_137}, {"limit": "variableBytes", "asked": 262_145, "allowed": 262_144}),
    ],
)
def test_variables(variables: dict[str, Any], found: dict[str, object] | None) -> None:
    if found is None:
        check_variables(variables, Limits())
        return
    with pytest.raises(LimitExceeded) as refused:
        check_variables(variables, Limits())
    assert refused.value.details == found


def test_a_whole_batch_of_whole_faces_is_no_larger_than_is_allowed() -> None:
    face = dict.fromkeys(BLEND_SHAPES, 0.12345678901234566)
    packet = {"at": "2026-11-21T09:00:00.123456+00:00", "videoMs": 86_400_000, "face": {"blendShapes": face}}

    check_variables({"sessionId": "s" * 44, "sequence": 2**31 - 1, "packets": [packet] * MOST_PACKETS}, Limits())


def test_a_budget_leaks() -> None:
    clock = [0.0]
    budgets = Budgets(100, 10, lambda: clock[0])
    assert [budgets.spend("a", 60), budgets.spend("a", 40), budgets.spend("b", 1)] == [40, 0, 99]
    clock[0] = 2.5
    with pytest.raises(RateExceeded) as refused:
        budgets.spend("a", 60)
    assert refused.value.details == {"limit": "rateBudget", "asked": 60, "allowed": 25}
    assert refused.value.headers == {"retry-after": "4"}
    clock[0] = 6.0
    assert budgets.spend("a", 60) == 0
    clock[0] = 1000.0
    assert budgets.spend("a", 0) == 100


def test_places_are_given_back() -> None:
    places = Places(3, 2)
    for principal in ("a", "a", "b"):
        places.take(principal)
    with pytest.raises(Overloaded) as full:
        places.take("b")
    assert full.value.details == {"limit": "concurrentOperations", "asked": 4, "allowed": 3}
    places.leave("b")
    with pytest.raises(Overloaded) as own:
        places.take("a")
    assert own.value.details == {"limit": "concurrentOperationsPerCaller", "asked": 3, "allowed": 2}
    assert own.value.headers == {"retry-after": "1"}
    assert places.running == 2
    places.leave("a")
    places.leave("a")
    assert places.running == 0


SENT: list[tuple[str, dict[str, Any], dict[str, Any], int, dict[str, Any]]] = [
    # settings, what is sent, status with graphql-response+json, the error's extensions
    ("limit_tokens", {"limit_tokens": 200}, {"query": "{ " + "__typename " * 200 + "}"}, 400,
     {"limit": "tokens", "asked": 201, "allowed": 200}),
    ("limit_nodes", {"limit_nodes": 99}, {"query": "{ leads(first: 100) { edges { node { id } } } }"}, 400,
     {"limit": "nodes", "asked": 100, "allowed": 99}),
    ("limit_points", {"limit_points": 100}, {"query": "query A($n: Int) { leads(first: $n) { edges { node { id } } } }",
                                             "variables": {"n": 99}}, 400,
     {"limit": "cost", "asked": 101, "allowed": 100}),
    ("limit_variable_bytes", {"limit_variable_bytes": 1024},
     {"query": "{ __typename }", "variables": {"a": "x" * 2000}}, 400,
     {"limit": "variableBytes", "asked": 2008, "allowed": 1024}),
    ("limit_response_bytes", {"limit_response_bytes": 1024}, {"query": "{ __schema { types { name } } }"}, 400, {}),
    ("documents", {}, {"query": "{ __typename }" + " " * 40_000}, 400,
     {"limit": "documentCharacters", "asked": 40_014, "allowed": 32_768}),
    ("fewer characters", {"limit_document_characters": 1024}, {"query": "{ __typename }" + " " * 2000}, 400,
     {"limit": "documentCharacters", "asked": 2014, "allowed": 1024}),
    ("introspection", {"limit_introspection_depth": 0}, {"query": "{ __schema { types { fields { name } } } }"}, 400,
     {"limit": "introspectionDepth", "asked": 1, "allowed": 0}),
    ("limit_body_bytes", {"limit_body_bytes": 2048}, {"query": "{ __typename }" + " " * 4000}, 413,
     {"limit": "bodyBytes", "asked": 4026, "allowed": 2048}),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "sent", "status", "said"), [case[1:] for case in SENT], ids=[c[0] for c in SENT])
async def test_refused_over_http(
    system: System, bearer: dict[str, str], settings: dict[str, Any], sent: Any, status: int, said: dict[str, Any]
) -> None:
    async with served(system, **settings) as client:
        body = json.dumps(sent, separators=(",", ":")).encode()
        headers = {**bearer, "content-type": "application/json", "accept": "application/graphql-response+json"}
        answer = await client.post("/graphql", content=body, headers=headers)
    assert answer.status_code == status
    [error] = answer.json()["errors"]
    assert "data" not in answer.json()
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
    if said:
        assert error["extensions"] == {"code": "LIMIT_EXCEEDED", **said}
    else:
        assert error["extensions"]["limit"] == "responseBytes"
        assert error["extensions"]["asked"] > error["extensions"]["allowed"] == 1024


HUGE = "9" * 5_000


async def test_a_number_of_thousands_of_digits(system: System, http: httpx.AsyncClient, bearer: dict[str, str]) -> None:
    headers = {**bearer, "content-type": "application/json"}
    written = f"{{ leads(first: {HUGE}) {{ totalCount }} }}"
    answer = await http.post("/graphql", content=json.dumps({"query": written}), headers=headers)
    assert answer.json()["errors"] == [
        {
            "message": "5 000 digits in one number were asked for; 400 are allowed.",
            "extensions": {"code": "LIMIT_EXCEEDED", "limit": "digits", "asked": 5_000, "allowed": 400},
        }
    ]
    async with served(system, limit_digits=20) as client:
        document = {"query": f"{{ leads(first: {'9' * 21}) {{ totalCount }} }}"}
        answer = await client.post("/graphql", json=document, headers=bearer)
        assert answer.json()["errors"][0]["extensions"] == {
            "code": "LIMIT_EXCEEDED", "limit": "digits", "asked": 21, "allowed": 20,
        }  # fmt: skip
    body = f'{{"query": "query A($n: Int) {{ leads(first: $n) {{ totalCount }} }}", "variables": {{"n": {HUGE}}}}}'
    answer = await http.post("/graphql", content=body, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (
        400,
        "The body holds a number that is too large.",
    )
    got = await http.get("/graphql", params={"documentId": "Viewer", "variables": f'{{"n": {HUGE}}}'}, headers=bearer)
    assert got.json()["errors"][0]["message"] == "`variables` holds a number that is too large."


@pytest.mark.parametrize("value", [10**4_000, "\ud800"])
def test_variables_that_json_cannot_carry(value: object) -> None:
    # Sockets read JSON with other tools than HTTP does.
    with pytest.raises(MalformedParameters):
        check_variables({"a": [value]}, Limits())


@pytest.mark.parametrize(
    ("document", "asked"),
    [
        ("{a" * 400 + "}" * 400, 400),
        ("{ a(x: " + "[" * 480 + "]" * 480 + ") }", 481),
        ("query A($v: " + "[" * 101 + "Int" + "]" * 101 + ") { a }", 101),
        ("{ a(x: " + "{x:" * 300 + "1" + "}" * 300 + ") }", 301),
        ("{... " * 102 + "a" + "}" * 102, 102),
        ("{a" * 101, 101),
        ("{a" * 101 + "?", 101),
    ],
)
async def test_a_document_that_nests_too_deep(http: httpx.AsyncClient, document: str, asked: int) -> None:
    answer = await http.post("/graphql", json={"query": document})
    assert answer.json()["errors"] == [
        {
            "message": f"{asked} levels of nesting were asked for; 100 are allowed.",
            "extensions": {"code": "LIMIT_EXCEEDED", "limit": "nesting", "asked": asked, "allowed": 100},
        }
    ]


async def test_braces_beside_each_other_do_not_nest(system: System) -> None:
    documents = Documents(system.schema, tokens=2_000, nesting=20)
    assert documents.parsed("{ a }" + "fragment F on X { a }" * 100).errors == ()
    assert documents.parsed('{ a(x: "' + "{" * 100 + '") } # ' + "[" * 100).errors == ()


async def test_fragments_that_nest_too_deep_to_be_followed(system: System) -> None:
    chain = "".join(f"fragment F{n} on X {{ ...F{n + 1} }} " for n in range(1_000))
    [error] = Documents(system.schema, [document_check(Limits())], nesting=100).parsed("{ ...F0 } " + chain).errors
    assert details(error) == {"limit": "nesting", "asked": 101, "allowed": 100}


async def test_a_body_is_refused_before_it_is_read(system: System) -> None:
    async with served(system, limit_body_bytes=2048) as client:
        for head, body in (
            (b"content-length: 1000000", b""),
            (b"transfer-encoding: chunked", b"%x\r\n%s\r\n" % (4096, b" " * 4096)),
        ):
            reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
            writer.write(
                b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n" + head + b"\r\n\r\n" + body
            )
            answer = await reader.read()
            writer.close()
            assert answer.startswith(b"HTTP/1.1 413 ")
            assert b"connection: close" in answer.lower()


async def test_a_body_that_never_ends_is_given_up(system: System) -> None:
    async with served(system, body_seconds=0.05) as client:
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        writer.write(
            b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"
        )
        answer = await reader.read()
        writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
    [error] = json.loads(answer.partition(b"\r\n\r\n")[2])["errors"]
    # What was asked is not known, but how long it took so far.
    assert 0.05 <= error["extensions"].pop("asked") < 20
    assert error == (
        {
            "message": "The body did not arrive within the 0.05 seconds that are allowed.",
            "extensions": {"code": "BODY_TIMEOUT", "limit": "bodySeconds", "allowed": 0.05},
        }
    )


async def test_a_client_that_leaves_early_is_no_error(system: System, caplog: pytest.LogCaptureFixture) -> None:
    async with served(system) as client:
        _, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        writer.write(
            b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert (await client.get("/healthz")).status_code == 200
    assert [record for record in caplog.records if record.exc_info] == []


class Silent:
    """An observer that fails at what should not happen."""

    def masked(self, error_id: str, error: GraphQLError) -> None:  # noqa: ARG002 -- the port's signature.
        raise error.original_error or error

    def finished(self, outcome: str, seconds: float) -> None:
        """Count nothing."""


def door(system: System, **settings: Any) -> FrontDoor:
    return front_door(replace(system, settings=system.settings.model_copy(update=settings)), Silent())


SLOW = "{ leads(first: 1) { totalCount } }"
RUNNING = """
    select count(*) from pg_stat_activity
    where usename = 'velocity_app' and state = 'active' and query like '%from leads%'
"""


async def running(connection: "Connection[Record]") -> int:
    """Return how many statements wait for the leads. Within a transaction, the view has to be told to look again."""
    await connection.execute("SELECT pg_stat_clear_snapshot()")
    found: int = await connection.fetchval(RUNNING)
    return found


@pytest.mark.parametrize(
    "document", [SLOW, "query A { leads(first: 1) { totalCount } tasks(first: 1) { totalCount } }"]
)
@pytest.mark.parametrize("compiled", [True, False])
async def test_the_deadline_cancels_the_statement_as_well(
    system: System,
    api: Api,
    superuser_connection: "Connection[Record]",
    monkeypatch: pytest.MonkeyPatch,
    document: str,
    *,
    compiled: bool,
) -> None:
    opened = door(system, operation_seconds=1)

    async def by_resolvers(
        request: GraphRequest, prepared: Prepared, operation: OperationDefinitionNode, context: GraphContext
    ) -> GraphAnswer:
        return await opened.execution.resolved(request, prepared, context, operation.operation)

    if not compiled:
        monkeypatch.setattr(opened.execution, "run", by_resolvers)
    context = api.context(api.tenant.caller(Role.ADMIN))
    # What it takes to plan it is no part of the deadline that is looked at.
    await door(system).admission.answer(Asked(query=document), context)
    async with superuser_connection.transaction():
        await superuser_connection.execute("LOCK TABLE leads IN ACCESS EXCLUSIVE MODE")
        answering = asyncio.create_task(opened.admission.answer(Asked(query=document), context))
        while await running(superuser_connection) == 0:
            assert not answering.done()
        answer = await answering
        assert answer.refusal is not None
        assert (answer.refusal.code, answer.refusal.status) == ("DEADLINE_EXCEEDED", 504)
        asked = answer.refusal.details.pop("asked")
        assert isinstance(asked, float)
        assert 1 <= asked < 20
        assert answer.refusal.details == {"limit": "deadlineSeconds", "allowed": 1}
        async with asyncio.timeout(PATIENCE):
            while await running(superuser_connection):
                pass
    assert (await opened.admission.answer(Asked(query=SLOW), context)).errors == 0


async def test_a_mutation_that_is_stopped_leaves_nothing(
    system: System, api: Api, superuser_connection: "Connection[Record]"
) -> None:
    opened = door(system, operation_seconds=0.3)
    context = api.context(api.tenant.caller(Role.ADMIN))
    create = 'mutation { personCreate(input: { fullName: "Asha Rao" }) { __typename } }'
    async with superuser_connection.transaction():
        # Its last step is the one that has to wait.
        await superuser_connection.execute("SELECT FROM tenant_heads WHERE tenant_id = $1 FOR UPDATE", api.tenant.id)
        answer = await opened.admission.answer(Asked(query=create), context)
    assert answer.codes == ("DEADLINE_EXCEEDED",)
    assert await superuser_connection.fetchval("SELECT count(*) FROM people WHERE tenant_id = $1", api.tenant.id) == 0
    again = await door(system).admission.answer(Asked(query=create), context)
    assert json.loads(again.body) == {"data": {"personCreate": {"__typename": "PersonCreatePayload"}}}


async def test_too_many_at_once(system: System, api: Api, superuser_connection: "Connection[Record]") -> None:
    opened = door(system, operations_at_once=3, operations_at_once_per_caller=2)
    admin, junior, director = (
        api.context(api.tenant.caller(role)) for role in (Role.ADMIN, Role.JUNIOR_BROKER, Role.SALES_DIRECTOR)
    )
    async with superuser_connection.transaction():
        await superuser_connection.execute("LOCK TABLE leads IN ACCESS EXCLUSIVE MODE")
        waiting = [asyncio.create_task(opened.admission.answer(Asked(query=SLOW), admin)) for _ in range(2)]
        while opened.admission.places.running < 2:
            await asyncio.wait(waiting, timeout=0.01)
        refused = await opened.admission.answer(Asked(query="{ __typename }"), admin)
        waiting.append(asyncio.create_task(opened.admission.answer(Asked(query=SLOW), junior)))
        while opened.admission.places.running < 3:
            await asyncio.wait(waiting, timeout=0.01)
        full = await opened.admission.answer(Asked(query="{ __typename }"), director)
    for answer, limit, asked, allowed in (
        (refused, "concurrentOperationsPerCaller", 3, 2),
        (full, "concurrentOperations", 4, 3),
    ):
        assert answer.refusal is not None
        assert (answer.refusal.code, answer.refusal.status) == ("OVERLOADED", 503)
        assert answer.refusal.details == {"limit": limit, "asked": asked, "allowed": allowed}
        assert answer.refusal.headers == {"retry-after": "1"}
    assert [answer.errors for answer in await asyncio.gather(*waiting)] == [0, 0, 0]
    assert opened.admission.places.running == 0


async def test_a_spent_budget_over_http(system: System, bearer: dict[str, str]) -> None:
    sent = {"query": "{ leads(first: 100) { edges { node { id } } } }", "extensions": {"cost": True}}
    async with served(system, rate_points=150, rate_points_per_second=0.01) as client:
        first = await client.post("/graphql", json=sent, headers=bearer)
        second = await client.post("/graphql", json=sent, headers=bearer)
        anonymous = await client.post("/graphql", json={"query": "{ __typename }", "extensions": {"cost": True}})
        quiet = await client.post("/graphql", json={"query": "{ __typename }"}, headers=bearer)
    assert first.json()["extensions"] == {
        "cost": {"nodes": 100, "points": 102, "remaining": 48, "capacity": 150, "restoredPerSecond": 0.01}
    }
    [error] = second.json()["errors"]
    assert (second.status_code, error["extensions"]) == (
        429,
        {"code": "RATE_LIMITED", "limit": "rateBudget", "asked": 102, "allowed": 48},
    )
    # A hundredth of a point comes back each second that passed between the two.
    assert 5_300 <= int(second.headers["retry-after"]) <= 5_400
    assert anonymous.json()["extensions"]["cost"]["remaining"] == 149
    assert quiet.json() == {"data": {"__typename": "Query"}}


async def test_a_document_is_parsed_and_validated_once_with_every_limit_on(system: System, api: Api) -> None:
    opened = door(system)
    documents = opened.execution.documents
    texts = [each.text for each in shipped()[:3]] + ["{ __typename }", "{ nothing }", "{"]
    for _ in range(5):
        for text in texts:
            await opened.admission.answer(Asked(query=text), api.context(api.tenant.caller(Role.ADMIN)))
    assert (documents.misses, documents.hits, documents.validations) == (6, 24, 5)


async def test_one_callers_documents_push_out_only_their_own(system: System, api: Api) -> None:
    opened = door(system)
    documents = opened.execution.documents
    admin, junior = (api.context(api.tenant.caller(role)) for role in (Role.ADMIN, Role.JUNIOR_BROKER))
    await opened.admission.answer(Asked(query="{ __typename }"), admin)
    await opened.admission.answer(Asked(document_id="Viewer"), junior)
    for number in range(150):
        await opened.admission.answer(Asked(query=f"{{ a{number}: __typename }}"), junior)
    assert (len(documents), documents.evictions) == (101, 50)
    before = documents.misses
    await opened.admission.answer(Asked(query="{ __typename }"), admin)
    await opened.admission.answer(Asked(document_id="Viewer"), junior)
    assert documents.misses == before
