"""What is done with jobs: they are cancelled, tried again, finished by their workers, and swept up after those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from domain.audit import AuditAction, Change
from domain.jobs.kinds import CHANGED_EVENT, FINISHED, QUEUED_EVENT, STOPPING_EVENT, JobStatus
from domain.jobs.ports import Begun
from domain.jobs.records import MOST_ATTEMPTS, Failed, Outcome, Settled
from domain.jobs.rules import DEADLINE_PASSED, ENDS, LEASE, LEASE_EXPIRED, LeaseLost, check_cancel, check_retry, settled

if TYPE_CHECKING:
    from domain.unit import Unit


@dataclass(frozen=True, slots=True)
class JobCancel:
    """A job that is not wanted any more."""

    job_id: UUID


@dataclass(frozen=True, slots=True)
class JobRetry:
    """A job that is to begin again."""

    job_id: UUID


@dataclass(frozen=True, slots=True)
class End:
    """How a worker says that an attempt ended; `chance`, from 0 up to 1, spreads what is tried again."""

    job_id: UUID
    token: UUID
    outcome: Outcome
    chance: float


def changed(job_id: UUID, status: JobStatus, event: str = CHANGED_EVENT) -> Change:
    """Return what is recorded of a job that stands somewhere else now.

    What somebody asked for is audited, and what came of it; the steps by which workers get there are told of only.
    """
    return Change(
        action=AuditAction.CREATE if event == QUEUED_EVENT else AuditAction.UPDATE,
        event=event,
        noun="jobs",
        id=job_id,
        fields=("status",),
        payload=(("status", status.name),),
        audited=event != CHANGED_EVENT or status in FINISHED,
    )


async def cancel(unit: Unit, command: JobCancel) -> UUID:
    """Cancel a job: at once while it waits, and as soon as its worker hears of it while it runs.

    Raises JobFinished. Cancelling twice does nothing more.
    """
    job = await unit.jobs.get_for_update(command.job_id)
    check_cancel(job)
    if job.status is JobStatus.QUEUED:
        await unit.jobs.cancelled(job.id)
        unit.record(changed(job.id, JobStatus.CANCELLED))
    elif job.status is JobStatus.RUNNING and job.cancel_requested_at is None:
        await unit.jobs.request_cancel(job.id)
        unit.record(changed(job.id, JobStatus.RUNNING, STOPPING_EVENT))
    return job.id


async def retry(unit: Unit, command: JobRetry) -> UUID:
    """Let a job that failed, was cancelled or was done in part begin again; raises JobNotFinished.

    Its attempts are counted on, so that none is ever numbered like an earlier one, and there are as many more as a
    new job has.
    """
    job = await unit.jobs.get_for_update(command.job_id)
    check_retry(job)
    await unit.jobs.requeue(job, job.attempt + MOST_ATTEMPTS)
    unit.record(changed(job.id, JobStatus.QUEUED, QUEUED_EVENT))
    return job.id


async def revoke(unit: Unit, job_ids: Sequence[UUID]) -> None:
    """Cancel jobs that this unit has locked, running ones at once: what their workers still bring is not stored."""
    if job_ids:
        await unit.jobs.revoked(job_ids)
        for job_id in job_ids:
            unit.record(changed(job_id, JobStatus.CANCELLED))


async def restart(unit: Unit, job_ids: Sequence[UUID]) -> None:
    """Let running jobs that this unit has locked begin again with what is left of them; it costs them no attempt."""
    if job_ids:
        await unit.jobs.settle({job_id: Settled(JobStatus.QUEUED, more_attempts=1) for job_id in job_ids})
        for job_id in job_ids:
            unit.record(changed(job_id, JobStatus.QUEUED))


async def begin(unit: Unit, job_ids: Sequence[UUID], worker: str, lease: timedelta = LEASE) -> list[Begun]:
    """Begin those of these jobs whose turn it still is, each under a lease that lasts for so long."""
    begun = await unit.jobs.begin(job_ids, worker, lease)
    for each in begun:
        unit.record(changed(each.job.id, JobStatus.RUNNING))
    return begun


async def finish(unit: Unit, ends: Sequence[End]) -> dict[UUID, Settled]:
    """End attempts as their workers say; return where the jobs stand. What is not a worker's any more is left out."""
    tokens = {end.job_id: end.token for end in ends}
    # What the job is like decides only where a failure leaves it.
    sure = {end.job_id: Settled(ENDS[type(end.outcome)]) for end in ends if type(end.outcome) in ENDS}
    stored = await unit.jobs.settle(sure, tokens) if sure else set()
    after = {job_id: sure[job_id] for job_id in sure if job_id in stored}
    failed = [end for end in ends if end.job_id not in sure]
    if failed:
        held = await unit.jobs.held({end.job_id: end.token for end in failed})
        now = await unit.jobs.moment()
        found = {
            end.job_id: settled(held[end.job_id], end.outcome, now, end.chance) for end in failed if end.job_id in held
        }
        await unit.jobs.settle(found)
        after |= found
    for job_id, each in after.items():
        unit.record(changed(job_id, each.status))
    return after


async def recover(unit: Unit, job_id: UUID, chance: float) -> Settled | None:
    """Take a job from a worker that stopped answering; None where it has answered, or somebody else does this."""
    job = await unit.jobs.abandoned(job_id)
    if job is None:
        return None
    now = await unit.jobs.moment()
    passed = job.deadline_at is not None and job.deadline_at <= now
    reason: Failed = DEADLINE_PASSED if passed else LEASE_EXPIRED
    after = settled(job, reason, now, chance)
    await unit.jobs.settle({job_id: after})
    unit.record(changed(job_id, after.status))
    return after


async def expire(unit: Unit, job_id: UUID) -> bool:
    """Fail a job that was not begun by its deadline; false where it is not so."""
    job = await unit.jobs.overdue(job_id)
    if job is None:
        return False
    await unit.jobs.settle({job_id: Settled(JobStatus.FAILED, error=DEADLINE_PASSED)})
    unit.record(changed(job_id, JobStatus.FAILED))
    return True


async def announce(unit: Unit, job_id: UUID) -> bool:
    """Have workers told again of a job that waits unheard; false where it does not wait any more."""
    return await unit.jobs.ticket(job_id)


async def hold(unit: Unit, job_id: UUID, token: UUID, lease: timedelta = LEASE) -> None:
    """Lock a job for a unit of its worker and renew the lease; raises LeaseLost where the job is another's."""
    if not await unit.jobs.leased({job_id: token}, lease):
        raise LeaseLost
