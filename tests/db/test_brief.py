"""Units that are one statement: they write everything or nothing, and nothing where what they read is no longer so."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record

from app.wiring import System
from domain import perception
from domain.access import Role
from domain.errors import Contended, NotFound
from domain.perception import Face, PerceptionIngest, SentPacket
from domain.qd import BLEND_SHAPES
from domain.unit import Unit
from domain.values import new_id
from resolvers.perception import perception_ingest
from tests.api import Api
from tests.factories import people
from tests.factories import perception as make
from tests.factories.access import Tenant

Owner: TypeAlias = "Connection[Record]"

WRITTEN = """
select (select count(*) from perception_batches where tenant_id = $1) as batches,
       (select count(distinct session_id) from qd_scores where tenant_id = $1) as scored,
       (select count(*) from events where tenant_id = $1) as events,
       (select count(*) from audit_entries where tenant_id = $1) as entries,
       (select event_sequence from tenant_heads where tenant_id = $1) as head
"""
SMILE = Face(blend_shapes=dict.fromkeys(BLEND_SHAPES, 0.1) | {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9})
SESSION = "update perception_sessions set {} where tenant_id = $1 and id = $2"
MEANWHILE = {
    "stopped": "status = 'STOPPED', ended_at = now(), memory = null",
    "another batch": "last_sequence = 1, packet_count = 1",
    "another person": "person_id = null",
}


@pytest.fixture
async def session_id(owner_connection: Owner, tenant: Tenant) -> UUID:
    """A session of a known person."""
    began = datetime.now(UTC) - timedelta(minutes=1)
    person_id = await people.person(owner_connection, tenant)
    consent_id = await make.consent(owner_connection, tenant, granted_at=began, person_id=person_id)
    return await make.session(
        owner_connection, tenant, consent_id=consent_id, started_by_id=tenant.users[Role.ADMIN], person_id=person_id,
        started_at=began,
    )  # fmt: skip


def batch(session_id: UUID, sequence: int = 1) -> PerceptionIngest:
    now = datetime.now(UTC)
    return PerceptionIngest(
        session_id, sequence, [SentPacket(now - timedelta(seconds=10 - each), SMILE) for each in range(9)]
    )


async def written(owner: Owner, tenant: Tenant) -> list[int | None]:
    row = await owner.fetchrow(WRITTEN, tenant.id)
    assert row is not None
    return list(row)


async def test_a_batch_and_its_history_are_written_when_the_unit_ends(
    system: System, tenant: Tenant, owner_connection: Owner, session_id: UUID
) -> None:
    async with system.units.brief(tenant.caller()) as unit:
        answer = await perception.ingest(unit, batch(session_id))
        assert await written(owner_connection, tenant) == [0, 0, 0, 0, 0]

    assert (answer.accepted_count, answer.duplicate, answer.last_sequence) == (9, False, 1)
    assert await written(owner_connection, tenant) == [1, 1, 1, 1, 1]


@pytest.mark.parametrize("change", MEANWHILE.values(), ids=MEANWHILE.keys())
async def test_nothing_is_written_where_the_session_has_moved_on(
    system: System, tenant: Tenant, owner_connection: Owner, session_id: UUID, change: str
) -> None:
    async def overtaken() -> None:
        async with system.units.brief(tenant.caller()) as unit:
            await perception.ingest(unit, batch(session_id))
            await owner_connection.execute(SESSION.format(change), tenant.id, session_id)

    with pytest.raises(Contended):
        await overtaken()

    assert await written(owner_connection, tenant) == [0, 0, 0, 0, 0]


async def test_a_refusal_of_the_database_leaves_nothing(
    system: System, tenant: Tenant, owner_connection: Owner, session_id: UUID
) -> None:
    # The last of what is written, the history, has no head to go on from.
    await owner_connection.execute("delete from tenant_heads where tenant_id = $1", tenant.id)

    with pytest.raises(Contended):
        async with system.units.brief(tenant.caller()) as unit:
            await perception.ingest(unit, batch(session_id))

    assert await written(owner_connection, tenant) == [0, 0, 0, 0, None]


async def test_an_error_of_the_use_case_writes_nothing(
    system: System, tenant: Tenant, owner_connection: Owner, session_id: UUID
) -> None:
    async def failing() -> None:
        async with system.units.brief(tenant.caller()) as unit:
            await perception.ingest(unit, batch(session_id))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await failing()

    assert await written(owner_connection, tenant) == [0, 0, 0, 0, 0]


async def _touch(unit: Unit) -> None:
    await unit.people.touch(new_id())


async def _stop(unit: Unit) -> None:
    await unit.perception.stop([new_id()], unit.now)


async def _nothing(_unit: Unit) -> None:
    pass


@pytest.mark.parametrize("wanted", [_touch, _stop, _nothing])
async def test_what_is_more_than_a_batch_is_left_to_a_unit_with_a_transaction(
    system: System, tenant: Tenant, wanted: Callable[[Unit], Awaitable[None]]
) -> None:
    with pytest.raises(Contended):
        async with system.units.brief(tenant.caller()) as unit:
            await wanted(unit)


async def test_a_batch_that_was_accepted_before_is_answered_by_a_unit_with_a_transaction(
    system: System, tenant: Tenant, owner_connection: Owner, session_id: UUID
) -> None:
    context = Api(system, tenant).context(tenant.caller())
    first = await perception_ingest(context, batch(session_id))

    again = await perception_ingest(context, batch(session_id))

    assert (first.duplicate, again.duplicate, again.reading.at) == (False, True, first.reading.at)
    assert await written(owner_connection, tenant) == [1, 1, 1, 1, 1]


async def test_another_tenants_session_is_not_found(system: System, other_tenant: Tenant, session_id: UUID) -> None:
    with pytest.raises(NotFound):
        async with system.units.brief(other_tenant.caller()) as unit:
            await perception.ingest(unit, batch(session_id))
