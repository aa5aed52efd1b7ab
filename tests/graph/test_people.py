"""People through the schema: who is added, found and changed, by whom, and what of them is shown."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record

from domain.access import Role
from domain.people.names import name_key
from domain.values import new_id
from tests.api import Answer, Api
from tests.factories import interactions, leads, people, perception, properties, tasks, threads
from tests.factories.access import Tenant
from tests.factories.rows import insert, rows_of

Owner: TypeAlias = "Connection[Record]"

ADMIN, DIRECTOR, SENIOR, JUNIOR = Role.ADMIN, Role.SALES_DIRECTOR, Role.SENIOR_BROKER, Role.JUNIOR_BROKER
AT = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


def shown(person_id: UUID) -> str:
    return f"person_{person_id}"


async def created(api: Api, **given: Any) -> Answer:
    """Add a person as the admin, and return the payload."""
    answer: Answer = (await api.data("PersonCreate", input={"fullName": "Sara Khan", **given}))["personCreate"]
    assert answer["__typename"] == "PersonCreatePayload", answer
    return answer


async def refused(api: Api, document: str, field: str, **arguments: Any) -> tuple[str, str | None]:
    """Return the kind of a refusal and the field it is about."""
    answer = (await api.data(document, **arguments))[field]
    return answer["__typename"], answer["field"]


async def names(api: Api, search: str, role: Role = ADMIN) -> list[str]:
    found = await api.data("People", first=10, filter={"search": search}, role=role)
    return [edge["node"]["fullName"] for edge in found["people"]["edges"]]


# --- personCreate ---------------------------------------------------------------------------------------------------


async def test_a_new_person_is_stored_as_they_are_found(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    answer = await created(
        api, fullName="  Sara   Khan ", phone="098765 43210", email=" Sara@Example.com ", city=" Navi  Mumbai",
        contactType="BUYER",
    )  # fmt: skip

    [stored] = await rows_of(owner_connection, "people", tenant.id)
    assert answer == {
        "__typename": "PersonCreatePayload",
        "person": {"id": shown(stored["id"]), "fullName": "Sara Khan"},
        "duplicates": [],
    }
    columns = (
        "primary_phone_e164", "primary_phone_country", "primary_phone_raw", "primary_email",
        "primary_email_normalised", "city", "contact_type", "name_key",
    )  # fmt: skip
    assert [stored[column] for column in columns] == [
        "+919876543210", "IN", "098765 43210", "Sara@Example.com", "sara@example.com", "Navi Mumbai", "BUYER", "knrs",
    ]  # fmt: skip
    [entry] = await rows_of(owner_connection, "audit_entries", tenant.id)
    assert (entry["action"], entry["subject_noun"], entry["subject_id"]) == ("CREATE", "people", stored["id"])
    assert entry["changed_fields"] == ["fullName", "primaryPhone", "primaryEmail", "city", "contactType"]
    [event] = await rows_of(owner_connection, "events", tenant.id)
    assert (event["kind"], event["person_id"], event["payload"]) == ("PersonCreated", stored["id"], "{}")
    [activity] = await rows_of(owner_connection, "activity_entries", tenant.id)
    assert (activity["kind"], activity["summary"]) == ("PERSON_CREATED", "New person")


async def test_every_issue_of_the_form_is_answered_and_nothing_written(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    answer = await api.data("PersonCreate", input={"fullName": " ", "phone": "12", "email": "sara@", "city": "Pune"})

    assert answer["personCreate"] == {
        "__typename": "InvalidProblem",
        "code": "INVALID",
        "message": "A name has at least one letter.",
        "field": "fullName",
        "issues": [
            {"field": "fullName", "code": "INVALID", "message": "A name has at least one letter."},
            {
                "field": "phone",
                "code": "INVALID",
                "message": "This is no valid phone number. Begin with + and the country code.",
            },
            {"field": "email", "code": "INVALID", "message": "This is no e-mail address."},
        ],
    }
    for table in ("people", "audit_entries", "events", "activity_entries"):
        assert await rows_of(owner_connection, table, tenant.id) == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"fullName": "x" * 201}, "fullName"),
        ({"phone": "+971 50 123 4567\0"}, "phone"),
        ({"email": "\ud800@example.com"}, "email"),
        ({"city": "x" * 101}, "city"),
        ({"idempotencyKey": "x" * 201}, "idempotencyKey"),
    ],
)
async def test_text_that_cannot_be_kept_is_refused(api: Api, given: dict[str, str], field: str) -> None:
    answer = await refused(api, "PersonCreate", "personCreate", input={"fullName": "Sara Khan", **given})

    assert answer == ("InvalidProblem", field)


async def test_who_they_may_be_already_is_answered_with_the_evidence(api: Api) -> None:
    sara = await created(api, fullName="Sara Khan", phone="+971501234567", email="sara@example.com", city="Dubai")
    omar = await created(api, fullName="Omar Haddad", phone="+971501234567")
    await created(api, fullName="Priya Sharma")

    again = await created(api, fullName="Khan, Sara", phone="971501234567", email="SARA@example.com", city="Dubai")

    assert again["duplicates"] == [
        {"person": sara["person"], "score": 1.0, "evidence": ["PHONE", "EMAIL", "NAME"]},
        {"person": omar["person"], "score": 1.0, "evidence": ["PHONE"]},
    ]


async def test_a_like_name_is_suggested(api: Api) -> None:
    first = await created(api, fullName="Mohammed Al Maktoum")

    second = await created(api, fullName="Muhammad AlMaktoum")

    assert second["duplicates"] == [{"person": first["person"], "score": 0.706, "evidence": ["NAME"]}]


async def test_one_key_adds_one_person_and_tells_the_same_duplicates(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    await created(api, email="sara@example.com")

    first = await created(api, email="sara@example.com", idempotencyKey="k")
    second = await created(api, email="sara@example.com", idempotencyKey="k")

    assert first == second
    assert [each["evidence"] for each in second["duplicates"]] == [["EMAIL", "NAME"]]
    assert len(await rows_of(owner_connection, "people", tenant.id)) == 2


async def test_of_two_people_added_at_once_each_knows_the_other(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    await asyncio.gather(*(created(api, fullName=f"Buyer {letter}", phone="+971501234567") for letter in "abcd"))

    assert len(await rows_of(owner_connection, "person_duplicates", tenant.id)) == 4 * 3


async def test_another_tenants_people_are_no_duplicates(api: Api, other_tenant: Tenant) -> None:
    await created(Api(api.system, other_tenant), phone="+971501234567")

    assert (await created(api, phone="+971501234567"))["duplicates"] == []


# --- personUpdate ---------------------------------------------------------------------------------------------------


async def test_what_is_left_out_stays_and_null_takes_away(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person = (await created(api, phone="+971501234567", email="sara@example.com", city="Dubai"))["person"]["id"]

    answer = await api.data(
        "PersonUpdate", input={"personId": person, "fullName": "Sara Khan Haddad", "phone": None, "city": "Pune"}
    )

    assert answer["personUpdate"]["person"] == {
        "id": person, "fullName": "Sara Khan Haddad", "primaryPhone": None, "primaryEmail": "sara@example.com",
        "city": "Pune",
    }  # fmt: skip
    [stored] = await rows_of(owner_connection, "people", tenant.id)
    assert (stored["primary_phone_e164"], stored["primary_phone_raw"]) == (None, None)
    assert stored["updated_at"] > stored["created_at"]
    entries = await rows_of(owner_connection, "audit_entries", tenant.id)
    assert [entry["changed_fields"] for entry in entries if entry["action"] == "UPDATE"] == [
        ["fullName", "primaryPhone", "city"]
    ]


async def test_changing_nothing_is_no_change(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person = (await created(api, phone="+971501234567"))["person"]["id"]

    await api.data("PersonUpdate", input={"personId": person, "fullName": " Sara Khan", "phone": "+971501234567"})

    assert len(await rows_of(owner_connection, "audit_entries", tenant.id)) == 1


async def test_duplicates_follow_what_changes(api: Api) -> None:
    sara = (await created(api, fullName="Sara Khan", phone="+971501234567"))["person"]
    omar = (await created(api, fullName="Omar Haddad"))["person"]

    async def known(person: Answer) -> list[Any]:
        answer = await api.data("PersonDuplicates", personId=person["id"], first=5)
        return [(each["person"]["id"], each["evidence"]) for each in answer["person"]["duplicates"]]

    assert (await known(sara), await known(omar)) == ([], [])
    await api.data("PersonUpdate", input={"personId": omar["id"], "phone": "+971501234567"})
    assert (await known(sara), await known(omar)) == ([(omar["id"], ["PHONE"])], [(sara["id"], ["PHONE"])])
    await api.data("PersonUpdate", input={"personId": sara["id"], "phone": None})
    assert (await known(sara), await known(omar)) == ([], [])


@pytest.mark.parametrize(
    ("given", "field"),
    [({"fullName": None}, "fullName"), ({"phone": "12"}, "phone"), ({"email": ""}, "email")],
)
async def test_what_is_no_detail_is_refused(api: Api, given: dict[str, str | None], field: str) -> None:
    person = (await created(api))["person"]["id"]

    answer = await refused(api, "PersonUpdate", "personUpdate", input={"personId": person, **given})

    assert answer == ("InvalidProblem", field)


async def test_contact_details_are_changed_by_those_who_see_them(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    own = shown(await people.client(owner_connection, tenant))
    foreign = shown(await people.person(owner_connection, tenant))
    refusals: dict[tuple[Role, str, str], tuple[str, str | None] | None] = {}
    for role in Role:
        for whose, person in (("own", own), ("foreign", foreign)):
            for name in ("city", "phone"):
                value = f"+9715012345{len(refusals):02}" if name == "phone" else f"City {len(refusals)}"
                answer = await api.data("PersonUpdate", input={"personId": person, name: value}, role=role)
                problem = answer["personUpdate"]
                refusals[role, whose, name] = problem.get("code") and (problem["code"], problem["field"])

    assert {case: refusal for case, refusal in refusals.items() if refusal} == {
        (SENIOR, "foreign", "phone"): ("NOT_ALLOWED", "phone"),
        (JUNIOR, "foreign", "city"): ("NOT_ALLOWED", None),
        (JUNIOR, "foreign", "phone"): ("NOT_ALLOWED", None),
    }


async def test_nobody_changes_somebody_who_is_not_there(
    api: Api, tenant: Tenant, other_tenant: Tenant, owner_connection: Owner
) -> None:
    foreign = await people.person(owner_connection, other_tenant)
    lead = await people.lead(owner_connection, tenant, person_id=await people.person(owner_connection, tenant))

    for person in (shown(foreign), shown(new_id()), f"lead_{lead}", "person_1"):
        answer = await refused(api, "PersonUpdate", "personUpdate", input={"personId": person, "city": "Pune"})
        assert answer[0] == "NotFoundProblem"


# --- people ---------------------------------------------------------------------------------------------------------


async def test_people_are_found_by_name_address_and_number(api: Api) -> None:
    await created(api, fullName="Sara Khan", phone="+971501234567", email="S.Khan@Example.com")
    await created(api, fullName="Omar Haddad", phone="+919876543210", email="omar@example.org")

    assert await names(api, "ARA k") == ["Sara Khan"]
    assert await names(api, "s.khan@EX") == ["Sara Khan"]
    assert await names(api, "050 123 45") == ["Sara Khan"]
    assert await names(api, "+971-50") == ["Sara Khan"]
    assert await names(api, "%") == await names(api, "_") == await names(api, "\\") == []
    # Digits beside letters are part of an address or a name, never of a number.
    assert await names(api, "x971") == []


async def test_a_number_finds_only_whom_one_may_call(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    await people.client(owner_connection, tenant, full_name="Asha Rao", primary_phone_e164="+971501234567")
    await people.person(owner_connection, tenant, full_name="Omar Haddad", primary_phone_e164="+971501234568")

    assert {role: await names(api, "97150123", role) for role in Role} == {
        ADMIN: ["Asha Rao", "Omar Haddad"],
        DIRECTOR: ["Asha Rao", "Omar Haddad"],
        SENIOR: ["Asha Rao"],
        JUNIOR: ["Asha Rao"],
    }
    assert await names(api, "omar", JUNIOR) == ["Omar Haddad"]


async def test_people_are_listed_by_name_and_narrowed_by_city_and_change(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    await people.person(owner_connection, tenant, full_name="Bina", city="Dubai", updated_at=AT)
    await people.person(owner_connection, tenant, full_name="Asha", city="Pune", updated_at=AT + timedelta(days=1))
    await people.person(owner_connection, tenant, full_name="Chand", city="Agra", updated_at=AT - timedelta(days=1))

    async def listed(**given: Any) -> list[str]:
        found = await api.data("People", first=10, **given)
        return [edge["node"]["fullName"] for edge in found["people"]["edges"]]

    assert await listed() == ["Asha", "Bina", "Chand"]
    assert await listed(filter={"cities": ["Dubai", "Agra"]}) == ["Bina", "Chand"]
    assert await listed(filter={"updatedAfter": AT.isoformat()}) == ["Asha"]
    assert await listed(orderBy={"field": "UPDATED_AT", "direction": "DESC"}) == ["Asha", "Bina", "Chand"]
    assert await listed(orderBy={"field": "CREATED_AT", "direction": "ASC"}) == ["Bina", "Asha", "Chand"]


# --- what is shown ---------------------------------------------------------------------------------------------------

MASKED = """query($id: ID!) { person(id: $id) {
    fullName city primaryPhone { e164 } primaryEmail contactType lastContactedAt latestQd { score }
    nextBestAction { title } household { name } relationships { edges { node { kind } } }
    facts { edges { node { text } } } duplicates(first: 5) { score } accounts { title account { name } }
    restrictedFields
} }"""


async def full_person(owner: Owner, tenant: Tenant, *, of: Role | None) -> UUID:
    """Make a person with something of everything."""
    household_id = await people.household(owner, tenant)
    person_id = await people.person(
        owner, tenant, city="Dubai", primary_phone_e164="+971501234567", primary_email="a@example.com",
        contact_type="BUYER", last_contacted_at=AT, rules_qd_at=AT, rules_qd_score=70.5, rules_qd_kind="PROFILE",
        next_best_action_kind="CALL", next_best_action_title="Call them back", next_best_action_reason="They wrote.",
        next_best_action_computed_at=AT, household_id=household_id,
    )  # fmt: skip
    other_id = await people.person(owner, tenant, full_name="Dev Rao")
    await people.relationship(owner, tenant, person_id=person_id, other_id=other_id)
    await people.fact(owner, tenant, person_id=person_id)
    account_id = await people.account(owner, tenant)
    await insert(owner, "person_accounts", tenant.id, person_id=person_id, account_id=account_id, title="Director")
    await insert(
        owner, "person_duplicates", tenant.id, person_id=person_id, other_id=other_id, score=0.5, name_score=0.5,
        evidence=["NAME"],
    )  # fmt: skip
    if of is not None:
        await people.lead(owner, tenant, person_id=person_id, assignee_id=tenant.users[of])
    return person_id


ALL_OF_THEM: Answer = {
    "fullName": "Asha Rao", "city": "Dubai", "primaryPhone": {"e164": "+971501234567"}, "primaryEmail": "a@example.com",
    "contactType": "BUYER", "lastContactedAt": "2026-02-03T04:05:06+00:00", "latestQd": {"score": 70.5},
    "nextBestAction": {"title": "Call them back"}, "household": {"name": "The Khans"},
    "relationships": {"edges": [{"node": {"kind": "SPOUSE"}}]},
    "facts": {"edges": [{"node": {"text": "A sea view"}}]}, "duplicates": [{"score": 0.5}],
    "accounts": [{"title": "Director", "account": {"name": "Khan Textiles"}}], "restrictedFields": [],
}  # fmt: skip
NO_CONTACT = ALL_OF_THEM | {
    "primaryPhone": None, "primaryEmail": None, "restrictedFields": ["primaryEmail", "primaryPhone"],
}  # fmt: skip
NAME_AND_CITY: Answer = {
    "fullName": "Asha Rao", "city": "Dubai", "primaryPhone": None, "primaryEmail": None, "contactType": None,
    "lastContactedAt": None, "latestQd": None, "nextBestAction": None, "household": None,
    "relationships": {"edges": []}, "facts": {"edges": []}, "duplicates": [], "accounts": [],
    "restrictedFields": [
        "contactType", "household", "lastContactedAt", "latestQd", "nextBestAction", "primaryEmail", "primaryPhone",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("role", "of", "expected"),
    [
        (ADMIN, None, ALL_OF_THEM),
        (DIRECTOR, None, ALL_OF_THEM),
        (SENIOR, JUNIOR, ALL_OF_THEM),
        (SENIOR, None, NO_CONTACT),
        (JUNIOR, JUNIOR, ALL_OF_THEM),
        (JUNIOR, SENIOR, NAME_AND_CITY),
        (JUNIOR, None, NAME_AND_CITY),
    ],
)
async def test_each_role_sees_what_the_design_gives_it(
    api: Api, tenant: Tenant, owner_connection: Owner, role: Role, of: Role | None, expected: Answer
) -> None:
    person_id = await full_person(owner_connection, tenant, of=of)

    answer = (await api.data(MASKED, id=shown(person_id), role=role))["person"]

    answer["restrictedFields"].sort()
    assert answer == expected


async def test_a_shared_lead_makes_a_person_ones_own(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id = await full_person(owner_connection, tenant, of=None)
    lead_id = await people.lead(owner_connection, tenant, person_id=person_id)

    before = await api.data(MASKED, id=shown(person_id), caller=tenant.outside)
    await leads.share(owner_connection, tenant, lead_id=lead_id, user_id=tenant.outsider)
    after = await api.data(MASKED, id=shown(person_id), caller=tenant.outside)

    assert (len(before["person"]["restrictedFields"]), after["person"]) == (7, ALL_OF_THEM)


async def test_a_household_shows_to_those_who_know_a_member(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    household_id = await people.household(owner_connection, tenant)
    await people.client(owner_connection, tenant, full_name="Asha Rao", household_id=household_id)
    await people.person(owner_connection, tenant, full_name="Dev Rao", household_id=household_id)
    document = (
        "query($id: ID!) { node(id: $id) { ... on Household { members(first: 5) { edges { node { fullName } } } } } }"
    )

    mine = await api.data(document, id=f"household_{household_id}", role=JUNIOR)
    foreign = await api.data(document, id=f"household_{household_id}", caller=tenant.outside)

    assert [edge["node"]["fullName"] for edge in mine["node"]["members"]["edges"]] == ["Asha Rao", "Dev Rao"]
    assert foreign["node"] is None


@pytest.mark.parametrize("first", [-1, 101])
async def test_the_number_of_duplicates_is_bounded(
    api: Api, tenant: Tenant, owner_connection: Owner, first: int
) -> None:
    person_id = await people.person(owner_connection, tenant)

    answer = await api.run("PersonDuplicates", personId=shown(person_id), first=first)

    [error] = answer["errors"]
    assert error["message"] == f"`first` is from 0 to 100; {first} was asked for."


async def test_client_360_tells_everything_about_a_client(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    owner = owner_connection
    person_id = await full_person(owner, tenant, of=JUNIOR)
    [lead] = await rows_of(owner, "leads", tenant.id)
    property_id = await properties.property_(owner, tenant)
    await leads.opportunity(owner, tenant, lead_id=lead["id"], person_id=person_id, property_id=property_id)
    await properties.interest(owner, tenant, person_id=person_id, lead_id=lead["id"], property_id=property_id)
    call_id = await interactions.interaction(owner, tenant, person_id=person_id, duration_seconds=60)
    await interactions.objection(owner, tenant, call_id=call_id)
    await people.fact(owner, tenant, person_id=person_id, text="A garden", interaction_id=call_id, quote="a garden")
    await people.fact(owner, tenant, person_id=person_id, text="Wrong", dismissed_at=AT)
    await tasks.task(owner, tenant, person_id=person_id, assignee_id=tenant.users[JUNIOR])
    await threads.thread(owner, tenant, person_id=person_id, assignee_id=tenant.users[JUNIOR])
    await perception.consent(owner, tenant, person_id=person_id, granted_at=AT)

    answer = (await api.data("Client360", personId=shown(person_id), role=JUNIOR))["person"]

    counts = {
        name: len(entry["edges"]) for name, entry in answer.items() if isinstance(entry, dict) and "edges" in entry
    }
    assert counts == {
        "relationships": 1, "leads": 1, "opportunities": 1, "propertyInterests": 1, "interactions": 1, "facts": 2,
        "tasks": 1, "threads": 1, "consents": 1,
    }  # fmt: skip
    newest = answer["facts"]["edges"][0]["node"]
    assert (newest["text"], newest["quote"], newest["interaction"]) == (
        "A garden", "a garden", {"__typename": "CallInteraction", "id": f"interaction_{call_id}"}
    )  # fmt: skip
    assert answer["relationships"]["edges"][0]["node"]["other"]["fullName"] == "Dev Rao"
    assert answer["household"]["members"]["edges"] == [{"node": {"id": shown(person_id), "fullName": "Asha Rao"}}]
    assert answer["nextBestAction"] == {
        "kind": "CALL", "title": "Call them back", "reason": "They wrote.", "dueAt": None,
        "computedAt": "2026-02-03T04:05:06+00:00",
    }  # fmt: skip


async def test_no_duplicate_tells_whose_a_masked_number_is(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    theirs = [
        await people.person(
            owner_connection, tenant, full_name=name, primary_phone_e164="+971501234567", name_key=name_key(name)
        )
        for name in ("Hidden Client", "Mine Own")
    ]
    mine = await people.client(owner_connection, tenant, full_name="Mine Own")
    listed = "person { duplicates(first: 5) { person { id } score evidence } }"
    update = f"""mutation($id: ID!) {{ personUpdate(input: {{personId: $id, phone: "+971501234567"}}) {{
        ... on PersonUpdatePayload {{ {listed} }} }} }}"""
    create = """mutation { personCreate(input: {fullName: "Mine Own", phone: "+971501234567"}) {
        ... on PersonCreatePayload { duplicates { person { id } score evidence } } } }"""
    by_name = {"person": {"id": f"person_{theirs[1]}"}, "score": 0.8, "evidence": ["NAME"]}
    same = {"person": {"id": f"person_{mine}"}, "score": 1.0, "evidence": ["PHONE", "NAME"]}

    updated = await api.data(update, role=JUNIOR, id=f"person_{mine}")
    created = await api.data(create, role=JUNIOR)
    read = "query($id: ID!) { person(id: $id) { duplicates(first: 5) { evidence } } }"
    seen = await api.data(read, id=f"person_{mine}")

    assert updated["personUpdate"]["person"]["duplicates"] == [by_name]
    assert created["personCreate"]["duplicates"] == [same, by_name]
    evidence = [each["evidence"] for each in seen["person"]["duplicates"]]
    assert sorted(evidence) == [["PHONE"], ["PHONE", "NAME"], ["PHONE", "NAME"]]
