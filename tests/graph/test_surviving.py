"""Compiled statements stay answered, and stay prepared, while tables change under them and the database restarts."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from asyncpg import Connection, Record

from app import wiring
from app.database import Database
from app.settings import Settings
from app.wiring import System
from db.server import PostgresServer
from domain.access import Role
from graph.documents import Documents
from graph.execution import Execution, GraphAnswer, GraphRequest
from tests.api import Api, operation, unmasked
from tests.clusters import copied_server
from tests.factories import access
from tests.factories.access import Tenant
from tests.factories.people import lead, person
from tests.serving import PATIENCE

# How long a reader waits before it looks whether those whom it waits for wait for it: short, so that the test is.
IMPATIENT = "ALTER ROLE velocity_app SET deadlock_timeout = '500ms'"
PREPARED = (
    "SELECT count(*), coalesce(sum(generic_plans), 0), pg_backend_pid() FROM pg_prepared_statements"
    " WHERE statement LIKE 'select convert_to(%'"
)


@pytest.fixture(scope="module")
def own_server(blank: Path) -> Iterator[PostgresServer]:
    """A server that these tests may restart."""
    with copied_server(blank) as running:
        yield running


@dataclass
class Served:
    """A system with one reading connection, so that what is prepared can be counted, and a board with one lead."""

    server: PostgresServer
    system: System
    execution: Execution
    tenant: Tenant
    owner: "Connection[Record]"

    async def board(self) -> GraphAnswer:
        caller = self.tenant.caller(Role.SALES_DIRECTOR)
        request = GraphRequest(operation("LeadBoard"), None, {"first": 20})
        return await self.execution.execute(request, Api(self.system, self.tenant).context(caller))

    async def prepared(self) -> tuple[int, int, int]:
        """Return how many compiled statements the connection has prepared, their executions, and its process."""
        [row] = await self.system.pool.fetch(self.tenant.id, PREPARED)
        return row[0], row[1], row[2]


def names(answer: GraphAnswer) -> list[str]:
    """Return the names on an answered board; one statement must have answered it."""
    content = json.loads(answer.body)
    assert (answer.compiled, answer.errors) == (True, 0), content
    return [edge["node"]["person"]["fullName"] for edge in content["data"]["leads"]["edges"]]


@pytest.fixture
async def served(own_server: PostgresServer, tmp_path: Path) -> AsyncIterator[Served]:
    addresses = own_server.addresses
    superuser = await asyncpg.connect(addresses.superuser)
    await superuser.execute(IMPATIENT)
    await superuser.close()
    owner = await asyncpg.connect(addresses.owner)
    tenant = await access.tenant(owner)
    await lead(owner, tenant, person_id=await person(owner, tenant, full_name="Asha Rao"))
    settings = Settings(data_dir=tmp_path, read_connections=1, write_connections=1)
    async with wiring.system(settings, Database(addresses.app, addresses.owner, embedded=True)) as system:
        execution = Execution(system.schema, Documents(system.schema), system.answers, unmasked)
        yield Served(own_server, system, execution, tenant, owner)
    if not owner.is_closed():
        await owner.close()


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE leads ADD COLUMN arrived text NOT NULL DEFAULT 'by post'",
        "ALTER TABLE projects ALTER name TYPE varchar(300)",
        "CREATE INDEX people_by_moving ON people (tenant_id, created_at)",
        "ANALYZE leads, people",
    ],
)
async def test_boards_are_answered_before_during_and_after_a_change_of_tables(served: Served, change: str) -> None:
    assert names(await served.board()) == ["Asha Rao"]
    statements, runs, connection = await served.prepared()
    assert statements == 1

    transaction = served.owner.transaction()
    await transaction.start()
    await served.owner.execute(change)
    during = [asyncio.create_task(served.board()) for _ in range(20)]
    # A round trip, in which they begin.
    await served.owner.execute("SELECT")
    await transaction.commit()

    assert [names(answer) for answer in await asyncio.gather(*during)] == [["Asha Rao"]] * 20
    assert names(await served.board()) == ["Asha Rao"]
    assert await served.prepared() == (1, runs + 21, connection), "prepared once, on the same connection"


async def test_a_read_that_a_migration_deadlocks_with_is_answered_after_it(served: Served) -> None:
    assert names(await served.board()) == ["Asha Rao"]
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'people'::regclass)"

    async with served.owner.transaction():
        await served.owner.execute("ALTER TABLE people ADD COLUMN moved boolean")
        reading = asyncio.create_task(served.board())
        async with asyncio.timeout(PATIENCE):
            while not await served.owner.fetchval(waits):
                pass
        # The reader holds leads and waits for people.
        await served.owner.execute("ALTER TABLE leads ADD COLUMN moved boolean")

    assert names(await reading) == ["Asha Rao"]


async def test_a_restarted_database_is_found_again_and_statements_are_prepared_again(served: Served) -> None:
    assert names(await served.board()) == ["Asha Rao"]
    *_, before = await served.prepared()

    await served.owner.close()
    await asyncio.to_thread(served.server.stop)
    away = await served.board()
    assert json.loads(away.body)["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    await asyncio.to_thread(served.server.start)

    answers = await asyncio.gather(*(served.board() for _ in range(8)))
    assert [names(answer) for answer in answers] == [["Asha Rao"]] * 8
    statements, runs, after = await served.prepared()
    assert (statements, runs) == (1, 8)
    assert after != before


async def test_a_restart_between_two_requests_is_not_noticed(served: Served) -> None:
    assert names(await served.board()) == ["Asha Rao"]

    await served.owner.close()
    await asyncio.to_thread(served.server.stop)
    await asyncio.to_thread(served.server.start)

    assert names(await served.board()) == ["Asha Rao"]
    assert (await served.prepared())[:2] == (1, 1)
