"""How jobs go on: when it is whose turn, how long a failed one waits, and where each attempt leaves its job."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from domain.errors import Conflict, Invalid
from domain.jobs.kinds import FINISHED, RETRIED, JobKind, JobStatus
from domain.jobs.records import Cancelled, Failed, Interrupted, Job, NewJob, Outcome, Partial, Settled, Succeeded

LEASE: Final = timedelta(seconds=30)
"""How long a worker may be silent before its jobs are taken from it."""
STALE: Final = timedelta(minutes=10)
"""A slot that nobody has declared for so long is gone: it is in no settings any more, or nothing that knew it runs."""
STEP: Final = timedelta(seconds=30)
"""What one step of priority is worth in waiting."""
LOWEST, HIGHEST = -100, 100
FIRST_DELAY: Final = timedelta(seconds=2)
LONGEST_DELAY: Final = timedelta(minutes=5)
LARGEST_PAYLOAD: Final = 8 * 1024 * 1024
"""Bytes of a payload as JSON."""

LEASE_EXPIRED: Final = Failed("LEASE_EXPIRED", "The worker that ran this stopped answering.", retryable=True)
DEADLINE_PASSED: Final = Failed("DEADLINE_PASSED", "This was not done by its deadline.", retryable=False)


class JobFinished(Conflict):
    """The job has finished."""


class JobNotFinished(Conflict):
    """Only a job that failed, was cancelled or was done in part can be tried again."""


class LeaseLost(Conflict):
    """The job is not this worker's any more: stop, and discard what was made."""


class SlotsClosed(Exception):
    """Every slot of a kind is closed, so that work for it goes on nowhere: the mode of the machines has it so."""


def ahead(priority: int) -> timedelta:
    """Return how far a job's turn lies before the moment from which on it waits: the earliest turn goes first.

    Each step of priority counts as half a minute of waiting. So a job of low priority is passed only by those that come
    within a fixed time after it, and nothing starves.
    """
    return priority * STEP


def backoff(attempt: int, chance: float) -> timedelta:
    """Return how long a job waits after its attempt number `attempt`; `chance` is from 0 up to 1.

    It doubles with each attempt, up to five minutes; half of it is left to chance, so that what failed together does
    not come back together.
    """
    doublings = min(attempt - 1, 20)
    delay: timedelta = min(FIRST_DELAY * (1 << doublings), LONGEST_DELAY)
    return delay * (0.5 + chance / 2)


ENDS: Final[dict[type[Outcome], JobStatus]] = {
    Succeeded: JobStatus.SUCCEEDED,
    Partial: JobStatus.PARTIAL,
    Cancelled: JobStatus.CANCELLED,
}


def settled(job: Job, outcome: Outcome, now: datetime, chance: float) -> Settled:
    """Return where an attempt leaves its job.

    One that was asked to stop does not begin again, and nothing begins again after its last attempt or its deadline.
    """
    if isinstance(outcome, (Succeeded, Partial, Cancelled)):
        return Settled(ENDS[type(outcome)])
    if job.cancel_requested_at is not None:
        return Settled(JobStatus.CANCELLED)
    if isinstance(outcome, Interrupted):
        return Settled(JobStatus.QUEUED, more_attempts=1)
    pause = backoff(1 if outcome.progressed else job.attempt, chance)
    not_before = now + (pause if outcome.retry_after is None else outcome.retry_after)
    late = job.deadline_at is not None and not_before >= job.deadline_at
    if late or not outcome.retryable or (job.attempt >= job.max_attempts and not outcome.progressed):
        return Settled(JobStatus.FAILED, error=outcome)
    return Settled(JobStatus.QUEUED, not_before, outcome, more_attempts=int(outcome.progressed))


def check_cancel(job: Job) -> None:
    """Decide whether a job can be cancelled; raises JobFinished. One that is cancelled already stays as it is."""
    if job.status in FINISHED and job.status is not JobStatus.CANCELLED:
        raise JobFinished(field="jobId")


def check_retry(job: Job) -> None:
    """Decide whether a job can be tried again; raises JobNotFinished."""
    if job.status not in RETRIED:
        raise JobNotFinished(field="jobId")


def check_new(job: NewJob) -> None:
    """Make sure that a job can be done; raises Invalid."""
    if (job.kind is JobKind.INFERENCE) != (job.task is not None):
        raise Invalid("An inference job, and no other, has a task.", field="task")
    if (job.kind is JobKind.RENDER) != (job.workflow is not None):
        raise Invalid("A render job, and no other, has a workflow.", field="workflow")
    if not LOWEST <= job.priority <= HIGHEST:
        raise Invalid(f"A priority is {LOWEST} to {HIGHEST}.", field="priority")
    if job.max_attempts < 1:
        raise Invalid("A job is tried at least once.", field="maxAttempts")


def payload_text(payload: Mapping[str, object]) -> str:
    """Return a payload as canonical JSON; raises Invalid where it is too large, or holds what JSON does not."""
    try:
        text = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        size = len(text.encode())
    except (TypeError, ValueError):
        raise Invalid("This holds a number, a text or a value that JSON does not have.", field="payload") from None
    if size > LARGEST_PAYLOAD:
        raise Invalid(f"The work is described by at most {LARGEST_PAYLOAD} bytes.", field="payload")
    return text


def payload_hash(payload: Mapping[str, object]) -> str:
    """Return SHA-256 over a payload as canonical JSON, in hexadecimal digits."""
    return text_hash(payload_text(payload))


def text_hash(text: str) -> str:
    """Return SHA-256 over a text in UTF-8, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()
