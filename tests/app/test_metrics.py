"""`/metrics`: what Prometheus reads, and that it moves with what happens."""

from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.wiring import System
from tests.serving import serving

QUERY = "{ viewer { id } }"


@pytest.fixture
async def http(system: System) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a door of its own: the metrics show the door that was opened last."""
    async with serving(system) as client:
        yield client


async def samples(http: httpx.AsyncClient) -> dict[str, float]:
    """Every sample by its name and labels."""
    answer = await http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        f"{sample.name}{sample.labels or ''}": sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_metrics_count_what_happens(http: httpx.AsyncClient, bearer: dict[str, str]) -> None:
    before = await samples(http)
    for document in (QUERY, QUERY, "{ nonsense }"):
        await http.post("/graphql", json={"query": document}, headers=bearer)
    await http.post("/graphql", json={"query": QUERY}, headers={"authorization": "Bearer nonsense"})
    after = await samples(http)
    moved = {name: after[name] - before[name] for name in before}

    assert moved["velocity_operations_total{'outcome': 'ok'}"] == 2
    assert moved["velocity_operations_total{'outcome': 'error'}"] == 1
    assert moved["velocity_operation_seconds_count"] == 3
    assert moved["velocity_refused_tokens_total"] == 1
    assert moved["velocity_masked_errors_total"] == 0
    # Two answers, and the one look at the session that both share.
    assert moved["velocity_read_statements_total"] == 3


async def test_refusals_are_counted_by_their_code(http: httpx.AsyncClient, bearer: dict[str, str]) -> None:
    before = await samples(http)
    for body in ({"query": "{ nonsense }"}, {"query": "{"}, {"documentId": "No such one"}, {}):
        await http.post("/graphql", json=body, headers=bearer)
    await http.put("/graphql")
    await http.post("/graphql", json={"query": "{ leads { totalCount } }"})
    await http.post("/graphql", json={"query": QUERY}, headers={"authorization": "Bearer nonsense"})
    after = await samples(http)
    # What was asked for names no label, so there are no new ones.
    assert after.keys() == before.keys()
    refusals = {name: after[name] - before[name] for name in before if name.startswith("velocity_refusals_total")}
    assert {name: count for name, count in refusals.items() if count} == {
        "velocity_refusals_total{'code': 'GRAPHQL_VALIDATION_FAILED'}": 2,
        "velocity_refusals_total{'code': 'DOCUMENT_NOT_FOUND'}": 1,
        "velocity_refusals_total{'code': 'BAD_REQUEST'}": 1,
        "velocity_refusals_total{'code': 'METHOD_NOT_ALLOWED'}": 1,
        "velocity_refusals_total{'code': 'UNAUTHENTICATED'}": 2,
    }
    assert refusals["velocity_refusals_total{'code': 'INTERNAL'}"] == 0


async def test_metrics_tell_the_process(http: httpx.AsyncClient) -> None:
    found = await samples(http)
    assert found["process_resident_memory_bytes"] > 10_000_000
    assert found["velocity_operation_seconds_bucket{'le': '+Inf'}"] == found["velocity_operation_seconds_count"]
