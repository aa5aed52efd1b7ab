"""A database that is not there, and a defect, before anything is executed: answers as GraphQL gives them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest
from asyncpg import Connection, Record
from structlog.testing import capture_logs

from app.access.callers import CheckedCallers
from app.access.keys import CheckedKeys
from app.wiring import System
from db.access.accounts import SqlAccounts
from db.access.keys import SqlApiKeyLookup
from db.assets.receipts import SqlReceipts
from db.engine import ReadPool, create_write_engine
from db.unit import utc_now
from domain.access import Role
from domain.errors import Unavailable
from domain.values import new_id
from tests.api import Api
from tests.serving import serving

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"
UNREGISTERED = {"documentId": "Unregistered"}
NOT_REACHABLE = "The database is not reachable. Try again."


@pytest.fixture
async def nothing() -> AsyncIterator[ReadPool]:
    """A pool whose database is not there."""
    pool = await asyncpg.create_pool(NOWHERE, min_size=0)
    yield ReadPool(pool)
    await pool.close()


def unavailable(answer: httpx.Response) -> None:
    """Say that this is a refusal to come back later."""
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json() == {"errors": [{"message": NOT_REACHABLE, "extensions": {"code": "UNAVAILABLE"}}]}


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_a_registered_operation_that_cannot_be_looked_up(
    accept: str, system: System, api: Api, nothing: ReadPool
) -> None:
    bearer = await api.bearer(Role.ADMIN)
    async with serving(replace(system, pool=nothing)) as client:
        unavailable(await client.post("/graphql", json=UNREGISTERED, headers={**bearer, "accept": accept}))


@pytest.mark.parametrize("secret", ["session", "key"])
async def test_a_caller_who_cannot_be_looked_up(secret: str, system: System, api: Api, nothing: ReadPool) -> None:
    accounts = SqlAccounts(nothing, create_write_engine(NOWHERE), b"key", utc_now)
    keys = CheckedKeys(SqlApiKeyLookup(nothing, create_write_engine(NOWHERE)), recheck_seconds=5, clock=utc_now)
    callers = CheckedCallers(system.sign_in.tokens, accounts, keys, recheck_seconds=5, clock=utc_now)
    bearer = {"authorization": "Bearer vk_nobody"} if secret == "key" else await api.bearer(Role.ADMIN)
    async with serving(replace(system, sign_in=replace(system.sign_in, callers=callers))) as client:
        unavailable(await client.post("/graphql", json={"query": "{ __typename }"}, headers=bearer))


async def test_receipts_that_cannot_be_read() -> None:
    receipts = SqlReceipts(create_write_engine(NOWHERE))

    async def remove(_key: str) -> None:
        raise AssertionError

    for attempt in (receipts.find(new_id(), new_id()), receipts.sweep(datetime.now(UTC) - timedelta(days=1), remove)):
        with pytest.raises(Unavailable, match="not reachable"):
            await attempt


@pytest.fixture
async def broken(superuser_connection: "Connection[Record]") -> AsyncIterator[None]:
    """A table that is not as the code has it."""
    await superuser_connection.execute("ALTER TABLE persisted_operations RENAME COLUMN alias TO lost")
    yield
    await superuser_connection.execute("ALTER TABLE persisted_operations RENAME COLUMN lost TO alias")


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_a_defect_before_execution_is_masked_with_an_id_that_is_logged(
    accept: str, system: System, api: Api
) -> None:
    bearer = await api.bearer(Role.ADMIN)
    with capture_logs() as logged:
        async with serving(system) as client:
            answer = await client.post("/graphql", json=UNREGISTERED, headers={**bearer, "accept": accept})
    assert answer.status_code == 500
    [error] = answer.json()["errors"]
    assert (error["message"], error["extensions"]["code"]) == ("Unexpected error.", "INTERNAL")
    assert [line["error_id"] for line in logged if line["event"] == "error_masked"] == [error["extensions"]["id"]]


async def test_a_defect_in_the_look_up_of_a_caller_is_masked_too(
    system: System, api: Api, superuser_connection: "Connection[Record]"
) -> None:
    bearer = {"authorization": "Bearer vk_nobody"}
    await superuser_connection.execute("ALTER FUNCTION api_key_lookup RENAME TO lost")
    try:
        with capture_logs() as logged:
            async with serving(system) as client:
                answer = await client.post("/graphql", json={"query": "{ __typename }"}, headers=bearer)
    finally:
        await superuser_connection.execute("ALTER FUNCTION lost RENAME TO api_key_lookup")
    assert answer.status_code == 500
    [error] = answer.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert [line["error_id"] for line in logged if line["event"] == "error_masked"] == [error["extensions"]["id"]]
