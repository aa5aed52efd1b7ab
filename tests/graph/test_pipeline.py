"""The pipeline and the demographics: each number against the same leads counted in Python, by role and by filter."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record

from domain.access import Role
from domain.leads import LeadQualification, LeadSource, LeadStage, budget_bounds
from tests.api import Answer, Api
from tests.factories import leads, people
from tests.factories.access import Tenant

Owner: TypeAlias = "Connection[Record]"

BOARD = """query Board($first: Int, $filter: LeadFilter) {
  pipeline(filter: $filter) {
    stages {
      stage leadCount budgetTotals { amount currency }
      leads(first: $first) { totalCount edges { cursor node { id stage } } pageInfo { hasNextPage endCursor } }
    }
  }
}"""
LIST = """query List($first: Int, $after: String, $filter: LeadFilter) {
  leads(first: $first, after: $after, filter: $filter) {
    totalCount edges { cursor node { id stage } } pageInfo { hasNextPage endCursor }
  }
}"""
SPREAD = """query Spread($filter: LeadFilter, $currency: String!, $first: Int!) {
  leadDemographics(filter: $filter) {
    bySource { key count } byQualification { key count } byStage { key count } byCity(first: $first) { key count }
    byBudgetBand(currency: $currency) { min { amount currency } max { amount currency } count }
  }
}"""
CITIES = ("Mumbai", "Pune", None, "Dubai")
CURRENCIES = ("INR", "AED", None)
TAGS: tuple[list[str], ...] = (["nri"], [], ["nri", "sea view"])


@dataclass(frozen=True, slots=True)
class Made:
    """One lead as the test made it."""

    id: UUID
    stage: LeadStage
    source: LeadSource
    qualification: LeadQualification | None
    city: str | None
    amount: Decimal | None
    currency: str | None
    assignee: UUID | None
    tags: list[str]
    name: str


@pytest.fixture
async def made(owner_connection: Owner, tenant: Tenant) -> list[Made]:
    """Sixty leads whose every property has its own rhythm; one of them is shared with the junior."""
    assignees = (tenant.users[Role.JUNIOR_BROKER], tenant.outsider, None, tenant.users[Role.SENIOR_BROKER])
    # Nobody stands in NEGOTIATION: a stage without leads is a column too.
    stages = [stage for stage in LeadStage if stage is not LeadStage.NEGOTIATION]
    qualifications = (None, *LeadQualification)
    found = []
    for number in range(60):
        city, name = CITIES[number % 4], f"Person {number % 7}"
        currency = CURRENCIES[number % 3]
        amount = None if currency is None else Decimal(number * 1_730_000) + Decimal("0.01")
        stage, source = stages[number % len(stages)], list(LeadSource)[number % 7]
        qualification = qualifications[number % len(qualifications)]
        person_id = await people.person(owner_connection, tenant, full_name=name, city=city)
        lead_id = await people.lead(
            owner_connection, tenant, person_id=person_id, assignee_id=assignees[number % 5 % 4], stage=stage.name,
            source=source.name, qualification=qualification and qualification.name, tags=TAGS[number % 3],
            budget_amount=amount, budget_currency=currency,
            lost_reason="PRICE" if stage is LeadStage.LOST else None,
        )  # fmt: skip
        found.append(
            Made(
                lead_id, stage, source, qualification, city, amount, currency, assignees[number % 5 % 4],
                TAGS[number % 3], name,
            )
        )  # fmt: skip
    await leads.share(owner_connection, tenant, lead_id=found[1].id, user_id=tenant.users[Role.JUNIOR_BROKER])
    return found


def seen(made: list[Made], tenant: Tenant, role: Role) -> list[Made]:
    """The leads that a role sees, newest first."""
    members = set(tenant.caller(role).members)
    everything = role in {Role.ADMIN, Role.SALES_DIRECTOR}
    shared = {made[1].id} if role is Role.JUNIOR_BROKER else set()
    return [lead for lead in reversed(made) if everything or lead.assignee in members or lead.id in shared]


Fits = Callable[[Made], bool]
FILTERS: list[tuple[dict[str, Any] | None, Fits]] = [
    (None, lambda _lead: True),
    ({}, lambda _lead: True),
    ({"stages": ["VISIT", "NEW"]}, lambda lead: lead.stage.name in {"VISIT", "NEW"}),
    ({"tags": ["sea view"]}, lambda lead: "sea view" in lead.tags),
    (
        {"sources": ["PORTAL", "WEBSITE"], "search": "ERSON 3", "stages": None},
        lambda lead: lead.source.name in {"PORTAL", "WEBSITE"} and "3" in lead.name,
    ),
    ({"updatedAfter": "2100-01-01T00:00:00Z"}, lambda _lead: False),
]


@pytest.mark.parametrize("role", list(Role))
async def test_each_stage_has_its_leads_counted_and_summed(
    api: Api, tenant: Tenant, made: list[Made], role: Role
) -> None:
    for filter, fits in FILTERS:
        expected = [lead for lead in seen(made, tenant, role) if fits(lead)]

        board = await api.data(BOARD, role=role, first=3, filter=filter)

        stages = board["pipeline"]["stages"]
        assert [each["stage"] for each in stages] == [stage.name for stage in LeadStage]
        for each in stages:
            inside = [lead for lead in expected if lead.stage.name == each["stage"]]
            assert each["leadCount"] == each["leads"]["totalCount"] == len(inside)
            assert each["budgetTotals"] == totals(inside)
            assert [edge["node"]["id"] for edge in each["leads"]["edges"]] == [f"lead_{x.id}" for x in inside[:3]]
            assert each["leads"]["pageInfo"]["hasNextPage"] is (len(inside) > 3)


def totals(inside: list[Made]) -> list[Answer]:
    sums: dict[str, Decimal] = {}
    for lead in inside:
        if lead.currency is not None and lead.amount is not None:
            sums[lead.currency] = sums.get(lead.currency, Decimal(0)) + lead.amount
    return [{"amount": f"{sums[currency]:.2f}", "currency": currency} for currency in sorted(sums)]


@pytest.mark.parametrize("role", [Role.ADMIN, Role.JUNIOR_BROKER])
async def test_a_column_goes_on_as_the_list_of_its_stage(api: Api, made: list[Made], role: Role) -> None:
    board = await api.data(BOARD, role=role, first=1, filter={"tags": ["nri"]})

    for column in board["pipeline"]["stages"]:
        filter = {"tags": ["nri"], "stages": [column["stage"]]}
        whole = await api.data(LIST, role=role, first=100, filter=filter)
        rest = await api.data(LIST, role=role, first=100, filter=filter, after=column["leads"]["pageInfo"]["endCursor"])
        assert column["leads"]["edges"] + rest["leads"]["edges"] == whole["leads"]["edges"]
        assert column["leadCount"] == whole["leads"]["totalCount"]


async def test_the_board_is_one_statement_for_numbers_and_one_for_cards(api: Api, made: list[Made]) -> None:
    await api.data("{ pipeline { stages { stage leadCount budgetTotals { amount } } } }")
    numbers = api.statements
    await api.data(BOARD, first=2)

    assert (numbers, api.statements) == (1, 2)


@pytest.mark.parametrize("role", list(Role))
async def test_leads_are_spread_as_counted_one_by_one(api: Api, tenant: Tenant, made: list[Made], role: Role) -> None:
    for filter, fits in FILTERS:
        expected = [lead for lead in seen(made, tenant, role) if fits(lead)]

        data = await api.data(SPREAD, role=role, filter=filter, currency="INR", first=2)

        found = data["leadDemographics"]
        sources = Counter(lead.source.name for lead in expected)
        stages = Counter(lead.stage.name for lead in expected)
        known = Counter(lead.qualification.name if lead.qualification else "UNKNOWN" for lead in expected)
        cities = Counter(lead.city for lead in expected if lead.city is not None)
        assert found["bySource"] == buckets((x.name, sources[x.name]) for x in LeadSource)
        assert found["byStage"] == buckets((x.name, stages[x.name]) for x in LeadStage)
        assert found["byQualification"] == buckets(
            (name, known[name]) for name in [*(x.name for x in LeadQualification), "UNKNOWN"]
        )
        assert found["byCity"] == buckets(sorted(cities.items(), key=lambda each: (-each[1], each[0]))[:2])
        bounds = [None, *budget_bounds("INR"), None]
        assert found["byBudgetBand"] == [
            {"min": rupees(low), "max": rupees(high), "count": sum(within(lead, low, high) for lead in expected)}
            for low, high in pairwise(bounds)
        ]


def buckets(counted: Iterable[tuple[str | None, int]]) -> list[Answer]:
    return [{"key": key, "count": count} for key, count in counted]


def rupees(bound: Decimal | None) -> Answer | None:
    return None if bound is None else {"amount": f"{bound:.2f}", "currency": "INR"}


def within(lead: Made, low: Decimal | None, high: Decimal | None) -> bool:
    if lead.currency != "INR" or lead.amount is None:
        return False
    return (low is None or lead.amount >= low) and (high is None or lead.amount < high)


async def test_a_budget_on_a_bound_is_in_the_higher_band(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    for amount in (Decimal("999999.99"), Decimal("1000000.00"), Decimal("49999999.99"), Decimal("50000000.00")):
        person_id = await people.person(owner_connection, tenant)
        await people.lead(owner_connection, tenant, person_id=person_id, budget_amount=amount, budget_currency="AED")

    data = await api.data(SPREAD, currency="AED", first=0)

    counts = [band["count"] for band in data["leadDemographics"]["byBudgetBand"]]
    assert counts == [1, 1, 0, 0, 0, 1, 1]
    assert data["leadDemographics"]["byCity"] == []


async def test_only_what_is_selected_is_computed(api: Api, made: list[Made]) -> None:
    data = await api.data("{ leadDemographics { byStage { count } } }")

    assert list(data["leadDemographics"]) == ["byStage"]
    assert sum(each["count"] for each in data["leadDemographics"]["byStage"]) == 60


@pytest.mark.parametrize(
    ("document", "field", "message"),
    [
        (
            '{ leadDemographics { byBudgetBand(currency: "ABC") { count } } }',
            "currency",
            "This is no ISO 4217 currency code.",
        ),
        (
            '{ leadDemographics { byBudgetBand(currency: "\\"}\\u0000") { count } } }',
            "currency",
            "This is no ISO 4217 currency code.",
        ),
        ("{ leadDemographics { byCity(first: -1) { key } } }", "first", "`first` is from 0 to 100; -1 was asked for."),
        (
            "{ leadDemographics { byCity(first: 101) { key } } }",
            "first",
            "`first` is from 0 to 100; 101 was asked for.",
        ),
        (
            "{ pipeline { stages { leads(first: 101) { totalCount } } } }",
            "first",
            "`first` is from 0 to 100; 101 was asked for.",
        ),
        (
            '{ pipeline(filter: { search: "a\\u0000" }) { stages { leadCount } } }',
            "filter.search",
            "Text cannot hold a NUL character.",
        ),
    ],
)
async def test_a_bad_argument_is_refused(api: Api, document: str, field: str, message: str) -> None:
    [error] = (await api.run(document))["errors"]

    assert (error["message"], error["extensions"]["code"], error["extensions"]["field"]) == (
        message,
        "INVALID",
        field,
    )


async def test_two_bands_in_two_currencies_are_two_answers(api: Api, made: list[Made]) -> None:
    data = await api.data(
        '{ leadDemographics { inr: byBudgetBand(currency: "INR") { count } '
        'aed: byBudgetBand(currency: "AED") { count max { currency } } } }'
    )

    spread = data["leadDemographics"]
    assert sum(band["count"] for band in spread["inr"]) == sum(lead.currency == "INR" for lead in made)
    assert sum(band["count"] for band in spread["aed"]) == sum(lead.currency == "AED" for lead in made)
    assert spread["aed"][0]["max"] == {"currency": "AED"}
