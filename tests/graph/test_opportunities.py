"""Deals through the schema: opened, changed, won with and without approval, and seen by whoever sees their lead."""

from typing import Any, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record

from domain.access import Role
from domain.values import new_id
from tests.api import Answer, Api
from tests.factories import leads, people, properties
from tests.factories.access import Tenant

Owner: TypeAlias = "Connection[Record]"

SENIOR, JUNIOR, DIRECTOR = Role.SENIOR_BROKER, Role.JUNIOR_BROKER, Role.SALES_DIRECTOR
APPROVAL = "A deal above 100000000.00 INR, or in another currency, needs the approval of a SALES_DIRECTOR or ADMIN."


async def lead_of(owner: Owner, tenant: Tenant, role: Role = JUNIOR, **values: Any) -> tuple[UUID, UUID]:
    person_id = await people.person(owner, tenant)
    values = {"assignee_id": tenant.users[role], **values}
    return await people.lead(owner, tenant, person_id=person_id, **values), person_id


async def deal_of(owner: Owner, tenant: Tenant, role: Role = JUNIOR, **values: Any) -> UUID:
    lead_id, person_id = await lead_of(owner, tenant, role)
    return await leads.opportunity(owner, tenant, lead_id=lead_id, person_id=person_id, **values)


async def stored(owner: Owner, tenant: Tenant, table: str = "opportunities") -> list[Record]:
    found: list[Record] = await owner.fetch(f"SELECT * FROM {table} WHERE tenant_id = $1 ORDER BY id", tenant.id)
    return found


async def update(api: Api, deal: UUID, role: Role = Role.ADMIN, **given: object) -> Answer:
    data = await api.data("OpportunityUpdate", role=role, input={"opportunityId": f"opportunity_{deal}", **given})
    found: Answer = data["opportunityUpdate"]
    return found


async def create(api: Api, lead: UUID, role: Role = Role.ADMIN, **given: object) -> Answer:
    data = await api.data("OpportunityCreate", role=role, input={"leadId": f"lead_{lead}", **given})
    found: Answer = data["opportunityCreate"]
    return found


def rupees(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "INR"}


async def test_a_deal_is_opened_for_a_lead(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    lead_id, person_id = await lead_of(owner_connection, tenant)
    home = await properties.property_(owner_connection, tenant)

    opened = await create(
        api, lead_id, JUNIOR, propertyId=f"property_{home}", amount=rupees("25000000"), probability=0.25,
        expectedCloseOn="2027-02-28",
    )  # fmt: skip

    [row] = await stored(owner_connection, tenant)
    assert opened["opportunity"] == {
        "id": f"opportunity_{row['id']}",
        "stage": "OPEN",
        "amount": {"amount": "25000000.00", "currency": "INR"},
    }
    assert (row["person_id"], row["property_id"], row["probability"]) == (person_id, home, 0.25)
    assert row["expected_close_on"].isoformat() == "2027-02-28"
    [entry] = await stored(owner_connection, tenant, "audit_entries")
    assert entry["changed_fields"] == ["lead", "stage", "property", "amount", "probability", "expected_close_on"]
    [event] = await stored(owner_connection, tenant, "events")
    assert (event["kind"], event["person_id"]) == ("OpportunityCreated", person_id)


async def test_bad_deals_are_refused(api: Api, tenant: Tenant, other_tenant: Tenant, owner_connection: Owner) -> None:
    lead_id, _ = await lead_of(owner_connection, tenant)
    lost, _ = await lead_of(owner_connection, tenant, stage="LOST", lost_reason="PRICE")
    theirs, _ = await lead_of(owner_connection, tenant, DIRECTOR)
    abroad = await properties.property_(owner_connection, other_tenant)
    cases: list[tuple[UUID, dict[str, object], str, str | None]] = [
        (lead_id, {"probability": 1.01}, "INVALID", "probability"),
        (lead_id, {"probability": -0.01}, "INVALID", "probability"),
        (lead_id, {"amount": rupees("-1")}, "INVALID", "amount.amount"),
        (lead_id, {"amount": rupees("1e30")}, "INVALID", "amount.amount"),
        (lead_id, {"propertyId": f"property_{abroad}"}, "NOT_FOUND", "propertyId"),
        (lead_id, {"propertyId": f"project_{abroad}"}, "NOT_FOUND", "propertyId"),
        (lost, {}, "CONFLICT", "leadId"),
        (theirs, {}, "NOT_FOUND", None),
        (new_id(), {}, "NOT_FOUND", None),
    ]

    for lead, given, code, field in cases:
        refused = await create(api, lead, JUNIOR, **given)
        assert (refused["code"], refused["field"]) == (code, field), given
    assert await stored(owner_connection, tenant) == []
    assert await stored(owner_connection, tenant, "events") == []


async def test_an_update_changes_what_it_gives(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    deal = await deal_of(owner_connection, tenant, amount_amount=5, amount_currency="INR", probability=0.5)

    changed = await update(api, deal, JUNIOR, stage="OFFER", expectedCloseOn="2027-01-31")

    assert changed["opportunity"] == {
        "id": f"opportunity_{deal}", "stage": "OFFER", "amount": {"amount": "5.00", "currency": "INR"},
        "probability": 0.5, "expectedCloseOn": "2027-01-31",
    }  # fmt: skip
    [entry] = await stored(owner_connection, tenant, "audit_entries")
    assert entry["changed_fields"] == ["stage", "expected_close_on"]


async def test_an_update_to_what_is_there_writes_nothing(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    deal = await deal_of(owner_connection, tenant, probability=0.5)

    await update(api, deal, JUNIOR, stage="OPEN", probability=0.5)

    assert await stored(owner_connection, tenant, "events") == []


@pytest.mark.parametrize(
    ("role", "amount", "code"),
    [
        (JUNIOR, rupees("100000000.00"), None),
        (JUNIOR, rupees("100000000.01"), "NOT_ALLOWED"),
        (SENIOR, rupees("100000000.01"), "NOT_ALLOWED"),
        (DIRECTOR, rupees("100000000.01"), None),
        (Role.ADMIN, rupees("100000000.01"), None),
        (JUNIOR, {"amount": "1.00", "currency": "AED"}, "NOT_ALLOWED"),
        (DIRECTOR, {"amount": "1.00", "currency": "AED"}, None),
    ],
)
async def test_winning_above_the_threshold_needs_approval(
    api: Api, tenant: Tenant, owner_connection: Owner, role: Role, amount: dict[str, str], code: str | None
) -> None:
    deal = await deal_of(owner_connection, tenant, stage="CONTRACT")

    answered = await update(api, deal, role, stage="WON", amount=amount)

    [row] = await stored(owner_connection, tenant)
    if code is None:
        assert (answered["opportunity"]["stage"], answered["opportunity"]["probability"]) == ("WON", 1.0)
        approver = tenant.users[role] if role in {DIRECTOR, Role.ADMIN} else None
        assert (row["approved_by_id"], row["approved_at"] is None) == (approver, approver is None)
    else:
        assert answered == {"__typename": "NotAllowedProblem", "code": code, "message": APPROVAL, "field": "stage"}
        assert (row["stage"], row["amount_amount"]) == ("CONTRACT", None)
        assert await stored(owner_connection, tenant, "audit_entries") == []


async def test_a_tenant_without_a_threshold_wants_no_approval(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    deal = await deal_of(owner_connection, tenant, amount_amount=10**12, amount_currency="USD")
    await owner_connection.execute(
        "UPDATE tenants SET high_value_amount = NULL, high_value_currency = NULL WHERE id = $1", tenant.id
    )

    assert (await update(api, deal, JUNIOR, stage="WON"))["opportunity"]["stage"] == "WON"


async def test_what_was_approved_is_changed_by_approvers_only(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    deal = await deal_of(owner_connection, tenant, amount_amount=200_000_000, amount_currency="INR")
    await update(api, deal, DIRECTOR, stage="WON")

    cheaper = await update(api, deal, JUNIOR, amount=rupees("1"))
    reopened = await update(api, deal, JUNIOR, stage="OPEN")
    later = await update(api, deal, JUNIOR, expectedCloseOn="2027-01-01")

    assert (cheaper["message"], cheaper["field"]) == (APPROVAL, "amount")
    assert (reopened["message"], reopened["field"]) == (APPROVAL, "stage")
    assert later["opportunity"]["expectedCloseOn"] == "2027-01-01"
    [row] = await stored(owner_connection, tenant)
    assert (row["stage"], row["approved_by_id"]) == ("WON", tenant.users[DIRECTOR])
    await update(api, deal, DIRECTOR, stage="CONTRACT")
    [row] = await stored(owner_connection, tenant)
    assert (row["stage"], row["approved_by_id"], row["probability"]) == ("CONTRACT", None, None)


async def test_closing_rules(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    deal = await deal_of(owner_connection, tenant)

    without_amount = await update(api, deal, stage="WON")
    without_stage = await update(api, deal, stage=None)
    lost = await update(api, deal, stage="LOST")
    won = await update(api, deal, stage="WON", amount=rupees("1"))

    assert (without_amount["code"], without_amount["field"]) == ("INVALID", "amount")
    assert (without_stage["code"], without_stage["field"]) == ("INVALID", "stage")
    assert lost["opportunity"]["probability"] == 0.0
    assert (won["code"], won["field"], won["message"]) == (
        "CONFLICT",
        "stage",
        "A LOST deal is reopened before it is WON.",
    )


@pytest.mark.parametrize(
    ("role", "seen"),
    [(JUNIOR, [JUNIOR]), (SENIOR, [SENIOR, JUNIOR]), (DIRECTOR, [DIRECTOR, SENIOR, JUNIOR])],
)
async def test_a_deal_is_seen_by_whoever_sees_its_lead(
    api: Api, tenant: Tenant, owner_connection: Owner, role: Role, seen: list[Role]
) -> None:
    deals = {each: await deal_of(owner_connection, tenant, each) for each in (JUNIOR, SENIOR, DIRECTOR)}

    data = await api.data("Opportunities", role=role, first=10)

    found = data["opportunities"]["edges"]
    assert [edge["node"]["id"] for edge in found] == [f"opportunity_{deals[each]}" for each in seen]
    for edge in found:
        assert edge["node"]["lead"]["person"]["fullName"] == "Asha Rao"
    one = await api.data(f'{{ opportunity(id: "opportunity_{deals[DIRECTOR]}") {{ id }} }}', role=role)
    assert (one["opportunity"] is not None) is (role is DIRECTOR)
    if role is not DIRECTOR:
        assert (await update(api, deals[DIRECTOR], role, stage="OFFER"))["code"] == "NOT_FOUND"


async def test_deals_are_filtered_by_stage_and_by_who_works_on_them(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    mine = await deal_of(owner_connection, tenant, JUNIOR, stage="OFFER")
    await deal_of(owner_connection, tenant, JUNIOR, stage="OPEN")
    await deal_of(owner_connection, tenant, SENIOR, stage="OFFER")

    data = await api.data(
        "Opportunities", first=10, orderBy={"field": "CREATED_AT", "direction": "ASC"},
        filter={"stages": ["OFFER", "WON"], "assigneeIds": [f"user_{tenant.users[JUNIOR]}"]},
    )  # fmt: skip

    assert [edge["node"]["id"] for edge in data["opportunities"]["edges"]] == [f"opportunity_{mine}"]
