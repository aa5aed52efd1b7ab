"""Jobs through the schema: who sees which, how one is cancelled at every state and begins again."""

from typing import Any, TypeAlias
from uuid import UUID

import pytest
from asyncpg import Connection, Record

from domain.access import Role
from domain.jobs import FINISHED, JobStatus
from tests.api import Api
from tests.factories import jobs
from tests.factories.access import Tenant
from tests.factories.rows import rows_of

Owner: TypeAlias = "Connection[Record]"
JUNIOR, SENIOR, DIRECTOR = Role.JUNIOR_BROKER, Role.SENIOR_BROKER, Role.SALES_DIRECTOR


async def made(owner: Owner, tenant: Tenant, status: JobStatus = JobStatus.QUEUED) -> UUID:
    return await jobs.job(owner, tenant, requested_by=tenant.users[JUNIOR], status=status.name)


async def test_jobs_are_seen_by_who_asked_by_their_senior_and_by_directors(
    api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    job_id = await made(owner_connection, tenant)
    await jobs.job(owner_connection, tenant, requested_by=tenant.outsider)
    seen = {
        role: [edge["node"]["id"] for edge in (await api.data("Jobs", role=role, first=20))["jobs"]["edges"]]
        for role in (JUNIOR, SENIOR, DIRECTOR)
    }
    assert seen[JUNIOR] == seen[SENIOR] == [f"job_{job_id}"]
    assert len(seen[DIRECTOR]) == 2
    narrowed = await api.data("Jobs", role=DIRECTOR, first=20, filter={"statuses": ["RUNNING", "FAILED"]})
    assert narrowed["jobs"]["edges"] == []


async def test_a_list_of_both_kinds_shows_what_each_has(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    for kind in ("INFERENCE", "RENDER"):
        await jobs.job(owner_connection, tenant, requested_by=tenant.users[Role.JUNIOR_BROKER], kind=kind)
    document = """{ jobs(first: 2) { edges { node {
        ... on InferenceJob { task } ... on RenderJob { workflow } } } } }"""

    nodes = [edge["node"] for edge in (await api.data(document))["jobs"]["edges"]]

    assert nodes == [{"workflow": "STAGING"}, {"task": "CHAT"}]


async def test_each_kind_has_its_own_fields(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    junior = tenant.users[JUNIOR]
    failed: dict[str, Any] = {"error_code": "BUSY", "error_message": "The model is busy.", "error_retryable": True}
    inference = await jobs.job(
        owner_connection, tenant, requested_by=junior, status="FAILED", submitted_count=3, failed_count=1, **failed
    )
    render = await jobs.job(
        owner_connection, tenant, requested_by=junior, kind="RENDER", room_type="KITCHEN", keywords=["oak"],
        progress_value=3, progress_max=20, progress_step="Sampling",
    )  # fmt: skip
    document = """
    query ($inference: ID!, $render: ID!) {
      inferenceJob(id: $inference) {
        status task model submittedCount completedCount failedCount startedAt error { code message retryable }
        requestedBy { __typename }
      }
      renderJob(id: $render) { status workflow roomType keywords prompt attempt progress { value max step } }
      other: renderJob(id: $inference) { id }
    }
    """
    data = await api.data(document, inference=f"job_{inference}", render=f"job_{render}")
    assert data["inferenceJob"] == {
        "status": "FAILED", "task": "CHAT", "model": None, "submittedCount": 3, "completedCount": 0, "failedCount": 1,
        "startedAt": None, "error": {"code": "BUSY", "message": "The model is busy.", "retryable": True},
        "requestedBy": {"__typename": "User"},
    }  # fmt: skip
    assert data["renderJob"] == {
        "status": "QUEUED", "workflow": "STAGING", "roomType": "KITCHEN", "keywords": ["oak"], "prompt": None,
        "attempt": 0, "progress": {"value": 3, "max": 20, "step": "Sampling"},
    }  # fmt: skip
    assert data["other"] is None


@pytest.mark.parametrize("status", list(JobStatus))
async def test_a_job_is_cancelled_at_every_state(
    status: JobStatus, api: Api, tenant: Tenant, owner_connection: Owner
) -> None:
    job_id = await made(owner_connection, tenant, status)
    for _ in range(2):
        answer = (await api.data("JobCancel", jobId=f"job_{job_id}"))["jobCancel"]
        if status in FINISHED - {JobStatus.CANCELLED}:
            assert (answer["__typename"], answer["code"]) == ("ConflictProblem", "CONFLICT")
        else:
            after = "RUNNING" if status is JobStatus.RUNNING else "CANCELLED"
            assert answer["job"]["status"] == after
    [row] = await rows_of(owner_connection, "jobs", tenant.id)
    assert (row["cancel_requested_at"] is not None) is (status is JobStatus.RUNNING)
    told = {JobStatus.QUEUED: ["JobChanged"], JobStatus.RUNNING: ["JobCancelRequested"]}
    events = [each["kind"] for each in await rows_of(owner_connection, "events", tenant.id)]
    assert events == told.get(status, [])


async def test_a_job_that_failed_begins_again_once_per_key(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    job_id = await jobs.job(
        owner_connection, tenant, requested_by=tenant.users[JUNIOR], status="FAILED", attempt=3, error_code="BUSY",
        error_message="The model is busy.", error_retryable=True,
    )  # fmt: skip
    for _ in range(2):
        answer = (await api.data("JobRetry", jobId=f"job_{job_id}", idempotencyKey="again"))["jobRetry"]
        assert answer["job"]["status"] == "QUEUED"
    [row] = await rows_of(owner_connection, "jobs", tenant.id)
    assert (row["attempt"], row["max_attempts"], row["finished_at"], row["error_code"]) == (3, 6, None, None)
    events = [each["kind"] for each in await rows_of(owner_connection, "events", tenant.id)]
    assert events == ["JobQueued"]
    refused = (await api.data("JobRetry", jobId=f"job_{job_id}"))["jobRetry"]
    assert refused["code"] == "CONFLICT"


async def test_a_job_of_somebody_else_is_not_found(api: Api, tenant: Tenant, owner_connection: Owner) -> None:
    job_id = await made(owner_connection, tenant)
    outsider = tenant.outside
    for operation, field in (("JobCancel", "jobCancel"), ("JobRetry", "jobRetry")):
        answer = (await api.data(operation, caller=outsider, jobId=f"job_{job_id}"))[field]
        assert answer["code"] == "NOT_FOUND"
