"""When it is whose turn, how long a failed job waits, and where each end of an attempt leaves it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.errors import Invalid
from domain.jobs import (
    Cancelled,
    Failed,
    InferenceTask,
    Job,
    JobFinished,
    JobKind,
    JobNotFinished,
    JobStatus,
    NewJob,
    Outcome,
    Partial,
    RenderWorkflow,
    Settled,
    Succeeded,
    ahead,
    backoff,
    check_cancel,
    check_new,
    check_retry,
    payload_hash,
    payload_text,
    settled,
)

NOW = datetime(2026, 11, 21, 17, tzinfo=UTC)
SECOND = timedelta(seconds=1)
JOB = Job(
    id=UUID(int=1),
    kind=JobKind.INFERENCE,
    status=JobStatus.RUNNING,
    attempt=1,
    max_attempts=3,
    priority=0,
    deadline_at=None,
    cancel_requested_at=None,
)
BUSY = Failed("BUSY", "The model is busy.", retryable=True)
CHAT = NewJob(kind=JobKind.INFERENCE, task=InferenceTask.CHAT)


def turn_at(priority: int, since: datetime) -> datetime:
    return since - ahead(priority)


def test_an_attempt_that_got_on_costs_none_of_those_that_are_left() -> None:
    last, slow = replace(JOB, attempt=3), replace(BUSY, progressed=True)
    assert settled(last, BUSY, NOW, 0.0) == Settled(JobStatus.FAILED, error=BUSY)
    assert settled(last, slow, NOW, 0.0) == Settled(JobStatus.QUEUED, NOW + SECOND, slow, more_attempts=1)
    assert settled(last, replace(slow, retry_after=60 * SECOND), NOW, 0.0).not_before == NOW + 60 * SECOND
    assert settled(last, replace(slow, retryable=False), NOW, 0.0).status is JobStatus.FAILED
    late = replace(last, deadline_at=NOW)
    assert settled(late, slow, NOW, 0.0).status is JobStatus.FAILED


def test_jobs_of_one_priority_go_in_the_order_in_which_they_came() -> None:
    assert turn_at(0, NOW) < turn_at(0, NOW + SECOND)


def test_a_step_of_priority_passes_what_came_half_a_minute_earlier_and_no_more() -> None:
    assert turn_at(1, NOW + 29 * SECOND) < turn_at(0, NOW)
    assert turn_at(1, NOW + 31 * SECOND) > turn_at(0, NOW)


def test_the_lowest_job_is_passed_by_the_highest_for_a_hundred_minutes_and_never_after() -> None:
    assert turn_at(100, NOW + timedelta(minutes=99)) < turn_at(-100, NOW)
    assert turn_at(100, NOW + timedelta(minutes=101)) > turn_at(-100, NOW)


@pytest.mark.parametrize(
    ("attempt", "least", "most"), [(1, 1, 2), (2, 2, 4), (3, 4, 8), (7, 64, 128), (9, 150, 300), (1000, 150, 300)]
)
def test_the_wait_doubles_up_to_five_minutes_and_half_of_it_is_chance(attempt: int, least: int, most: int) -> None:
    assert backoff(attempt, 0.0) == least * SECOND
    assert backoff(attempt, 1.0) == most * SECOND


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Succeeded(), JobStatus.SUCCEEDED),
        (Partial(), JobStatus.PARTIAL),
        (Cancelled(), JobStatus.CANCELLED),
    ],
)
def test_an_attempt_ends_its_job_as_it_says(outcome: Outcome, status: JobStatus) -> None:
    assert settled(JOB, outcome, NOW, 0.0) == Settled(status)
    assert settled(replace(JOB, cancel_requested_at=NOW), outcome, NOW, 0.0) == Settled(status)


def test_a_failure_is_tried_again_after_a_backoff_with_its_reason_kept() -> None:
    assert settled(JOB, BUSY, NOW, 0.5) == Settled(JobStatus.QUEUED, NOW + 1.5 * SECOND, BUSY)


def test_a_failure_that_says_too_much_is_cut() -> None:
    assert replace(BUSY, message="It is busy. " * 1000).message == ("It is busy. " * 1000)[:2000]


def test_a_failure_that_says_when_is_tried_again_then() -> None:
    told = replace(BUSY, retry_after=60 * SECOND)
    assert settled(JOB, told, NOW, 0.5) == Settled(JobStatus.QUEUED, NOW + 60 * SECOND, told)


@pytest.mark.parametrize(
    ("job", "failure"),
    [
        (JOB, replace(BUSY, retryable=False)),
        (replace(JOB, attempt=3), BUSY),
        (replace(JOB, deadline_at=NOW + SECOND), BUSY),
    ],
    ids=["not retryable", "last attempt", "later than its deadline"],
)
def test_a_failure_that_cannot_be_tried_again_is_the_end(job: Job, failure: Failed) -> None:
    assert settled(job, failure, NOW, 0.0) == Settled(JobStatus.FAILED, error=failure)


def test_a_job_that_was_asked_to_stop_is_not_tried_again() -> None:
    assert settled(replace(JOB, cancel_requested_at=NOW), BUSY, NOW, 0.0) == Settled(JobStatus.CANCELLED)


@pytest.mark.parametrize("status", list(JobStatus))
def test_what_can_be_cancelled_and_what_can_be_tried_again(status: JobStatus) -> None:
    job = replace(JOB, status=status)
    cancellable = {JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.CANCELLED}
    if status in cancellable:
        check_cancel(job)
    else:
        with pytest.raises(JobFinished):
            check_cancel(job)
    if status in {JobStatus.PARTIAL, JobStatus.FAILED, JobStatus.CANCELLED}:
        check_retry(job)
    else:
        with pytest.raises(JobNotFinished):
            check_retry(job)


@pytest.mark.parametrize(
    ("job", "field"),
    [
        (replace(CHAT, task=None), "task"),
        (replace(CHAT, kind=JobKind.RENDER), "task"),
        (replace(CHAT, workflow=RenderWorkflow.POSTER), "workflow"),
        (NewJob(kind=JobKind.RENDER), "workflow"),
        (replace(CHAT, priority=101), "priority"),
        (replace(CHAT, max_attempts=0), "maxAttempts"),
    ],
)
def test_a_job_that_nobody_could_do_is_refused(job: NewJob, field: str) -> None:
    check_new(CHAT)
    with pytest.raises(Invalid) as refusal:
        check_new(job)
    assert refusal.value.field == field


def test_a_payload_has_one_hash_whatever_the_order_of_its_keys() -> None:
    assert payload_text({"b": 1, "a": "é"}) == '{"a":"é","b":1}'
    assert payload_hash({"b": 1, "a": "é"}) == payload_hash({"a": "é", "b": 1})
    assert payload_hash({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.parametrize("value", [float("nan"), object(), b"bytes", "half a pair: \ud800"])
def test_a_payload_holds_what_json_has(value: object) -> None:
    with pytest.raises(Invalid):
        payload_text({"value": value})


def test_a_payload_that_is_too_large_is_refused() -> None:
    with pytest.raises(Invalid):
        payload_text({"value": "x" * (8 * 1024 * 1024)})
