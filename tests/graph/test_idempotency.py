"""Idempotency keys: the same request again is the same answer and one effect, also when both arrive at once."""

import asyncio
from collections import Counter
from typing import TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record
from pydantic import TypeAdapter

from domain.access import Role
from domain.leads import InterestLevel, PropertyInterestSet
from domain.values import UNSET
from tests.api import Answer, Api
from tests.factories import people
from tests.factories.access import Tenant
from tests.serving import PATIENCE

Owner: TypeAlias = "Connection[Record]"


@pytest.fixture
async def person(owner_connection: Owner, tenant: Tenant) -> UUID:
    return await people.person(owner_connection, tenant)


async def create(api: Api, person: UUID, key: str | None, *, role: Role = Role.ADMIN, **given: object) -> Answer:
    given = {"personId": f"person_{person}", "source": "PORTAL", **given}
    data = await api.data("LeadCreate", role=role, input={**given, "idempotencyKey": key})
    answered: Answer = data["leadCreate"]
    return answered


async def effects(owner: Owner, tenant: Tenant) -> list[int]:
    tables = ("leads", "stage_changes", "audit_entries", "events", "activity_entries")
    return [await owner.fetchval(f"SELECT count(*) FROM {table} WHERE tenant_id = $1", tenant.id) for table in tables]


async def test_the_same_request_again_answers_the_same(
    api: Api, tenant: Tenant, owner_connection: Owner, person: UUID
) -> None:
    first = await create(api, person, "one", budget={"amount": "5", "currency": "INR"})
    # The same payload, however it was written.
    second = await create(api, person, "one", budget={"amount": "5.00", "currency": "INR"}, assigneeId=None)

    assert first["__typename"] == "LeadCreatePayload"
    assert second == first
    assert await effects(owner_connection, tenant) == [1, 1, 1, 1, 1]


async def test_another_payload_is_refused(api: Api, tenant: Tenant, owner_connection: Owner, person: UUID) -> None:
    await create(api, person, "one")

    refused = await create(api, person, "one", source="REFERRAL")

    assert refused["message"] == "This idempotency key was used for something else."
    assert (refused["code"], refused["field"]) == ("CONFLICT", "idempotencyKey")
    assert await effects(owner_connection, tenant) == [1, 1, 1, 1, 1]


async def test_an_empty_key_is_refused(api: Api, tenant: Tenant, owner_connection: Owner, person: UUID) -> None:
    refused = await create(api, person, "")

    assert (refused["code"], refused["field"]) == ("INVALID", "idempotencyKey")
    assert await effects(owner_connection, tenant) == [0, 0, 0, 0, 0]


def test_what_is_left_out_is_hashed_as_nothing_that_can_be_given() -> None:
    commands = [
        PropertyInterestSet(UUID(int=1), InterestLevel.LOW, configuration=configuration)
        for configuration in (UNSET, None, "", "UNSET", '["UNSET"]', '[["UNSET"]]')
    ]

    assert len({TypeAdapter(PropertyInterestSet).dump_json(command) for command in commands}) == len(commands)


async def test_an_answer_that_the_caller_may_not_see_any_more_is_not_found(
    api: Api, tenant: Tenant, owner_connection: Owner, person: UUID
) -> None:
    await create(api, person, "one", role=Role.JUNIOR_BROKER)
    await owner_connection.execute("UPDATE leads SET assignee_id = NULL WHERE tenant_id = $1", tenant.id)

    given = {"personId": f"person_{person}", "source": "PORTAL", "idempotencyKey": "one"}
    answer = await api.run("LeadCreate", role=Role.JUNIOR_BROKER, input=given)

    [error] = answer["errors"]
    assert (error["extensions"]["code"], error["path"]) == ("NOT_FOUND", ["leadCreate", "lead"])
    assert await effects(owner_connection, tenant) == [1, 1, 1, 1, 1]


async def test_another_operation_is_refused(api: Api, tenant: Tenant, owner_connection: Owner, person: UUID) -> None:
    opened = await create(api, person, "one")

    data = await api.data("OpportunityCreate", input={"leadId": opened["lead"]["id"], "idempotencyKey": "one"})

    assert data["opportunityCreate"]["code"] == "CONFLICT"
    assert await owner_connection.fetchval("SELECT count(*) FROM opportunities WHERE tenant_id = $1", tenant.id) == 0


async def test_a_key_is_its_users_own(api: Api, tenant: Tenant, owner_connection: Owner, person: UUID) -> None:
    first = await create(api, person, "one", role=Role.ADMIN)
    second = await create(api, person, "one", role=Role.SALES_DIRECTOR)

    assert first["lead"]["id"] != second["lead"]["id"]
    assert (await effects(owner_connection, tenant))[0] == 2


async def test_a_refused_request_leaves_its_key_free(
    api: Api, tenant: Tenant, owner_connection: Owner, person: UUID
) -> None:
    refused = await create(api, person, "one", role=Role.JUNIOR_BROKER, assigneeId=f"user_{tenant.outsider}")
    opened = await create(api, person, "one", role=Role.JUNIOR_BROKER)

    assert (refused["code"], opened["__typename"]) == ("NOT_ALLOWED", "LeadCreatePayload")


async def test_without_a_key_each_request_has_its_effect(
    api: Api, tenant: Tenant, owner_connection: Owner, person: UUID
) -> None:
    first, second = await create(api, person, None), await create(api, person, None)

    assert first["lead"]["id"] != second["lead"]["id"]
    assert await effects(owner_connection, tenant) == [2, 2, 2, 2, 2]


@pytest.mark.parametrize("key", ["k" * 201, "a\0b", "\ud800"])
async def test_a_key_that_cannot_be_kept_is_invalid(
    api: Api, tenant: Tenant, owner_connection: Owner, person: UUID, key: str
) -> None:
    refused = await create(api, person, key)

    assert (refused["code"], refused["field"]) == ("INVALID", "idempotencyKey")
    assert await effects(owner_connection, tenant) == [0, 0, 0, 0, 0]


async def test_two_at_once_have_one_effect(api: Api, tenant: Tenant, owner_connection: Owner, person: UUID) -> None:
    answers = await asyncio.gather(*(create(api, person, "one") for _ in range(6)))

    assert len({answered["lead"]["id"] for answered in answers}) == 1
    assert await effects(owner_connection, tenant) == [1, 1, 1, 1, 1]


async def test_two_different_ones_at_once_under_one_key_have_one_effect(
    api: Api, tenant: Tenant, owner_connection: Owner, person: UUID
) -> None:
    sources = ("PORTAL", "REFERRAL", "WALK_IN", "WEBSITE")

    answers = await asyncio.gather(*(create(api, person, "one", source=source) for source in sources))

    assert Counter(each["__typename"] for each in answers) == {"LeadCreatePayload": 1, "ConflictProblem": 3}
    assert await effects(owner_connection, tenant) == [1, 1, 1, 1, 1]


class GivenUp(Exception):
    """The first request fails after the second has come."""


async def test_a_second_request_waits_for_the_first_and_takes_its_place_if_it_fails(
    api: Api, tenant: Tenant, owner_connection: Owner, superuser_connection: Owner, person: UUID
) -> None:
    second: list[asyncio.Task[Answer]] = []

    async def first() -> None:
        async with asyncio.timeout(PATIENCE), api.system.units.write(tenant.caller(Role.ADMIN)) as unit:
            await unit.claim_key("leads.use_cases.create", "one", "00" * 32)
            second.append(asyncio.create_task(create(api, person, "one")))
            while not await superuser_connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'insert%keys%'"
            ):
                assert not second[0].done()
            raise GivenUp

    with pytest.raises(GivenUp):
        await first()

    assert (await second[0])["__typename"] == "LeadCreatePayload"
    assert await effects(owner_connection, tenant) == [1, 1, 1, 1, 1]
