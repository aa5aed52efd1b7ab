"""Leads through the schema: each mutation by each kind of caller, what it stores, and what it refuses."""

import asyncio
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record

from domain.access import Role
from domain.values import new_id
from tests.api import Answer, Api
from tests.factories import leads, people, properties
from tests.factories.access import Tenant
from tests.factories.rows import insert, rows_of

Owner: TypeAlias = "Connection[Record]"

SENIOR, JUNIOR = Role.SENIOR_BROKER, Role.JUNIOR_BROKER


async def lead_of(owner: Owner, tenant: Tenant, role: Role | None = JUNIOR, **values: Any) -> tuple[UUID, UUID]:
    """Make a lead assigned to the user of a role, of a person of its own; return the lead and the person."""
    person_id = await people.person(owner, tenant)
    assignee_id = None if role is None else tenant.users[role]
    return await people.lead(owner, tenant, person_id=person_id, assignee_id=assignee_id, **values), person_id


async def answer(api: Api, document: str, /, field: str, **arguments: Any) -> Answer:
    data = await api.data(document, **arguments)
    found: Answer = data[field]
    return found


def problem(name: str, code: str, message: str, field: str | None) -> Answer:
    return {"__typename": name, "code": code, "message": message, "field": field}


NOT_FOUND = problem("NotFoundProblem", "NOT_FOUND", "There is no such record.", None)


async def test_an_update_changes_what_it_gives_and_nothing_else(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    lead_id, _ = await lead_of(
        owner_connection, tenant, qualification="WARM", budget_amount=5, budget_currency="AED", tags=["nri"]
    )

    updated = await answer(
        api, "LeadUpdate", "leadUpdate", role=JUNIOR,
        input={"leadId": f"lead_{lead_id}", "tags": [" Sea  view ", "SEA VIEW", "nri"], "qualification": None},
    )  # fmt: skip

    assert updated["lead"] == {
        "id": f"lead_{lead_id}", "source": "WEBSITE", "qualification": None, "tags": ["Sea view", "nri"],
        "budget": {"amount": "5.00", "currency": "AED"},
    }  # fmt: skip
    [entry] = await rows_of(owner_connection, "audit_entries", tenant.id)
    assert (entry["action"], entry["changed_fields"]) == ("UPDATE", ["qualification", "tags"])
    [event] = await rows_of(owner_connection, "events", tenant.id)
    assert (event["kind"], event["payload"]) == ("LeadUpdated", "{}")


async def test_an_update_may_take_the_budget_away(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    lead_id, _ = await lead_of(owner_connection, tenant, budget_amount=5, budget_currency="AED")

    updated = await answer(api, "LeadUpdate", "leadUpdate", input={"leadId": f"lead_{lead_id}", "budget": None})

    assert updated["lead"]["budget"] is None


async def test_an_update_of_nothing_writes_nothing(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    lead_id, _ = await lead_of(owner_connection, tenant)

    updated = await answer(api, "LeadUpdate", "leadUpdate", input={"leadId": f"lead_{lead_id}"})

    assert updated["lead"]["id"] == f"lead_{lead_id}"
    assert await rows_of(owner_connection, "audit_entries", tenant.id) == []


@pytest.mark.parametrize(
    ("given", "field", "message"),
    [
        ({"source": None}, "source", "A lead always has source."),
        ({"tags": None}, "tags", "A lead always has tags."),
        ({"tags": ["fine", ""]}, "tags.1", "A tag is not empty."),
        ({"tags": ["a\0b"]}, "tags", "Text cannot hold a NUL character."),
        (
            {"budget": {"amount": "-1", "currency": "INR"}},
            "budget.amount",
            "An amount is not negative.",
        ),
        (
            {"budget": {"amount": "1", "currency": "XXX"}},
            "budget.currency",
            "This is no ISO 4217 currency code.",
        ),
    ],
)
async def test_a_bad_update_is_refused(
    api: Api, tenant: Tenant, owner_connection: Owner, given: dict[str, object], field: str, message: str
) -> None:
    lead_id, _ = await lead_of(owner_connection, tenant, tags=["kept"])

    refused = await answer(api, "LeadUpdate", "leadUpdate", input={"leadId": f"lead_{lead_id}", **given})

    assert refused == problem("InvalidProblem", "INVALID", message, field)
    [stored] = await rows_of(owner_connection, "leads", tenant.id)
    assert stored["tags"] == ["kept"]
    assert await rows_of(owner_connection, "audit_entries", tenant.id) == []


@pytest.mark.parametrize(
    ("document", "field", "more"),
    [
        ("LeadUpdate", "leadUpdate", {"tags": []}),
        ("LeadMove", "leadMove", {"toStage": "VISIT"}),
        ("LeadAssign", "leadAssign", {}),
    ],
)
async def test_a_lead_of_others_is_as_good_as_missing(
    api: Api, tenant: Tenant, other_tenant: Tenant, owner_connection: Owner,
    document: str, field: str, more: dict[str, object],
) -> None:  # fmt: skip
    theirs, _ = await lead_of(owner_connection, tenant, Role.SALES_DIRECTOR)
    abroad, _ = await lead_of(owner_connection, other_tenant)

    for lead_id, role in ((theirs, SENIOR), (abroad, Role.ADMIN), (new_id(), Role.ADMIN)):
        given = {"leadId": f"lead_{lead_id}", **more}
        variables = {"input": given} if document == "LeadUpdate" else given
        assert await answer(api, document, field, role=role, **variables) == NOT_FOUND
    assert await rows_of(owner_connection, "audit_entries", tenant.id) == []


class TestAssigning:
    """Who gives which lead to whom."""

    async def test_a_senior_assigns_within_the_team(self, api: Api, tenant: Tenant, owner_connection: Owner) -> None:
        lead_id, _ = await lead_of(owner_connection, tenant)

        assigned = await answer(
            api, "LeadAssign", "leadAssign", role=SENIOR,
            leadId=f"lead_{lead_id}", assigneeId=f"user_{tenant.users[SENIOR]}",
        )  # fmt: skip

        assert assigned["lead"] == {
            "id": f"lead_{lead_id}",
            "assignee": {"id": f"user_{tenant.users[SENIOR]}", "fullName": "Senior_Broker"},
        }
        [event] = await rows_of(owner_connection, "events", tenant.id)
        assert event["kind"] == "LeadAssigned"

    async def test_nobody_of_another_team_is_given_a_lead(
        self, api: Api, tenant: Tenant, owner_connection: Owner
    ) -> None:
        lead_id, _ = await lead_of(owner_connection, tenant)

        for assignee_id, message in (
            (f"user_{tenant.outsider}", "You assign within your team only."),
            (None, "Only a sales director or an admin leaves a lead without an assignee."),
        ):
            refused = await answer(
                api, "LeadAssign", "leadAssign", role=SENIOR, leadId=f"lead_{lead_id}", assigneeId=assignee_id
            )
            assert refused == problem("NotAllowedProblem", "NOT_ALLOWED", message, "assigneeId")
        [stored] = await rows_of(owner_connection, "leads", tenant.id)
        assert stored["assignee_id"] == tenant.users[JUNIOR]

    async def test_a_shared_lead_stays_with_its_team(self, api: Api, tenant: Tenant, owner_connection: Owner) -> None:
        person_id = await people.person(owner_connection, tenant)
        lead_id = await people.lead(owner_connection, tenant, person_id=person_id, assignee_id=tenant.outsider)
        await leads.share(owner_connection, tenant, lead_id=lead_id, user_id=tenant.users[SENIOR])

        refused = await answer(
            api, "LeadAssign", "leadAssign", role=SENIOR,
            leadId=f"lead_{lead_id}", assigneeId=f"user_{tenant.users[SENIOR]}",
        )  # fmt: skip

        assert refused == problem(
            "NotAllowedProblem", "NOT_ALLOWED", "This lead is shared with you, but another team works on it.", "leadId"
        )

    async def test_a_director_assigns_to_anybody_and_to_nobody(
        self, api: Api, tenant: Tenant, owner_connection: Owner
    ) -> None:
        lead_id, _ = await lead_of(owner_connection, tenant)

        for assignee_id in (tenant.outsider, None):
            assigned = await answer(
                api, "LeadAssign", "leadAssign", role=Role.SALES_DIRECTOR,
                leadId=f"lead_{lead_id}", assigneeId=assignee_id and f"user_{assignee_id}",
            )  # fmt: skip
            assert (assigned["lead"]["assignee"] or {}).get("id") == (assignee_id and f"user_{assignee_id}")

    async def test_a_junior_assigns_nothing(self, api: Api, tenant: Tenant, owner_connection: Owner) -> None:
        lead_id, _ = await lead_of(owner_connection, tenant)

        refused = await answer(api, "LeadAssign", "leadAssign", role=JUNIOR, leadId=f"lead_{lead_id}")

        assert (refused["code"], refused["message"]) == (
            "NOT_ALLOWED",
            "Your role, JUNIOR_BROKER, lacks LEAD_ASSIGN.",
        )

    async def test_only_an_active_user_is_given_a_lead(
        self, api: Api, tenant: Tenant, other_tenant: Tenant, owner_connection: Owner
    ) -> None:
        lead_id, _ = await lead_of(owner_connection, tenant)
        await owner_connection.execute(
            "UPDATE users SET status = 'SUSPENDED' WHERE tenant_id = $1 AND id = $2", tenant.id, tenant.outsider
        )

        async def assigned_to(user_id: UUID) -> Answer:
            return await answer(api, "LeadAssign", "leadAssign", leadId=f"lead_{lead_id}", assigneeId=f"user_{user_id}")

        assert (await assigned_to(tenant.outsider))["code"] == "CONFLICT"
        missing = problem("NotFoundProblem", "NOT_FOUND", "There is no such record.", "assigneeId")
        assert await assigned_to(other_tenant.outsider) == missing
        assert await assigned_to(new_id()) == missing

    async def test_assigning_to_who_has_it_writes_nothing(
        self, api: Api, tenant: Tenant, owner_connection: Owner
    ) -> None:
        lead_id, _ = await lead_of(owner_connection, tenant)

        await answer(
            api, "LeadAssign", "leadAssign", leadId=f"lead_{lead_id}", assigneeId=f"user_{tenant.users[JUNIOR]}"
        )

        assert await rows_of(owner_connection, "events", tenant.id) == []


class TestCreating:
    """Who opens a lead for whom."""

    async def test_a_new_lead_belongs_to_whoever_opens_it(
        self, api: Api, tenant: Tenant, owner_connection: Owner
    ) -> None:
        person_id = await people.person(owner_connection, tenant)

        opened = await answer(
            api, "LeadCreate", "leadCreate", role=JUNIOR, input={"personId": f"person_{person_id}", "source": "PORTAL"}
        )

        [stored] = await rows_of(owner_connection, "leads", tenant.id)
        assert opened["lead"] == {"id": f"lead_{stored['id']}", "stage": "NEW"}
        assert (stored["assignee_id"], stored["source"]) == (tenant.users[JUNIOR], "PORTAL")
        [change] = await rows_of(owner_connection, "stage_changes", tenant.id)
        assert (change["from_stage"], change["to_stage"], change["by_id"]) == (None, "NEW", tenant.users[JUNIOR])
        [person] = await rows_of(owner_connection, "people", tenant.id)
        assert person["next_best_action_computed_at"] is not None

    async def test_a_followed_person_is_not_taken_by_opening_a_lead(
        self, api: Api, tenant: Tenant, owner_connection: Owner
    ) -> None:
        _, person_id = await lead_of(owner_connection, tenant, SENIOR)
        given = {"personId": f"person_{person_id}", "source": "PORTAL"}

        refused = await answer(api, "LeadCreate", "leadCreate", role=JUNIOR, input=given)
        opened = await answer(api, "LeadCreate", "leadCreate", role=SENIOR, input=given)

        assert refused["message"] == "Somebody else follows this person."
        assert refused["code"] == "NOT_ALLOWED"
        assert opened["lead"]["stage"] == "NEW"

    async def test_a_lead_for_an_absorbed_person_is_the_heirs(
        self, api: Api, tenant: Tenant, owner_connection: Owner
    ) -> None:
        heir = await people.person(owner_connection, tenant, full_name="Heir")
        absorbed = await people.person(owner_connection, tenant, full_name="Absorbed", merged_into_id=heir)

        await answer(api, "LeadCreate", "leadCreate", input={"personId": f"person_{absorbed}", "source": "PORTAL"})

        [stored] = await rows_of(owner_connection, "leads", tenant.id)
        assert stored["person_id"] == heir

    @pytest.mark.parametrize("role", [SENIOR, JUNIOR])
    async def test_a_lead_is_opened_for_the_team_only(
        self, api: Api, tenant: Tenant, owner_connection: Owner, role: Role
    ) -> None:
        person_id = await people.person(owner_connection, tenant)

        refused = await answer(
            api, "LeadCreate", "leadCreate", role=role,
            input={"personId": f"person_{person_id}", "source": "PORTAL", "assigneeId": f"user_{tenant.outsider}"},
        )  # fmt: skip

        assert (refused["code"], refused["field"]) == ("NOT_ALLOWED", "assigneeId")
        assert await rows_of(owner_connection, "leads", tenant.id) == []

    async def test_ids_of_other_types_and_tenants_are_missing(
        self, api: Api, tenant: Tenant, other_tenant: Tenant, owner_connection: Owner
    ) -> None:
        abroad = await people.person(owner_connection, other_tenant)

        for person in (f"person_{abroad}", f"person_{new_id()}", f"lead_{abroad}", "person_", "\x00"):
            refused = await answer(api, "LeadCreate", "leadCreate", input={"personId": person, "source": "PORTAL"})
            assert refused == problem("NotFoundProblem", "NOT_FOUND", "There is no such record.", "personId")
        assert await rows_of(owner_connection, "leads", tenant.id) == []


class TestMoving:
    """The board's drag and drop."""

    async def test_a_lost_lead_keeps_its_reason_and_its_note(
        self, api: Api, tenant: Tenant, owner_connection: Owner
    ) -> None:
        lead_id, person_id = await lead_of(owner_connection, tenant, stage="VISIT")

        moved = await answer(
            api, "LeadMove", "leadMove", role=JUNIOR, leadId=f"lead_{lead_id}", toStage="LOST", expectedStage="VISIT",
            lostReason="COMPETITOR", note="  Took a flat at the bay. ",
        )  # fmt: skip

        [edge] = moved["lead"]["stageHistory"]["edges"]
        assert (edge["node"]["fromStage"], edge["node"]["toStage"]) == ("VISIT", "LOST")
        [stored] = await rows_of(owner_connection, "leads", tenant.id)
        assert (stored["stage"], stored["lost_reason"]) == ("LOST", "COMPETITOR")
        [change] = await rows_of(owner_connection, "stage_changes", tenant.id)
        assert (change["note"], change["lost_reason"]) == ("Took a flat at the bay.", "COMPETITOR")
        [event] = await rows_of(owner_connection, "events", tenant.id)
        assert (event["person_id"], event["payload"]) == (person_id, '{"fromStage":"VISIT","toStage":"LOST"}')

    async def test_a_reopened_lead_forgets_why_it_was_lost(
        self, api: Api, tenant: Tenant, owner_connection: Owner
    ) -> None:
        lead_id, _ = await lead_of(owner_connection, tenant, stage="LOST", lost_reason="PRICE")

        await answer(api, "LeadMove", "leadMove", leadId=f"lead_{lead_id}", toStage="QUALIFIED")

        [stored] = await rows_of(owner_connection, "leads", tenant.id)
        assert (stored["stage"], stored["lost_reason"]) == ("QUALIFIED", None)

    async def test_two_who_move_one_card_at_once_have_one_effect(
        self, api: Api, tenant: Tenant, owner_connection: Owner
    ) -> None:
        lead_id, _ = await lead_of(owner_connection, tenant)

        answers = await asyncio.gather(
            *(
                answer(api, "LeadMove", "leadMove", leadId=f"lead_{lead_id}", toStage=stage, expectedStage="NEW")
                for stage in ("CONTACTED", "VISIT", "QUALIFIED", "NEGOTIATION")
            )
        )

        kinds = sorted(each["__typename"] for each in answers)
        assert kinds == ["ConflictProblem", "ConflictProblem", "ConflictProblem", "LeadMovePayload"]
        assert len(await rows_of(owner_connection, "stage_changes", tenant.id)) == 1
        assert len(await rows_of(owner_connection, "events", tenant.id)) == 1

    async def test_history_is_read_newest_first_with_its_actors(
        self, api: Api, tenant: Tenant, owner_connection: Owner
    ) -> None:
        lead_id, _ = await lead_of(owner_connection, tenant)
        for stage in ("CONTACTED", "QUALIFIED", "CONTACTED"):
            await answer(api, "LeadMove", "leadMove", role=JUNIOR, leadId=f"lead_{lead_id}", toStage=stage)

        found = await answer(api, "Lead", "lead", role=JUNIOR, id=f"lead_{lead_id}")

        steps = [edge["node"] for edge in found["stageHistory"]["edges"]]
        assert [(step["fromStage"], step["toStage"]) for step in steps] == [
            ("QUALIFIED", "CONTACTED"),
            ("CONTACTED", "QUALIFIED"),
            ("NEW", "CONTACTED"),
        ]
        assert steps[0]["by"] == {
            "__typename": "User",
            "id": f"user_{tenant.users[JUNIOR]}",
            "displayName": "Junior_Broker",
        }


class TestInterests:
    """What people want."""

    async def test_an_interest_set_again_changes(self, api: Api, tenant: Tenant, owner_connection: Owner) -> None:
        lead_id, person_id = await lead_of(owner_connection, tenant)
        home = await properties.property_(owner_connection, tenant)
        given = {"personId": f"person_{person_id}", "leadId": f"lead_{lead_id}", "propertyId": f"property_{home}"}

        async def put(**more: object) -> Answer:
            answered = await answer(
                api, "PropertyInterestSet", "propertyInterestSet", role=JUNIOR, input={**given, **more}
            )
            found: Answer = answered["propertyInterest"]
            return found

        first = await put(level="LOW", configuration="4 BHK")
        second = await put(level="HIGH")
        third = await put(level="HIGH", configuration=None)

        assert (first["level"], first["configuration"]) == ("LOW", "4 BHK")
        assert (second["id"], second["level"], second["configuration"]) == (first["id"], "HIGH", "4 BHK")
        assert (third["id"], third["configuration"]) == (first["id"], None)
        assert second["property"] == {"id": f"property_{home}"}
        actions = await rows_of(owner_connection, "audit_entries", tenant.id)
        assert [entry["action"] for entry in actions] == ["CREATE", "UPDATE", "UPDATE"]

    async def test_the_same_thing_wanted_elsewhere_is_another_interest(
        self, api: Api, tenant: Tenant, owner_connection: Owner
    ) -> None:
        lead_id, person_id = await lead_of(owner_connection, tenant)
        project = await properties.project(owner_connection, tenant)
        home = await properties.property_(owner_connection, tenant, project_id=project)
        person = {"personId": f"person_{person_id}", "level": "MEDIUM"}
        wanted = (
            {"projectId": f"project_{project}"},
            {"projectId": f"project_{project}", "leadId": f"lead_{lead_id}"},
            {"propertyId": f"property_{home}"},
            {"propertyId": f"property_{home}", "projectId": f"project_{project}"},
        )

        for _ in range(2):
            for each in wanted:
                await answer(api, "PropertyInterestSet", "propertyInterestSet", input={**person, **each})

        assert len(await rows_of(owner_connection, "property_interests", tenant.id)) == 4

    async def test_bad_interests_are_refused(self, api: Api, tenant: Tenant, owner_connection: Owner) -> None:
        lead_id, person_id = await lead_of(owner_connection, tenant)
        theirs, _ = await lead_of(owner_connection, tenant)
        project = await properties.project(owner_connection, tenant)
        home = await properties.property_(owner_connection, tenant)
        person = {"personId": f"person_{person_id}", "level": "HIGH"}
        cases: list[tuple[dict[str, str], str, str]] = [
            ({}, "INVALID", "propertyId"),
            ({"leadId": f"lead_{theirs}", "projectId": f"project_{project}"}, "INVALID", "leadId"),
            ({"propertyId": f"property_{home}", "projectId": f"project_{project}"}, "INVALID", "projectId"),
            ({"propertyId": f"property_{new_id()}"}, "NOT_FOUND", "propertyId"),
            ({"projectId": f"project_{new_id()}", "leadId": f"lead_{lead_id}"}, "NOT_FOUND", "projectId"),
            ({"projectId": f"project_{project}", "personId": f"person_{new_id()}"}, "NOT_FOUND", "personId"),
        ]

        for given, code, field in cases:
            refused = await answer(api, "PropertyInterestSet", "propertyInterestSet", input={**person, **given})
            assert (refused["code"], refused["field"]) == (code, field), given
        assert await rows_of(owner_connection, "property_interests", tenant.id) == []

    async def test_nobody_notes_interests_of_people_they_do_not_follow(
        self, api: Api, tenant: Tenant, owner_connection: Owner
    ) -> None:
        _, person_id = await lead_of(owner_connection, tenant, SENIOR)
        project = await properties.project(owner_connection, tenant)

        refused = await answer(
            api, "PropertyInterestSet", "propertyInterestSet", role=JUNIOR,
            input={"personId": f"person_{person_id}", "level": "LOW", "projectId": f"project_{project}"},
        )  # fmt: skip

        assert refused == problem("NotAllowedProblem", "NOT_ALLOWED", "You follow no lead of this person.", "personId")


async def test_a_shared_lead_is_seen_and_worked_on(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    lead_id, _ = await lead_of(owner_connection, tenant, SENIOR)
    query = "{ leads { edges { node { id } } totalCount } }"

    hidden = await api.data(query, caller=tenant.outside)
    await insert(owner_connection, "lead_shares", tenant.id, lead_id=lead_id, user_id=tenant.outsider)
    shown = await api.data(query, caller=tenant.outside)
    moved = await answer(api, "LeadMove", "leadMove", caller=tenant.outside, leadId=f"lead_{lead_id}", toStage="VISIT")

    assert hidden["leads"] == {"edges": [], "totalCount": 0}
    assert shown["leads"] == {"edges": [{"node": {"id": f"lead_{lead_id}"}}], "totalCount": 1}
    assert moved["lead"]["stage"] == "VISIT"


async def test_a_search_takes_every_character_as_it_is(owner_connection: "Connection[Record]", api: Api) -> None:
    for name in ("Asha Rao", "100% Homes"):
        person_id = await people.person(owner_connection, api.tenant, full_name=name)
        await people.lead(owner_connection, api.tenant, person_id=person_id)
    document = "query($s: String) { leads(filter: {search: $s}) { edges { node { person { fullName } } } } }"

    async def found(search: str) -> list[str]:
        data = await api.data(document, s=search)
        return [edge["node"]["person"]["fullName"] for edge in data["leads"]["edges"]]

    assert await found("a_ha") == []
    assert await found("0% h") == ["100% Homes"]
    assert await found("SHA R") == ["Asha Rao"]
