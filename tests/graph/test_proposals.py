"""Proposals through the schema: who sees them, and what approving, rejecting and waiting does."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record

from app.wiring import System
from domain.access import Caller, Role
from domain.proposals import expire_left
from domain.values import new_id
from tests.api import Answer, Api
from tests.factories import interactions, people, proposals
from tests.factories.access import Tenant
from tests.factories.rows import rows_of

Owner: TypeAlias = "Connection[Record]"

SENIOR, JUNIOR, DIRECTOR, ADMIN = Role.SENIOR_BROKER, Role.JUNIOR_BROKER, Role.SALES_DIRECTOR, Role.ADMIN
OVERTAKEN = "What it would change has changed meanwhile: nothing was done, and the proposal has expired."
DECIDED = "Somebody decided this proposal already, or its time is over."
AT = datetime(2026, 11, 3, tzinfo=UTC)


async def decide(api: Api, proposal: UUID, role: Role = SENIOR, decision: str = "APPROVE", **given: Any) -> Answer:
    given = {"proposalId": f"proposal_{proposal}", "decision": decision, **given}
    answer: Answer = (await api.data("ProposalDecide", role=role, **given))["proposalDecide"]
    return answer


def change(field: str, before: object, after: object) -> dict[str, object]:
    return {"field": field, "before": before, "after": after}


async def state(owner: Owner, tenant: Tenant, table: str, row_id: UUID) -> Record:
    return next(row for row in await rows_of(owner, table, tenant.id) if row["id"] == row_id)


def refused(answer: Answer, message: str, code: str = "CONFLICT") -> bool:
    return (answer["code"], answer["message"]) == (code, message)


async def test_the_queue_shows_what_is_proposed_and_why(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id, lead_id = await people.client_and_lead(owner_connection, tenant)
    call = await interactions.interaction(owner_connection, tenant, person_id=person_id)
    made = await proposals.proposal(
        owner_connection, tenant, lead_id=lead_id, reason="They said so.", created_at=AT,
        evidence=[{"text": "We pay in cash.", "interaction_id": str(call)}, {"text": "Row 7"}],
    )  # fmt: skip

    page = (await api.data("ProposalQueue", role=JUNIOR, first=5))["proposals"]

    assert page["totalCount"] == 1
    assert page["edges"][0]["node"] == {
        "id": f"proposal_{made}",
        "kind": "LEAD_TAG",
        "status": "PENDING",
        "subject": {
            "__typename": "Lead",
            "id": f"lead_{lead_id}",
            "person": {"id": f"person_{person_id}", "fullName": "Asha Rao"},
        },
        "changes": [{"field": "tags", "before": [], "after": ["cash"]}],
        "reason": "They said so.",
        "evidence": [
            {
                "text": "We pay in cash.",
                "interaction": {"__typename": "CallInteraction", "id": f"interaction_{call}"},
            },
            {"text": "Row 7", "interaction": None},
        ],
        "source": {"kind": "MODEL", "model": "a-model", "promptVersion": "1", "job": None},
        "createdAt": "2026-11-03T00:00:00+00:00",
    }


async def test_a_proposal_is_seen_by_whoever_owns_its_subject(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id, lead_id = await people.client_and_lead(owner_connection, tenant)
    fact: dict[str, Any] = {
        "kind": "FACT",
        "changes": [change("fact", None, {"kind": "PREFERENCE", "text": "A garden"})],
    }
    new: dict[str, Any] = {
        "kind": "IMPORT",
        "changes": [change("fullName", None, "Omar Said")],
        "source_kind": "IMPORT",
    }
    about_lead = await proposals.proposal(owner_connection, tenant, lead_id=lead_id, created_at=AT)
    about_person = await proposals.proposal(
        owner_connection, tenant, person_id=person_id, created_at=AT + timedelta(hours=1), **fact
    )
    about_nobody = await proposals.proposal(owner_connection, tenant, created_at=AT + timedelta(hours=2), **new)

    async def seen(caller: Caller, **given: Any) -> list[UUID]:
        page = (await api.data("ProposalQueue", caller=caller, first=5, **given))["proposals"]
        return [UUID(edge["node"]["id"].removeprefix("proposal_")) for edge in page["edges"]]

    assert await seen(tenant.caller(JUNIOR)) == [about_person, about_lead]
    assert await seen(tenant.caller(SENIOR)) == [about_person, about_lead]
    assert await seen(tenant.caller(DIRECTOR)) == [about_nobody, about_person, about_lead]
    assert await seen(tenant.outside) == []
    assert await seen(tenant.caller(ADMIN), filter={"kind": "FACT"}) == [about_person]
    assert await seen(tenant.caller(ADMIN), filter={"status": "APPROVED"}) == []
    assert await seen(tenant.caller(ADMIN), filter={"kind": "IMPORT", "status": "PENDING"}) == [about_nobody]


async def test_approved_tags_are_set_in_the_unit_of_the_decision(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    _, lead_id = await people.client_and_lead(owner_connection, tenant)
    made = await proposals.proposal(owner_connection, tenant, lead_id=lead_id)

    answer = await decide(api, made, comment=" Right. ")

    assert answer["proposal"] | {"decidedAt": ""} == {
        "id": f"proposal_{made}",
        "status": "APPROVED",
        "decidedAt": "",
        "decidedBy": {"__typename": "User", "id": f"user_{tenant.users[SENIOR]}", "displayName": "Senior_Broker"},
        "subject": {"__typename": "Lead", "id": f"lead_{lead_id}"},
    }
    assert (await state(owner_connection, tenant, "leads", lead_id))["tags"] == ["cash"]
    assert (await state(owner_connection, tenant, "proposals", made))["comment"] == "Right."
    entries = await rows_of(owner_connection, "audit_entries", tenant.id)
    told = [(row["action"], row["subject_noun"], row["changed_fields"]) for row in entries]
    assert told == [
        ("UPDATE", "leads", ["tags"]),
        ("CREATE", "notifications", ["kind", "rule"]),
        ("DECIDE", "proposals", ["status", "comment"]),
    ]
    assert {row["at"] for row in entries} == {answer_at(answer)}
    [*_, event] = await rows_of(owner_connection, "events", tenant.id)
    assert event["kind"] == "ProposalDecided"
    # The junior who works on the lead hears of the new tag.
    [notification] = await rows_of(owner_connection, "notifications", tenant.id)
    assert (notification["kind"], notification["user_id"]) == ("LEAD_TAGGED", tenant.users[JUNIOR])


def answer_at(answer: Answer) -> datetime:
    return datetime.fromisoformat(answer["proposal"]["decidedAt"])


async def test_a_rejected_proposal_changes_nothing_and_keeps_why(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    _, lead_id = await people.client_and_lead(owner_connection, tenant)
    made = await proposals.proposal(owner_connection, tenant, lead_id=lead_id)

    answer = await decide(api, made, decision="REJECT", comment="They did not mean it.")

    assert answer["proposal"]["status"] == "REJECTED"
    assert (await state(owner_connection, tenant, "proposals", made))["comment"] == "They did not mean it."
    assert (await state(owner_connection, tenant, "leads", lead_id))["tags"] == []
    [entry] = await rows_of(owner_connection, "audit_entries", tenant.id)
    assert (entry["action"], entry["actor_id"]) == ("DECIDE", tenant.users[SENIOR])


@pytest.mark.parametrize("first", ["APPROVE", "REJECT"])
@pytest.mark.parametrize("second", ["APPROVE", "REJECT"])
async def test_a_proposal_is_decided_once(
    api: Api, tenant: Tenant, owner_connection: Owner, first: str, second: str
) -> None:
    _, lead_id = await people.client_and_lead(owner_connection, tenant)
    made = await proposals.proposal(owner_connection, tenant, lead_id=lead_id)
    await decide(api, made, decision=first)

    answer = await decide(api, made, decision=second)

    assert refused(answer, DECIDED)
    row = await state(owner_connection, tenant, "proposals", made)
    assert row["status"] == {"APPROVE": "APPROVED", "REJECT": "REJECTED"}[first]


async def test_what_was_overtaken_is_refused_and_expires(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    _, lead_id = await people.client_and_lead(owner_connection, tenant)
    made = await proposals.proposal(owner_connection, tenant, lead_id=lead_id)
    await api.data("LeadUpdate", role=JUNIOR, input={"leadId": f"lead_{lead_id}", "tags": ["loan"]})

    assert refused(await decide(api, made), OVERTAKEN)

    row = await state(owner_connection, tenant, "proposals", made)
    assert (row["status"], row["decided_by_id"]) == ("EXPIRED", None)
    assert row["comment"] == "What it would change has changed meanwhile."
    assert (await state(owner_connection, tenant, "leads", lead_id))["tags"] == ["loan"]
    assert refused(await decide(api, made), DECIDED)


async def test_the_order_and_the_case_of_tags_are_no_change(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    _, lead_id = await people.client_and_lead(owner_connection, tenant)
    await api.data("LeadUpdate", role=JUNIOR, input={"leadId": f"lead_{lead_id}", "tags": ["Loan", "nri"]})
    changes = [change("tags", ["nri", "loan"], ["nri", "Loan", "cash"])]
    made = await proposals.proposal(owner_connection, tenant, lead_id=lead_id, changes=changes)

    assert (await decide(api, made))["proposal"]["status"] == "APPROVED"
    assert (await state(owner_connection, tenant, "leads", lead_id))["tags"] == ["nri", "Loan", "cash"]


async def test_an_approved_fact_keeps_where_it_is_from(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id, _ = await people.client_and_lead(owner_connection, tenant)
    call = await interactions.interaction(owner_connection, tenant, person_id=person_id)
    after = {"kind": "BUDGET", "text": "Up to 5 crore", "amount": {"amount": "50000000", "currency": "INR"}}
    made = await proposals.proposal(
        owner_connection, tenant, person_id=person_id, kind="FACT", changes=[change("fact", None, after)],
        evidence=[{"text": "Five crore, not more.", "interaction_id": str(call)}], created_at=AT,
    )  # fmt: skip

    await decide(api, made)

    [fact] = await rows_of(owner_connection, "facts", tenant.id)
    assert (fact["person_id"], fact["kind"], fact["text"]) == (person_id, "BUDGET", "Up to 5 crore")
    assert (fact["source"], fact["confidence"], fact["extracted_at"]) == ("MODEL", 1.0, AT)
    assert (fact["interaction_id"], fact["quote"]) == (call, "Five crore, not more.")
    assert (int(fact["amount_amount"]), fact["amount_currency"]) == (50_000_000, "INR")
    entries = await rows_of(owner_connection, "audit_entries", tenant.id)
    assert [(row["action"], row["subject_noun"]) for row in entries] == [("CREATE", "facts"), ("DECIDE", "proposals")]


async def test_a_fact_that_is_on_file_already_is_overtaken(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id, _ = await people.client_and_lead(owner_connection, tenant)
    await people.fact(owner_connection, tenant, person_id=person_id, text="A Sea View")
    after = {"kind": "PREFERENCE", "text": "a sea  view"}
    made = await proposals.proposal(
        owner_connection, tenant, person_id=person_id, kind="FACT", changes=[change("fact", None, after)]
    )

    assert refused(await decide(api, made), OVERTAKEN)
    assert len(await rows_of(owner_connection, "facts", tenant.id)) == 1


@pytest.mark.parametrize("corrected", [False, True])
async def test_a_fact_is_changed_unless_somebody_corrected_it(
    api: Api, tenant: Tenant, owner_connection: Owner, *, corrected: bool
) -> None:
    person_id, _ = await people.client_and_lead(owner_connection, tenant)
    fact_id = await people.fact(owner_connection, tenant, person_id=person_id)
    before = {"id": f"fact_{fact_id}", "kind": "PREFERENCE", "text": "A sea view"}
    after = {"kind": "PREFERENCE", "text": "A garden"}
    made = await proposals.proposal(
        owner_connection, tenant, person_id=person_id, kind="FACT", changes=[change("fact", before, after)]
    )
    if corrected:
        await api.data("FactCorrect", role=JUNIOR, factId=f"fact_{fact_id}", text="A park")

    answer = await decide(api, made)

    [fact] = await rows_of(owner_connection, "facts", tenant.id)
    if corrected:
        assert refused(answer, OVERTAKEN)
        assert (fact["text"], fact["source"]) == ("A park", "PERSON")
    else:
        assert (fact["id"], fact["text"], fact["source"], fact["confidence"]) == (fact_id, "A garden", "MODEL", 1.0)


def match(absorbed: UUID, kept: UUID) -> dict[str, Any]:
    ids = [{"id": f"person_{each}"} for each in (absorbed, kept)]
    return {"kind": "MATCH", "source_kind": "IMPORT", "changes": [change("person", *ids)]}


async def test_an_approved_match_merges(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id, _ = await people.client_and_lead(owner_connection, tenant)
    twin_id, lead_id = await people.client_and_lead(owner_connection, tenant, full_name="A. Rao", city="Mumbai")
    made = await proposals.proposal(owner_connection, tenant, person_id=twin_id, **match(twin_id, person_id))

    answer = await decide(api, made)

    assert answer["proposal"]["subject"] == {"__typename": "Person", "id": f"person_{person_id}"}
    assert (await state(owner_connection, tenant, "people", twin_id))["merged_into_id"] == person_id
    assert (await state(owner_connection, tenant, "people", person_id))["city"] == "Mumbai"
    assert (await state(owner_connection, tenant, "leads", lead_id))["person_id"] == person_id
    entries = await rows_of(owner_connection, "audit_entries", tenant.id)
    assert [row["action"] for row in entries] == ["MERGE", "DECIDE"]
    [activity] = await rows_of(owner_connection, "activity_entries", tenant.id)
    assert activity["kind"] == "PERSON_MERGED"


async def test_a_match_of_somebody_who_was_merged_is_overtaken(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id, _ = await people.client_and_lead(owner_connection, tenant)
    twin_id, _ = await people.client_and_lead(owner_connection, tenant)
    made = await proposals.proposal(owner_connection, tenant, person_id=twin_id, **match(twin_id, person_id))
    given = {"keepPersonId": f"person_{person_id}", "absorbPersonIds": [f"person_{twin_id}"], "dryRun": False}
    await api.data("PersonMerge", role=SENIOR, input=given)

    assert refused(await decide(api, made), OVERTAKEN)
    # What was proposed about the absorbed is about the survivor, and stays to be seen.
    assert (await state(owner_connection, tenant, "proposals", made))["subject_id"] == person_id


async def test_a_refused_change_leaves_the_proposal_waiting(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    stranger_id = await people.person(owner_connection, tenant)
    person_id, _ = await people.client_and_lead(owner_connection, tenant)
    made = await proposals.proposal(owner_connection, tenant, person_id=person_id, **match(person_id, stranger_id))

    answer = await decide(api, made)

    assert refused(answer, "Your role merges only people of your own and your teams' leads.", "NOT_ALLOWED")
    assert (await state(owner_connection, tenant, "proposals", made))["status"] == "PENDING"
    assert await rows_of(owner_connection, "audit_entries", tenant.id) == []
    assert (await decide(api, made, DIRECTOR))["proposal"]["status"] == "APPROVED"


async def test_imported_details_are_set_where_nobody_changed_them(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id, _ = await people.client_and_lead(
        owner_connection, tenant, city="Mumbai", primary_phone_e164="+919820098200"
    )
    changes = [change("city", "Mumbai", "Pune"), change("phone", "+919820098200", "+91 98200 12345")]
    given: dict[str, Any] = {"kind": "IMPORT", "source_kind": "IMPORT", "changes": changes}
    first, second = [await proposals.proposal(owner_connection, tenant, person_id=person_id, **given) for _ in range(2)]

    assert (await decide(api, first))["proposal"]["status"] == "APPROVED"
    person = await state(owner_connection, tenant, "people", person_id)
    assert (person["city"], person["primary_phone_e164"]) == ("Pune", "+919820012345")
    assert refused(await decide(api, second), OVERTAKEN)


async def test_an_imported_person_is_added(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    details = {"fullName": "Omar Said", "phone": "+971501234567", "contactType": "INVESTOR"}
    changes = [change(field, None, text) for field, text in details.items()]
    made = await proposals.proposal(owner_connection, tenant, kind="IMPORT", source_kind="IMPORT", changes=changes)
    assert (await decide(api, made))["code"] == "NOT_FOUND"

    answer = await decide(api, made, DIRECTOR)

    [person] = await rows_of(owner_connection, "people", tenant.id)
    assert answer["proposal"]["subject"] == {"__typename": "Person", "id": f"person_{person['id']}"}
    assert (person["full_name"], person["primary_phone_e164"]) == ("Omar Said", "+971501234567")
    assert person["contact_type"] == "INVESTOR"
    [activity] = await rows_of(owner_connection, "activity_entries", tenant.id)
    assert activity["kind"] == "PERSON_CREATED"


async def test_imported_details_that_are_wrong_are_told_by_their_field(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    changes = [change("fullName", None, "Omar Said"), change("phone", None, "12")]
    made = await proposals.proposal(owner_connection, tenant, kind="IMPORT", source_kind="IMPORT", changes=changes)

    answer = await decide(api, made, DIRECTOR)

    assert (answer["__typename"], answer["code"]) == ("InvalidProblem", "INVALID")
    assert (await state(owner_connection, tenant, "proposals", made))["status"] == "PENDING"
    assert await rows_of(owner_connection, "people", tenant.id) == []


async def test_only_people_decide(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    _, lead_id = await people.client_and_lead(owner_connection, tenant)
    made = await proposals.proposal(owner_connection, tenant, lead_id=lead_id)
    key = Caller(tenant.id, None, ADMIN, (), api_key_id=new_id())
    given = {"proposalId": f"proposal_{made}", "decision": "APPROVE"}

    for caller, message in ((key, "Only a person can do this, not an API key."), (tenant.caller(JUNIOR), None)):
        answer = (await api.data("ProposalDecide", caller=caller, **given))["proposalDecide"]
        assert answer["code"] == "NOT_ALLOWED"
        assert message is None or answer["message"] == message
    assert (await state(owner_connection, tenant, "proposals", made))["status"] == "PENDING"


async def test_what_nobody_decides_expires(system: System, api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    _, lead_id = await people.client_and_lead(owner_connection, tenant)
    old, new = [
        await proposals.proposal(owner_connection, tenant, lead_id=lead_id, created_at=at)
        for at in (datetime(2001, 1, 1, tzinfo=UTC), datetime(2001, 1, 3, tzinfo=UTC))
    ]

    assert await expire_left(system.units, system.overdue, datetime(2001, 1, 2, tzinfo=UTC)) == 1
    assert await expire_left(system.units, system.overdue, datetime(2001, 1, 2, tzinfo=UTC)) == 0

    row = await state(owner_connection, tenant, "proposals", old)
    assert (row["status"], row["decided_by_id"], row["comment"]) == ("EXPIRED", None, "Nobody decided.")
    assert (await state(owner_connection, tenant, "proposals", new))["status"] == "PENDING"
    [entry] = await rows_of(owner_connection, "audit_entries", tenant.id)
    assert (entry["action"], entry["actor_noun"]) == ("UPDATE", "system_actors")
    assert refused(await decide(api, old), DECIDED)
