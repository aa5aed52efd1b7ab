"""What is kept on people: for one person when something changes, and for a whole tenant at once."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record
from sqlalchemy.ext.asyncio import AsyncEngine

from app.wiring import System
from db.partitions import ensure_partitions
from db.people import duplicates, next_best_action
from db.roles import set_tenant
from db.unit import SqlUnits
from domain.perception import QdKind, QdSource, Score
from domain.values import new_id
from tests.api import Api
from tests.factories import interactions, people, tasks
from tests.factories.access import Tenant

Owner: TypeAlias = "Connection[Record]"

KEPT = "last_contacted_at, next_best_action_kind, next_best_action_title, next_best_action_computed_at"


def moment(now: datetime) -> datetime:
    return now


async def kept(owner: Owner, tenant: Tenant, person_id: UUID) -> tuple[Any, ...]:
    row = await owner.fetchrow(f"SELECT {KEPT} FROM people WHERE tenant_id = $1 AND id = $2", tenant.id, person_id)
    assert row is not None
    return tuple(row)


async def touch(system: System, tenant: Tenant, person_id: UUID) -> datetime:
    """Touch a person in a unit of its own, and return the unit's moment."""
    async with system.units.write(tenant.caller()) as unit:
        await unit.people.touch(person_id)
        return unit.now


async def test_a_touch_keeps_the_last_contact_and_the_next_step(
    system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id = await people.person(owner_connection, tenant)
    spoke = datetime.now(UTC) - timedelta(hours=1)
    await people.lead(owner_connection, tenant, person_id=person_id, stage="QUALIFIED")
    for kind, ago, values in (
        ("CALL", timedelta(), {}),
        ("EMAIL", timedelta(days=1), {"direction": "INBOUND"}),
        ("NOTE", -timedelta(minutes=5), {"text": "Remember the dog."}),
    ):
        await interactions.interaction(
            owner_connection, tenant, person_id=person_id, kind=kind, occurred_at=spoke - ago, **values
        )

    now = await touch(system, tenant, person_id)

    assert await kept(owner_connection, tenant, person_id) == (spoke, "MESSAGE", "Keep in touch", now)


@pytest.mark.parametrize(
    ("kind", "values", "title"),
    [
        ("MESSAGE", {"direction": "OUTBOUND"}, None),
        ("EMAIL", {"direction": "OUTBOUND"}, None),
        ("CALL", {"direction": "INBOUND"}, None),
        ("VISIT", {}, None),
        ("MESSAGE", {"direction": "INBOUND"}, "Answer their message"),
        ("NOTE", {"text": "They wrote."}, "Answer their message"),
    ],
)
async def test_what_answers_a_message(
    system: System, tenant: Tenant, owner_connection: Owner, kind: str, values: dict[str, str], title: str | None
) -> None:
    person_id = await people.person(owner_connection, tenant)
    wrote = datetime.now(UTC) - timedelta(hours=2)
    await interactions.interaction(
        owner_connection, tenant, person_id=person_id, kind="MESSAGE", direction="INBOUND", occurred_at=wrote
    )
    await interactions.interaction(
        owner_connection, tenant, person_id=person_id, kind=kind, occurred_at=wrote + timedelta(hours=1), **values
    )

    await touch(system, tenant, person_id)

    assert (await kept(owner_connection, tenant, person_id))[2] == title


async def test_a_task_of_a_lead_is_its_persons(system: System, tenant: Tenant, owner_connection: Owner) -> None:
    person_id = await people.person(owner_connection, tenant)
    lead_id = await people.lead(owner_connection, tenant, person_id=person_id, stage="LOST", lost_reason="PRICE")
    await tasks.task(owner_connection, tenant, lead_id=lead_id, due_at=datetime.now(UTC) - timedelta(days=1))

    await touch(system, tenant, person_id)

    assert (await kept(owner_connection, tenant, person_id))[2] == "Do the overdue task"


async def test_an_absorbed_person_is_left_alone(system: System, tenant: Tenant, owner_connection: Owner) -> None:
    survivor = await people.person(owner_connection, tenant)
    absorbed = await people.person(owner_connection, tenant, merged_into_id=survivor)
    await people.lead(owner_connection, tenant, person_id=absorbed)

    await touch(system, tenant, absorbed)

    assert await kept(owner_connection, tenant, absorbed) == (None, None, None, None)


async def test_two_units_that_touch_one_person_do_not_overwrite_each_other(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    person_id = await people.person(owner_connection, tenant)
    await people.lead(owner_connection, tenant, person_id=person_id)
    spoke = datetime.now(UTC) - timedelta(hours=3)

    async def log(minutes: int) -> None:
        answer = await api.data(
            "InteractionLog",
            input={
                "personId": f"person_{person_id}", "detail": {"call": {}},
                "occurredAt": (spoke + timedelta(minutes=minutes)).isoformat(),
            },
        )  # fmt: skip
        assert answer["interactionLog"]["__typename"] == "InteractionLogPayload"

    await asyncio.gather(*(log(minutes) for minutes in (10, 30, 20, 0)))

    assert (await kept(owner_connection, tenant, person_id))[0] == spoke + timedelta(minutes=30)


async def test_a_whole_tenant_is_decided_as_each_person_would_be(
    system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    chosen = []
    for number in range(4):
        chosen.append(await people.person(owner_connection, tenant))
        await people.lead(owner_connection, tenant, person_id=chosen[-1], stage=("NEW", "VISIT")[number % 2])
    await interactions.interaction(owner_connection, tenant, person_id=chosen[0])
    idle = await people.person(owner_connection, tenant)

    await set_tenant(owner_connection, tenant.id)
    at = datetime.now(UTC)
    assert await next_best_action.rebuild(owner_connection, tenant.id, at) == 5

    at_once = [await kept(owner_connection, tenant, person_id) for person_id in (*chosen, idle)]
    for person_id in (*chosen, idle):
        await touch(system, tenant, person_id)
    one_by_one = [await kept(owner_connection, tenant, person_id) for person_id in (*chosen, idle)]
    assert [each[:3] for each in at_once] == [each[:3] for each in one_by_one]
    assert [each[3] for each in at_once] == [at] * 4 + [None]


async def test_a_tenant_without_people_is_decided(tenant: Tenant, owner_connection: Owner) -> None:
    await set_tenant(owner_connection, tenant.id)

    assert await next_best_action.rebuild(owner_connection, tenant.id, datetime.now(UTC)) == 0
    assert await duplicates.rebuild(owner_connection, tenant.id, datetime.now(UTC)) == 0


async def test_duplicates_of_a_whole_tenant_are_those_that_adding_one_by_one_finds(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    phones = ["+971501234567", "+971501234568", None]
    for number in range(24):
        given = {
            "fullName": ("Sara Khan", "Khan, Sara", "Omar Haddad", "Priya")[number % 4],
            "phone": phones[number % 3],
            "email": f"shared{number % 7}@example.com" if number % 5 == 0 else None,
            "city": ("Dubai", "Pune")[number % 2],
        }
        await api.data("PersonCreate", input=given)
    columns = "person_id, other_id, score, evidence"
    query = f"SELECT {columns} FROM person_duplicates WHERE tenant_id = $1 ORDER BY 1, 2"
    one_by_one = await owner_connection.fetch(query, tenant.id)
    await owner_connection.execute("UPDATE people SET name_key = '' WHERE tenant_id = $1", tenant.id)

    pairs = await duplicates.rebuild(owner_connection, tenant.id, datetime.now(UTC))

    at_once = await owner_connection.fetch(query, tenant.id)
    assert [tuple(row) for row in at_once] == [tuple(row) for row in one_by_one]
    assert len(at_once) == 2 * pairs > 100
    keys = await owner_connection.fetch("SELECT DISTINCT name_key FROM people WHERE tenant_id = $1", tenant.id)
    assert {row[0] for row in keys} == {"knrs", "ddmr", ""}


async def test_only_the_newest_namesakes_are_compared(api: Api) -> None:
    answers = [await api.data("PersonCreate", input={"fullName": "Sara Khan"}) for _ in range(8)]

    assert [len(answer["personCreate"]["duplicates"]) for answer in answers] == [0, 1, 2, 3, 4, 5, 5, 5]


async def test_a_sweep_decides_again_where_time_has_changed_the_decision(
    write_engine: AsyncEngine, tenant: Tenant, owner_connection: Owner
) -> None:
    monday = datetime(2026, 1, 5, tzinfo=UTC)
    day = timedelta(days=1)
    due, silent, fresh, quiet = [await people.person(owner_connection, tenant) for _ in range(4)]
    for person_id in (due, silent, fresh):
        await people.lead(
            owner_connection, tenant, person_id=person_id, stage="QUALIFIED", stage_changed_at=monday - 5 * day
        )
    await tasks.task(owner_connection, tenant, person_id=due, due_at=monday + timedelta(hours=1))
    for now, touched in ((monday, (due, silent, quiet)), (monday + timedelta(hours=9), (fresh,))):
        async with SqlUnits(write_engine, partial(moment, now)).write(tenant.caller()) as unit:
            await unit.people.touch(*touched)
    await set_tenant(owner_connection, tenant.id)

    async def titles() -> list[Any]:
        return [(await kept(owner_connection, tenant, each))[2] for each in (due, silent, fresh, quiet)]

    assert await titles() == ["Do the next task", "Keep in touch", "Get back in touch", None]
    assert await next_best_action.sweep(owner_connection, tenant.id, monday + timedelta(hours=2)) == 1
    assert (await titles())[:2] == ["Do the overdue task", "Keep in touch"]
    assert await next_best_action.sweep(owner_connection, tenant.id, monday + day) == 1
    assert (await titles())[:2] == ["Do the overdue task", "Get back in touch"]
    assert await next_best_action.sweep(owner_connection, tenant.id, monday + day) == 0
    before = await titles()
    await next_best_action.rebuild(owner_connection, tenant.id, monday + day)
    assert await titles() == before


async def test_a_score_decides_what_to_do_next(system: System, tenant: Tenant, owner_connection: Owner) -> None:
    person_id = await people.person(owner_connection, tenant)
    now = datetime.now(UTC)
    await people.lead(owner_connection, tenant, person_id=person_id, stage="QUALIFIED", stage_changed_at=now)
    await ensure_partitions(owner_connection, now.date(), now.date())

    async with system.units.write(tenant.caller()) as unit:
        await unit.perception.add_scores([Score(new_id(), person_id, now, QdKind.LIVE, QdSource.RULES, 95.0)])

    assert (await kept(owner_connection, tenant, person_id))[2] == "Offer a visit while interest is high"
