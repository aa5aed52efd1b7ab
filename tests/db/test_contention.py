"""Units that meet over the same rows: what waited sees what was committed meanwhile, and nobody waits in a circle."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record

from app.wiring import System
from db.roles import set_tenant
from domain import interactions, leads, tasks, threads
from domain.access import Caller, Role
from domain.errors import Contended
from domain.leads import LeadSource, PersonFollowed
from domain.people import details
from domain.people.merge import PersonMerge, merge
from domain.unit import Unit
from resolvers.performing import perform
from tests.api import Api
from tests.factories import people
from tests.factories import properties as property_rows
from tests.factories import threads as thread_rows
from tests.factories.access import Tenant
from tests.serving import PATIENCE

Owner: TypeAlias = "Connection[Record]"
UseCase: TypeAlias = Callable[[Unit, Any], Awaitable[Any]]

WAITING: Final = "SELECT count(*) FROM pg_locks WHERE NOT granted"


async def run(system: System, caller: Caller, use_case: UseCase, command: object) -> Any:
    async with system.units.write(caller) as unit:
        return await use_case(unit, command)


async def waits(owner: Owner) -> None:
    """Wait until somebody waits for a lock; the test's own time limit is the deadline."""
    async with asyncio.timeout(PATIENCE):
        while not await owner.fetchval(WAITING):
            pass


@asynccontextmanager
async def before_commit(
    system: System, owner: Owner, caller: Caller, use_case: UseCase, command: object
) -> AsyncIterator[None]:
    """Run a use case and commit it only when what runs in this block waits for it."""
    async with system.units.write(caller) as unit:
        await use_case(unit, command)
        yield
        await waits(owner)


COMMANDS: Final[dict[str, Callable[[UUID], tuple[UseCase, object]]]] = {
    "interactions": lambda person: (
        interactions.log,
        interactions.InteractionLog(person, datetime(2026, 1, 1, tzinfo=UTC), interactions.NoteDetail("Hello")),
    ),
    "leads": lambda person: (leads.create, leads.LeadCreate(person, LeadSource.WEBSITE)),
    "tasks": lambda person: (tasks.create, tasks.TaskCreate("Call", person_id=person)),
}


@pytest.mark.parametrize("table", ["interactions", "leads", "tasks"])
async def test_what_waits_for_a_merge_is_written_about_the_survivor(
    system: System, tenant: Tenant, owner_connection: Owner, table: str
) -> None:
    keep, gone = [await people.person(owner_connection, tenant) for _ in range(2)]
    caller = tenant.caller(Role.ADMIN)

    async with before_commit(system, owner_connection, caller, merge, PersonMerge(keep, [gone], dry_run=False)):
        writing = asyncio.create_task(run(system, caller, *COMMANDS[table](gone)))
    await writing

    assert await owner_connection.fetchval(f"SELECT person_id FROM {table} WHERE tenant_id = $1", tenant.id) == keep


@pytest.mark.parametrize("name", ["leads.set_interest", "threads.open_thread", "people.merge"])
async def test_a_lead_and_a_thread_are_locked_before_their_person(
    system: System, tenant: Tenant, owner_connection: Owner, app_connection: Owner, name: str
) -> None:
    person, other = [await people.person(owner_connection, tenant, primary_phone_e164="+971501234567") for _ in "ab"]
    lead = await people.lead(owner_connection, tenant, person_id=person, assignee_id=tenant.users[Role.ADMIN])
    flat = await property_rows.property_(owner_connection, tenant)
    await thread_rows.thread(owner_connection, tenant, person_id=person, address="+971501234567")
    use_cases: dict[str, tuple[UseCase, object]] = {
        "leads.set_interest": (
            leads.set_interest,
            leads.PropertyInterestSet(person, leads.InterestLevel.HIGH, lead, property_id=flat),
        ),
        "threads.open_thread": (
            threads.open_thread,
            threads.ThreadOpen(threads.Channel.WHATSAPP, person_id=person),
        ),
        "people.merge": (merge, PersonMerge(other, [person], dry_run=False)),
    }

    await set_tenant(app_connection, tenant.id)
    async with app_connection.transaction():
        await app_connection.execute("SELECT FROM leads FOR UPDATE")
        await app_connection.execute("SELECT FROM threads FOR UPDATE")
        running = asyncio.create_task(run(system, tenant.caller(Role.ADMIN), *use_cases[name]))
        await waits(owner_connection)
        # It waits for the lead or the thread, and does not hold the person meanwhile.
        await app_connection.execute("SELECT FROM people FOR UPDATE NOWAIT")
    await running


async def test_a_unit_that_lost_in_a_deadlock_is_run_again(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    one, other = [await people.person(owner_connection, tenant) for _ in "ab"]
    both_hold, runs = asyncio.Barrier(2), Counter[UUID]()

    async def crosswise(unit: Unit, order: tuple[UUID, UUID]) -> UUID:
        first, second = order
        runs[first] += 1
        await unit.people.owned(first)
        if runs[first] == 1:
            await both_hold.wait()
        await unit.people.owned(second)
        return first

    async def performed(first: UUID, second: UUID) -> UUID:
        return await perform(api.context(tenant.caller(Role.ADMIN)), crosswise, (first, second))

    assert list(await asyncio.gather(performed(one, other), performed(other, one))) == [one, other]
    assert runs.total() == 3


async def test_a_unit_that_always_loses_is_refused(api: Api, tenant: Tenant) -> None:
    runs: list[UUID] = []

    async def losing(unit: Unit, tenant_id: UUID) -> None:
        runs.append(tenant_id)
        raise Contended

    with pytest.raises(Contended) as refused:
        await perform(api.context(tenant.caller(Role.ADMIN)), losing, tenant.id)
    assert refused.value.code == "CONFLICT"
    assert len(runs) == 3


async def test_a_change_that_waits_for_a_merge_changes_the_survivor(
    system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    keep, gone = [await people.person(owner_connection, tenant) for _ in range(2)]
    caller = tenant.caller(Role.ADMIN)

    async with before_commit(system, owner_connection, caller, merge, PersonMerge(keep, [gone], dry_run=False)):
        command = details.PersonUpdate(gone, city="Pune")
        changing = asyncio.create_task(run(system, caller, details.update, command))

    assert await changing == keep
    cities = await owner_connection.fetch("SELECT id, city FROM people WHERE tenant_id = $1", tenant.id)
    assert {row["id"]: row["city"] for row in cities} == {keep: "Pune", gone: None}


async def test_whoever_absorbed_an_heir_is_the_heir(system: System, tenant: Tenant, owner_connection: Owner) -> None:
    last = await people.person(owner_connection, tenant)
    heir = await people.person(owner_connection, tenant, merged_into_id=last)
    gone = await people.person(owner_connection, tenant, merged_into_id=heir)

    async with system.units.write(tenant.caller(Role.ADMIN)) as unit:
        assert await unit.people.owned(gone) == last


async def test_of_two_who_open_the_first_lead_of_a_person_one_follows(
    system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    person = await people.person(owner_connection, tenant)
    outsider = tenant.outside
    command = leads.LeadCreate(person, LeadSource.WEBSITE)

    async with before_commit(system, owner_connection, tenant.caller(Role.JUNIOR_BROKER), leads.create, command):
        second = asyncio.create_task(run(system, outsider, leads.create, command))

    with pytest.raises(PersonFollowed):
        await second
    assert await owner_connection.fetchval("SELECT count(*) FROM leads WHERE tenant_id = $1", tenant.id) == 1
