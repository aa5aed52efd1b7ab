"""The sweep beside a serving process: it goes on after a failure, and ends when it is told to."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from asyncpg import Connection, Record
from structlog.testing import capture_logs

from app.database import Database
from app.outside.s3 import S3Store
from app.sweeping import Sweeps, sweep_regularly, swept
from app.wiring import System
from db.assets.receipts import SqlReceipts
from db.engine import create_write_engine
from db.perception.overdue import SqlOverdue
from db.renders import SqlLeftFiles
from db.roles import set_tenant
from db.server import Addresses
from domain.access import Role
from tests.factories import assets
from tests.factories.access import Tenant
from tests.factories.people import person
from tests.serving import PATIENCE

LOST = (
    *("uploads_swept", "cctv_events_forgotten", "erasures_finished", "jobs_forgotten", "proposals_expired"),
    *("renders_swept", "sessions_completed", "tasks_told_of"),
)


def sweeps_of(system: System) -> Sweeps:
    left_files = SqlLeftFiles(system.engine)
    return Sweeps(system.uploads, system.database, system.units, system.overdue, left_files, system.settings)


async def expired(owner: "Connection[Record]", tenant: Tenant) -> None:
    """Make an upload that is to be swept."""
    past = datetime.now(UTC) - timedelta(hours=1)
    await assets.upload(owner, tenant, user_id=tenant.users[Role.ADMIN], expires_at=past)


async def left(owner: "Connection[Record]", tenant: Tenant) -> int:
    count: int = await owner.fetchval("SELECT count(*) FROM uploads WHERE tenant_id = $1", tenant.id)
    return count


async def test_a_command_sweeps_once(
    system: System, database: Addresses, tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    await expired(owner_connection, tenant)
    settings = system.settings.model_copy(update={"database_url": database.app})
    assert (await swept(settings))["uploads_swept"] >= 1
    assert ((await swept(settings))["uploads_swept"], await left(owner_connection, tenant)) == (0, 0)


YESTERDAY = "now() - interval '25 hours'"
# Where nothing is to be done, nothing is kept.
DECIDED = """SELECT coalesce(next_best_action_computed_at > now() - interval '1 hour', true) FROM people
    WHERE tenant_id = $1 AND id = $2"""


async def silent(owner: "Connection[Record]", tenant: Tenant) -> UUID:
    """Make a person for whom it was decided more than a day ago."""
    person_id = await person(owner, tenant)
    await owner.execute(
        "UPDATE people SET (next_best_action_kind, next_best_action_title, next_best_action_reason,"
        f" next_best_action_computed_at) = ('CALL', 'Call', 'Silence', {YESTERDAY}) WHERE tenant_id = $1 AND id = $2",
        tenant.id,
        person_id,
    )
    return person_id


async def test_a_command_decides_again_in_every_tenant(
    system: System, database: Addresses, tenant: Tenant, other_tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    people = [(each, await silent(owner_connection, each)) for each in (tenant, other_tenant)]
    addresses = {"database_url": database.app, "database_owner_url": database.owner}
    without_owner = system.settings.model_copy(update=addresses | {"database_owner_url": None})
    assert (await swept(without_owner))["people_decided"] == 0

    done = await swept(system.settings.model_copy(update=addresses))

    assert done["people_decided"] >= 2
    for each, person_id in people:
        await set_tenant(owner_connection, each.id)
        assert await owner_connection.fetchval(DECIDED, each.id, person_id) is True


async def test_deciding_goes_on_beside_serving_after_a_failure(
    system: System, tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    person_id = await silent(owner_connection, tenant)
    nowhere = Database(system.database.app, "postgresql://nobody@127.0.0.1:1/none", embedded=False)
    with capture_logs() as logged:
        failing = asyncio.create_task(sweep_regularly(replace(sweeps_of(system), database=nowhere), 0.01))
        async with asyncio.timeout(2 * PATIENCE):
            while [line.get("wanted") for line in logged].count("people_decided") < 2:
                assert await owner_connection.fetchval(DECIDED, tenant.id, person_id) is False
    working = asyncio.create_task(sweep_regularly(sweeps_of(system), 3600))
    async with asyncio.timeout(2 * PATIENCE):
        while not await owner_connection.fetchval(DECIDED, tenant.id, person_id):
            assert not working.done()
    for task in (failing, working):
        task.cancel()
    await asyncio.wait([failing, working])


async def test_a_row_stays_while_its_object_cannot_be_removed(
    system: System, tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    await expired(owner_connection, tenant)
    nowhere = replace(system.uploads, objects=S3Store(None, endpoint=None, region=None))
    unreachable = create_write_engine("postgresql://velocity_app@127.0.0.1:1/velocity")
    away = replace(nowhere, receipts=SqlReceipts(unreachable))
    with capture_logs() as logged:
        failing = asyncio.create_task(sweep_regularly(replace(sweeps_of(system), uploads=nowhere), 3600))
        lost = asyncio.create_task(
            sweep_regularly(
                replace(
                    sweeps_of(system),
                    uploads=away,
                    overdue=SqlOverdue(unreachable),
                    left_files=SqlLeftFiles(unreachable),
                ),
                3600,
            )
        )
        async with asyncio.timeout(2 * PATIENCE):
            while sum(line.get("wanted") in LOST for line in logged) <= len(LOST):
                assert await left(owner_connection, tenant) == 1
    failed = sorted((line["wanted"], line["error"]) for line in logged if line.get("wanted") in LOST)
    # Each is tried, whatever became of the one before it.
    assert failed == [(wanted, "Unavailable") for wanted in (*LOST[1:], *LOST[:1] * 2)]
    assert not failing.done()
    assert not lost.done()
    working = asyncio.create_task(sweep_regularly(sweeps_of(system), 3600))
    async with asyncio.timeout(2 * PATIENCE):
        while await left(owner_connection, tenant):
            assert not working.done()
    for task in (failing, lost, working):
        task.cancel()
    await asyncio.wait([failing, lost, working])
    await unreachable.dispose()
