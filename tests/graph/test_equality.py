"""Two executions, one answer: random documents over the whole schema through both paths, as a random role."""

import json
import os
from random import Random
from typing import Any

import pytest
from asyncpg import Connection, Record

from db.roles import set_tenant
from db.sources import CATALOGUE
from domain.access import Caller, Role
from domain.values import new_id
from graph.declaration import DeclaredField
from graph.documents import Documents
from graph.execution import REFUSED, Execution, GraphAnswer, GraphRequest
from tests.api import operation, unmasked
from tests.demo import Demo
from tests.documents import Document, Generator, ListKey, Samples, reachable, uses_in
from tests.factories import inference, jobs
from tests.factories.access import Tenant
from tests.graph.test_contract import QUERIES, keys

DOCUMENTS = int(os.environ.get("VELOCITY_EQUALITY_DOCUMENTS", "2000"))
SEED = int(os.environ.get("VELOCITY_EQUALITY_SEED", "20261121"))
COMPILED = 0.85
"""The part of the documents that both paths must answer; the others are refused, on purpose."""
STRANGERS = 0.05
"""How often a caller is drawn without looking at what its role may ask for."""
EXPECTED_FALLBACKS = {REFUSED, "The caller's role lacks a permission; resolvers say which."}


OPENING = """query Opening($call: ID!) {
  node(id: $call) { ... on CallInteraction { segments: transcriptSegments(first: 2) { edges { cursor } } } }
  keys: apiKeys(first: 1) { edges { cursor } }
  operations: persistedOperations(first: 1) { edges { cursor } }
}"""
"""Cursors of lists that chance would hardly find with rows in them."""
MACHINES = """query Machines($host: ID!) { node(id: $host) { ... on FleetHost {
  hostname source driver problem sampledAt
  xids(first: 1) { code at meaning immediate investigate action }
  gpus {
    uuid name temperatureC powerWatts utilization throttleReasons alarms eccUncorrected recovery
    source sampledAt
    memory { usedMiB totalMiB }
    processes { pid name memoryMiB }
    xids(first: 1) { code at meaning immediate investigate action }
    minutes(first: 1) {
      at source sampleCount temperatureC highestTemperatureC powerWatts utilization usedMiB mostUsedMiB
    }
  }
} } }"""
ITEMS = """query Items($job: ID!) {
  jobs(first: 2, filter: { statuses: [FAILED] }) { totalCount }
  inferenceJob(id: $job) { all: items(first: 3) { edges { cursor node { requestId } } } }
}"""
TURNED = """query Turned($job: ID!, $cursor: String!) { inferenceJob(id: $job) {
  next: items(first: 1, after: $cursor) { edges { node { requestId } } }
  last: items(last: 1, before: $cursor) { edges { node { requestId } } }
} }"""
PICTURES = """query Pictures($home: ID!, $medium: String) {
  property(id: $home) { media(last: 1, before: $medium) { edges { cursor node { id } } } }
}"""
"""What chance would hardly find: each is reached by one way, and mostly from rows that the demo has none of."""
OPENED: dict[str, ListKey] = {
    "segments": ("TranscriptSegmentConnection", None),
    "keys": ("ApiKeyConnection", None),
    "operations": ("PersistedOperationConnection", None),
}


async def samples(owner: "Connection[Record]", demo: Demo) -> Samples:
    """Draw ids of every noun from the demo tenant."""
    await set_tenant(owner, demo.tenant_id)
    found: dict[str, list[str]] = {}
    for source in CATALOGUE.sources.values():
        rows = await owner.fetch(
            f"SELECT id FROM {source.table.name} WHERE tenant_id = $1 ORDER BY id LIMIT 15", demo.tenant_id
        )
        found[source.prefix] = [f"{source.prefix}_{row['id']}" for row in rows] or [f"{source.prefix}_none"]
    return Samples(found)


def plain(value: Any) -> Any:
    """Return JSON with every number as a float: 1 and 1.0 are one JSON value. Booleans stay what they are."""
    if isinstance(value, dict):
        return [(name, plain(each)) for name, each in value.items()]
    if isinstance(value, list):
        return [plain(each) for each in value]
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def difference(one: Any, other: Any, path: str = "data") -> str:
    """Return the first place where two answers differ."""
    if isinstance(one, dict) and isinstance(other, dict) and list(one) == list(other):
        return next((found for name in one if (found := difference(one[name], other[name], f"{path}.{name}"))), "")
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        places = ((one[n], other[n], f"{path}[{n}]") for n in range(len(one)))
        return next((found for place in places if (found := difference(*place))), "")
    return "" if plain(one) == plain(other) else f"{path}: {str(one)[:200]} / {str(other)[:200]}"


class Paths:
    """Both executions on the demo."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        system = demo.api.system
        self.execution = Execution(system.schema, Documents(system.schema, kept=10), system.answers, unmasked)

    async def both(self, document: Document, caller: Caller) -> tuple[GraphAnswer, GraphAnswer]:
        request = GraphRequest(document.text, None, document.variables)
        first = await self.execution.execute(request, self.demo.api.context(caller))
        if not first.compiled:
            return first, first
        prepared = self.execution.documents.get(document.text)
        operation = prepared.operation(None).operation
        second = await self.execution.resolved(request, prepared, self.demo.api.context(caller), operation)
        return first, second


def likely_caller(demo: Demo, document: Document, random: Random) -> Caller:
    """Draw a caller; mostly one whose role may ask for all of a document's root fields."""
    roles = list(Role)
    if random.random() > STRANGERS:
        query = demo.api.system.schema._schema.query_type
        assert query is not None
        definitions = [query.fields[name].extensions["strawberry-definition"] for name in document.roots]
        wanted = [each.specification.permission for each in definitions if isinstance(each, DeclaredField)]
        roles = [role for role in roles if all(each is None or demo.caller(role).may(each) for each in wanted)]
    return demo.caller(random.choice(roles))


async def by_hand(paths: Paths, owner: "Connection[Record]") -> set[str]:
    """Compare the documents that are written by hand; return what is in them."""
    demo = paths.demo
    tenant, admin = Tenant(demo.tenant_id), demo.caller(Role.ADMIN)
    job_id = await jobs.job(owner, tenant, requested_by=admin.actor.id)
    for number in range(3):
        await inference.item(owner, tenant, job_id=job_id, number=number)
    known = {"host": f"host_{new_id()}", "job": f"job_{job_id}", **await demo.ids(home="pictured")}
    used = set[str]()
    schema = demo.api.system.schema._schema
    try:
        for text in (MACHINES, ITEMS, TURNED, PICTURES, PICTURES):
            first, second = await paths.both(Document(text, known), admin)
            one, other = json.loads(first.body), json.loads(second.body)
            assert first.compiled, first
            assert not difference(one, other)
            if text is ITEMS:
                known["cursor"] = one["data"]["inferenceJob"]["all"]["edges"][1]["cursor"]
            if text is PICTURES:
                [known["medium"]] = [edge["cursor"] for edge in one["data"]["property"]["media"]["edges"]]
            used |= uses_in(schema, text)
            assert text is not TURNED or one["data"]["inferenceJob"] == {
                "next": {"edges": [{"node": {"requestId": "req_002"}}]},
                "last": {"edges": [{"node": {"requestId": "req_000"}}]},
            }
    finally:
        await set_tenant(owner, tenant.id)
        await owner.execute("DELETE FROM inference_items WHERE job_id = $1", job_id)
        await owner.execute("DELETE FROM jobs WHERE id = $1", job_id)
    return used


async def test_random_documents_answer_the_same_on_both_paths(
    demo_tenant: Demo, owner_connection: "Connection[Record]"
) -> None:
    random = Random(SEED)  # noqa: S311 -- the same documents in every run.
    schema = demo_tenant.api.system.schema._schema
    await keys(demo_tenant)
    generator = Generator(schema, random, await samples(owner_connection, demo_tenant))
    paths = Paths(demo_tenant)
    compiled, compared = 0, await by_hand(paths, owner_connection)
    opening = Document(OPENING, await demo_tenant.ids(call="call"), lists=OPENED)
    for number in range(DOCUMENTS):
        document = generator.document() if number else opening
        caller = likely_caller(demo_tenant, document, random) if number else demo_tenant.caller(Role.ADMIN)
        first, second = await paths.both(document, caller)
        one, other = json.loads(first.body), json.loads(second.body)
        differs = difference(one, other)
        assert not differs, f"document {number} as {caller.role.name}: {differs}\n{document.text}\n{document.variables}"
        assert first.executed, one
        if first.compiled:
            compiled += 1
            compared |= document.uses
        else:
            generator.forget(document.uses - compared)
        generator.keep_cursors(document, one)
    assert set(paths.execution.fallbacks) <= EXPECTED_FALLBACKS
    assert compiled > DOCUMENTS * COMPILED, paths.execution.fallbacks
    assert compared == reachable(schema) or DOCUMENTS < 2000


# What once differed, or is easily got wrong by one of the two, by its name. A difference that is found stays here.
FOUND = {
    "a null for an argument that has a default": """query($person: ID!, $source: QdSource) {
        person(id: $person) { latestQd(source: $source) { score } given: latestQd(source: null) { score at } } }""",
    "a series over all of time": """query($person: ID!) { person(id: $person) {
        qdSeries(from: "0001-01-02T00:00:00Z", to: "9999-12-31T23:59:59Z", points: 3) {
          count points { at score } } } }""",
    "a page of no rows that are counted": """query { leads(first: 0) { totalCount edges { cursor }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }""",
    "an absorbed person by each way to an id": """query($person: ID!, $duplicate: ID!) {
        person(id: $duplicate) { id fullName } node(id: $duplicate) { __typename id }
        nodes(ids: [$duplicate, $person, "person_none", $duplicate]) { ... on Person { id leads { totalCount } } } }""",
}


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.name)
@pytest.mark.parametrize("found", FOUND)
async def test_what_once_differed_or_could(found: str, role: Role, demo_tenant: Demo) -> None:
    variables = await demo_tenant.ids(person="person", duplicate="duplicate") | {"source": None}
    declared = {name: value for name, value in variables.items() if f"${name}:" in FOUND[found]}
    first, second = await Paths(demo_tenant).both(Document(FOUND[found], declared), demo_tenant.caller(role))
    assert first.compiled, first.reason
    assert not difference(json.loads(first.body), json.loads(second.body))


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.name)
async def test_every_client_query_compiles(role: Role, demo_tenant: Demo) -> None:
    paths = Paths(demo_tenant)
    for case in QUERIES:
        document = Document(operation(case.name), await case.variables(demo_tenant))
        first, second = await paths.both(document, demo_tenant.caller(role))
        assert not (differs := difference(json.loads(first.body), json.loads(second.body))), (case.name, differs)
    assert set(paths.execution.fallbacks) <= {"The caller's role lacks a permission; resolvers say which."}
