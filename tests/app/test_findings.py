"""The twelve findings that graphql-cop looks for, as a caller without a token: none of them is there."""

import re
from typing import Any

import httpx
import pytest

EVERY_TYPE = "query cop { __schema { types { name fields { name } } } }"
CIRCLE = "query cop { __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }"
ACCEPT = {"accept": "application/graphql-response+json, application/json"}


async def asked(http: httpx.AsyncClient, query: str, **more: Any) -> dict[str, Any]:
    """Answer a document sent as clients send it; the answer is JSON whatever happens."""
    answer = await http.post("/graphql", json={"query": query, "operationName": "cop"} | more, headers=ACCEPT)
    assert answer.status_code in {200, 400, 401}
    found: dict[str, Any] = answer.json()
    return found


def only_error(answer: dict[str, Any]) -> dict[str, Any]:
    """The one error of an answer without data."""
    assert list(answer) == ["errors"]
    [error] = answer["errors"]
    found: dict[str, Any] = error
    return found


async def test_alias_overloading(http: httpx.AsyncClient) -> None:
    aliases = " ".join(f"alias{number}: __typename" for number in range(101))
    error = only_error(await asked(http, f"query cop {{ {aliases} }}"))
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "limit": "aliases", "asked": 101, "allowed": 30}


async def test_batching(http: httpx.AsyncClient) -> None:
    answer = await http.post("/graphql", json=[{"query": "query cop { __typename }"}] * 10, headers=ACCEPT)
    assert answer.status_code == 400
    assert len(answer.json()) == 1
    only_error(answer.json())


async def test_directive_overloading(http: httpx.AsyncClient) -> None:
    """Ten unknown directives are not ten errors, and many known ones are one refusal."""
    ten = await asked(http, f"query cop {{ __typename {'@aa' * 10} }}")
    assert len(ten["errors"]) < 10
    error = only_error(await asked(http, f"query cop {{ __typename {'@include(if: true) ' * 21} }}"))
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "limit": "directives", "asked": 21, "allowed": 20}


async def test_circular_introspection(http: httpx.AsyncClient, bearer: dict[str, str]) -> None:
    """Neither for nobody, who may not introspect at all, nor for who may."""
    only_error(await asked(http, CIRCLE))
    answer = await http.post("/graphql", json={"query": CIRCLE}, headers=ACCEPT | bearer)
    error = only_error(answer.json())
    assert error["extensions"]["limit"] == "introspectionDepth"


async def test_introspection(http: httpx.AsyncClient) -> None:
    error = only_error(await asked(http, EVERY_TYPE))
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    for document in (
        'query cop { __type(name: "Lead") { name } }',
        "query cop { ...F } fragment F on Query { __schema { queryType { name } } }",
    ):
        assert only_error(await asked(http, document))["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "document",
    [
        "query cop { __schema { directive } }",
        "query cop { lead }",
        "query cop { leads(frist: 1) { totalCount } }",
        "query cop { leads(first: 1) { edgs { cursor } } }",
        "mutation cop { logn }",
        "query cop($x: LeadFilte) { __typename }",
        "query cop { ... on Led { id } }",
        "query cop { leads(first: 1, orderBy: { field: CREATED, direction: DESC }) { totalCount } }",
        "query cop { __typename @inclode(if: true) }",
    ],
)
async def test_field_suggestions(http: httpx.AsyncClient, document: str) -> None:
    answer = await asked(http, document)
    assert answer["errors"]
    assert not re.search("did you mean", str(answer), re.IGNORECASE)


async def test_suggestions_of_variables(http: httpx.AsyncClient) -> None:
    document = "query cop($filter: LeadFilter) { leads(first: 1, filter: $filter) { totalCount } }"
    for variables in ({"filter": {"stag": "NEW"}}, {"filter": {"stages": ["NW"]}}):
        answer = await asked(http, document, variables=variables)
        assert answer["errors"]
        assert not re.search("did you mean", str(answer), re.IGNORECASE)


async def test_get_support(http: httpx.AsyncClient) -> None:
    answer = await http.get("/graphql", params={"query": "query cop {__typename}"}, headers=ACCEPT)
    assert 400 <= answer.status_code < 500
    assert "data" not in answer.json()


async def test_no_ide_at_the_endpoint(http: httpx.AsyncClient) -> None:
    answer = await http.get("/graphql", headers={"accept": "text/html"})
    assert 400 <= answer.status_code < 500
    assert not re.search("graphiql|playground|<html", answer.text, re.IGNORECASE)


async def test_mutation_over_get(http: httpx.AsyncClient) -> None:
    answer = await http.get("/graphql", params={"query": "mutation cop {__typename}"}, headers=ACCEPT)
    assert answer.status_code == 405
    assert "data" not in answer.json()


async def test_urlencoded_post(http: httpx.AsyncClient) -> None:
    answer = await http.post("/graphql", data={"query": "query cop { __typename }"})
    assert answer.status_code == 415
    assert "data" not in answer.text


async def test_trace(http: httpx.AsyncClient) -> None:
    answer = await asked(http, "query cop { __typename }", extensions={"tracing": True})
    assert answer["data"] == {"__typename": "Query"}
    assert not re.search("tracing|debug|stack|startTime", str(answer), re.IGNORECASE)


async def test_unhandled_errors(http: httpx.AsyncClient) -> None:
    error = only_error(await asked(http, "qwerty cop { abc }"))
    assert error["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}
    assert not re.search("exception|traceback|File|\\.py", str(error))
