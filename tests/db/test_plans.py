"""Plans on a skewed database: one tenant with nearly all rows beside two hundred small ones; no large scan."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from asyncpg import Connection, Record

from app import wiring
from app.database import Database
from app.demo.seed import seed
from app.settings import Settings
from app.wiring import System
from db.engine import READ_SETTINGS, SET_TENANT
from db.reading.explaining import Explained, explained
from db.reading.source import Link, Source
from db.reading.template import TemplateWriter
from db.reading.writer import Alias
from db.server import PostgresServer
from db.sources import CATALOGUE
from domain.access import Caller, Role
from domain.values import new_id
from graph.compilation import Planner, Uncompiled
from graph.documents import Documents
from tests import demo
from tests.api import Api, operation
from tests.clusters import copied_server
from tests.demo import NOW, PASSWORD, Demo
from tests.factories.access import Tenant
from tests.factories.access import tenant as new_tenant
from tests.factories.people import lead, person
from tests.graph.test_contract import QUERIES

SMALL_TENANTS = 200
LONGEST_SCAN = 10_000
MOST_MORE = 3
"""How many times the rows of a plan for the very values the plan for any values may read."""


@pytest.fixture(scope="module")
def skewed_server(blank: Path) -> Iterator[PostgresServer]:
    with copied_server(blank) as running:
        yield running


@pytest.fixture(scope="module")
async def skewed(skewed_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    """The demo at scale 1, and two hundred tenants with a few rows each."""
    addresses = skewed_server.addresses
    folder: Path = tmp_path_factory.mktemp("skewed")
    await seed(addresses.owner, scale=1, password=PASSWORD, asset_folder=folder, now=NOW)
    owner = await asyncpg.connect(addresses.owner)
    try:
        async with owner.transaction():
            for _ in range(SMALL_TENANTS):
                small = await new_tenant(owner)
                person_id = await person(owner, small)
                await lead(owner, small, person_id=person_id, assignee_id=small.users[Role.JUNIOR_BROKER])
        await owner.execute("ANALYZE")
        large = await demo.tenant_of(owner, "admin@saffron.example")
        settings = Settings(data_dir=folder)
        async with wiring.system(settings, Database(addresses.app, addresses.owner, embedded=True)) as system:
            callers = await demo.find_callers(owner, large)
            yield Demo(large, Api(system, Tenant(large)), owner, callers)
    finally:
        await owner.close()


@pytest.fixture(scope="module")
async def reading(skewed: Demo) -> AsyncIterator["Connection[Record]"]:
    """A connection with the settings of the read pool."""
    connection = await asyncpg.connect(skewed.api.system.database.app, server_settings=READ_SETTINGS)
    yield connection
    await connection.close()


async def plan_of(
    skewed: Demo, reading: "Connection[Record]", name: str, caller: Caller, variables: dict[str, Any]
) -> Explained:
    """Return how a client operation is answered."""
    system: System = skewed.api.system
    documents, planner = Documents(system.schema), Planner(system.schema)
    prepared = documents.get(operation(name))
    node = prepared.operation(None)
    coerced = planner.coerced(prepared, node, variables)
    compiled = planner.compiled(prepared, node, coerced, caller)
    template, bound = system.answers.prepared(caller, compiled.plan, compiled.given(coerced))
    await reading.fetchval(SET_TENANT, str(caller.tenant_id))
    return await explained(reading, template, bound)


async def scans(skewed: Demo, reading: "Connection[Record]", name: str, role: Role, tenant: Tenant | None) -> list[str]:
    """Return the tables that a client operation reads whole beyond the limit."""
    [case] = [case for case in QUERIES if case.name == name]
    caller = skewed.caller(role) if tenant is None else tenant.caller(role)
    plan = await plan_of(skewed, reading, name, caller, await case.variables(skewed))
    return [f"{table}: {rows}" for table, rows in plan.scans if rows > LONGEST_SCAN]


BROKERS = (Role.SENIOR_BROKER, Role.JUNIOR_BROKER)
REFUSED = {
    ("AuditTrail", Role.JUNIOR_BROKER),
    *((name, role) for name in ("ApiKeys", "PersistedOperations") for role in (Role.SALES_DIRECTOR, *BROKERS)),
}


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.name)
@pytest.mark.parametrize("name", [case.name for case in QUERIES])
async def test_no_client_query_reads_a_large_table_whole(
    name: str, role: Role, skewed: Demo, reading: "Connection[Record]"
) -> None:
    if (name, role) in REFUSED:
        with pytest.raises(Uncompiled, match="lacks a permission"):
            await scans(skewed, reading, name, role, None)
    else:
        assert await scans(skewed, reading, name, role, None) == []


async def test_the_smallest_tenant_is_not_served_by_reading_the_largest(
    skewed: Demo, reading: "Connection[Record]"
) -> None:
    small = await new_tenant(skewed.owner)
    found = {case.name: await scans(skewed, reading, case.name, Role.ADMIN, small) for case in QUERIES}
    assert {name: tables for name, tables in found.items() if tables} == {}


FILTERS: list[tuple[str, dict[str, Any]]] = [
    ("LeadBoard", {"stages": ["NEW"]}),
    ("LeadBoard", {"stages": ["WON"]}),
    ("LeadBoard", {"assigneeIds": ["the junior"]}),
    ("LeadBoard", {"sources": ["REFERRAL"], "stages": ["QUALIFIED", "WON"]}),
    ("LeadBoard", {"search": "an"}),
    ("LeadBoard", {"search": "nobody bears this"}),
    ("LeadBoard", {"tags": ["nobody-bears-this"]}),
    ("Opportunities", {"assigneeIds": ["the junior"]}),
    ("People", {"cities": ["Dubai"]}),
    ("People", {"search": "an"}),
    ("Properties", {"standardStatuses": ["CLOSED"]}),
    ("Tasks", {"status": "CANCELLED"}),
    ("Tasks", {"assigneeId": "the junior"}),
]
"""Values that many rows have, few or none: a plan made for all of them may suit some badly."""


@pytest.mark.parametrize("size", ["largest", "smallest"])
@pytest.mark.parametrize(("name", "filter"), FILTERS, ids=str)
async def test_a_plan_for_any_value_reads_little_more_than_one_for_this(
    name: str, filter: dict[str, Any], size: str, skewed: Demo, reading: "Connection[Record]"
) -> None:
    small, large = await new_tenant(skewed.owner), size == "largest"
    await lead(skewed.owner, small, person_id=await person(skewed.owner, small))
    caller = skewed.caller(Role.ADMIN) if large else small.caller(Role.ADMIN)
    junior = f"user_{skewed.callers[Role.JUNIOR_BROKER].user_id if large else small.users[Role.JUNIOR_BROKER]}"
    named = {"assigneeIds": [junior], "assigneeId": junior}
    wanted = {key: named.get(key, value) for key, value in filter.items()}
    read = {}
    for mode in ("force_generic_plan", "force_custom_plan"):
        await reading.execute(f"SET plan_cache_mode = {mode}")
        plan = await plan_of(skewed, reading, name, caller, {"first": 20, "filter": wanted})
        read[mode] = plan.rows
    await reading.execute(f"SET plan_cache_mode = {READ_SETTINGS['plan_cache_mode']}")
    assert read["force_generic_plan"] <= MOST_MORE * read["force_custom_plan"] + 100


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.name)
async def test_the_pipeline_is_counted_from_an_index_alone(
    role: Role, skewed: Demo, reading: "Connection[Record]"
) -> None:
    await skewed.owner.execute("VACUUM (ANALYZE) leads")
    plan = await plan_of(skewed, reading, "PipelineBoard", skewed.caller(role), {"perStage": 20})
    assert "Index Only Scan using ix_leads_tenant_id_stage_assignee_id_id on leads" in plan.text


UNLISTED = {"canvas_components", "hosts", "system_actors", "tenants", "uploads", "workers"}
"""Nouns that no connection lists: they are read by id, or as a short list."""

ORDERS = [
    (source, order) for source in CATALOGUE.sources.values() for order in source.orders if source.noun not in UNLISTED
]


OWN = {"notifications": "user_id"}
"""Nouns of which everybody, whatever their role, sees their own only: their lists begin with whose they are."""


def parents(source: Source, t: Alias) -> list[str]:
    """Return the condition of each list of a noun: the tenant's or the user's, and those below something."""
    if source.noun in OWN:
        return [f" and {getattr(t, OWN[source.noun])} = '{new_id()}'"]
    remotes = {
        link.remote
        for other in CATALOGUE.sources.values()
        for link in other.links.values()
        if isinstance(link, Link) and link.target == source.noun and isinstance(link.remote, str)
    }
    return ["", *(f" and {getattr(t, str(remote))} = '{new_id()}'" for remote in sorted(remotes))]


@pytest.mark.parametrize(("source", "order"), ORDERS, ids=lambda each: getattr(each, "noun", each))
async def test_every_order_has_its_index(
    source: Source, order: str, skewed: Demo, reading: "Connection[Record]"
) -> None:
    caller = skewed.caller(Role.ADMIN)
    t = TemplateWriter(caller).alias(source.table)
    tenant = f"{t.tenant_id} = '{caller.tenant_id}'"
    await reading.fetchval(SET_TENANT, str(caller.tenant_id))
    await reading.execute("SET enable_seqscan = off; SET enable_sort = off")
    plans = []
    for condition in parents(source, t):
        statement = (
            f"EXPLAIN SELECT 1 FROM {source.table.name} {t.name} WHERE {tenant}{condition}"
            f" ORDER BY {source.orders[order].sql(t)}, {t.id} LIMIT 21"
        )
        plans.append("\n".join(row[0] for row in await reading.fetch(statement)))
    await reading.execute("RESET enable_seqscan; RESET enable_sort")
    # A unique column before the id leaves nothing to sort.
    assert any("->  Sort" not in plan for plan in plans), plans[0]


SOMEWHERE = {
    "timestamptz": "'2026-01-01'",
    "text": "'m'",
    "name": "'m'",
    "bigint": "7",
    "integer": "7",
    "smallint": "1",
}
"""A place in an order, by the type of what it sorts by: types whose comparisons PostgreSQL trusts not to leak."""


@pytest.mark.parametrize(("source", "order"), ORDERS, ids=lambda each: getattr(each, "noun", each))
async def test_a_page_after_a_cursor_begins_there_in_the_index(
    source: Source, order: str, skewed: Demo, reading: "Connection[Record]"
) -> None:
    t, key = TemplateWriter(skewed.caller(Role.ADMIN)).alias(source.table), source.orders[order]
    await reading.fetchval(SET_TENANT, str(skewed.tenant_id))
    await reading.execute("SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off")
    plans = []
    for condition in parents(source, t):
        statement = (
            f"EXPLAIN SELECT 1 FROM {source.table.name} {t.name}"
            f" WHERE {t.tenant_id} = '{skewed.tenant_id}'{condition}"
            f" AND ({key.sql(t)}, {t.id}) > ({SOMEWHERE[key.sql_type]}::{key.sql_type}, '{new_id()}')"
            f" ORDER BY {key.sql(t)}, {t.id} LIMIT 21"
        )
        plans.append("\n".join(row[0] for row in await reading.fetch(statement)))
    await reading.execute("RESET enable_seqscan; RESET enable_sort; RESET enable_bitmapscan")
    begins = re.compile(rf"Index Cond: .*\b{key.sql(t).removeprefix(f'{t.name}.')}\b")
    assert any(begins.search(plan) for plan in plans), plans[0]
