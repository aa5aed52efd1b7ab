"""GraphQL over the socket: every operation passes the same door as over HTTP."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets import Subprotocol
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from graph.persisted import shipped

Message = dict[str, Any]


@asynccontextmanager
async def socket(http: httpx.AsyncClient, headers: dict[str, str]) -> AsyncIterator[ClientConnection]:
    """Open a socket and have it acknowledged."""
    address = str(http.base_url.join("/graphql").copy_with(scheme="ws"))
    async with connect(
        address, subprotocols=[Subprotocol("graphql-transport-ws")], additional_headers=headers
    ) as opened:
        await opened.send(json.dumps({"type": "connection_init"}))
        assert json.loads(await opened.recv()) == {"type": "connection_ack"}
        yield opened


async def asked(opened: ClientConnection, payload: object) -> list[Message]:
    """Send one operation and return what comes for it."""
    await opened.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
    found = [json.loads(await opened.recv())]
    while found[-1]["type"] == "next":
        found.append(json.loads(await opened.recv()))
    return found


def refused(messages: list[Message]) -> str:
    """Return the code of the one error that was answered."""
    [message] = messages
    assert (message["id"], message["type"]) == ("1", "error")
    [error] = message["payload"]
    code: str = error["extensions"]["code"]
    return code


async def test_texts_ids_and_names(http: httpx.AsyncClient, bearer: dict[str, str]) -> None:
    [viewer] = [each for each in shipped() if each.name == "Viewer"]
    async with socket(http, bearer) as opened:
        for payload in ({"query": viewer.text}, {"documentId": viewer.document_id}, {"documentId": "Viewer"}):
            following, complete = await asked(opened, payload)
            assert following["payload"]["data"]["viewer"]["role"] == "SALES_DIRECTOR"
            assert complete == {"id": "1", "type": "complete"}


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"query": "{ __schema { queryType { name } } }"}, "UNAUTHENTICATED"),
        ({"query": "{ leads { totalCount } }"}, "UNAUTHENTICATED"),
        ({"query": "{"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{ " + " ".join(f"a{n}: __typename" for n in range(31)) + " }"}, "LIMIT_EXCEEDED"),
        ({"documentId": "Nothing"}, "DOCUMENT_NOT_FOUND"),
        ({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}}, "PERSISTED_QUERY_NOT_FOUND"),
        ({"query": ""}, "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_what_is_refused_leaves_the_socket_open(http: httpx.AsyncClient, payload: object, code: str) -> None:
    async with socket(http, {}) as opened:
        assert refused(await asked(opened, payload)) == code
        following, _ = await asked(opened, {"query": "{ __typename }"})
        assert following["payload"] == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("operation_id", [1, None, ["1"]])
async def test_an_id_that_is_none_closes_it(http: httpx.AsyncClient, operation_id: object) -> None:
    async with socket(http, {}) as opened:
        message = {"id": operation_id, "type": "subscribe", "payload": {"query": "{ __typename }"}}
        await opened.send(json.dumps(message))
        with pytest.raises(ConnectionClosed) as closed:
            await opened.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4400


async def test_each_operation_reads_anew(http: httpx.AsyncClient, bearer: dict[str, str]) -> None:
    people = {"query": "{ people { totalCount } }"}
    create = {"query": 'mutation { personCreate(input: { fullName: "Asha Rao" }) { __typename } }'}
    async with socket(http, bearer) as opened:
        answers = [(await asked(opened, payload))[0]["payload"]["data"] for payload in (people, create, people)]
    assert [answers[0], answers[2]] == [{"people": {"totalCount": 0}}, {"people": {"totalCount": 1}}]
