"""Two belts keep tenants apart, the predicate and row-level security: each holds alone, over generated documents."""

import re
from collections.abc import AsyncIterator
from random import Random
from uuid import UUID

import asyncpg
import pytest
from asyncpg import Connection, Record
from graphql import GraphQLError

from db.engine import ReadPool
from db.reading.answers import SqlAnswers
from db.roles import set_tenant
from db.server import Addresses
from db.sources import CATALOGUE
from domain.access import Caller, Role
from graph.documents import Documents
from graph.execution import Execution, GraphRequest
from tests.demo import Demo, tenant_of
from tests.documents import Generator
from tests.graph.test_equality import samples

DOCUMENTS = 150
PREDICATE = re.compile(r"(\w+)\.tenant_id = (\$\d+::uuid)")
ID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Unbelted:
    """A pool whose statements have lost the tenant's predicate; its parameter stays, so that it keeps its type."""

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool

    async def fetch(self, tenant_id: UUID | None, sql: str, *arguments: object) -> list[Record]:
        loose = PREDICATE.sub(r"(\1.tenant_id is not null or \2 is null)", sql)
        return await self._pool.fetch(tenant_id, loose, *arguments)


@pytest.fixture(scope="module")
async def bypassing(database: Addresses) -> AsyncIterator[ReadPool]:
    """A pool of the superuser: row-level security does not bind it."""
    pool = await ReadPool.open(database.superuser, size=2)
    yield pool
    await pool.close()


async def foreign_ids(demo: Demo, owner: "Connection[Record]", answers: SqlAnswers, seed: int) -> tuple[set[str], int]:
    """Run documents as the second tenant's admin; return the first tenant's ids in the answers, and how many ran."""
    other = await tenant_of(owner, "admin@meridian.example")
    await set_tenant(owner, other)
    admin = await owner.fetchval("SELECT id FROM users WHERE email = 'admin@meridian.example'")
    caller = Caller(other, admin, Role.ADMIN, (admin,))
    await set_tenant(owner, demo.tenant_id)
    known: set[str] = set()
    for source in CATALOGUE.sources.values():
        rows = await owner.fetch(f"SELECT id FROM {source.table.name} WHERE tenant_id = $1", demo.tenant_id)
        known |= {str(row["id"]) for row in rows}
    schema = demo.api.system.schema
    random = Random(seed)  # noqa: S311 -- the same documents in every run.
    generator = Generator(schema._schema, random, await samples(owner, demo))
    execution = Execution(schema, Documents(schema), answers, lambda _id, error: (_ for _ in ()).throw(error))
    found, compiled = set(), 0
    for _ in range(DOCUMENTS):
        document = generator.document()
        sent = {text.decode() for text in ID.findall((document.text + str(document.variables)).encode())}
        request = GraphRequest(document.text, None, document.variables)
        try:
            answer = await execution.execute(request, demo.api.context(caller))
        except GraphQLError as error:
            # Without either belt a tenant's one row is many.
            if not isinstance(error.original_error, asyncpg.CardinalityViolationError):
                raise
            continue
        compiled += answer.compiled
        if answer.compiled:
            found |= {text.decode() for text in ID.findall(answer.body)} & known - sent
    return found, compiled


async def test_the_predicate_alone_keeps_tenants_apart(
    demo_tenant: Demo, owner_connection: "Connection[Record]", bypassing: ReadPool
) -> None:
    answers = SqlAnswers(CATALOGUE, bypassing, demo_tenant.api.system.answers.keys)
    found, compiled = await foreign_ids(demo_tenant, owner_connection, answers, 1)
    assert found == set()
    assert compiled > DOCUMENTS * 0.8


async def test_row_level_security_alone_keeps_tenants_apart(
    demo_tenant: Demo, owner_connection: "Connection[Record]"
) -> None:
    system = demo_tenant.api.system
    answers = SqlAnswers(CATALOGUE, Unbelted(system.pool), system.answers.keys)
    found, compiled = await foreign_ids(demo_tenant, owner_connection, answers, 2)
    assert found == set()
    assert compiled > DOCUMENTS * 0.8


async def test_without_either_belt_rows_leak(
    demo_tenant: Demo, owner_connection: "Connection[Record]", bypassing: ReadPool
) -> None:
    answers = SqlAnswers(CATALOGUE, Unbelted(bypassing), demo_tenant.api.system.answers.keys)
    found, _ = await foreign_ids(demo_tenant, owner_connection, answers, 1)
    assert len(found) > 10
