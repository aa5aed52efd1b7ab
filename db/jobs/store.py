"""How jobs are written within a unit. A worker's writes are conditional on the token of its lease."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import CursorResult, RowMapping, TextClause, func, select, text, update

from db.jobs import statements, tickets
from db.jobs.rows import error_row, job_of, new_row, running_of
from db.jobs.source import JOBS
from db.jobs.tables import jobs
from domain.errors import Conflict, Contended, NotFound
from domain.jobs import (
    QUEUED_EVENT,
    Begun,
    Job,
    JobKind,
    JobStatus,
    NewJob,
    Settled,
    Slot,
    SlotKind,
    ahead,
    changed,
    check_new,
    payload_text,
    text_hash,
)

if TYPE_CHECKING:
    from db.unit import SqlUnit


class SqlJobs:
    """The job store of one unit."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit

    async def enqueue(self, job: NewJob) -> UUID:
        """Store a job and record that it was asked for; return its id, or that of the one its key stands for."""
        [job_id] = await self.enqueue_all([job])
        return job_id

    async def enqueue_all(self, new: Sequence[NewJob]) -> list[UUID]:
        """Store several jobs at once; return their ids in order."""
        rows, ids = [], []
        for job in new:
            check_new(job)
            payload = payload_text(job.payload)
            digest = text_hash(payload)
            known = None if job.key is None else await self._keyed(job.key, digest)
            if known is None:
                row = new_row(job, payload, digest)
                rows.append(row)
                known = UUID(str(row["id"]))
            ids.append(known)
        return ids if not rows else await self._added(rows, ids)

    async def _added(self, rows: Sequence[Mapping[str, object]], ids: Sequence[UUID]) -> list[UUID]:
        """Store jobs; return these ids, but those of others for what others have stored under the same keys."""
        actor = self._unit.caller.actor
        found = await self._run(
            statements.ENQUEUE, rows=orjson.dumps(rows).decode(), noun=actor.noun, actor=actor.id, now=self._unit.now,
            epoch=tickets.EPOCH, text=str(self._unit.caller.tenant_id),
        )  # fmt: skip
        added, others = set(found.scalars()), dict[UUID, UUID]()
        for row in rows:
            job_id = UUID(str(row["id"]))
            if job_id in added:
                self._unit.record(changed(job_id, JobStatus.QUEUED, QUEUED_EVENT))
                continue
            other = await self._keyed(str(row["key"]), str(row["payload_hash"]))
            if other is None:
                raise Contended
            others[job_id] = other
        return [others.get(job_id, job_id) for job_id in ids]

    async def get_for_update(self, job_id: UUID) -> Job:
        """Return a job that the caller may see and lock it; raises NotFound naming `jobId`."""
        try:
            return job_of(await self._unit.visible_row(JOBS, job_id))
        except NotFound:
            raise NotFound(field="jobId") from None

    async def begin(self, job_ids: Sequence[UUID], worker: str, lease: timedelta) -> list[Begun]:
        """Begin those of these jobs whose turn it still is, and for which there is a slot where they need one."""
        given = {"worker": worker, "lease": lease.total_seconds()}
        found = await self._run(statements.BEGIN_AT_ONCE, ids=list(job_ids), **given)
        begun = [Begun(running_of(row, None), row["lease_token"]) for row in found.mappings()]
        known = {each.job.id for each in begun}
        others = [job_id for job_id in job_ids if job_id not in known]
        return begun + await self._begin_with_slots(others, given) if others else begun

    async def _begin_with_slots(self, job_ids: Sequence[UUID], given: Mapping[str, object]) -> list[Begun]:
        found = (await self._run(statements.LOCKED, ids=list(job_ids))).mappings().all()
        waiting = {row["id"]: row for row in found if row["status"] == JobStatus.QUEUED.name and not row["late"]}
        due = [row for row in waiting.values() if not row["early"]]
        # They are locked in the order of their ids, so that two workers do not wait for each other in a circle.
        chosen = await self._with_slots(sorted(due, key=lambda row: (row["turn_at"], row["id"])))
        left = {job_id: row["not_before"] for job_id, row in waiting.items() if job_id not in chosen}
        if left:
            await tickets.put_back(self._unit.connection, left)
        tokens = {job_id: uuid4() for job_id in chosen}
        for job_id, slot in chosen.items():
            if slot is not None:
                await self._run(
                    statements.TAKE_SLOT, id=job_id, token=tokens[job_id], kind=slot.kind.name,
                    resource=slot.resource, number=slot.number,
                )  # fmt: skip
        gone = [str(job_id) for job_id in job_ids if job_id not in left]
        begun = await self._run(
            statements.BEGIN, ids=list(tokens), tokens=list(tokens.values()), gone=gone, **given
        )  # fmt: skip
        rows = {row["id"]: row for row in begun.mappings()}
        return [Begun(running_of(rows[job_id], chosen[job_id]), tokens[job_id]) for job_id in chosen]

    async def held(self, tokens: Mapping[UUID, UUID]) -> dict[UUID, Job]:
        """Return those of these jobs whose lease has the token given with it, locked."""
        found = await self._run(statements.HOLDING, ids=list(tokens), tokens=list(tokens.values()))
        return {row["id"]: job_of(row) for row in found.mappings()}

    async def leased(self, tokens: Mapping[UUID, UUID], lease: timedelta) -> dict[UUID, Job]:
        """Return those of these jobs whose lease has the token given with it, locked and with their leases renewed."""
        found = await self._run(
            statements.LEASED, ids=list(tokens), tokens=list(tokens.values()), lease=lease.total_seconds()
        )  # fmt: skip
        return {row["id"]: job_of(row) for row in found.mappings()}

    async def moment(self) -> datetime:
        """Return the present moment by the database's clock."""
        now: datetime = (await self._unit.connection.execute(statements.MOMENT)).scalar_one()
        return now

    async def abandoned(self, job_id: UUID) -> Job | None:
        """Return a running job whose lease has expired and lock it."""
        return await self._locked(job_id, "status = 'RUNNING' and leased_until <= now()")

    async def overdue(self, job_id: UUID) -> Job | None:
        """Return a queued job whose deadline has passed and lock it."""
        return await self._locked(job_id, "status = 'QUEUED' and deadline_at <= now()")

    async def request_cancel(self, job_id: UUID) -> None:
        """Store that a running job is to stop, and have its worker told."""
        await self._unit.change(jobs, job_id, cancel_requested_at=self._unit.now)
        await self._unit.connection.execute(statements.STOP, {"id": str(job_id)})

    async def settle(self, settled: Mapping[UUID, Settled], tokens: Mapping[UUID, UUID] | None = None) -> set[UUID]:
        """Store where jobs stand now, without a lease and without slots; return of which that was stored."""
        errors = [error_row(each.error) for each in settled.values()]
        found = await self._run(
            statements.SETTLE, ids=list(settled), statuses=[each.status.name for each in settled.values()],
            afters=[each.not_before for each in settled.values()],
            codes=[code for code, _, _ in errors], messages=[message for _, message, _ in errors],
            retryable=[retryable for _, _, retryable in errors],
            more=[each.more_attempts for each in settled.values()],
            tokens=[tokens[job_id] if tokens else None for job_id in settled],
        )  # fmt: skip
        rows = found.mappings().all()
        if any(row["freed"] for row in rows):
            await self._unit.connection.execute(statements.FREED)
        for row in rows:
            if row["status"] == JobStatus.QUEUED.name:
                await self._add_ticket(row)
        if tokens is None:
            # Those without a lease were waiting, and what has ended leads nobody anywhere.
            await tickets.drop(
                self._unit.connection, [row["id"] for row in rows if row["status"] != JobStatus.QUEUED.name]
            )
        return {row["id"] for row in rows}

    async def cancelled(self, job_id: UUID) -> None:
        """Store that a queued job, which this unit has locked, is not wanted any more."""
        await self.settle({job_id: Settled(JobStatus.CANCELLED)})

    async def revoked(self, job_ids: Sequence[UUID]) -> None:
        """Store that jobs, which this unit has locked, are not wanted any more, and have the workers of some told."""
        await self.settle({job_id: Settled(JobStatus.CANCELLED) for job_id in job_ids})
        for job_id in job_ids:
            await self._unit.connection.execute(statements.STOP, {"id": str(job_id)})

    async def requeue(self, job: Job, max_attempts: int) -> None:
        """Store that a finished job begins again."""
        found = await self._unit.connection.execute(
            update(jobs)
            .where(jobs.c.tenant_id == self._unit.caller.tenant_id, jobs.c.id == job.id)
            .values(
                status=JobStatus.QUEUED.name, max_attempts=max_attempts, finished_at=None, not_before=None,
                cancel_requested_at=None, deadline_at=None, error_code=None, error_message=None, error_retryable=None,
                completed_count=0, failed_count=0, progress_value=None, progress_max=None, progress_step=None,
                turn_at=func.now() - ahead(job.priority),
            )
            .returning(jobs.c.id, jobs.c.kind, jobs.c.slot_kind, jobs.c.turn_at, jobs.c.not_before)
        )  # fmt: skip
        await self._add_ticket(found.mappings().one())

    async def ticket(self, job_id: UUID) -> bool:
        """Give a queued job its ticket again; false where it is not queued."""
        found = await self._run(statements.LOCKED, ids=[job_id])
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

    async def served_by(
        self,
        job_id: UUID,
        *,
        provider_id: UUID | None = None,
        model: str | None = None,
        prompt_version: str | None = None,
        prompt_hash: str | None = None,
    ) -> None:
        """Store which provider and model answered last, and to which prompt."""
        prompt = {"prompt_version": prompt_version, "prompt_hash": prompt_hash}
        await self._given(job_id, {"provider_id": provider_id, "model": model, **prompt})

    async def rendered_by(
        self,
        job_id: UUID,
        *,
        worker_id: UUID | None = None,
        prompt: str | None = None,
        prompt_version: str | None = None,
        prompt_hash: str | None = None,
    ) -> None:
        """Store which render worker has the job, and the prompt it was sent."""
        given = {"prompt": prompt, "prompt_version": prompt_version, "prompt_hash": prompt_hash}
        await self._given(job_id, {"render_worker_id": worker_id, **given})

    async def forget(self, before: datetime, most: int) -> int:
        """Remove at most so many inference jobs that ended before a moment, with their items; return how many went."""
        gone: int = (await self._run(statements.FORGET, before=before, most=most)).scalar_one()
        return gone

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
            known = set((await self._run(statements.KNOWN_SLOTS)).scalars())
            for kind in wanted.keys() & known:
                found = await self._run(statements.FREE_SLOTS, kind=kind, most=wanted[kind])
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
