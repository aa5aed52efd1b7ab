"""The edge of the job use cases."""

from __future__ import annotations

from uuid import UUID

from domain import jobs
from domain.access import Permission
from resolvers.context import Context
from resolvers.guard import allow
from resolvers.performing import perform


@allow(Permission.JOB_WRITE)
async def job_cancel(context: Context, command: jobs.JobCancel) -> UUID:
    """Cancel a job."""
    return await perform(context, jobs.cancel, command)


@allow(Permission.JOB_WRITE)
async def job_retry(context: Context, command: jobs.JobRetry, idempotency_key: str | None) -> UUID:
    """Let a job begin again."""
    return await perform(context, jobs.retry, command, idempotency_key)
