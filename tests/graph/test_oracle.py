"""A third opinion: visibility, filters, orders and pages in plain Python over all rows, beside what the schema says.

Both executions share the SQL of these, so they cannot disagree with each other; this can.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Connection, Record

from db.roles import set_tenant
from domain.access import Caller, Role
from domain.leads import LeadSource, LeadStage
from domain.properties import StandardStatus
from domain.proposals import ProposalKind, ProposalStatus
from tests.demo import NOW, Demo

Row = dict[str, Any]
ROUNDS = 25
UNRESTRICTED = {Role.ADMIN, Role.SALES_DIRECTOR}
FAR = datetime.max.replace(tzinfo=UTC)


@dataclass
class World:
    """Every row that the rules look at, as dictionaries."""

    tables: dict[str, list[Row]]

    def __post_init__(self) -> None:
        self.shares = {(row["lead_id"], row["user_id"]) for row in self.tables["lead_shares"]}
        self.people = {row["id"]: row for row in self.tables["people"]}

    def own_lead(self, caller: Caller, lead: Row) -> bool:
        return (
            caller.role in UNRESTRICTED
            or lead["assignee_id"] in caller.members
            or (lead["id"], caller.user_id) in self.shares
        )

    def own_person(self, caller: Caller, person_id: UUID | None) -> bool:
        leads = (lead for lead in self.tables["leads"] if lead["person_id"] == person_id)
        return caller.role in UNRESTRICTED or any(self.own_lead(caller, lead) for lead in leads)


TABLES = (
    *("people", "leads", "lead_shares", "opportunities", "properties", "proposals", "tasks"),
    *("cctv_events", "perception_sessions"),
)


async def load(owner: "Connection[Record]", tenant_id: UUID) -> World:
    """Read the tables whole, as the owner."""
    await set_tenant(owner, tenant_id)
    tables = {}
    for table in TABLES:
        rows = await owner.fetch(f"SELECT * FROM {table} WHERE tenant_id = $1", tenant_id)
        tables[table] = [dict(row) for row in rows]
    return World(tables)


def visible_leads(world: World, caller: Caller) -> list[Row]:
    return [lead for lead in world.tables["leads"] if world.own_lead(caller, lead)]


def visible_people(world: World, _caller: Caller) -> list[Row]:
    return [person for person in world.tables["people"] if person["merged_into_id"] is None]


def visible_opportunities(world: World, caller: Caller) -> list[Row]:
    leads = {lead["id"] for lead in visible_leads(world, caller)}
    return [each for each in world.tables["opportunities"] if each["lead_id"] in leads]


def visible_properties(world: World, _caller: Caller) -> list[Row]:
    return list(world.tables["properties"])


def visible_tasks(world: World, caller: Caller) -> list[Row]:
    leads = {lead["id"] for lead in visible_leads(world, caller)}
    return [
        task
        for task in world.tables["tasks"]
        if caller.role in UNRESTRICTED
        or task["assignee_id"] in caller.members
        or task["lead_id"] in leads
        or (task["person_id"] is not None and world.own_person(caller, task["person_id"]))
    ]


def visible_cctv_events(world: World, caller: Caller) -> list[Row]:
    sessions = {
        session["id"]
        for session in world.tables["perception_sessions"]
        if session["started_by_id"] in {caller.user_id, *caller.members}
        or (session["person_id"] is not None and world.own_person(caller, session["person_id"]))
    }
    rows = world.tables["cctv_events"]
    return [row for row in rows if caller.role is not Role.JUNIOR_BROKER or row["session_id"] in sessions]


def visible_proposals(world: World, caller: Caller) -> list[Row]:
    leads = {lead["id"] for lead in visible_leads(world, caller)}
    return [
        each
        for each in world.tables["proposals"]
        if caller.role in UNRESTRICTED
        or (each["subject_noun"] == "leads" and each["subject_id"] in leads)
        or (each["subject_noun"] == "people" and world.own_person(caller, each["subject_id"]))
    ]


Test = Callable[[World, Row], bool]


def lead_filter(random: Random, world: World) -> tuple[Row, Test]:
    """Draw a filter of leads and what it means."""
    stages = random.sample(list(LeadStage), 3)
    sources = random.sample(list(LeadSource), 4)
    after = NOW - timedelta(days=random.randint(1, 200))
    word = random.choice(("a", "Sh", "an", "%", "_", "KUMAR"))
    drawn: list[tuple[str, Any, Test]] = [
        ("stages", [each.name for each in stages], lambda _w, row: row["stage"] in {each.name for each in stages}),
        ("sources", [each.name for each in sources], lambda _w, row: row["source"] in {each.name for each in sources}),
        ("updatedAfter", after.isoformat(), lambda _w, row: row["updated_at"] > after),
        ("search", word, lambda w, row: word.lower() in w.people[row["person_id"]]["full_name"].lower()),
    ]
    return chosen(random, drawn)


def property_filter(random: Random, world: World) -> tuple[Row, Test]:
    """Draw a filter of properties and what it means."""
    statuses = random.sample(list(StandardStatus), 5)
    city = random.choice([row["city"] for row in world.tables["properties"]])
    names = {each.name for each in statuses}
    drawn: list[tuple[str, Any, Test]] = [
        ("standardStatuses", sorted(names), lambda _w, row: row["standard_status"] in names),
        ("city", city, lambda _w, row: row["city"] == city),
    ]
    return chosen(random, drawn)


def task_filter(random: Random, world: World) -> tuple[Row, Test]:
    """Draw a filter of tasks and what it means."""
    assignee = random.choice([row["assignee_id"] for row in world.tables["tasks"] if row["assignee_id"]])
    drawn: list[tuple[str, Any, Test]] = [
        ("status", "OPEN", lambda _w, row: row["status"] == "OPEN"),
        ("assigneeId", f"user_{assignee}", lambda _w, row: row["assignee_id"] == assignee),
    ]
    return chosen(random, drawn)


def cctv_filter(random: Random, world: World) -> tuple[Row, Test]:
    """Draw a filter of camera events and what it means."""
    cameras = random.sample(sorted({row["camera"] for row in world.tables["cctv_events"]}), 2)
    since, until = (NOW - timedelta(days=random.uniform(*span)) for span in ((8, 25), (0, 8)))
    drawn: list[tuple[str, Any, Test]] = [
        ("cameras", cameras, lambda _w, row: row["camera"] in cameras),
        ("from", since.isoformat(), lambda _w, row: row["at"] >= since),
        ("to", until.isoformat(), lambda _w, row: row["at"] < until),
    ]
    return chosen(random, drawn)


def proposal_filter(random: Random, _world: World) -> tuple[Row, Test]:
    """Draw a filter of proposals and what it means."""
    status, kind = random.choice(list(ProposalStatus)).name, random.choice(list(ProposalKind)).name
    drawn: list[tuple[str, Any, Test]] = [
        ("status", status, lambda _w, row: row["status"] == status),
        ("kind", kind, lambda _w, row: row["kind"] == kind),
    ]
    return chosen(random, drawn)


def no_filter(_random: Random, _world: World) -> tuple[Row, Test]:
    return {}, lambda _w, _row: True


def chosen(random: Random, drawn: list[tuple[str, Any, Test]]) -> tuple[Row, Test]:
    """Take each entry with even chance; a row fits when it fits all that were taken."""
    taken = [each for each in drawn if random.random() < 0.5]
    return {name: value for name, value, _ in taken}, lambda w, row: all(fits(w, row) for _, _, fits in taken)


@dataclass(frozen=True, slots=True)
class Listed:
    """A root connection: its rows, filters and orders in Python."""

    field: str
    type: str
    prefix: str
    visible: Callable[[World, Caller], list[Row]]
    filter: Callable[[Random, World], tuple[Row, Test]]
    orders: dict[str, Callable[[Row], Any]]


LISTS = [
    Listed(
        "leads",
        "Lead",
        "lead",
        visible_leads,
        lead_filter,
        {
            "CREATED_AT": lambda row: row["created_at"],
            "STAGE": lambda row: [stage.name for stage in LeadStage].index(row["stage"]),
            "BUDGET": lambda row: Decimal(-1) if row["budget_amount"] is None else row["budget_amount"],
        },
    ),
    Listed("people", "Person", "person", visible_people, no_filter, {"CREATED_AT": lambda row: row["created_at"]}),
    Listed(
        "opportunities",
        "Opportunity",
        "opportunity",
        visible_opportunities,
        no_filter,
        {"CREATED_AT": lambda row: row["created_at"]},
    ),
    Listed(
        "properties",
        "Property",
        "property",
        visible_properties,
        property_filter,
        {"CREATED_AT": lambda row: row["created_at"], "LIST_PRICE": lambda row: row["list_price_amount"]},
    ),
    Listed(
        "proposals",
        "Proposal",
        "proposal",
        visible_proposals,
        proposal_filter,
        {"CREATED_AT": lambda row: row["created_at"]},
    ),
    Listed(
        "tasks",
        "Task",
        "task",
        visible_tasks,
        task_filter,
        {"CREATED_AT": lambda row: row["created_at"], "DUE_AT": lambda row: row["due_at"] or FAR},
    ),
    Listed(
        "cctvEvents",
        "CctvEvent",
        "cctvevent",
        visible_cctv_events,
        cctv_filter,
        {"CREATED_AT": lambda row: row["at"]},
    ),
]


@pytest.mark.parametrize("listed", LISTS, ids=lambda listed: listed.field)
async def test_lists_agree_with_plain_python(
    listed: Listed, demo_tenant: Demo, owner_connection: "Connection[Record]"
) -> None:
    world = await load(owner_connection, demo_tenant.tenant_id)
    random = Random(listed.field)  # noqa: S311 -- the same questions in every run.
    for _ in range(ROUNDS):
        caller = demo_tenant.caller(random.choice(list(Role)))
        given, fits = listed.filter(random, world)
        order, descending = random.choice(list(listed.orders)), random.random() < 0.5
        rows = [row for row in listed.visible(world, caller) if fits(world, row)]
        rows.sort(key=lambda row: (listed.orders[order](row), row["id"]), reverse=descending)
        expected = [f"{listed.prefix}_{row['id']}" for row in rows]
        assert await walked(demo_tenant, caller, listed, (given, order, descending), random) == expected


async def walked(demo: Demo, caller: Caller, listed: Listed, asked: tuple[Row, str, bool], random: Random) -> list[str]:
    """Walk a connection to its end, forwards or backwards, in pages of any size; check the total on the way."""
    given, order, descending = asked
    size, backwards = random.choice((7, 50, 100)), random.random() < 0.4
    forwards = ("first", "after", "hasNextPage", "endCursor")
    limit, cursor, more, edge = ("last", "before", "hasPreviousPage", "startCursor") if backwards else forwards
    filtered = f", $filter: {listed.type}Filter" if given else ""
    document = (
        f"query ($size: Int, $cursor: String, $order: {listed.type}Order{filtered})"
        f" {{ page: {listed.field}({limit}: $size, {cursor}: $cursor, orderBy: $order"
        f"{', filter: $filter' if given else ''})"
        f" {{ edges {{ node {{ id }} }} pageInfo {{ {more} {edge} }} totalCount }} }}"
    )
    found: list[str] = []
    variables: dict[str, Any] = {
        "size": size, "cursor": None, "order": {"field": order, "direction": "DESC" if descending else "ASC"},
    }  # fmt: skip
    if given:
        variables["filter"] = given
    while True:
        page = (await demo.api.data(document, caller=caller, **variables))["page"]
        ids = [each["node"]["id"] for each in page["edges"]]
        found = ids + found if backwards else found + ids
        variables["cursor"] = page["pageInfo"][edge]
        if not page["pageInfo"][more]:
            assert page["totalCount"] == len(found)
            return found
