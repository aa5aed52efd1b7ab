"""Mutations that no executor answers are answered as one would answer them, byte by byte."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import orjson
import pytest
from asyncpg import Connection, Record
from graphql import OperationType

from domain.access import Caller, Role
from domain.errors import Unavailable
from domain.perception import PerceptionIngest
from graph.direct import Direct
from graph.documents import Documents
from graph.execution import Execution, GraphAnswer, GraphRequest
from resolvers import perception as resolve
from tests.api import Api, operation
from tests.factories.access import Tenant
from tests.graph.test_sessions import consent_of, ingested, packets, session_of

Owner: TypeAlias = "Connection[Record]"

INGEST = operation("PerceptionIngest")
OTHERWISE = """
mutation Batch($session: ID!, $batch: Int!) {
  done: perceptionIngest(input: { sessionId: $session, sequence: $batch, packets: [] }) { ...All kind: __typename }
}
fragment All on PerceptionIngestResult {
  ... on PerceptionIngestPayload { last: lastSequence }
  ... on InvalidProblem { issues { field code } }
  ... on Problem { text: message field }
}
"""
NOT_DIRECT = {
    "a query": "query { viewer { __typename } }",
    "two fields": "mutation { a: sessionRevoke(input: {}) { __typename } b: sessionRevoke(input: {}) { __typename } }",
    "a row": operation("LeadMove"),
    "a directive": INGEST.replace("acceptedCount", "acceptedCount @skip(if: false)"),
    "a field twice": INGEST.replace("acceptedCount", "acceptedCount acceptedCount"),
    "a directive of a fragment": INGEST.replace("... on Problem {", "... on Problem @include(if: true) {"),
}


@pytest.fixture
def execution(api: Api) -> Execution:
    schema = api.system.schema
    return Execution(schema, Documents(schema), api.system.answers, lambda _id, _error: None)


async def answered(
    execution: Execution, api: Api, caller: Caller | None, text: str, variables: Mapping[str, Any]
) -> tuple[GraphAnswer, GraphAnswer]:
    """Answer twice: as it is served, and by an executor."""
    request = GraphRequest(text, None, variables)
    prepared = execution.documents.get(text)
    assert not prepared.errors
    chosen = prepared.operation(None)
    assert execution.directs.plan(prepared, chosen) is not None
    served = await execution.run(request, prepared, chosen, api.context(caller))
    return served, await execution.resolved(request, prepared, api.context(caller), OperationType.MUTATION)


async def batch_of(api: Api, owner: Owner, **given: Any) -> dict[str, Any]:
    """A batch that was accepted, so that it is answered the same however often it is sent."""
    session_id = await session_of(api, await consent_of(owner, api.tenant))
    sent = packets(0, 3, **given)
    await ingested(api, session_id, 1, sent)
    return {"sessionId": session_id, "sequence": 1, "packets": sent}


@pytest.mark.parametrize("given", [{}, {"face": None}], ids=["a face", "nobody"])
async def test_a_batch_is_answered_as_an_executor_answers_it(
    execution: Execution, api: Api, owner_connection: Owner, given: dict[str, Any]
) -> None:
    batch = await batch_of(api, owner_connection, **given)

    served, executed = await answered(execution, api, api.tenant.caller(Role.JUNIOR_BROKER), INGEST, batch)

    assert served == executed
    assert b'"duplicate":true' in served.body
    assert (b'"qd":null' in served.body) == bool(given)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sequence": 0}, b'"code":"INVALID"'),
        ({"sequence": 2, "packets": []}, b'"code":"INVALID"'),
        ({"sessionId": "session_01a1ff32-0000-7000-8000-000000000000"}, b'"code":"NOT_FOUND"'),
        ({"sessionId": "lead_01a1ff32-0000-7000-8000-000000000000"}, b'"field":"sessionId"'),
        ({"sequence": "one"}, b'"errors"'),
        ({"packets": [{"at": "yesterday"}]}, b'"errors"'),
        ({"packets": [{"at": "2026-01-01T00:00:00Z", "face": {}}]}, b'"errors"'),
    ],
)
async def test_a_refusal_is_worded_as_an_executor_words_it(
    execution: Execution, api: Api, owner_connection: Owner, change: dict[str, Any], code: bytes
) -> None:
    batch = await batch_of(api, owner_connection) | change

    served, executed = await answered(execution, api, api.tenant.caller(Role.JUNIOR_BROKER), INGEST, batch)

    assert served == executed
    assert code in served.body


async def test_whoever_may_not_is_refused_as_by_an_executor(
    execution: Execution, api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    batch = await batch_of(api, owner_connection)
    stranger = tenant.outside

    for caller, says in ((stranger, b'"code":"NOT_FOUND"'), (None, b'"data":null')):
        served, executed = await answered(execution, api, caller, INGEST, batch)
        assert served == executed
        assert says in served.body


async def test_aliases_fragments_and_literals_are_answered_alike(
    execution: Execution, api: Api, owner_connection: Owner
) -> None:
    batch = await batch_of(api, owner_connection)
    variables = {"session": batch["sessionId"], "batch": 2}

    served, executed = await answered(execution, api, api.tenant.caller(), OTHERWISE, variables)

    assert served == executed
    assert list(orjson.loads(served.body)["data"]["done"].items())[-3:] == [
        ("text", "A batch has 1 to 100 packets; this has 0."), ("field", "packets"), ("kind", "InvalidProblem"),
    ]  # fmt: skip


@pytest.mark.parametrize("error", [ZeroDivisionError("secret"), Unavailable("Away."), TimeoutError()])
async def test_an_error_is_shaped_alike(
    execution: Execution, api: Api, owner_connection: Owner, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    batch = await batch_of(api, owner_connection)

    async def failing(_context: object, _command: PerceptionIngest) -> None:
        raise error

    monkeypatch.setattr(resolve, "perception_ingest", failing)
    served, executed = await answered(execution, api, api.tenant.caller(), INGEST, batch)

    assert b"secret" not in served.body
    assert served.codes == executed.codes
    assert (served.errors, served.data, served.executed) == (executed.errors, executed.data, executed.executed)


@pytest.mark.parametrize("text", NOT_DIRECT.values(), ids=NOT_DIRECT.keys())
async def test_what_needs_an_executor_gets_one(execution: Execution, text: str) -> None:
    prepared = execution.documents.get(text)

    assert execution.directs.plan(prepared, next(iter(prepared.operations.values()))) is None


async def test_a_plan_is_made_once(execution: Execution) -> None:
    prepared = execution.documents.get(INGEST)
    first = execution.directs.plan(prepared, prepared.operation(None))

    assert isinstance(first, Direct)
    assert execution.directs.plan(prepared, prepared.operation(None)) is first


def test_what_may_not_be_null_and_is_fails(execution: Execution) -> None:
    prepared = execution.documents.get(INGEST)
    direct = execution.directs.plan(prepared, prepared.operation(None))
    assert direct is not None

    class Payload:
        accepted_count = None

    with pytest.raises(TypeError, match="may not be null"):
        direct.prints["PerceptionIngestPayload"](Payload())
