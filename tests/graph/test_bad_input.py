"""Bad input of every kind: a clear typed refusal, and nothing written."""

import json
from typing import Any

import pytest
from asyncpg import Connection, Record

from app.wiring import System
from domain.values import new_id
from tests.api import Api
from tests.factories.access import Tenant
from tests.factories.people import lead, person
from tests.footprint import footprint

LEAD_CREATE = """mutation ($input: LeadCreateInput!) {
  leadCreate(input: $input) {
    __typename
    ... on Problem { code message field }
    ... on InvalidProblem { issues { field message } }
  }
}"""
LEADS = "query ($first: Int, $last: Int, $after: String, $filter: LeadFilter, $orderBy: LeadOrder) {"
LEADS += (
    " leads(first: $first, last: $last, after: $after, filter: $filter, orderBy: $orderBy) { edges { node { id } } } }"
)
BUDGET = {"amount": "100", "currency": "INR"}


@pytest.mark.parametrize(
    ("budget", "field", "message"),
    [
        ({"amount": "-1", "currency": "INR"}, "budget.amount", "An amount is not negative."),
        ({"amount": "1e3x", "currency": "INR"}, "budget.amount", "An amount is a decimal number, such as 12500000.00."),
        *(
            (
                {"amount": amount, "currency": "INR"},
                "budget.amount",
                "An amount is a decimal number, such as 12500000.00.",
            )
            for amount in ("1e5", "1_000", " 5", "5\n", "+5", "5.", ".5", "", "0E+999999999", "9" * 200_000)
        ),
        ({"amount": "-0", "currency": "INR"}, "budget.amount", "An amount is not negative."),
        ({"amount": "NaN", "currency": "INR"}, "budget.amount", "An amount is a decimal number, such as 12500000.00."),
        ({"amount": "١٢", "currency": "INR"}, "budget.amount", "An amount is a decimal number, such as 12500000.00."),
        (
            {"amount": "Infinity", "currency": "INR"},
            "budget.amount",
            "An amount is a decimal number, such as 12500000.00.",
        ),
        ({"amount": "1.001", "currency": "INR"}, "budget.amount", "An amount has at most two decimals."),
        ({"amount": "9" * 30, "currency": "INR"}, "budget.amount", "An amount is at most 9999999999999999.99."),
        ({"amount": "1", "currency": "inr"}, "budget.currency", "This is no ISO 4217 currency code."),
        ({"amount": "1", "currency": "ABC"}, "budget.currency", "This is no ISO 4217 currency code."),
        ({"amount": "1", "currency": ""}, "budget.currency", "This is no ISO 4217 currency code."),
    ],
)
async def test_money(
    budget: dict[str, str], field: str, message: str, api: Api, owner_connection: "Connection[Record]"
) -> None:
    person_id = await person(owner_connection, api.tenant)
    before = await footprint(owner_connection, api.tenant.id)
    given = {"personId": f"person_{person_id}", "source": "WEBSITE", "budget": budget}
    answer = (await api.data(LEAD_CREATE, input=given))["leadCreate"]
    assert answer == {
        "__typename": "InvalidProblem",
        "code": "INVALID",
        "message": message,
        "field": field,
        "issues": [{"field": field, "message": message}],
    }
    assert await footprint(owner_connection, api.tenant.id) == before


async def test_ids_that_name_nothing_for_the_caller_all_read_the_same(
    api: Api, system: System, other_tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    foreign = await person(owner_connection, other_tenant)
    own_lead = await lead(owner_connection, api.tenant, person_id=await person(owner_connection, api.tenant))
    before = await footprint(owner_connection, api.tenant.id), await footprint(owner_connection, other_tenant.id)
    answers = [
        (await api.data(LEAD_CREATE, input={"personId": given, "source": "WEBSITE"}))["leadCreate"]
        for given in (
            f"person_{new_id()}",
            f"person_{foreign}",
            f"lead_{own_lead}",
            f"person_{own_lead}",
            "person_x",
            "",
        )
    ]
    assert {answer["__typename"] for answer in answers} == {"NotFoundProblem"}
    assert {answer["message"] for answer in answers} == {"There is no such record."}
    assert {answer["field"] for answer in answers} == {"personId"}
    after = await footprint(owner_connection, api.tenant.id), await footprint(owner_connection, other_tenant.id)
    assert after == before
    assert await Api(system, other_tenant).data("query ($id: ID!) { person(id: $id) { id } }", id=f"person_{foreign}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\0b", "Text cannot hold a NUL character."),
        ("\ud800", "Text cannot hold an unpaired surrogate."),
        ("x" * 101, "This text has at most 100 characters; 101 were sent."),
    ],
)
async def test_text_in_a_filter(text: str, message: str, api: Api) -> None:
    answer = await api.run(LEADS, filter={"search": text})
    assert answer["data"] is None
    [error] = answer["errors"]
    assert (error["message"], error["extensions"]) == (message, {"code": "INVALID", "field": "filter.search"})


@pytest.mark.parametrize(
    ("arguments", "message", "field"),
    [
        ({"first": -1}, "`first` is from 0 to 100; -1 was asked for.", "first"),
        ({"first": 101}, "`first` is from 0 to 100; 101 was asked for.", "first"),
        ({"last": 101}, "`last` is from 0 to 100; 101 was asked for.", "last"),
        ({"first": 1, "last": 1}, "Give either `first` or `last`, not both.", "last"),
        ({"after": "bm9uZQ=="}, "This cursor is not one of ours.", "after"),
        ({"after": "ü"}, "This cursor is not one of ours.", "after"),
    ],
)
async def test_pages(arguments: dict[str, Any], message: str, field: str, api: Api) -> None:
    answer = await api.run(LEADS, **arguments)
    assert answer["data"] is None
    [error] = answer["errors"]
    assert (error["message"], error["extensions"]) == (message, {"code": "INVALID", "field": field})
    assert api.statements == 0


@pytest.mark.parametrize(
    ("document", "variables", "message"),
    [
        ("{ leads { edges { node { colour } } } }", {}, "Cannot query field 'colour' on type 'Lead'."),
        ("{ leads(first: true) { totalCount } }", {}, "Int cannot represent non-integer value."),
        (LEADS, {"filter": {"stages": ["GONE"]}}, "at .stages[0]: This value does not exist in 'LeadStage' enum."),
        (LEADS, {"filter": {"mood": "good"}}, "not to include unknown field 'mood'"),
        (LEADS, {"filter": {"updatedAfter": "yesterday"}}, "A DateTime is RFC 3339 with an offset"),
        (LEADS, {"filter": {"updatedAfter": "2026-11-20T10:00:00"}}, "A DateTime is RFC 3339 with an offset"),
        (LEADS, {"filter": {"updatedAfter": "2026-02-30T10:00:00Z"}}, "There is no such moment."),
        (LEADS, {"filter": {"updatedAfter": "0001-01-01T00:00:00+14:00"}}, "There is no such moment."),
        (LEADS, {"first": 2**31}, "Int cannot represent non 32-bit signed integer value."),
    ],
)
async def test_documents_and_variables(document: str, variables: dict[str, Any], message: str, api: Api) -> None:
    answer = await api.run(document, **variables)
    assert answer["data"] is None
    [error] = answer["errors"]
    assert message in error["message"]
    assert error["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}
    assert api.statements == 0


async def test_a_filter_list_is_bounded(api: Api) -> None:
    answer = await api.run(LEADS, filter={"tags": ["x"] * 251})
    [error] = answer["errors"]
    assert error["message"] == "A list has at most 250 entries."
    assert json.dumps(answer)  # An answer is always JSON.


SECRET = "secret: 'one'. Two, found: three"


@pytest.mark.parametrize(
    ("document", "variables", "message"),
    [
        (LEADS, {"first": SECRET}, "Variable '$first' has invalid value: Int cannot represent non-integer value."),
        (LEADS, {"filter": SECRET}, "has invalid value: Expected value of type 'LeadFilter' to be an object."),
        (LEADS, {"filter": {"search": [SECRET]}}, "at .search: String cannot represent a non string value."),
        (LEADS, {"filter": {"stages": [SECRET]}}, "at .stages[0]: This value does not exist in 'LeadStage' enum."),
        (
            LEADS,
            {"filter": {"stages": [[SECRET]]}},
            "at .stages[0]: Enum 'LeadStage' cannot represent non-string value.",
        ),
        (LEADS, {"filter": {SECRET: 1}}, "Expected value of type 'LeadFilter' not to include an unknown field."),
        (LEADS, {"filter": {"serch": SECRET}}, "not to include unknown field 'serch'. Did you mean 'search'?"),
        (f'{{ leads(first: "{SECRET}") {{ totalCount }} }}', {}, "Int cannot represent non-integer value."),
        (
            f'{{ leads(filter: "{SECRET}") {{ totalCount }} }}',
            {},
            "Expected value of type 'LeadFilter' to be an object.",
        ),
        (f'{{ leads "{SECRET}" }}', {}, "Syntax Error: Expected Name, found String."),
        (f'{{ leads """{SECRET}""" }}', {}, "Syntax Error: Expected Name, found BlockString."),
    ],
)
async def test_what_was_sent_is_not_repeated(document: str, variables: dict[str, Any], message: str, api: Api) -> None:
    answer = await api.run(document, **variables)
    assert answer["data"] is None
    [error] = answer["errors"]
    assert error["message"].endswith(message)
    assert "secret" not in json.dumps(answer)
    assert "three" not in json.dumps(answer)
