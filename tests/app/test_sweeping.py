"""The sweep beside a serving process: it goes on after a failure, and ends when it is told to."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from asyncpg import Connection, Record
from structlog.testing import capture_logs

from app.outside.s3 import S3Store
from app.sweeping import sweep_regularly, swept
from app.wiring import System
from db.assets.receipts import SqlReceipts
from db.engine import create_write_engine
from db.server import Addresses
from domain.access import Role
from tests.factories import assets
from tests.factories.access import Tenant


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
    assert await swept(settings) >= 1
    assert (await swept(settings), await left(owner_connection, tenant)) == (0, 0)


async def test_a_row_stays_while_its_object_cannot_be_removed(
    system: System, tenant: Tenant, owner_connection: "Connection[Record]"
) -> None:
    await expired(owner_connection, tenant)
    nowhere = replace(system.uploads, objects=S3Store(None, endpoint=None, region=None))
    unreachable = create_write_engine("postgresql://velocity_app@127.0.0.1:1/velocity")
    with capture_logs() as logged:
        failing = asyncio.create_task(sweep_regularly(nowhere, 3600))
        lost = asyncio.create_task(sweep_regularly(replace(nowhere, receipts=SqlReceipts(unreachable)), 3600))
        async with asyncio.timeout(20):
            while len(logged) < 2:
                assert await left(owner_connection, tenant) == 1
    assert [line["error"] for line in logged] == ["Unavailable", "Unavailable"]
    assert not failing.done()
    assert not lost.done()
    working = asyncio.create_task(sweep_regularly(system.uploads, 3600))
    async with asyncio.timeout(20):
        while await left(owner_connection, tenant):
            assert not working.done()
    for task in (failing, lost, working):
        task.cancel()
    await asyncio.wait([failing, lost, working])
    await unreachable.dispose()
