"""Pages stay right: in every order and both directions, with ties and missing budgets, while rows come and go."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record

from domain.access import Role
from domain.leads import LeadStage
from tests.api import Answer, Api
from tests.factories import people
from tests.factories.access import Tenant

Owner: TypeAlias = "Connection[Record]"

PAGE = """query Page($first: Int, $after: String, $last: Int, $before: String, $order: LeadOrder) {
  leads(first: $first, after: $after, last: $last, before: $before, orderBy: $order) {
    edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    totalCount
  }
}"""
START = datetime(2026, 1, 1, 12, 30, 0, 123456, tzinfo=UTC)
ORDERS = [
    {"field": field, "direction": direction}
    for field in ("CREATED_AT", "STAGE", "BUDGET")
    for direction in ("ASC", "DESC")
]
Order = dict[str, str]


@dataclass(frozen=True, slots=True)
class Made:
    """A lead and what it is sorted by."""

    id: UUID
    created_at: datetime
    stage: LeadStage
    budget: int | None

    def key(self, field: str) -> tuple[object, UUID]:
        """What PostgreSQL sorts by: UUIDs in the order of their bytes, no budget below every budget."""
        keys: dict[str, object] = {
            "CREATED_AT": self.created_at,
            "STAGE": list(LeadStage).index(self.stage),
            "BUDGET": -1 if self.budget is None else self.budget,
        }
        return keys[field], self.id


@dataclass(slots=True)
class Desk:
    """Leads of one person, and the client that reads them."""

    api: Api
    owner: Owner
    tenant: Tenant
    person: UUID

    async def add(self, number: int) -> Made:
        """Make a lead; every third moment, second stage and second budget is shared with others."""
        stage = list(LeadStage)[number % 3]
        budget = None if number % 4 == 0 else number % 4 // 2
        created_at = START + timedelta(microseconds=number % 5 // 2)
        lead = await people.lead(
            self.owner, self.tenant, person_id=self.person, stage=stage.name, created_at=created_at,
            budget_amount=budget, budget_currency=None if budget is None else "INR",
        )  # fmt: skip
        return Made(lead, created_at, stage, budget)

    async def drop(self, lead: Made) -> None:
        await self.owner.execute("DELETE FROM leads WHERE tenant_id = $1 AND id = $2", self.tenant.id, lead.id)

    async def page(self, order: Order | None = None, **range_: object) -> Answer:
        found: Answer = (await self.api.data(PAGE, order=order, **range_))["leads"]
        return found


@pytest.fixture
async def desk(api: Api, tenant: Tenant, owner_connection: Owner) -> Desk:
    return Desk(api, owner_connection, tenant, await people.person(owner_connection, tenant))


@pytest.fixture
async def made(desk: Desk) -> list[Made]:
    return [await desk.add(number) for number in range(23)]


def ordered(leads: list[Made], order: Order) -> list[str]:
    found = sorted(leads, key=lambda lead: lead.key(order["field"]), reverse=order["direction"] == "DESC")
    return [f"lead_{lead.id}" for lead in found]


def ids(page: Answer) -> list[str]:
    return [edge["node"]["id"] for edge in page["edges"]]


async def walked(desk: Desk, order: Order, size: int) -> list[str]:
    """The ids of all pages from the first to the last."""
    found: list[str] = []
    after = None
    while True:
        page = await desk.page(order, first=size, after=after)
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        found += ids(page)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found


async def walked_back(desk: Desk, order: Order, size: int) -> list[str]:
    """The ids of all pages from the last to the first."""
    found: list[str] = []
    before = None
    while True:
        page = await desk.page(order, last=size, before=before)
        assert page["pageInfo"]["hasNextPage"] is (before is not None)
        found = ids(page) + found
        before = page["pageInfo"]["startCursor"]
        if not page["pageInfo"]["hasPreviousPage"]:
            return found


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "-".join(order.values()))
async def test_pages_of_any_size_make_the_whole_list(desk: Desk, made: list[Made], order: Order) -> None:
    expected = ordered(made, order)

    for size in (1, 4, 23, 100):
        assert await walked(desk, order, size) == expected
        assert await walked_back(desk, order, size) == expected


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "-".join(order.values()))
async def test_every_cursor_is_its_rows_place(desk: Desk, made: list[Made], order: Order) -> None:
    whole = await desk.page(order, first=100)
    cursors = [edge["cursor"] for edge in whole["edges"]]

    assert len(set(cursors)) == 23
    for number, (one, other) in enumerate(pairwise(cursors)):
        assert ids(await desk.page(order, first=1, after=one)) == ids(whole)[number + 1 : number + 2]
        assert ids(await desk.page(order, last=1, before=other)) == ids(whole)[number : number + 1]
    between = await desk.page(order, first=100, after=cursors[4], before=cursors[9])
    assert ids(between) == ids(whole)[5:9]
    assert (between["pageInfo"]["startCursor"], between["pageInfo"]["endCursor"]) == (cursors[5], cursors[8])


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "-".join(order.values()))
async def test_rows_may_come_between_pages(desk: Desk, made: list[Made], order: Order) -> None:
    first = await desk.page(order, first=9)
    last = await desk.page(order, last=9)
    added = [await desk.add(number) for number in range(23)]
    whole = ordered(made + added, order)

    onwards = await desk.page(order, first=100, after=first["pageInfo"]["endCursor"])
    backwards = await desk.page(order, last=100, before=last["pageInfo"]["startCursor"])

    # What came before the place is not seen twice, and what came after it is seen: exactly the rest of the list.
    assert ids(onwards) == whole[whole.index(ids(first)[-1]) + 1 :]
    assert ids(backwards) == whole[: whole.index(ids(last)[0])]
    assert set(ids(onwards)) > set(ordered(made, order)[9:])


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "-".join(order.values()))
async def test_rows_may_go_between_pages(desk: Desk, made: list[Made], order: Order) -> None:
    first = await desk.page(order, first=9)
    last = await desk.page(order, last=9)
    expected = ordered(made, order)
    gone = {expected[index] for index in (0, 8, 9, 13, 14, 22)}
    # The very rows that the cursors stand for are among them.
    assert {ids(first)[-1], ids(last)[0]} <= gone

    for lead in made:
        if f"lead_{lead.id}" in gone:
            await desk.drop(lead)

    onwards = await desk.page(order, first=100, after=first["pageInfo"]["endCursor"])
    backwards = await desk.page(order, last=100, before=last["pageInfo"]["startCursor"])
    assert ids(onwards) == [each for each in expected[9:] if each not in gone]
    assert ids(backwards) == [each for each in expected[:14] if each not in gone]


async def test_a_row_that_moves_does_not_move_the_place(desk: Desk, made: list[Made]) -> None:
    order = {"field": "STAGE", "direction": "ASC"}
    first = await desk.page(order, first=9)
    moved = ids(first)[-1]
    await desk.owner.execute(
        "UPDATE leads SET stage = 'WON' WHERE tenant_id = $1 AND id = $2",
        desk.tenant.id,
        UUID(moved.removeprefix("lead_")),
    )

    rest = await desk.page(order, first=100, after=first["pageInfo"]["endCursor"])

    assert ids(rest) == [*ordered(made, order)[9:], moved]


async def test_sizes(desk: Desk) -> None:
    for number in range(3):
        await desk.add(number)

    none = await desk.page(first=0)
    default = await desk.page()
    hundred = await desk.page(first=100)

    assert (none["edges"], none["totalCount"]) == ([], 3)
    assert none["pageInfo"] == {"hasNextPage": True, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    assert len(default["edges"]) == len(hundred["edges"]) == 3
    assert hundred["pageInfo"]["hasNextPage"] is False


async def test_twenty_rows_without_a_size(desk: Desk, made: list[Made]) -> None:
    page = await desk.page()

    assert (len(page["edges"]), page["pageInfo"]["hasNextPage"], page["totalCount"]) == (20, True, 23)


@pytest.mark.parametrize(
    ("range_", "field", "message"),
    [
        ({"first": 101}, "first", "`first` is from 0 to 100; 101 was asked for."),
        ({"first": -1}, "first", "`first` is from 0 to 100; -1 was asked for."),
        ({"last": 101}, "last", "`last` is from 0 to 100; 101 was asked for."),
        ({"last": -1}, "last", "`last` is from 0 to 100; -1 was asked for."),
        ({"first": 1, "last": 1}, "last", "Give either `first` or `last`, not both."),
        ({"before": "", "last": 1}, "before", "This cursor is not one of ours."),
        ({"before": "AAAA", "last": 1}, "before", "This cursor is not one of ours."),
    ],
)
async def test_a_range_that_is_none_is_refused(api: Api, range_: dict[str, Any], field: str, message: str) -> None:
    assert await refusal(api, **range_) == (message, "INVALID", field)


async def refusal(api: Api, document: str = PAGE, **variables: Any) -> tuple[str, str, str]:
    [error] = (await api.run(document, **variables))["errors"]
    return error["message"], error["extensions"]["code"], error["extensions"]["field"]


async def test_a_cursor_is_good_for_its_own_list_only(
    api: Api, desk: Desk, other_tenant: Tenant, made: list[Made]
) -> None:
    cursor = (await desk.page(ORDERS[0], first=1))["pageInfo"]["endCursor"]
    person = (await api.data("{ people(first: 1) { edges { cursor } } }"))["people"]["edges"][0]["cursor"]
    none_of_ours = ("This cursor is not one of ours.", "INVALID", "after")

    assert await refusal(api, order={"field": "BUDGET", "direction": "ASC"}, after=cursor) == (
        "This cursor belongs to leads ordered by CREATED_AT.",
        "INVALID",
        "after",
    )
    assert await refusal(api, after=person) == (
        "This cursor belongs to people ordered by FULL_NAME.",
        "INVALID",
        "after",
    )
    assert await refusal(Api(api.system, other_tenant), after=cursor) == none_of_ours
    for place in (0, 10, len(cursor) // 2, -3):
        changed = list(cursor)
        changed[place] = "A" if changed[place] != "A" else "B"
        assert await refusal(api, after="".join(changed)) == none_of_ours
    assert await refusal(api, after=cursor[:-4]) == none_of_ours
    assert await refusal(api, after=cursor + "AAAA") == none_of_ours


async def test_a_cursor_does_not_widen_what_its_bearer_sees(desk: Desk, made: list[Made]) -> None:
    cursor = (await desk.page(first=1))["pageInfo"]["endCursor"]

    data = await desk.api.data(PAGE, role=Role.JUNIOR_BROKER, first=100, after=cursor)

    assert (data["leads"]["edges"], data["leads"]["totalCount"]) == ([], 0)


async def test_text_orders_page_through_any_characters(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    names = ["Zoë", "zoe", 'A "quoted" \\ name', "Ærø", "李雷", "👑 King", "O'Brien", "O'Brien", "a\nb", "़नाम", " "]
    for name in names:
        await people.person(owner_connection, tenant, full_name=name)
    document = """query ($after: String) {
      people(first: 1, after: $after) { edges { node { id fullName } } pageInfo { hasNextPage endCursor } }
    }"""
    whole = await api.data("{ people(first: 100) { edges { node { id fullName } } } }")

    found, after, more = [], None, True
    while more:
        page = (await api.data(document, after=after))["people"]
        found += page["edges"]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]

    assert found == whole["people"]["edges"]
    assert sorted(edge["node"]["fullName"] for edge in found) == sorted(names)


async def test_each_parent_has_pages_of_its_own(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    owners = [await people.person(owner_connection, tenant, full_name=f"P{number}") for number in range(3)]
    made = {
        person: [
            await people.lead(owner_connection, tenant, person_id=person, created_at=START + timedelta(days=day))
            for day in range(number + 1)
        ]
        for number, person in enumerate(owners)
    }
    document = """query ($after: String) {
      people(first: 3) { edges { node { leads(first: 1, after: $after) {
        totalCount edges { cursor node { id } } pageInfo { hasNextPage }
      } } } }
    }"""

    first = [edge["node"]["leads"] for edge in (await api.data(document))["people"]["edges"]]

    assert [page["totalCount"] for page in first] == [1, 2, 3]
    assert [page["pageInfo"]["hasNextPage"] for page in first] == [False, True, True]
    assert [ids(page) for page in first] == [[f"lead_{made[person][-1]}"] for person in owners]
    # A place in the order is a place in every list of that order.
    cursor = first[2]["edges"][0]["cursor"]
    second = [edge["node"]["leads"] for edge in (await api.data(document, after=cursor))["people"]["edges"]]
    assert [ids(page) for page in second] == [
        [f"lead_{made[owners[0]][0]}"], [f"lead_{made[owners[1]][1]}"], [f"lead_{made[owners[2]][1]}"],
    ]  # fmt: skip
