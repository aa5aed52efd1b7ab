"""The database that tests share: one embedded server, migrated once. Each test makes a tenant of its own in it."""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import pytest
from asyncpg import Connection, Record
from sqlalchemy.ext.asyncio import AsyncEngine

from app import wiring
from app.access.passwords import Argon2Passwords
from app.database import Database
from app.demo.seed import seed
from app.settings import Settings
from app.wiring import System
from db.engine import ReadPool, create_write_engine
from db.migrations import migrate
from db.server import Addresses, PostgresServer, temporary_server
from domain.access import Role
from tests import demo
from tests.api import Api
from tests.clusters import migrated
from tests.demo import NOW, PASSWORD, Demo
from tests.factories import access, inference
from tests.factories.access import Tenant
from tests.graph.streams import Served, served
from tests.lending import Lending
from tests.serving import serving

# What a server that is not ours could break: roles, statements, units, and what each role sees through the graph.
# `make test` collects these two folders for it.
ON_A_SERVER_APART = ("tests/db/", "tests/graph/test_access", "tests/graph/test_idempotency", "tests/graph/test_leads")
# They are about the embedded server itself, have servers of their own, or none.
NOT_APART = ("tests/db/test_server", "tests/db/test_plans", "tests/db/test_sources")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs again against a server apart."""
    for item in items:
        if item.nodeid.startswith(ON_A_SERVER_APART) and not item.nodeid.startswith(NOT_APART):
            item.add_marker("server")


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """PostgreSQL as it comes with Velocity; over TCP with a weaker owner if VELOCITY_TEST_SERVER is `tcp`."""
    with temporary_server(tcp=os.environ.get("VELOCITY_TEST_SERVER") == "tcp") as running:
        yield running


@pytest.fixture(scope="session")
async def blank() -> AsyncIterator[Path]:
    """A folder of PostgreSQL with every table and no row, for tests that copy it to have a server of their own."""
    async with migrated() as made:
        yield made


@pytest.fixture(scope="session")
async def database(server: PostgresServer) -> Addresses:
    """The migrated database, empty but for what tests put into it."""
    await migrate(server.addresses.owner)
    return server.addresses


@pytest.fixture(scope="session")
def owner_dsn(database: Addresses) -> str:
    return database.owner


@pytest.fixture(scope="session")
def app_dsn(database: Addresses) -> str:
    return database.app


@pytest.fixture(scope="session")
async def owners(owner_dsn: str) -> AsyncIterator[Lending]:
    """The owner's connection, which tests use one after the other: a new one knows no table yet, and has to learn."""
    lending = Lending(owner_dsn)
    yield lending
    await lending.close()


@pytest.fixture
async def owner_connection(owners: Lending) -> AsyncIterator["Connection[Record]"]:
    """A connection of the owner's, as if it were new."""
    async with owners.lent() as connection:
        yield connection


@pytest.fixture
async def superuser_connection(database: Addresses) -> AsyncIterator["Connection[Record]"]:
    """A connection that nothing in Velocity has: for looking behind it, and for breaking things."""
    connection = await asyncpg.connect(database.superuser)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture
async def app_connection(app_dsn: str) -> AsyncIterator["Connection[Record]"]:
    """A connection of the application's role."""
    connection = await asyncpg.connect(app_dsn)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture(scope="session")
async def read_pool(app_dsn: str) -> AsyncIterator[ReadPool]:
    pool = await ReadPool.open(app_dsn)
    yield pool
    await pool.close()


@pytest.fixture(scope="session")
async def write_engine(app_dsn: str) -> AsyncIterator[AsyncEngine]:
    engine = create_write_engine(app_dsn)
    yield engine
    await engine.dispose()


@pytest.fixture(scope="session")
async def system(database: Addresses, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """The whole system on the shared database, wired as in production but for what a password costs."""
    folder = tmp_path_factory.mktemp("data")
    settings = Settings(data_dir=folder, inference_settings=inference.settings_file(folder))
    passwords = Argon2Passwords(access.QUICK)
    async with wiring.system(settings, Database(database.app, database.owner, embedded=True)) as made:
        yield replace(made, sign_in=replace(made.sign_in, passwords=passwords))
    passwords.close()


@pytest.fixture(scope="session")
async def http(system: System) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the system on a real socket."""
    async with serving(system) as client:
        yield client


@pytest.fixture
async def tenant(owner_connection: "Connection[Record]") -> Tenant:
    """A fresh tenant with a user of every role."""
    return await access.tenant(owner_connection)


@pytest.fixture
async def other_tenant(owner_connection: "Connection[Record]") -> Tenant:
    """Another fresh tenant."""
    return await access.tenant(owner_connection, name="Other")


@pytest.fixture
async def api(system: System, tenant: Tenant) -> Api:
    """Runs documents as users of the fresh tenant."""
    return Api(system, tenant)


@pytest.fixture
async def bearer(system: System, tenant: Tenant) -> dict[str, str]:
    """The header that makes the `http` client the fresh tenant's director, as sign-in would."""
    return await Api(system, tenant).bearer(Role.SALES_DIRECTOR)


@pytest.fixture(scope="session")
async def demo_seeded(database: Addresses, tmp_path_factory: pytest.TempPathFactory) -> UUID:
    """The demo tenants at a small scale; the first one's id."""
    folder = tmp_path_factory.mktemp("assets")
    await seed(database.owner, scale=0.1, password=PASSWORD, asset_folder=folder, now=NOW)
    owner = await asyncpg.connect(database.owner)
    try:
        return await demo.tenant_of(owner, "admin@saffron.example")
    finally:
        await owner.close()


@pytest.fixture
async def demo_tenant(demo_seeded: UUID, system: System, owner_connection: "Connection[Record]") -> Demo:
    """The demo tenant with its users as callers."""
    api = Api(system, Tenant(demo_seeded))
    return Demo(demo_seeded, api, owner_connection, await demo.find_callers(owner_connection, demo_seeded))


@pytest.fixture
async def live(system: System, tenant: Tenant) -> AsyncIterator[Served]:
    """The system served with a hub of its own, which must be empty again at the end."""
    async with served(system, tenant) as made:
        yield made
