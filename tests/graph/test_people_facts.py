"""Facts through the schema: corrected and dismissed by those who know the person."""

from typing import Any, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record

from domain.access import Role
from domain.values import new_id
from tests.api import Answer, Api
from tests.factories import people
from tests.factories.access import Tenant

Owner: TypeAlias = "Connection[Record]"

SENIOR, JUNIOR = Role.SENIOR_BROKER, Role.JUNIOR_BROKER
LISTED = "query($id: ID!) { person(id: $id) { facts { edges { node { id dismissedAt amount { amount } } } } } }"


async def budget(owner: Owner, tenant: Tenant) -> tuple[UUID, UUID]:
    """Make a budget fact about a person of the junior's; return the fact and the person."""
    person_id = await people.client(owner, tenant)
    fact_id = await people.fact(
        owner, tenant, person_id=person_id, kind="BUDGET", text="About 4 crore", quote="chaar crore",
        amount_amount=40_000_000, amount_currency="INR",
    )  # fmt: skip
    return fact_id, person_id


async def correct(api: Api, fact_id: UUID, **arguments: Any) -> Answer:
    answer: Answer = (await api.data("FactCorrect", factId=f"fact_{fact_id}", **arguments))["factCorrect"]
    return answer


async def test_a_corrected_fact_is_vouched_for(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    fact_id, person_id = await budget(owner_connection, tenant)

    answer = await correct(
        api, fact_id, text="About 5 crore", amount={"amount": "50000000", "currency": "INR"}, role=JUNIOR
    )

    assert answer == {
        "__typename": "FactCorrectPayload",
        "fact": {"id": f"fact_{fact_id}", "text": "About 5 crore", "source": "PERSON", "confidence": 1.0},
    }
    listed = await api.data(LISTED, id=f"person_{person_id}")
    assert listed["person"]["facts"]["edges"] == [
        {"node": {"id": f"fact_{fact_id}", "dismissedAt": None, "amount": {"amount": "50000000.00"}}}
    ]
    [entry] = await owner_connection.fetch("SELECT * FROM audit_entries WHERE tenant_id = $1", tenant.id)
    assert (entry["subject_noun"], entry["subject_id"]) == ("facts", fact_id)
    assert entry["changed_fields"] == ["text", "amount", "source", "confidence"]


async def test_a_dismissed_fact_leaves_the_list(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    fact_id, person_id = await budget(owner_connection, tenant)

    answer = await correct(api, fact_id, dismissed=True)

    assert answer["fact"] == {"id": f"fact_{fact_id}", "text": "About 4 crore", "source": "MODEL", "confidence": 0.8}
    assert (await api.data(LISTED, id=f"person_{person_id}"))["person"]["facts"]["edges"] == []
    await correct(api, fact_id, dismissed=False)
    assert len((await api.data(LISTED, id=f"person_{person_id}"))["person"]["facts"]["edges"]) == 1


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({}, "text"),
        ({"text": " "}, "text"),
        ({"text": "x" * 1001}, "text"),
        ({"text": "a\0b"}, "text"),
        ({"amount": {"amount": "-1", "currency": "INR"}}, "amount.amount"),
        ({"amount": {"amount": "1", "currency": "XXY"}}, "amount.currency"),
    ],
)
async def test_what_is_no_correction_is_refused_and_nothing_written(
    api: Api, tenant: Tenant, owner_connection: Owner, arguments: dict[str, Any], field: str
) -> None:
    fact_id, _ = await budget(owner_connection, tenant)

    answer = await correct(api, fact_id, **arguments)

    assert (answer["__typename"], answer["field"]) == ("InvalidProblem", field)
    assert await owner_connection.fetchval("SELECT count(*) FROM audit_entries WHERE tenant_id = $1", tenant.id) == 0


async def test_only_those_who_know_the_person_see_a_fact(
    api: Api, tenant: Tenant, other_tenant: Tenant, owner_connection: Owner
) -> None:
    foreign = await people.fact(
        owner_connection, tenant, person_id=await people.person(owner_connection, tenant), text="A garden"
    )
    elsewhere, _ = await budget(owner_connection, other_tenant)

    answers = {
        (role, name): (await correct(api, fact, dismissed=True, role=role))["__typename"]
        for role in (SENIOR, JUNIOR)
        for name, fact in (("foreign", foreign), ("elsewhere", elsewhere), ("missing", new_id()))
    }

    assert answers == {
        (SENIOR, "foreign"): "FactCorrectPayload",
        (SENIOR, "elsewhere"): "NotFoundProblem",
        (SENIOR, "missing"): "NotFoundProblem",
        (JUNIOR, "foreign"): "NotFoundProblem",
        (JUNIOR, "elsewhere"): "NotFoundProblem",
        (JUNIOR, "missing"): "NotFoundProblem",
    }


async def test_a_senior_reads_no_words_of_another_teams_interactions_and_tasks(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id = await people.person(owner_connection, tenant)
    await people.lead(owner_connection, tenant, person_id=person_id, assignee_id=tenant.outsider)
    await people.fact(owner_connection, tenant, person_id=person_id, quote="My husband must not know")
    await api.data(
        "TaskCreate",
        input={"personId": f"person_{person_id}", "title": "Divorce lawyer", "dueAt": "2026-01-01T08:00:00Z"},
    )
    document = """query($id: ID!) { person(id: $id) {
        tasks { totalCount } nextBestAction { title reason } facts { edges { node { text quote } } }
    } }"""

    answers = {
        role: (await api.data(document, role=role, id=f"person_{person_id}"))["person"] for role in (SENIOR, Role.ADMIN)
    }

    action = {"title": "Do the overdue task", "reason": "A task was due on 1 January 2026."}
    for role, tasks, quote in ((SENIOR, 0, None), (Role.ADMIN, 1, "My husband must not know")):
        facts = {"edges": [{"node": {"text": "A sea view", "quote": quote}}]}
        assert answers[role] == {"tasks": {"totalCount": tasks}, "nextBestAction": action, "facts": facts}
