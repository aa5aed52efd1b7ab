"""Tasks through the schema: who sees which, how they are made, changed and completed."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record

from domain.access import Caller, Role
from domain.values import new_id
from tests.api import Answer, Api
from tests.factories import people, tasks
from tests.factories.access import Tenant
from tests.factories.rows import rows_of

Owner: TypeAlias = "Connection[Record]"

JUNIOR, SENIOR = Role.JUNIOR_BROKER, Role.SENIOR_BROKER
DAY = datetime(2027, 1, 10, tzinfo=UTC)


async def listed(api: Api, *, caller: Caller, **variables: Any) -> list[str]:
    data = await api.data("Tasks", caller=caller, **{"first": 20, **variables})
    return [edge["node"]["title"] for edge in data["tasks"]["edges"]]


async def created(api: Api, *, role: Role = JUNIOR, **given: Any) -> Answer:
    found: Answer = (await api.data("TaskCreate", role=role, input={"title": "Call back", **given}))["taskCreate"]
    return found


async def updated(api: Api, task_id: UUID, *, role: Role = JUNIOR, **given: Any) -> Answer:
    data = await api.data("TaskUpdate", role=role, input={"taskId": f"task_{task_id}", **given})
    found: Answer = data["taskUpdate"]
    return found


async def completed(api: Api, task_id: UUID, *, role: Role = JUNIOR) -> Answer:
    found: Answer = (await api.data("TaskComplete", role=role, taskId=f"task_{task_id}"))["taskComplete"]
    return found


async def test_task_is_seen_by_its_assignee_and_by_those_of_its_lead_or_person(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id, lead_id = await people.client_and_lead(owner_connection, tenant)
    junior, senior = tenant.users[JUNIOR], tenant.users[SENIOR]
    await tasks.task(owner_connection, tenant, title="of the lead", lead_id=lead_id)
    await tasks.task(owner_connection, tenant, title="of the person", person_id=person_id)
    await tasks.task(owner_connection, tenant, title="of the junior", assignee_id=junior)
    await tasks.task(owner_connection, tenant, title="of the senior", assignee_id=senior)
    await tasks.task(owner_connection, tenant, title="of nobody")

    of_junior = ["of the junior", "of the lead", "of the person"]
    assert sorted(await listed(api, caller=tenant.caller(JUNIOR))) == of_junior
    assert sorted(await listed(api, caller=tenant.caller(SENIOR))) == sorted([*of_junior, "of the senior"])
    assert await listed(api, caller=tenant.outside) == []
    assert len(await listed(api, caller=tenant.caller(Role.SALES_DIRECTOR))) == 5


async def test_tasks_are_sorted_by_day_those_without_one_last(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    for title, due_at in (("never", None), ("second", DAY), ("first", DAY - timedelta(days=1)), ("nor ever", None)):
        await tasks.task(owner_connection, tenant, title=title, due_at=due_at)
    admin = tenant.caller()

    page = (await api.data("Tasks", caller=admin, first=3))["tasks"]
    rest = await listed(api, caller=admin, after=page["pageInfo"]["endCursor"])

    assert [edge["node"]["title"] for edge in page["edges"]] == ["first", "second", "never"]
    assert rest == ["nor ever"]


async def test_tasks_are_filtered_by_status_and_assignee(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    junior = tenant.users[JUNIOR]
    await tasks.task(owner_connection, tenant, title="open", assignee_id=junior)
    await tasks.task(owner_connection, tenant, title="done", assignee_id=junior, status="DONE", completed_at=DAY)
    await tasks.task(owner_connection, tenant, title="another's", assignee_id=tenant.outsider)
    admin = tenant.caller()

    given = {"status": "OPEN", "assigneeId": f"user_{junior}"}
    assert await listed(api, caller=admin, filter=given) == ["open"]
    assert sorted(await listed(api, caller=admin, filter={"status": "OPEN"})) == ["another's", "open"]
    assert await listed(api, caller=admin, filter={"assigneeId": f"user_{new_id()}"}) == []


async def test_tasks_of_a_lead_and_of_a_person_are_pages_of_their_own(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id, lead_id = await people.client_and_lead(owner_connection, tenant)
    await tasks.task(owner_connection, tenant, title="both", lead_id=lead_id, person_id=person_id)
    await tasks.task(owner_connection, tenant, title="person only", person_id=person_id)
    document = """query($id: ID!) { person(id: $id) {
        tasks(orderBy: { field: CREATED_AT, direction: ASC }) { edges { node { title } } }
        leads { edges { node { tasks { totalCount edges { node { title } } } } } } } }"""

    person = (await api.data(document, role=JUNIOR, id=f"person_{person_id}"))["person"]

    assert [edge["node"]["title"] for edge in person["tasks"]["edges"]] == ["both", "person only"]
    [lead] = person["leads"]["edges"]
    assert lead["node"]["tasks"] == {"totalCount": 1, "edges": [{"node": {"title": "both"}}]}


async def test_task_of_a_lead_is_its_persons_and_the_callers(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id, lead_id = await people.client_and_lead(owner_connection, tenant)

    answer = await created(api, leadId=f"lead_{lead_id}", title="  Send plans ", dueAt="2027-01-10T12:00:00+05:30")

    [row] = await rows_of(owner_connection, "tasks", tenant.id)
    assert answer == {
        "__typename": "TaskCreatePayload",
        "task": {
            "id": f"task_{row['id']}",
            "title": "Send plans",
            "dueAt": "2027-01-10T06:30:00+00:00",
            "status": "OPEN",
        },
    }
    assert (row["person_id"], row["lead_id"], row["assignee_id"]) == (person_id, lead_id, tenant.users[JUNIOR])
    assert (row["priority"], row["created_by_id"]) == ("NORMAL", tenant.users[JUNIOR])
    [entry] = await rows_of(owner_connection, "audit_entries", tenant.id)
    assert (entry["action"], entry["changed_fields"]) == ("CREATE", ["title", "priority", "assignee", "dueAt"])
    [event] = await rows_of(owner_connection, "events", tenant.id)
    assert (event["kind"], event["person_id"]) == ("TaskCreated", person_id)


async def test_task_for_a_person_is_made_once_per_key(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id, _ = await people.client_and_lead(owner_connection, tenant)
    given: dict[str, Any] = {"personId": f"person_{person_id}", "priority": "URGENT", "idempotencyKey": "key-1"}

    first, second = [await created(api, **given) for _ in range(2)]

    assert first == second
    [row] = await rows_of(owner_connection, "tasks", tenant.id)
    assert (row["person_id"], row["lead_id"], row["priority"]) == (person_id, None, "URGENT")


async def test_task_needs_a_person_or_a_lead_that_fit_each_other(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    _, lead_id = await people.client_and_lead(owner_connection, tenant)
    another, _ = await people.client_and_lead(owner_connection, tenant)

    neither = await created(api)
    unfit = await created(api, leadId=f"lead_{lead_id}", personId=f"person_{another}")
    untitled = await created(api, leadId=f"lead_{lead_id}", title=" ")

    assert [(each["__typename"], each["field"]) for each in (neither, unfit, untitled)] == [
        ("InvalidProblem", "personId"),
        ("InvalidProblem", "personId"),
        ("InvalidProblem", "title"),
    ]
    assert await rows_of(owner_connection, "tasks", tenant.id) == []


async def test_task_is_made_for_own_leads_and_people_only(
    api: Api, tenant: Tenant, other_tenant: Tenant, owner_connection: Owner
) -> None:
    person_id, lead_id = await people.client_and_lead(owner_connection, tenant, SENIOR)
    _, abroad = await people.client_and_lead(owner_connection, other_tenant)

    assert (await created(api, leadId=f"lead_{lead_id}"))["code"] == "NOT_FOUND"
    assert (await created(api, leadId=f"lead_{abroad}", role=Role.ADMIN))["code"] == "NOT_FOUND"
    refused = await created(api, personId=f"person_{person_id}")
    assert (refused["code"], refused["field"]) == ("NOT_ALLOWED", "personId")
    assert await rows_of(owner_connection, "tasks", tenant.id) == []


async def test_no_task_is_given_to_who_does_not_come_to_do_it(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    _, lead_id = await people.client_and_lead(owner_connection, tenant)
    await owner_connection.execute(
        "UPDATE users SET status = 'SUSPENDED' WHERE tenant_id = $1 AND id = $2", tenant.id, tenant.outsider
    )

    refused = await created(api, role=Role.ADMIN, leadId=f"lead_{lead_id}", assigneeId=f"user_{tenant.outsider}")

    assert (refused["code"], refused["field"]) == ("CONFLICT", "assigneeId")
    assert await rows_of(owner_connection, "tasks", tenant.id) == []


async def test_only_who_assigns_leads_gives_tasks_to_others(
    api: Api, tenant: Tenant, other_tenant: Tenant, owner_connection: Owner
) -> None:
    _, lead_id = await people.client_and_lead(owner_connection, tenant)
    given: dict[str, Any] = {"leadId": f"lead_{lead_id}", "assigneeId": f"user_{tenant.users[SENIOR]}"}

    refused = await created(api, **given)
    stranger = await created(
        api, role=Role.ADMIN, leadId=f"lead_{lead_id}", assigneeId=f"user_{other_tenant.users[SENIOR]}"
    )
    outsider = await created(api, role=SENIOR, leadId=f"lead_{lead_id}", assigneeId=f"user_{tenant.outsider}")
    allowed = await created(api, role=SENIOR, leadId=f"lead_{lead_id}", assigneeId=f"user_{tenant.users[JUNIOR]}")

    assert (refused["code"], refused["field"]) == ("NOT_ALLOWED", "assigneeId")
    assert (stranger["code"], stranger["field"]) == ("NOT_FOUND", "assigneeId")
    assert (outsider["code"], outsider["message"]) == ("NOT_ALLOWED", "You assign within your team only.")
    assert allowed["__typename"] == "TaskCreatePayload"
    [row] = await rows_of(owner_connection, "tasks", tenant.id)
    assert row["assignee_id"] == tenant.users[JUNIOR]


async def test_update_changes_what_is_given_and_records_that_only(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    task_id = await tasks.task(owner_connection, tenant, assignee_id=tenant.users[JUNIOR], due_at=DAY)

    answer = await updated(api, task_id, dueAt=None, priority="HIGH", title="Call back")

    assert answer["task"] == {
        "id": f"task_{task_id}",
        "title": "Call back",
        "dueAt": None,
        "priority": "HIGH",
        "status": "OPEN",
        "assignee": {"id": f"user_{tenant.users[JUNIOR]}", "fullName": "Junior_Broker"},
    }
    [entry] = await rows_of(owner_connection, "audit_entries", tenant.id)
    assert sorted(entry["changed_fields"]) == ["dueAt", "priority"]


async def test_update_that_changes_nothing_writes_nothing(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    task_id = await tasks.task(owner_connection, tenant, assignee_id=tenant.users[JUNIOR])
    [before] = await rows_of(owner_connection, "tasks", tenant.id)

    answer = await updated(api, task_id, title="Call back", status="OPEN")

    assert answer["__typename"] == "TaskUpdatePayload"
    assert await rows_of(owner_connection, "tasks", tenant.id) == [before]
    assert await rows_of(owner_connection, "audit_entries", tenant.id) == []


@pytest.mark.parametrize("field", ["title", "priority", "status"])
async def test_null_is_refused_for_what_a_task_always_has(
    api: Api, tenant: Tenant, owner_connection: Owner, field: str
) -> None:
    task_id = await tasks.task(owner_connection, tenant, assignee_id=tenant.users[JUNIOR])

    given: dict[str, Any] = {field: None}
    answer = await updated(api, task_id, **given)

    assert (answer["__typename"], answer["field"]) == ("InvalidProblem", field)


async def test_nobody_puts_a_task_out_of_their_own_sight(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    own = await tasks.task(owner_connection, tenant, assignee_id=tenant.users[JUNIOR])
    _, lead_id = await people.client_and_lead(owner_connection, tenant)
    of_lead = await tasks.task(owner_connection, tenant, assignee_id=tenant.users[JUNIOR], lead_id=lead_id)

    refused = await updated(api, own, assigneeId=None)
    allowed = await updated(api, of_lead, assigneeId=None)

    assert (refused["code"], refused["field"]) == ("NOT_ALLOWED", "assigneeId")
    assert allowed["task"]["assignee"] is None
    [kept] = [row for row in await rows_of(owner_connection, "tasks", tenant.id) if row["id"] == own]
    assert kept["assignee_id"] == tenant.users[JUNIOR]


async def test_complete_twice_gives_one_answer_and_one_effect(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id, lead_id = await people.client_and_lead(owner_connection, tenant)
    task_id = await tasks.task(owner_connection, tenant, lead_id=lead_id, person_id=person_id)

    answers = [await completed(api, task_id) for _ in range(2)]

    expected = {"__typename": "TaskCompletePayload", "task": {"id": f"task_{task_id}", "status": "DONE"}}
    assert answers == [expected, expected]
    [activity] = await rows_of(owner_connection, "activity_entries", tenant.id)
    assert (activity["kind"], activity["summary"]) == ("TASK_COMPLETED", "Task completed")
    [event] = await rows_of(owner_connection, "events", tenant.id)
    assert (event["kind"], event["payload"], event["person_id"]) == ("TaskCompleted", '{"status":"DONE"}', person_id)
    [row] = await rows_of(owner_connection, "tasks", tenant.id)
    assert row["completed_at"] == event["at"]


async def test_done_task_is_opened_again(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    task_id = await tasks.task(
        owner_connection, tenant, assignee_id=tenant.users[JUNIOR], status="DONE", completed_at=DAY
    )

    answer = await updated(api, task_id, status="OPEN")

    assert answer["task"]["status"] == "OPEN"
    [row] = await rows_of(owner_connection, "tasks", tenant.id)
    assert row["completed_at"] is None


async def test_cancelled_task_is_not_completed(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    task_id = await tasks.task(owner_connection, tenant, assignee_id=tenant.users[JUNIOR], status="CANCELLED")

    answer = await completed(api, task_id)

    assert (answer["__typename"], answer["code"]) == ("ConflictProblem", "CONFLICT")
    assert await rows_of(owner_connection, "events", tenant.id) == []


async def test_task_of_others_is_neither_changed_nor_completed(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    task_id = await tasks.task(owner_connection, tenant, assignee_id=tenant.users[SENIOR])

    assert (await completed(api, task_id))["code"] == "NOT_FOUND"
    assert (await updated(api, task_id, title="Mine"))["code"] == "NOT_FOUND"
    [row] = await rows_of(owner_connection, "tasks", tenant.id)
    assert (row["title"], row["status"]) == ("Call back", "OPEN")


async def test_task_drives_what_to_do_next_for_the_person(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    person_id, lead_id = await people.client_and_lead(owner_connection, tenant)

    await created(api, leadId=f"lead_{lead_id}", dueAt="2026-11-01T00:00:00Z", title="Send plans")

    person = await owner_connection.fetchrow("SELECT * FROM people WHERE id = $1", person_id)
    assert person is not None
    assert person["next_best_action_computed_at"] is not None
    answer = await api.data("query($id: ID!) { lead(id: $id) { nextTask { title } } }", id=f"lead_{lead_id}")
    assert answer["lead"]["nextTask"] == {"title": "Send plans"}
