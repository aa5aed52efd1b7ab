"""How jobs are written within a unit. A worker's writes are conditional on the token of its lease."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from sqlalchemy import CursorResult, RowMapping, TextClause, select, text, update

from db.jobs import tickets
from db.jobs.rows import job_of, running_of
from db.jobs.source import JOBS
from db.jobs.tables import jobs
from domain.errors import Conflict, NotFound
from domain.jobs import (
    QUEUED_EVENT,
    SLOT_OF,
    Begun,
    Job,
    JobKind,
    JobStatus,
    NewJob,
    Settled,
    Slot,
    SlotKind,
    changed,
    check_new,
    payload_hash,
    turn_at,
)
from domain.values import new_id

if TYPE_CHECKING:
    from db.unit import SqlUnit

CHANNEL: Final = "velocity_jobs"
"""Workers are told here of slots that were freed (`slots`), and of jobs that are to stop (`stop <id>`)."""
# The moment of a lease is the database's: workers' clocks differ.
RENEWED: Final = "now() + make_interval(secs => :lease)"
HELD: Final = "status = 'RUNNING' and lease_token = :token and leased_until > now()"
GIVEN: Final = "unnest(cast(:ids as uuid[]), cast(:tokens as uuid[])) as given(id, token)"
_LEASED: Final = text(
    f"with held as (select jobs.id from jobs join {GIVEN} on given.id = jobs.id and given.token = jobs.lease_token"
    " where tenant_id = :tenant and status = 'RUNNING' and leased_until > now() order by jobs.id for update of jobs)"
    f" update jobs set leased_until = {RENEWED} from held where jobs.tenant_id = :tenant and jobs.id = held.id"
    " returning jobs.id, kind, status, attempt, max_attempts, priority, deadline_at, cancel_requested_at"
)
_LOCKED: Final = text(
    "select *, coalesce(not_before > now(), false) as early, coalesce(deadline_at <= now(), false) as late"
    " from jobs where tenant_id = :tenant and id = any(:ids) order by id for update"
)
_KNOWN_SLOTS: Final = text("select distinct kind from slots")
_FREE_SLOTS: Final = text(
    "select kind, resource, number from slots where kind = :kind and open and job_id is null"
    " order by number, resource limit :most for update skip locked"
)
_TAKE_SLOT: Final = text(
    "update slots set job_tenant_id = :tenant, job_id = :id, lease_token = :token, leased_at = now()"
    " where kind = :kind and resource = :resource and number = :number"
)
_BEGIN: Final = text(
    "update jobs set status = 'RUNNING', attempt = attempt + 1, worker_name = :worker, not_before = null,"
    f" lease_token = given.token, leased_until = {RENEWED}, started_at = coalesce(started_at, now()),"
    " progress_value = null, progress_max = null, progress_step = null"
    f" from {GIVEN} where jobs.tenant_id = :tenant and jobs.id = given.id returning jobs.*"
)
# Slots that are freed and jobs that begin again later are told of to workers: the one by a notification, the others by
# their tickets. Every job that is settled is locked.
_SETTLE: Final = text(
    "with given as (select * from unnest(cast(:ids as uuid[]), cast(:statuses as text[]),"
    " cast(:afters as timestamptz[]), cast(:codes as text[]), cast(:messages as text[]),"
    " cast(:retryable as boolean[]), cast(:more as integer[]))"
    " as given(id, status, after, code, message, retryable, more)),"
    " settled as (update jobs set status = given.status, lease_token = null, leased_until = null, worker_name = null,"
    " not_before = given.after, finished_at = case when given.status = 'QUEUED' then null else now() end,"
    " max_attempts = max_attempts + given.more,"
    " error_code = given.code, error_message = given.message, error_retryable = given.retryable"
    " from given where jobs.tenant_id = :tenant and jobs.id = given.id"
    " returning jobs.id, jobs.status, jobs.kind, jobs.slot_kind, jobs.turn_at, jobs.not_before),"
    " freed as (update slots set job_tenant_id = null, job_id = null, lease_token = null, leased_at = null"
    " where job_tenant_id = :tenant and job_id = any(cast(:ids as uuid[])) returning number)"
    " select settled.*, (select count(*) from freed) as freed from settled"
)
_FREED: Final = text(f"select pg_notify('{CHANNEL}', 'slots')")
_STOP: Final = text(f"select pg_notify('{CHANNEL}', 'stop ' || cast(:id as text))")


class SqlJobs:
    """The job store of one unit."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit

    async def enqueue(self, job: NewJob) -> UUID:
        """Store a job and record that it was asked for; return its id, or that of the one its key stands for."""
        check_new(job)
        now, actor, digest = self._unit.now, self._unit.caller.actor, payload_hash(job.payload)
        if job.key is not None and (known := await self._keyed(job.key, digest)) is not None:
            return known
        job_id, since = new_id(), job.not_before or now
        await self._unit.add(
            jobs, id=job_id, kind=job.kind.name, status=JobStatus.QUEUED.name, task=job.task and job.task.name,
            priority=job.priority, max_attempts=job.max_attempts, turn_at=turn_at(job.priority, since),
            not_before=job.not_before, deadline_at=job.deadline_at,
            slot_kind=SLOT_OF[job.kind].name if job.takes_slot else None,
            requested_by_noun=actor.noun, requested_by_id=actor.id,
            subject_noun=job.subject and job.subject.noun, subject_id=job.subject and job.subject.id,
            key=job.key, payload=job.payload, payload_hash=digest, model=job.model, submitted_count=job.items,
            workflow=job.workflow and job.workflow.name, room_type=job.room_type and job.room_type.name,
            keywords=list(job.keywords), prompt=job.prompt, photo_id=job.photo_id, created_at=now,
        )  # fmt: skip
        await tickets.add(
            self._unit.connection, tenant_id=self._unit.caller.tenant_id, job_id=job_id, kind=job.kind,
            slot=SLOT_OF[job.kind] if job.takes_slot else None, turn_at=turn_at(job.priority, since),
            not_before=job.not_before,
        )  # fmt: skip
        self._unit.record(changed(job_id, JobStatus.QUEUED, QUEUED_EVENT))
        return job_id

    async def get_for_update(self, job_id: UUID) -> Job:
        """Return a job that the caller may see and lock it; raises NotFound naming `jobId`."""
        try:
            return job_of(await self._unit.visible_row(JOBS, job_id))
        except NotFound:
            raise NotFound(field="jobId") from None

    async def begin(self, job_ids: Sequence[UUID], worker: str, lease: timedelta) -> list[Begun]:
        """Begin those of these jobs whose turn it still is, and for which there is a slot where they need one."""
        found = (await self._run(_LOCKED, ids=list(job_ids))).mappings().all()
        waiting = {row["id"]: row for row in found if row["status"] == JobStatus.QUEUED.name and not row["late"]}
        due = [row for row in waiting.values() if not row["early"]]
        # They are locked in the order of their ids, so that two workers do not wait for each other in a circle.
        chosen = await self._with_slots(sorted(due, key=lambda row: (row["turn_at"], row["id"])))
        left = {job_id: row["not_before"] for job_id, row in waiting.items() if job_id not in chosen}
        if left:
            await tickets.put_back(self._unit.connection, left)
        if len(left) < len(job_ids):
            await tickets.drop(self._unit.connection, [job_id for job_id in job_ids if job_id not in left])
        tokens = {job_id: uuid4() for job_id in chosen}
        for job_id, slot in chosen.items():
            if slot is not None:
                await self._run(
                    _TAKE_SLOT, id=job_id, token=tokens[job_id], kind=slot.kind.name, resource=slot.resource,
                    number=slot.number,
                )  # fmt: skip
        if not chosen:
            return []
        begun = await self._run(
            _BEGIN, ids=list(tokens), tokens=list(tokens.values()), worker=worker, lease=lease.total_seconds()
        )
        rows = {row["id"]: row for row in begun.mappings()}
        return [Begun(running_of(rows[job_id], chosen[job_id]), tokens[job_id]) for job_id in chosen]

    async def leased(self, tokens: Mapping[UUID, UUID], lease: timedelta) -> dict[UUID, Job]:
        """Return those of these jobs whose lease has the token given with it, locked and with their leases renewed."""
        found = await self._run(
            _LEASED, ids=list(tokens), tokens=list(tokens.values()), lease=lease.total_seconds()
        )  # fmt: skip
        return {row["id"]: job_of(row) for row in found.mappings()}

    async def abandoned(self, job_id: UUID) -> Job | None:
        """Return a running job whose lease has expired and lock it."""
        return await self._locked(job_id, "status = 'RUNNING' and leased_until <= now()")

    async def overdue(self, job_id: UUID) -> Job | None:
        """Return a queued job whose deadline has passed and lock it."""
        return await self._locked(job_id, "status = 'QUEUED' and deadline_at <= now()")

    async def request_cancel(self, job_id: UUID) -> None:
        """Store that a running job is to stop, and have its worker told."""
        await self._unit.change(jobs, job_id, cancel_requested_at=self._unit.now)
        await self._unit.connection.execute(_STOP, {"id": str(job_id)})

    async def settle(self, settled: Mapping[UUID, Settled]) -> None:
        """Store where jobs stand now that this unit has locked, without a lease and without slots."""
        errors = [each.error for each in settled.values()]
        found = await self._run(
            _SETTLE, ids=list(settled), statuses=[each.status.name for each in settled.values()],
            afters=[each.not_before for each in settled.values()],
            codes=[error and error.code for error in errors],
            messages=[error and error.message for error in errors],
            retryable=[error and error.retryable for error in errors],
            more=[each.more_attempts for each in settled.values()],
        )  # fmt: skip
        rows = found.mappings().all()
        if any(row["freed"] for row in rows):
            await self._unit.connection.execute(_FREED)
        for row in rows:
            if row["status"] == JobStatus.QUEUED.name:
                await self._add_ticket(row)

    async def cancelled(self, job_id: UUID) -> None:
        """Store that a queued job, which this unit has locked, is not wanted any more."""
        await self.settle({job_id: Settled(JobStatus.CANCELLED)})
        await tickets.drop(self._unit.connection, [job_id])

    async def requeue(self, job: Job, max_attempts: int) -> None:
        """Store that a finished job begins again."""
        found = await self._unit.connection.execute(
            update(jobs)
            .where(jobs.c.tenant_id == self._unit.caller.tenant_id, jobs.c.id == job.id)
            .values(
                status=JobStatus.QUEUED.name, max_attempts=max_attempts, finished_at=None, not_before=None,
                cancel_requested_at=None, deadline_at=None, error_code=None, error_message=None, error_retryable=None,
                completed_count=0, failed_count=0, progress_value=None, progress_max=None, progress_step=None,
                turn_at=turn_at(job.priority, self._unit.now),
            )
            .returning(jobs.c.id, jobs.c.kind, jobs.c.slot_kind, jobs.c.turn_at, jobs.c.not_before)
        )  # fmt: skip
        await self._add_ticket(found.mappings().one())

    async def ticket(self, job_id: UUID) -> bool:
        """Give a queued job its ticket again; false where it is not queued."""
        found = await self._run(_LOCKED, ids=[job_id])
        row = found.mappings().one_or_none()
        if row is None or row["status"] != JobStatus.QUEUED.name:
            return False
        await self._add_ticket(row)
        return True

    async def count(self, job_id: UUID, *, completed: int = 0, failed: int = 0) -> None:
        """Add to the items that have an answer, and to those that failed for good."""
        await self._unit.change(
            jobs,
            job_id,
            completed_count=jobs.c.completed_count + completed,
            failed_count=jobs.c.failed_count + failed,
        )

    async def served_by(self, job_id: UUID, *, provider_id: UUID | None = None, model: str | None = None) -> None:
        """Store which provider and model answered last."""
        await self._given(job_id, {"provider_id": provider_id, "model": model})

    async def rendered_by(self, job_id: UUID, *, worker_id: UUID | None = None, prompt: str | None = None) -> None:
        """Store which render worker has the job, and the prompt it was sent."""
        await self._given(job_id, {"render_worker_id": worker_id, "prompt": prompt})

    async def _given(self, job_id: UUID, values: Mapping[str, object]) -> None:
        given = {name: value for name, value in values.items() if value is not None}
        if given:
            await self._unit.change(jobs, job_id, **given)

    async def _add_ticket(self, row: RowMapping) -> None:
        slot = row["slot_kind"]
        await tickets.add(
            self._unit.connection, tenant_id=self._unit.caller.tenant_id, job_id=row["id"], kind=JobKind[row["kind"]],
            slot=None if slot is None else SlotKind[slot], turn_at=row["turn_at"], not_before=row["not_before"],
        )  # fmt: skip

    async def _keyed(self, key: str, digest: str) -> UUID | None:
        """Return the job that a key stands for; raises Conflict where that is another."""
        row = (
            await self._unit.connection.execute(
                select(jobs.c.id, jobs.c.payload_hash).where(
                    jobs.c.tenant_id == self._unit.caller.tenant_id, jobs.c.key == key
                )
            )
        ).one_or_none()
        if row is None:
            return None
        if row.payload_hash != digest:
            raise Conflict("This key stands for other work.", field="key")
        job_id: UUID = row.id
        return job_id

    async def _with_slots(self, rows: Sequence[RowMapping]) -> dict[UUID, Slot | None]:
        """Return the jobs that can begin, each with the slot that it takes: those without one wait for the next turn.

        Where no slot of a kind was ever declared there is no capacity to share: the handler says what is missing.
        """
        wanted: dict[str, int] = {}
        for row in rows:
            if row["slot_kind"] is not None:
                wanted[row["slot_kind"]] = wanted.get(row["slot_kind"], 0) + 1
        free: dict[str, list[Slot]] = {}
        if wanted:
            known = set((await self._run(_KNOWN_SLOTS)).scalars())
            for kind in wanted.keys() & known:
                found = await self._run(_FREE_SLOTS, kind=kind, most=wanted[kind])
                free[kind] = [Slot(SlotKind[each.kind], each.resource, each.number) for each in found]
        chosen: dict[UUID, Slot | None] = {}
        for row in rows:
            slots_left = free.get(row["slot_kind"])
            if slots_left is None:
                chosen[row["id"]] = None
            elif slots_left:
                chosen[row["id"]] = slots_left.pop(0)
        return chosen

    async def _locked(self, job_id: UUID, condition: str) -> Job | None:
        """Return a job where a condition holds and nobody else has it locked."""
        statement = text(
            "select id, kind, status, attempt, max_attempts, priority, deadline_at, cancel_requested_at from jobs"
            f" where tenant_id = :tenant and id = :id and {condition} for update skip locked"
        )
        row = (await self._run(statement, id=job_id)).mappings().one_or_none()
        return None if row is None else job_of(row)

    async def _run(self, statement: TextClause, **given: object) -> CursorResult[Any]:
        return await self._unit.connection.execute(statement, {"tenant": self._unit.caller.tenant_id, **given})
