"""Batches of several sessions in one statement: each is whole or not there, and what is known of them is checked."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record

from app.wiring import System
from db.audit.chain import broken_links
from db.brief import Brief
from db.perception import remembering, together
from domain import perception
from domain.access import Caller, Role
from domain.errors import Contended, NotFound
from domain.perception import ConsentEnded, Face, PerceptionIngest, SentPacket, SessionEnded
from domain.qd import BLEND_SHAPES
from domain.unit import Unit
from resolvers.perception import perception_ingest
from tests.api import Api
from tests.factories import people
from tests.factories import perception as make
from tests.factories.access import Tenant

Owner: TypeAlias = "Connection[Record]"

ADMIN, JUNIOR = Role.ADMIN, Role.JUNIOR_BROKER
START = datetime.now(UTC) - timedelta(minutes=5)
SMILE = Face(blend_shapes=dict.fromkeys(BLEND_SHAPES, 0.1) | {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9})
BATCHES = """
select b.sequence, b.accepted_count, b.scene_id, b.qd_at, b.qd_score, b.qd_engagement, b.qd_valence, b.qd_attention,
       b.qd_confidence, b.face_form, s.packet_count, s.memory::text as memory, s.measured,
       (select array_agg((q.at, q.score, q.engagement, q.valence, q.attention, q.confidence) order by q.at)
        from qd_scores q where q.tenant_id = s.tenant_id and q.session_id = s.id) as scores,
       (select array_agg((v.at, v.score, v.confidence) order by v.at)
        from visitor_scores v where v.tenant_id = s.tenant_id and v.session_id = s.id) as visitors,
       (select (p.rules_qd_at, p.rules_qd_score, p.rules_qd_kind) from people p
        where p.tenant_id = s.tenant_id and p.id = s.person_id) as newest
from perception_batches b join perception_sessions s on s.tenant_id = b.tenant_id and s.id = b.session_id
where b.tenant_id = $1 and b.session_id = $2 order by b.sequence
"""
EVENTS = "select sequence, kind, actor_id, subject_id, person_id from events where tenant_id = $1 order by sequence"


async def sessions(owner: Owner, tenant: Tenant, number: int, role: Role = ADMIN, **values: Any) -> list[UUID]:
    """Make sessions that a user began, each second one of a person with a lead of theirs, the others of visitors."""
    made = []
    for each in range(number):
        person_id = await people.person(owner, tenant) if each % 2 else None
        if person_id is not None:
            await people.lead(owner, tenant, person_id=person_id, assignee_id=tenant.users[role])
        kind = "VISITOR" if person_id is None else "PERSON"
        consent_id = await make.consent(owner, tenant, granted_at=START, person_id=person_id, subject_kind=kind)
        session_id = await make.session(
            owner, tenant, consent_id=consent_id, started_by_id=tenant.users[role], person_id=person_id,
            started_at=START, **values,
        )  # fmt: skip
        made.append(session_id)
    return made


def batch(session_id: UUID, sequence: int = 1) -> PerceptionIngest:
    first = START + timedelta(seconds=10 * sequence)
    packets = [SentPacket(first + timedelta(seconds=each), SMILE, 1000 * sequence + each) for each in range(9)]
    return PerceptionIngest(session_id, sequence, packets)


def shared(system: System) -> Brief:
    assert system.units._brief is not None
    return system.units._brief


@pytest.fixture(autouse=True)
def _nothing_known(system: System) -> None:
    shared(system).remembered._kept.clear()


async def all_at_once(
    system: System, caller: Caller, given: list[PerceptionIngest]
) -> tuple[int, list[perception.Ingested | BaseException]]:
    """Take batches at the same time; return how many statements that took, and what came of each."""

    async def taken(command: PerceptionIngest) -> perception.Ingested:
        async with system.units.brief(caller) as unit:
            return await perception.ingest(unit, command)

    before = shared(system).pool.statements
    answers = await asyncio.gather(*map(taken, given), return_exceptions=True)
    return shared(system).pool.statements - before, answers


async def stored(owner: Owner, tenant: Tenant, session_id: UUID) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in await owner.fetch(BATCHES, tenant.id, session_id)]


async def test_batches_that_come_at_once_are_one_statement_and_a_unit_each(
    system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    made = await sessions(owner_connection, tenant, 8)
    await all_at_once(system, tenant.caller(), [batch(each) for each in made])

    statements, answers = await all_at_once(system, tenant.caller(), [batch(each, 2) for each in made])

    assert statements == 1
    assert [answer.last_sequence for answer in answers if isinstance(answer, perception.Ingested)] == [2] * 8
    events = await owner_connection.fetch(EVENTS, tenant.id)
    assert [row["sequence"] for row in events] == list(range(1, 17))
    assert {row["subject_id"] for row in events[:8]} == set(made)
    assert [row["subject_id"] for row in events[8:]] == made
    assert {row["actor_id"] for row in events} == {tenant.users[ADMIN]}
    batches = await owner_connection.fetchval(
        "select count(*) from events e join perception_batches b on b.tenant_id = e.tenant_id"
        " and b.id = (e.payload ->> 'batch')::uuid and b.session_id = e.subject_id and b.at = e.at"
        " where e.tenant_id = $1",
        tenant.id,
    )
    assert batches == 16


async def test_the_chain_holds_over_units_of_several_callers(
    system: System, tenant: Tenant, owner_connection: Owner, owner_dsn: str
) -> None:
    made = await sessions(owner_connection, tenant, 4)
    callers = [tenant.caller(ADMIN), tenant.caller(Role.SALES_DIRECTOR)]

    async def taken(sequence: int, number: int) -> None:
        async with system.units.brief(callers[number % 2]) as unit:
            await perception.ingest(unit, batch(made[number], sequence))

    await asyncio.gather(*(taken(1, number) for number in range(4)))
    before = shared(system).pool.statements
    await asyncio.gather(*(taken(2, number) for number in range(4)))

    # Both roles see everything: their batches are written together, and each says who sent it.
    assert shared(system).pool.statements - before == 1
    events = await owner_connection.fetch(EVENTS, tenant.id)
    assert [row["actor_id"] for row in events[4:]] == [caller.actor.id for caller in callers] * 2
    assert [each async for each in broken_links(owner_dsn, tenant.id)] == []


async def test_what_is_stored_is_what_a_unit_with_a_transaction_stores(
    system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    brief = await sessions(owner_connection, tenant, 2)
    long = await sessions(owner_connection, tenant, 2)
    for sequence in (1, 2, 3):
        await all_at_once(system, tenant.caller(), [batch(each, sequence) for each in brief])
        for each in long:
            async with system.units.write(tenant.caller()) as unit:
                await perception.ingest(unit, batch(each, sequence))

    for one, other in zip(brief, long, strict=True):
        assert await stored(owner_connection, tenant, one) == await stored(owner_connection, tenant, other)
    assert [row[0] for row in await stored(owner_connection, tenant, brief[0])] == [1, 2, 3]


async def test_one_that_has_moved_on_keeps_nobody_from_being_written(
    system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    made = await sessions(owner_connection, tenant, 3)
    await all_at_once(system, tenant.caller(), [batch(each) for each in made])
    await owner_connection.execute(
        "update perception_sessions set status = 'STOPPED', ended_at = now(), memory = null"
        " where tenant_id = $1 and id = $2",
        tenant.id, made[1],
    )  # fmt: skip

    _, answers = await all_at_once(system, tenant.caller(), [batch(each, 2) for each in made])

    assert [type(each) for each in answers] == [perception.Ingested, Contended, perception.Ingested]
    assert [len(await stored(owner_connection, tenant, each)) for each in made] == [2, 1, 2]
    events = await owner_connection.fetch(EVENTS, tenant.id)
    assert [row["subject_id"] for row in events[3:]] == [made[0], made[2]]


async def test_one_that_the_database_refuses_leaves_nothing_of_any(
    system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    made = await sessions(owner_connection, tenant, 2)
    await owner_connection.execute("delete from tenant_heads where tenant_id = $1", tenant.id)

    _, answers = await all_at_once(system, tenant.caller(), [batch(each) for each in made])

    assert [type(each) for each in answers] == [Contended, Contended]
    assert [await stored(owner_connection, tenant, each) for each in made] == [[], []]


async def test_two_batches_of_one_session_are_never_in_one_statement(
    system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    [session_id] = await sessions(owner_connection, tenant, 1)

    _, answers = await all_at_once(system, tenant.caller(), [batch(session_id), batch(session_id)])

    assert {type(each) for each in answers} == {perception.Ingested, Contended}
    assert len(await stored(owner_connection, tenant, session_id)) == 1


async def test_no_more_goes_into_a_statement_than_it_should_hold(
    system: System, tenant: Tenant, owner_connection: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(together, "MOST_READINGS", 18)
    made = await sessions(owner_connection, tenant, 5)
    await all_at_once(system, tenant.caller(), [batch(each) for each in made])

    statements, answers = await all_at_once(system, tenant.caller(), [batch(each, 2) for each in made])

    assert statements == 3
    assert [type(each) for each in answers] == [perception.Ingested] * 5


async def test_whoever_goes_away_while_it_waits_is_not_written(
    system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    made = await sessions(owner_connection, tenant, 2)
    await all_at_once(system, tenant.caller(), [batch(each) for each in made])

    async def taken(session_id: UUID) -> None:
        async with system.units.brief(tenant.caller()) as unit:
            await perception.ingest(unit, batch(session_id, 2))
            if session_id == made[1]:
                gone.cancel()

    gone, stays = (asyncio.create_task(taken(each)) for each in made)
    await stays

    assert gone.cancelled()
    assert [len(await stored(owner_connection, tenant, each)) for each in made] == [1, 2]


async def _reassigned(owner: Owner, tenant: Tenant, session_id: UUID) -> None:
    await owner.execute("delete from leads where tenant_id = $1", tenant.id)
    await owner.execute(
        "update perception_sessions set started_by_id = $3 where tenant_id = $1 and id = $2",
        tenant.id, session_id, tenant.users[ADMIN],
    )  # fmt: skip


async def _withdrawn(owner: Owner, tenant: Tenant, _session_id: UUID) -> None:
    await owner.execute("update consents set withdrawn_at = now() where tenant_id = $1", tenant.id)


async def _stopped(owner: Owner, tenant: Tenant, session_id: UUID) -> None:
    await owner.execute(
        "update perception_sessions set status = 'STOPPED', ended_at = now(), memory = null"
        " where tenant_id = $1 and id = $2",
        tenant.id, session_id,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "refusal"), [(_reassigned, NotFound), (_withdrawn, ConsentEnded), (_stopped, SessionEnded)]
)
async def test_what_is_known_of_a_session_is_checked_by_what_writes(
    system: System, tenant: Tenant, owner_connection: Owner, change: Callable[..., Any], refusal: type[Exception]
) -> None:
    [_, session_id] = await sessions(owner_connection, tenant, 2, JUNIOR)
    context = Api(system, tenant).context(tenant.caller(JUNIOR))
    await perception_ingest(context, batch(session_id))
    assert len(shared(system).remembered) == 1
    await change(owner_connection, tenant, session_id)

    with pytest.raises(refusal):
        await perception_ingest(context, batch(session_id, 2))

    assert len(await stored(owner_connection, tenant, session_id)) == 1


async def test_scenes_that_were_replaced_meanwhile_are_the_new_ones(
    system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    video_id = await make.video(owner_connection, tenant)
    old = await make.scene(owner_connection, tenant, video_id=video_id, start_ms=0, end_ms=60_000)
    [session_id] = await sessions(owner_connection, tenant, 1, video_id=video_id)
    context = Api(system, tenant).context(tenant.caller())
    await perception_ingest(context, batch(session_id))
    await owner_connection.execute("delete from scenes where tenant_id = $1", tenant.id)
    new = await make.scene(owner_connection, tenant, video_id=video_id, start_ms=0, end_ms=60_000)
    await owner_connection.execute("update videos set updated_at = now() where tenant_id = $1", tenant.id)

    await perception_ingest(context, batch(session_id, 2))

    assert [row[2] for row in await stored(owner_connection, tenant, session_id)] == [old, new]


async def test_a_batch_that_another_process_took_is_noticed(
    system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    [session_id] = await sessions(owner_connection, tenant, 1)
    context = Api(system, tenant).context(tenant.caller())
    await perception_ingest(context, batch(session_id))
    async with system.units.write(tenant.caller()) as unit:
        elsewhere = await perception.ingest(unit, batch(session_id, 2))

    again = await perception_ingest(context, batch(session_id, 2))
    third = await perception_ingest(context, batch(session_id, 3))

    assert (again.duplicate, again.reading.score) == (True, elsewhere.reading.score)
    assert (third.duplicate, third.last_sequence) == (False, 3)


async def test_a_refusal_by_what_is_known_is_said_by_whoever_reads(
    system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    [session_id] = await sessions(owner_connection, tenant, 1)
    await all_at_once(system, tenant.caller(), [batch(session_id)])

    async def refused(unit: Unit) -> None:
        await unit.perception.watched(session_id, before=2)
        raise SessionEnded

    with pytest.raises(Contended):
        async with system.units.brief(tenant.caller()) as unit:
            await refused(unit)


async def test_sessions_are_forgotten(
    system: System, tenant: Tenant, owner_connection: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await sessions(owner_connection, tenant, 3)
    known = shared(system).remembered
    monkeypatch.setattr(remembering, "MOST", 2)
    await all_at_once(system, tenant.caller(), [batch(each) for each in made])
    assert len(known) == 2

    monkeypatch.setattr(remembering, "SECONDS", 0.0)
    known._forget()

    assert (len(known), known._timer) == (0, None)
