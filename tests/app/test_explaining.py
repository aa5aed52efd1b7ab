"""`velocity explain` tells the statement, the plan and the indexes of a document, or why there is no statement."""

import json
import re

import pytest
from asyncpg import Connection, Record

from app.commands.explain import explain
from app.failures import CannotContinue
from app.settings import Settings
from app.wiring import System
from db.reading.explaining import explained
from db.reading.template import Slot, Template
from db.server import Addresses
from tests.api import operation
from tests.demo import SIGN_INS, Demo

DIRECTOR, JUNIOR = "director@saffron.example", "junior@saffron.example"


@pytest.fixture
def settings(system: System, database: Addresses) -> Settings:
    return system.settings.model_copy(update={"database_url": database.app, "database_owner_url": database.owner})


async def test_a_client_operation_is_explained(settings: Settings, demo_tenant: Demo) -> None:
    assert DIRECTOR in SIGN_INS.values()
    told = await explain(settings, operation("LeadBoard"), "LeadBoard", json.dumps({"first": 20}), DIRECTOR)

    statement, plan, indexes = (
        told.index(part) for part in ("-- The statement\n", "-- The plan\n", "-- The index of each connection\n")
    )
    assert statement < plan < indexes
    assert "select convert_to(concat('{\"leads\":'" in told[statement:plan]
    assert "actual time=" in told[plan:indexes]
    connections, others = told[indexes:].split("\n\n")[:2]
    assert connections.splitlines()[1:] == [
        "leads: ix_leads_tenant_id_created_at_id",
        "leads.edges.node.person.interactions: ix_interactions_tenant_id_person_id_occurred_at_id",
        "leads.edges.node.propertyInterests: ix_property_interests_tenant_id_lead_id_created_at_id",
    ]
    assert others.splitlines()[0] == "-- Other indexes"
    assert "\npk_people" in others
    assert "\n-- Planned in " in told[indexes:]
    assert told.endswith(" rows read")


async def told_of_connections(settings: Settings, text: str) -> list[str]:
    """Return what is told of the index of each connection."""
    told = await explain(settings, text, None, "{}", DIRECTOR)
    return told.partition("-- The index of each connection\n")[2].partition("\n\n")[0].splitlines()


async def test_a_connection_is_named_by_its_path_wherever_it_stands(settings: Settings, demo_tenant: Demo) -> None:
    document = """{
      mine: tasks(first: 1) { edges { node { id } } totalCount }
      named: projects(first: 1) { __typename pageInfo { hasPreviousPage } }
      leads(first: 1) { edges { node { person { interactions(first: 1) { edges { node {
        ... on CallInteraction { said: objections { id } } } } } } } } }
    }"""
    tables = {
        "leads": "leads",
        "leads.edges.node.person.interactions": "interactions",
        "leads.edges.node.person.interactions.edges.node.said": "objections",
        "mine": "tasks",
        "mine.totalCount": "tasks",
    }
    told = [line.split(": ") for line in await told_of_connections(settings, document)]
    assert [path for path, _ in told] == list(tables)
    # Which of a table's indexes is PostgreSQL's choice, and changes with what it knows of the rows.
    of_table = [re.fullmatch(rf"pk_{tables[path]}|ix_{tables[path]}_tenant_id_\w+", index) for path, index in told]
    assert all(of_table), told


async def test_a_document_without_connections_uses_no_index_of_one(settings: Settings, demo_tenant: Demo) -> None:
    assert await told_of_connections(settings, "{ viewer { id } }") == ["none"]
    assert (await explain(settings, "{ __typename }", None, "{}", DIRECTOR)).endswith(" 0 rows read")


async def test_bitmaps_and_partitions_count_for_their_connection(
    settings: Settings, owner_connection: "Connection[Record]"
) -> None:
    """A bitmap's index bears no alias in a plan, and a partition's has a number behind it."""
    await owner_connection.execute("CREATE TEMP TABLE parted (id int, at int) PARTITION BY RANGE (id)")
    for name, start, end in (("parted_0", 0, 100), ("parted_1", 100, 200)):
        await owner_connection.execute(
            f"CREATE TEMP TABLE {name} PARTITION OF parted FOR VALUES FROM ({start}) TO ({end})"
        )
    await owner_connection.execute("CREATE INDEX at_of_parted ON parted (at); SET enable_seqscan = off")
    await owner_connection.execute("INSERT INTO parted SELECT n, n FROM generate_series(0, 199) n")
    sql = "select count(*) from parted t1 where t1.at = $1::int or t1.at = $2::int"
    template = Template(sql, (Slot("one"), 150), (("all", "t1"), ("all.none", "t2")))
    plan = await explained(owner_connection, template, {"one": 7})
    assert plan.connections == {"all": ("parted_0_at_idx", "parted_1_at_idx"), "all.none": ()}
    assert (plan.others, plan.scans, plan.rows) == ((), (), 2)
    assert "Bitmap Index Scan" in plan.text


@pytest.mark.parametrize(
    ("text", "variables", "email", "told"),
    [
        ("{ __schema { queryType { name } } }", "{}", DIRECTOR, "run this document: __schema is answered by graphql"),
        (operation("AuditTrail"), '{"first": 1}', JUNIOR, "run this document: The caller's role lacks a permission"),
        ("{ leads(first: 101) { totalCount } }", "{}", DIRECTOR, "refuse this request: `first` is from 0 to 100"),
        ('{ leads(after: "x") { totalCount } }', "{}", DIRECTOR, "refuse this request: This cursor is not one of"),
    ],
)
async def test_why_there_is_no_statement(
    text: str, variables: str, email: str, told: str, settings: Settings, demo_tenant: Demo
) -> None:
    assert (await explain(settings, text, None, variables, email)).startswith(f"Resolvers {told}")


@pytest.mark.parametrize(
    ("text", "variables", "refusal"),
    [
        ("{ leads { edges } }", "{}", "must have a selection of subfields"),
        ("{ viewer { id } }", "{", "The variables are no JSON"),
        ("{ viewer { id } }", "[]", "The variables are a JSON object."),
    ],
)
async def test_what_cannot_be_explained(text: str, variables: str, refusal: str, settings: Settings) -> None:
    with pytest.raises(CannotContinue, match=refusal):
        await explain(settings, text, None, variables, DIRECTOR)
