"""Notifications through the schema: who is told of what, by which rule, and what they have read."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from asyncpg import Connection, Record
from sqlalchemy.ext.asyncio import AsyncEngine

from app.sweeping import tell_due
from app.wiring import System
from db.perception.overdue import SqlOverdue
from domain.access import Caller, Role
from domain.perception.spikes import RULE
from domain.qd import BLEND_SHAPES
from tests.api import Answer, Api
from tests.factories import people, perception, tasks
from tests.factories.access import Tenant
from tests.factories.rows import rows_of

Owner: TypeAlias = "Connection[Record]"

JUNIOR, SENIOR = Role.JUNIOR_BROKER, Role.SENIOR_BROKER
HOUR = timedelta(hours=1)
START = datetime.now(UTC) - HOUR
BORED = dict.fromkeys(BLEND_SHAPES, 0.0) | {"eyeLookOutLeft": 0.9, "eyeLookInRight": 0.9, "mouthFrownLeft": 0.5}
KINDS_OF_ROWS: list[dict[str, Any]] = [
    {"read_at": START},
    {"kind": "TASK_DUE"},
    {"kind": "SESSION_COMPLETE"},
]
PLEASED = dict.fromkeys(BLEND_SHAPES, 0.0) | {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9, "browInnerUp": 0.5}


async def inbox(api: Api, role: Role = JUNIOR, **filter_: Any) -> list[Answer]:
    data = await api.data("NotificationInbox", role=role, first=20, filter=filter_)
    return [edge["node"] for edge in data["notifications"]["edges"]]


async def test_a_quick_rise_is_told_once_to_whoever_follows_the_person(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id = await people.client(owner_connection, tenant)
    won = {"stage": "WON", "assignee_id": tenant.users[SENIOR]}
    await people.lead(owner_connection, tenant, person_id=person_id, **won)
    consent_id = await perception.consent(owner_connection, tenant, person_id=person_id, granted_at=START - HOUR)
    session_id = await perception.session(
        owner_connection, tenant, consent_id=consent_id, person_id=person_id, started_at=START,
        started_by_id=tenant.users[Role.SALES_DIRECTOR],
    )  # fmt: skip

    for number in range(4):
        face = BORED if number < 2 else PLEASED
        sent = [
            {"at": (START + timedelta(seconds=20 * number + index / 5)).isoformat(), "face": {"blendShapes": face}}
            for index in range(100)
        ]
        data = await api.data(
            "PerceptionIngest", role=JUNIOR, sessionId=f"session_{session_id}", sequence=number + 1, packets=sent
        )
        assert data["perceptionIngest"]["__typename"] == "PerceptionIngestPayload"

    [told] = await inbox(api)
    assert (told["kind"], told["rule"], told["readAt"], told["body"]) == ("QD_SPIKE", RULE, None, None)
    assert RULE == (
        "QD rises by 20 points within 60 seconds, at a confidence of 0.5 or more; at most once in 300 seconds."
    )
    assert told["subject"] == {"__typename": "PerceptionSession", "id": f"session_{session_id}"}
    assert len(await inbox(api, Role.SALES_DIRECTOR)) == 1
    assert await inbox(api, SENIOR) == []
    # What was measured is told by the session, to those who may see it, and by nothing else.
    for row in await rows_of(owner_connection, "notifications", tenant.id):
        assert row["subject_id"] == session_id
    kinds = [row["kind"] for row in await rows_of(owner_connection, "events", tenant.id)]
    assert kinds.count("NotificationCreated") == 2


async def test_of_a_completed_session_is_told_once_who_began_it_and_who_follows_the_person(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id = await people.client(owner_connection, tenant)
    consent_id = await perception.consent(owner_connection, tenant, person_id=person_id, granted_at=START - HOUR)
    session_id = await perception.session(
        owner_connection, tenant, consent_id=consent_id, person_id=person_id, started_at=START,
        started_by_id=tenant.users[Role.SALES_DIRECTOR],
    )  # fmt: skip

    for _ in range(2):
        await api.data("PerceptionSessionComplete", role=JUNIOR, sessionId=f"session_{session_id}")

    for role in (JUNIOR, Role.SALES_DIRECTOR):
        [told] = await inbox(api, role)
        assert (told["kind"], told["rule"], told["body"]) == ("SESSION_COMPLETE", "A session is completed.", None)
        assert told["subject"] == {"__typename": "PerceptionSession", "id": f"session_{session_id}"}
    assert await inbox(api, SENIOR) == []


async def test_the_inbox_is_filtered(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    user_id = tenant.users[JUNIOR]
    read, due, complete = [
        await perception.notification(owner_connection, tenant, user_id=user_id, at=START + number * HOUR, **values)
        for number, values in enumerate(KINDS_OF_ROWS)
    ]
    await perception.notification(owner_connection, tenant, user_id=tenant.users[SENIOR])

    async def ids(**filter_: Any) -> list[str]:
        return [each["id"].removeprefix("notification_") for each in await inbox(api, **filter_)]

    assert await ids() == [str(complete), str(due), str(read)]
    assert await ids(unread=True) == [str(complete), str(due)]
    assert await ids(unread=False) == [str(read)]
    assert await ids(kinds=["TASK_DUE", "QD_SPIKE"]) == [str(due)]
    assert await ids(kinds=[]) == []


async def marked(api: Api, *ids: UUID) -> Answer:
    data = await api.data("NotificationsMarkRead", role=JUNIOR, ids=[f"notification_{each}" for each in ids])
    found: Answer = data["notificationsMarkRead"]
    return found


async def test_what_was_read_stays_read_since_then(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    user_id = tenant.users[JUNIOR]
    new = [await perception.notification(owner_connection, tenant, user_id=user_id) for _ in range(2)]
    old = await perception.notification(owner_connection, tenant, user_id=user_id, read_at=START)

    answer = await marked(api, new[0], old, new[0])

    assert [each["id"] for each in answer["notifications"]] == [f"notification_{new[0]}", f"notification_{old}"]
    assert datetime.fromisoformat(answer["notifications"][1]["readAt"]) == START
    rows = {row["id"]: row["read_at"] for row in await rows_of(owner_connection, "notifications", tenant.id)}
    assert rows[new[1]] is None
    again = await marked(api, new[0])
    assert again["notifications"] == answer["notifications"][:1]
    kinds = [row["kind"] for row in await rows_of(owner_connection, "events", tenant.id)]
    assert kinds == ["NotificationRead"]


async def test_what_is_anothers_is_not_marked_nor_anything_with_it(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    mine = await perception.notification(owner_connection, tenant, user_id=tenant.users[JUNIOR])
    others = await perception.notification(owner_connection, tenant, user_id=tenant.users[SENIOR])

    refused = await marked(api, mine, others)
    assert (refused["code"], refused["message"]) == ("NOT_FOUND", "There is no such record.")
    many = await marked(api, *[mine] * 101)
    assert many["code"] == "INVALID"
    assert [row["read_at"] for row in await rows_of(owner_connection, "notifications", tenant.id)] == [None, None]


async def test_of_a_task_that_is_due_its_assignee_is_told_once_for_each_date(
    api: Api, system: System, tenant: Tenant, owner_connection: Owner, write_engine: AsyncEngine
) -> None:
    now, junior = datetime.now(UTC), tenant.users[JUNIOR]
    due = await tasks.task(owner_connection, tenant, assignee_id=junior, due_at=now - HOUR)
    for values in (
        {"assignee_id": junior, "due_at": now + HOUR},
        {"assignee_id": junior, "due_at": now - 25 * HOUR},
        {"assignee_id": junior},
        {"assignee_id": junior, "due_at": now - HOUR, "status": "DONE", "completed_at": now},
        {"person_id": await people.person(owner_connection, tenant), "due_at": now - HOUR},
    ):
        await tasks.task(owner_connection, tenant, **values)
    overdue = SqlOverdue(write_engine, 100_000)

    await tell_due(system.units, overdue, now)
    await tell_due(system.units, overdue, now)

    [told] = await inbox(api)
    assert (told["kind"], told["rule"]) == ("TASK_DUE", "A task that is open reaches its due date.")
    assert told["subject"] == {"__typename": "Task", "id": f"task_{due}"}
    await owner_connection.execute("UPDATE tasks SET due_at = $1 WHERE id = $2", now - HOUR / 2, due)
    await tell_due(system.units, overdue, now)
    assert len(await inbox(api)) == 2
    [created, *_] = await rows_of(owner_connection, "events", tenant.id)
    assert (created["kind"], created["actor_noun"]) == ("NotificationCreated", "system_actors")


async def test_an_api_key_has_no_inbox(api: Api, tenant: Tenant) -> None:
    key = Caller(tenant.id, None, JUNIOR, (), api_key_id=UUID(int=1))

    data = await api.data("NotificationsMarkRead", caller=key, ids=[])

    assert data["notificationsMarkRead"]["code"] == "NOT_ALLOWED"


async def test_whoever_works_on_a_lead_is_told_of_a_new_tag_that_they_did_not_give(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id = await people.person(owner_connection, tenant)
    lead = await people.lead(
        owner_connection, tenant, person_id=person_id, assignee_id=tenant.users[JUNIOR], tags=["Sea view"]
    )
    free = await people.lead(owner_connection, tenant, person_id=await people.person(owner_connection, tenant))

    async def tag(role: Role, lead_id: UUID, *tags: str) -> None:
        given = {"leadId": f"lead_{lead_id}", "tags": list(tags)}
        data = await api.data("LeadUpdate", role=role, input=given)
        assert data["leadUpdate"]["__typename"] == "LeadUpdatePayload"

    await tag(SENIOR, lead, "sea view")
    await tag(SENIOR, lead)
    await tag(JUNIOR, lead, "Pool")
    await tag(Role.SALES_DIRECTOR, free, "Pool")
    assert await rows_of(owner_connection, "notifications", tenant.id) == []
    await tag(SENIOR, lead, "pool", "Hot")

    [told] = await inbox(api)
    assert (told["kind"], told["rule"]) == ("LEAD_TAGGED", "Somebody else gives your lead a tag that it did not have.")
    assert told["subject"] == {"__typename": "Lead", "id": f"lead_{lead}"}
    assert len(await rows_of(owner_connection, "notifications", tenant.id)) == 1
