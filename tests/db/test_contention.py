"""Units that meet over the same rows: what waited sees what was committed meanwhile, and nobody waits in a circle."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record

from app.wiring import System
from domain import interactions, leads, tasks
from domain.access import Caller, Role
from domain.leads import LeadSource, PersonFollowed
from domain.people import details
from domain.people.merge import PersonMerge, merge
from domain.unit import Unit
from tests.factories import people
from tests.factories.access import Tenant

Owner: TypeAlias = "Connection[Record]"
UseCase: TypeAlias = Callable[[Unit, Any], Awaitable[Any]]

WAITING: Final = "SELECT count(*) FROM pg_locks WHERE NOT granted"


async def run(system: System, caller: Caller, use_case: UseCase, command: object) -> Any:
    async with system.units.write(caller) as unit:
        return await use_case(unit, command)


async def waits(owner: Owner) -> None:
    """Wait until somebody waits for a lock; the test's own time limit is the deadline."""
    async with asyncio.timeout(20):
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
    outsider = Caller(tenant.id, tenant.outsider, Role.JUNIOR_BROKER, (tenant.outsider,))
    command = leads.LeadCreate(person, LeadSource.WEBSITE)

    async with before_commit(system, owner_connection, tenant.caller(Role.JUNIOR_BROKER), leads.create, command):
        second = asyncio.create_task(run(system, outsider, leads.create, command))

    with pytest.raises(PersonFollowed):
        await second
    assert await owner_connection.fetchval("SELECT count(*) FROM leads WHERE tenant_id = $1", tenant.id) == 1
