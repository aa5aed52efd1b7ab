"""Jobs in PostgreSQL: who holds a lease and who does not, what takes a slot, and what a worker that is late can do."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from uuid import UUID, uuid4

import pytest
from asyncpg import Connection, Record
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.db import AsyncpgDriver
from pgqueuer.domain.settings import DBSettings
from pgqueuer.queries import Queries
from sqlalchemy.ext.asyncio import AsyncEngine

from app.wiring import System
from db.access.acting import system_caller
from db.jobs.queue import SqlJobQueue
from db.jobs.slots import SqlSlots
from db.roles import set_tenant
from db.unit import SqlUnits
from domain import jobs
from domain.access import Caller, Role
from domain.errors import Conflict
from domain.jobs import (
    Claim,
    Failed,
    InferenceTask,
    JobKind,
    JobStatus,
    LeaseLost,
    NewJob,
    RenderWorkflow,
    SlotKind,
    Succeeded,
)
from tests.factories.access import Tenant
from tests.factories.rows import rows_of
from tests.serving import PATIENCE

Owner: TypeAlias = "Connection[Record]"
CHAT = NewJob(kind=JobKind.INFERENCE, task=InferenceTask.CHAT, payload={"text": "Hello"}, takes_slot=False)
RENDER = NewJob(kind=JobKind.RENDER, workflow=RenderWorkflow.STAGING)
BUSY = Failed("BUSY", "The model is busy.", retryable=True)


@pytest.fixture
async def acting(write_engine: AsyncEngine, tenant: Tenant) -> Caller:
    """The system of the fresh tenant."""
    return await system_caller(write_engine, tenant.id)


@pytest.fixture
async def queue(app_dsn: str, system: System, write_engine: AsyncEngine) -> AsyncIterator[SqlJobQueue]:
    made = SqlJobQueue(app_dsn, write_engine, system.units)
    yield made
    await made.close()


async def enqueued(system: System, tenant: Tenant, job: NewJob = CHAT) -> UUID:
    async with system.units.write(tenant.caller(Role.JUNIOR_BROKER)) as unit:
        return await unit.jobs.enqueue(job)


async def begun(system: System, acting: Caller, *job_ids: UUID, worker: str = "one") -> list[Claim]:
    async with system.units.write(acting) as unit:
        found = await jobs.begin(unit, job_ids, worker)
    return [Claim(each.job, each.token, acting) for each in found]


async def finished(system: System, claim: Claim, outcome: jobs.Outcome) -> jobs.Settled:
    async with system.units.write(claim.caller) as unit:
        after = await jobs.finish(unit, [jobs.End(claim.job.id, claim.token, outcome, 0.0)])
    if not after:
        raise LeaseLost
    return after[claim.job.id]


async def row_of(owner: Owner, tenant: Tenant, job_id: UUID) -> Record:
    [row] = [each for each in await rows_of(owner, "jobs", tenant.id) if each["id"] == job_id]
    return row


async def let_expire(owner: Owner, tenant: Tenant, job_id: UUID) -> None:
    """Make a lease one that its worker did not renew in time."""
    await set_tenant(owner, tenant.id)
    await owner.execute("UPDATE jobs SET leased_until = now() - interval '1 ms' WHERE id = $1", job_id)


async def test_a_job_is_told_of_and_begins_once(
    system: System, tenant: Tenant, acting: Caller, owner_connection: Owner
) -> None:
    job_id = await enqueued(system, tenant)
    [claim] = await begun(system, acting, job_id)
    assert (claim.job.attempt, claim.job.payload, claim.job.task) == (1, {"text": "Hello"}, InferenceTask.CHAT)
    assert claim.job.requested_by == tenant.caller(Role.JUNIOR_BROKER).actor
    assert await begun(system, acting, job_id, worker="two") == []
    assert await finished(system, claim, Succeeded()) == jobs.Settled(JobStatus.SUCCEEDED)
    row = await row_of(owner_connection, tenant, job_id)
    assert (row["status"], row["attempt"], row["lease_token"], row["worker_name"]) == ("SUCCEEDED", 1, None, None)
    events = [(each["kind"], each["subject_id"]) for each in await rows_of(owner_connection, "events", tenant.id)]
    assert events == [("JobQueued", job_id), ("JobChanged", job_id), ("JobChanged", job_id)]


async def test_a_key_stands_for_one_job(system: System, tenant: Tenant) -> None:
    keyed = replace(CHAT, key="visit-7")
    first = await enqueued(system, tenant, keyed)
    assert await enqueued(system, tenant, keyed) == first
    with pytest.raises(Conflict):
        await enqueued(system, tenant, replace(keyed, payload={"text": "Something else"}))


async def waiting(owner: Owner) -> None:
    """Wait until a statement waits for a lock."""
    async with asyncio.timeout(PATIENCE):
        while not await owner.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            pass


async def test_a_key_stands_for_one_job_even_where_two_come_at_once(
    system: System, tenant: Tenant, owner_connection: Owner
) -> None:
    keyed = replace(CHAT, key="visit-8")
    async with system.units.write(tenant.caller(Role.JUNIOR_BROKER)) as unit:
        first = await unit.jobs.enqueue(keyed)
        same = asyncio.create_task(enqueued(system, tenant, keyed))
        await waiting(owner_connection)
    assert await same == first
    events = [each["kind"] for each in await rows_of(owner_connection, "events", tenant.id)]
    assert events == ["JobQueued"]
    async with system.units.write(tenant.caller(Role.JUNIOR_BROKER)) as unit:
        twins = await unit.jobs.enqueue_all([replace(CHAT, key="visit-9"), CHAT, replace(CHAT, key="visit-9")])
    assert (twins[0] == twins[2], len(set(twins))) == (True, 2)
    assert len(await rows_of(owner_connection, "jobs", tenant.id)) == 3


async def test_the_database_says_what_time_it_is(
    system: System, tenant: Tenant, acting: Caller, owner_connection: Owner, write_engine: AsyncEngine
) -> None:
    now = datetime.now(UTC)
    ahead = SqlUnits(write_engine, clock=lambda: now + timedelta(hours=1))
    keen = replace(CHAT, deadline_at=now + timedelta(minutes=30))
    async with ahead.write(tenant.caller(Role.JUNIOR_BROKER)) as unit:
        failing, dying = await unit.jobs.enqueue_all([keen, keen])
    async with ahead.write(acting) as unit:
        claims = {each.job.id: each for each in await jobs.begin(unit, [failing, dying], "one")}
    left = [each.job.seconds_left for each in claims.values()]
    assert all(each is not None and 1500 < each <= 1800 for each in left)
    await let_expire(owner_connection, tenant, dying)
    async with ahead.write(acting) as unit:
        await jobs.finish(unit, [jobs.End(failing, claims[failing].token, BUSY, 0.0)])
        assert await jobs.recover(unit, dying, 0.0) is not None
    rows = [await row_of(owner_connection, tenant, job_id) for job_id in (failing, dying)]
    assert [(row["status"], row["error_code"]) for row in rows] == [("QUEUED", "BUSY"), ("QUEUED", "LEASE_EXPIRED")]
    for row in rows:
        assert row["not_before"] < now + timedelta(minutes=20)
        assert row["turn_at"] < now + timedelta(minutes=20)


async def test_whatever_a_failure_says_its_end_can_be_written(
    system: System, tenant: Tenant, acting: Caller, owner_connection: Owner
) -> None:
    said = [Failed("C" * 70, "a\0b\ud800" + "m" * 3000, retryable=False), Failed("", "", retryable=False)]
    for failure, code, message in zip(said, ("C" * 60, "?"), ("ab?" + "m" * 1996, "?"), strict=True):
        [claim] = await begun(system, acting, job_id := await enqueued(system, tenant))
        await finished(system, claim, failure)
        row = await row_of(owner_connection, tenant, job_id)
        assert (row["error_code"], row["error_message"]) == (code, message)


async def test_what_has_begun_is_run_whatever_ails_another_tenant(
    system: System, tenant: Tenant, other_tenant: Tenant, queue: SqlJobQueue, owner_connection: Owner
) -> None:
    await enqueued(system, other_tenant)
    job_id = await enqueued(system, tenant)
    await enqueued(system, other_tenant)
    of_other = "FROM system_actors WHERE tenant_id = $1"
    await owner_connection.execute("CREATE TEMP TABLE acting (LIKE system_actors)")
    await owner_connection.execute(f"INSERT INTO acting SELECT * {of_other}", other_tenant.id)
    await owner_connection.execute(f"DELETE {of_other}", other_tenant.id)
    claims = await queue.claim("one", [JobKind.INFERENCE], 1000)
    await owner_connection.execute("INSERT INTO system_actors SELECT * FROM acting")
    assert job_id in {claim.job.id for claim in claims}
    assert {row["status"] for row in await rows_of(owner_connection, "jobs", other_tenant.id)} == {"QUEUED"}


async def test_what_no_worker_can_read_keeps_no_other_job_from_beginning(
    system: System, tenant: Tenant, queue: SqlJobQueue, owner_connection: Owner
) -> None:
    ids = [await enqueued(system, tenant) for _ in range(3)]
    await set_tenant(owner_connection, tenant.id)
    await owner_connection.execute("UPDATE jobs SET payload = $2 WHERE id = $1", ids[1], '{"text": "\\ud800"}')
    begun_here = {claim.job.id for claim in await queue.claim("one", [JobKind.INFERENCE], 1000)} & set(ids)
    assert begun_here == {ids[0], ids[2]}
    await owner_connection.execute("UPDATE jobs SET payload = '{}' WHERE id = $1", ids[1])


async def test_a_lease_whose_job_is_locked_is_held_and_not_renewed(
    system: System, tenant: Tenant, acting: Caller, queue: SqlJobQueue
) -> None:
    job_id = await enqueued(system, tenant)
    [claim] = await begun(system, acting, job_id)
    async with system.units.write(tenant.caller(Role.JUNIOR_BROKER)) as unit:
        await unit.jobs.get_for_update(job_id)
        assert await queue.beat([claim]) == jobs.Beat(frozenset(), frozenset(), frozenset({job_id}))
    assert await queue.beat([claim]) == jobs.Beat(frozenset(), frozenset(), frozenset())


async def test_jobs_begin_in_their_turn_and_not_before_their_moment(
    system: System, tenant: Tenant, acting: Caller
) -> None:
    low = await enqueued(system, tenant, replace(CHAT, priority=-1))
    high = await enqueued(system, tenant, replace(CHAT, priority=1))
    now = datetime.now(UTC)
    later = await enqueued(system, tenant, replace(CHAT, not_before=now + timedelta(minutes=1)))
    late = await enqueued(system, tenant, replace(CHAT, deadline_at=now - timedelta(minutes=1)))
    assert [claim.job.id for claim in await begun(system, acting, later, late, low, high)] == [high, low]


async def test_a_queue_hands_out_jobs_of_its_kinds_whatever_tenant_asked(
    system: System, tenant: Tenant, other_tenant: Tenant, queue: SqlJobQueue
) -> None:
    own, other = await enqueued(system, tenant), await enqueued(system, other_tenant)
    render = await enqueued(system, tenant, replace(RENDER, takes_slot=False))
    claims = {claim.job.id: claim for claim in await queue.claim("one", [JobKind.INFERENCE], 1000)}
    assert {own, other} <= claims.keys()
    assert render not in claims
    assert claims[other].caller.tenant_id == other_tenant.id


async def test_a_failure_waits_for_its_backoff_and_keeps_its_reason(
    system: System, tenant: Tenant, acting: Caller, owner_connection: Owner
) -> None:
    job_id = await enqueued(system, tenant, replace(CHAT, max_attempts=2))
    [claim] = await begun(system, acting, job_id)
    assert (await finished(system, claim, BUSY)).status is JobStatus.QUEUED
    row = await row_of(owner_connection, tenant, job_id)
    assert (row["status"], row["error_code"], row["error_retryable"]) == ("QUEUED", "BUSY", True)
    assert await begun(system, acting, job_id) == []
    await set_tenant(owner_connection, tenant.id)
    await owner_connection.execute("UPDATE jobs SET not_before = now() WHERE id = $1", job_id)
    [again] = await begun(system, acting, job_id)
    assert again.job.attempt == 2
    assert (await finished(system, again, BUSY)).status is JobStatus.FAILED


async def test_a_worker_whose_lease_has_expired_changes_nothing(
    system: System, tenant: Tenant, acting: Caller, owner_connection: Owner, queue: SqlJobQueue
) -> None:
    job_id = await enqueued(system, tenant)
    [claim] = await begun(system, acting, job_id)
    await let_expire(owner_connection, tenant, job_id)
    before = dict(await row_of(owner_connection, tenant, job_id))
    assert await queue.beat([claim]) == jobs.Beat(frozenset({job_id}), frozenset())
    assert not await queue.progress(claim, 1, 2, None)
    with pytest.raises(LeaseLost):
        await finished(system, claim, Succeeded())
    assert dict(await row_of(owner_connection, tenant, job_id)) == before


async def test_a_worker_whose_job_is_anothers_changes_nothing(
    system: System, tenant: Tenant, acting: Caller, owner_connection: Owner, queue: SqlJobQueue
) -> None:
    job_id = await enqueued(system, tenant)
    [first] = await begun(system, acting, job_id)
    await let_expire(owner_connection, tenant, job_id)
    assert (job_id in [each async for _, each in queue.abandoned()]) is True
    async with system.units.write(acting) as unit:
        recovered = await jobs.recover(unit, job_id, 0.0)
    assert recovered is not None
    assert (recovered.status, recovered.error) == (JobStatus.QUEUED, jobs.LEASE_EXPIRED)
    await set_tenant(owner_connection, tenant.id)
    await owner_connection.execute("UPDATE jobs SET not_before = now() WHERE id = $1", job_id)
    [second] = await begun(system, acting, job_id, worker="two")
    with pytest.raises(LeaseLost):
        await finished(system, first, Succeeded())
    assert await queue.beat([first, second]) == jobs.Beat(frozenset(), frozenset())
    assert not await queue.progress(first, 1, 2, None)
    assert await queue.progress(second, 1, 2, "Half")
    await finished(system, second, Succeeded())
    row = await row_of(owner_connection, tenant, job_id)
    assert (row["status"], row["attempt"], row["progress_step"]) == ("SUCCEEDED", 2, "Half")


async def test_a_job_that_kills_its_workers_fails_after_its_attempts(
    system: System, tenant: Tenant, acting: Caller, owner_connection: Owner
) -> None:
    job_id = await enqueued(system, tenant, replace(CHAT, max_attempts=1))
    await begun(system, acting, job_id)
    await let_expire(owner_connection, tenant, job_id)
    async with system.units.write(acting) as unit:
        await jobs.recover(unit, job_id, 0.0)
    row = await row_of(owner_connection, tenant, job_id)
    assert (row["status"], row["error_code"]) == ("FAILED", "LEASE_EXPIRED")
    async with system.units.write(acting) as unit:
        assert await jobs.recover(unit, job_id, 0.0) is None


async def test_a_job_that_was_not_begun_by_its_deadline_fails(
    system: System, tenant: Tenant, acting: Caller, owner_connection: Owner, queue: SqlJobQueue
) -> None:
    job_id = await enqueued(system, tenant, replace(CHAT, deadline_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert (job_id in [each async for _, each in queue.overdue()]) is True
    for expired in (True, False):
        async with system.units.write(acting) as unit:
            assert await jobs.expire(unit, job_id) is expired
    row = await row_of(owner_connection, tenant, job_id)
    assert (row["status"], row["error_code"]) == ("FAILED", "DEADLINE_PASSED")


async def test_a_running_job_hears_that_it_is_to_stop(
    system: System, tenant: Tenant, acting: Caller, queue: SqlJobQueue
) -> None:
    job_id = await enqueued(system, tenant)
    [claim] = await begun(system, acting, job_id)
    async with system.units.write(tenant.caller(Role.JUNIOR_BROKER)) as unit:
        await jobs.cancel(unit, jobs.JobCancel(job_id))
    assert await queue.beat([claim]) == jobs.Beat(frozenset(), frozenset({job_id}))
    assert (await finished(system, claim, BUSY)).status is JobStatus.CANCELLED


async def test_what_came_of_a_job_is_audited_and_no_step_on_the_way(
    system: System, tenant: Tenant, acting: Caller, owner_connection: Owner
) -> None:
    done, dying, late = [
        await enqueued(system, tenant, job)
        for job in (CHAT, replace(CHAT, max_attempts=1), replace(CHAT, deadline_at=datetime.now(UTC)))
    ]
    [claim] = await begun(system, acting, done)
    await finished(system, claim, BUSY)
    await set_tenant(owner_connection, tenant.id)
    await owner_connection.execute("UPDATE jobs SET not_before = now() WHERE id = $1", done)
    [claim] = await begun(system, acting, done)
    await finished(system, claim, Succeeded())
    await begun(system, acting, dying)
    await let_expire(owner_connection, tenant, dying)
    async with system.units.write(acting) as unit:
        await jobs.recover(unit, dying, 0.0)
        await jobs.expire(unit, late)
    told = Counter(each["subject_id"] for each in await rows_of(owner_connection, "events", tenant.id))
    assert told == Counter({done: 5, dying: 3, late: 2})
    entries = await rows_of(owner_connection, "audit_entries", tenant.id)
    junior = tenant.users[Role.JUNIOR_BROKER]
    assert sorted(
        (each["action"], each["actor_id"], each["subject_id"], each["changed_fields"]) for each in entries
    ) == sorted(
        [
            *(("CREATE", junior, job_id, ["status"]) for job_id in (done, dying, late)),
            *(("UPDATE", acting.actor.id, job_id, ["status"]) for job_id in (done, dying, late)),
        ]
    )


async def held(owner: Owner, resource: str) -> Mapping[int, UUID | None]:
    return {
        row["number"]: row["job_id"]
        for row in await owner.fetch("SELECT * FROM slots WHERE resource = $1 ORDER BY number", resource)
    }


async def test_a_job_takes_a_slot_while_it_runs_and_waits_where_none_is_free(
    system: System, tenant: Tenant, acting: Caller, owner_connection: Owner, write_engine: AsyncEngine
) -> None:
    # Slots are the installation's: none that another test left may be free.
    await owner_connection.execute("DELETE FROM slots")
    slots, resource = SqlSlots(write_engine), f"comfy-{uuid4()}"
    first, second = await enqueued(system, tenant, RENDER), await enqueued(system, tenant, RENDER)
    await slots.declare(SlotKind.COMFYUI, resource, 1)
    [claim] = await begun(system, acting, first, second)
    assert claim.job.slot == jobs.Slot(SlotKind.COMFYUI, resource, 1)
    assert await held(owner_connection, resource) == {1: first}
    await slots.open(SlotKind.COMFYUI, resource, to=False)
    await finished(system, claim, Succeeded())
    assert await held(owner_connection, resource) == {1: None}
    assert await begun(system, acting, second) == []
    await slots.open(SlotKind.COMFYUI, resource, to=True)
    [claim] = await begun(system, acting, second)
    await finished(system, claim, Succeeded())
    await slots.declare(SlotKind.COMFYUI, resource, 0)
    assert await held(owner_connection, resource) == {}


async def test_a_running_job_takes_more_slots_only_under_its_lease(
    system: System, tenant: Tenant, acting: Caller, owner_connection: Owner, write_engine: AsyncEngine
) -> None:
    slots, near, far = SqlSlots(write_engine), f"near-{uuid4()}", f"far-{uuid4()}"
    await slots.declare(SlotKind.LLM, near, 1)
    await slots.declare(SlotKind.LLM, far, 1)
    job_id = await enqueued(system, tenant)
    [claim] = await begun(system, acting, job_id)
    assert claim.job.slot is None
    taken = [await slots.take(claim, SlotKind.LLM, [near, far]) for _ in range(3)]
    assert taken == [jobs.Slot(SlotKind.LLM, near, 1), jobs.Slot(SlotKind.LLM, far, 1), None]
    await slots.give_back(claim, jobs.Slot(SlotKind.LLM, near, 1))
    assert (await slots.held(SlotKind.LLM, near), await slots.held(SlotKind.LLM, far)) == (0, 1)
    await let_expire(owner_connection, tenant, job_id)
    with pytest.raises(LeaseLost):
        await slots.take(claim, SlotKind.LLM, [near])
    async with system.units.write(acting) as unit:
        await jobs.recover(unit, job_id, 0.0)
    assert await slots.held(SlotKind.LLM, far) == 0
    for resource in (near, far):
        await slots.declare(SlotKind.LLM, resource, 0)


async def test_who_waits_for_a_slot_does_not_lock_the_job(
    system: System, tenant: Tenant, acting: Caller, write_engine: AsyncEngine
) -> None:
    slots, resource = SqlSlots(write_engine), f"near-{uuid4()}"
    await slots.declare(SlotKind.LLM, resource, 1)
    job_id = await enqueued(system, tenant)
    [claim] = await begun(system, acting, job_id)
    assert await slots.take(claim, SlotKind.LLM, [resource]) is not None
    async with system.units.write(tenant.caller(Role.JUNIOR_BROKER)) as unit, asyncio.timeout(PATIENCE):
        await unit.jobs.get_for_update(job_id)
        assert await slots.take(claim, SlotKind.LLM, [resource]) is None
    await finished(system, claim, Succeeded())
    await slots.declare(SlotKind.LLM, resource, 0)


async def test_slots_that_nobody_declares_any_more_go_once_they_are_free(
    system: System, tenant: Tenant, acting: Caller, owner_connection: Owner, write_engine: AsyncEngine
) -> None:
    async def stand(*resources: str) -> Mapping[tuple[str, int], tuple[bool, bool]]:
        rows = await owner_connection.fetch(
            "SELECT *, job_id IS NOT NULL AS held FROM slots WHERE resource = any($1)", list(resources)
        )
        return {(row["resource"], row["number"]): (row["open"], row["held"]) for row in rows}

    slots, kept, removed = SqlSlots(write_engine), f"kept-{uuid4()}", f"removed-{uuid4()}"
    for resource in (kept, removed):
        await slots.declare(SlotKind.LLM, resource, 2)
    job_id = await enqueued(system, tenant)
    [claim] = await begun(system, acting, job_id)
    assert await slots.take(claim, SlotKind.LLM, [removed]) is not None
    await owner_connection.execute(
        "UPDATE slots SET declared_at = now() - interval '11 minutes' WHERE resource = any($1)", [kept, removed]
    )
    await slots.declare(SlotKind.LLM, kept, 2)
    await slots.retire()
    # What still runs there keeps its slot, and nothing more begins there.
    assert await stand(kept, removed) == {
        (kept, 1): (True, False),
        (kept, 2): (True, False),
        (removed, 1): (False, True),
    }
    assert await slots.take(claim, SlotKind.LLM, [removed]) is None
    # Who comes back in time has what there was.
    await slots.declare(SlotKind.LLM, removed, 2)
    assert await stand(removed) == {(removed, 1): (True, True), (removed, 2): (True, False)}
    await owner_connection.execute(
        "UPDATE slots SET declared_at = now() - interval '11 minutes' WHERE resource = $1", removed
    )
    await finished(system, claim, Succeeded())
    await slots.retire()
    assert await stand(removed) == {}
    await slots.declare(SlotKind.LLM, kept, 0)


async def test_tickets_go_when_a_job_begins_or_ends_and_come_back_when_it_waits_again(
    system: System, tenant: Tenant, acting: Caller, owner_connection: Owner
) -> None:
    async def ticketed() -> list[str]:
        rows = await owner_connection.fetch(
            "SELECT dedupe_key, status FROM pgqueuer.pgqueuer WHERE dedupe_key = any($1)", [str(each) for each in ids]
        )
        return sorted(row["dedupe_key"] for row in rows)

    ids = [await enqueued(system, tenant) for _ in range(3)]
    late = await enqueued(system, tenant, replace(CHAT, deadline_at=datetime.now(UTC) - timedelta(seconds=1)))
    failing, cancelled, waiting = map(str, ids)
    ids.append(late)
    assert await ticketed() == sorted([failing, cancelled, waiting, str(late)])
    [claim] = await begun(system, acting, ids[0])
    async with system.units.write(tenant.caller(Role.JUNIOR_BROKER)) as unit:
        await jobs.cancel(unit, jobs.JobCancel(ids[1]))
        await jobs.expire(unit, late)
    assert await ticketed() == [waiting]
    await finished(system, claim, BUSY)
    async with system.units.write(tenant.caller(Role.JUNIOR_BROKER)) as unit:
        await jobs.retry(unit, jobs.JobRetry(ids[1]))
    assert await ticketed() == sorted([failing, cancelled, waiting])


async def test_a_queued_job_that_lost_its_ticket_gets_another(
    system: System, tenant: Tenant, owner_connection: Owner, queue: SqlJobQueue
) -> None:
    job_id = await enqueued(system, tenant)
    await owner_connection.execute("DELETE FROM pgqueuer.pgqueuer WHERE dedupe_key = $1", str(job_id))
    assert job_id not in [each async for _, each in queue.unticketed()]
    await set_tenant(owner_connection, tenant.id)
    await owner_connection.execute(
        "UPDATE jobs SET created_at = now() - interval '1 minute', turn_at = turn_at - interval '1 day' WHERE id = $1",
        job_id,
    )
    [caller] = [caller async for caller, each in queue.unticketed() if each == job_id]
    async with system.units.write(caller) as unit:
        assert await jobs.announce(unit, job_id)
    assert job_id not in [each async for _, each in queue.unticketed()]
    assert job_id in {claim.job.id for claim in await queue.claim("one", [JobKind.INFERENCE], 1000)}


async def test_the_queue_is_as_the_locked_pgqueuer_wants_it(owner_connection: Owner) -> None:
    settings = DBSettings(db_schema="pgqueuer")
    queries = Queries(
        AsyncpgDriver(owner_connection),
        qbe=QueryBuilderEnvironment(settings),
        qbq=QueryQueueBuilder(settings),
        qbs=QuerySchedulerBuilder(settings),
    )
    assert (await queries.plan_upgrade()).statements == ()
