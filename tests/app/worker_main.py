"""A worker whose handlers are the tests' own: `python -m tests.app.worker_main`, which the fault tests start.

What its jobs ask for is in their payload: `seconds` to take, a file to wait for (`until`), to kill the worker, or to
stop it in the middle of the unit that leaves the mark.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from sqlalchemy import text

from app.commands.worker import work
from app.settings import Settings
from app.worker.handlers import Parts
from db.unit import SqlUnit
from domain.audit import AuditAction, Change
from domain.jobs import InferenceTask, JobHandler, JobKind, Lease, Outcome, RunningJob, Succeeded, Work

DONE = text("select completed_count from jobs where tenant_id = :tenant and id = :id")


class Marking:
    """Leaves one mark for each job, in an event, however often it is run."""

    async def run(self, job: RunningJob, lease: Lease) -> Outcome:
        """Do what the payload says, and leave the mark unless it is there."""
        if job.payload.get("poison"):
            os.kill(os.getpid(), signal.SIGKILL)
        await lease.progress(job.attempt, 100)
        never = asyncio.get_running_loop().create_future()
        if "until" in job.payload:
            file = Path(str(job.payload["until"]))
            while not await asyncio.to_thread(file.exists):
                await asyncio.wait([never], timeout=0.02)
        await asyncio.wait([never], timeout=float(str(job.payload.get("seconds", 0))))
        async with lease.unit() as unit:
            found = await cast("SqlUnit", unit).connection.execute(DONE, {"tenant": job.tenant_id, "id": job.id})
            if job.payload.get("stop") and job.attempt == 1:
                os.kill(os.getpid(), signal.SIGSTOP)
            if found.scalar_one() == 0:
                await unit.jobs.count(job.id, completed=1)
                unit.record(
                    Change(AuditAction.UPDATE, "Marked", "jobs", job.id, payload=(("worker", str(os.getpid())),))
                )
        return Succeeded()


def handlers(_parts: Parts) -> Mapping[Work, JobHandler]:
    """Return the tests' handlers."""
    return {Work(JobKind.INFERENCE, InferenceTask.CHAT): Marking()}


if __name__ == "__main__":
    sys.stdout.write("Working.\n")
    sys.stdout.flush()
    asyncio.run(work(Settings(), [JobKind.INFERENCE], handlers))
