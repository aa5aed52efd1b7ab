"""Jobs."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from asyncpg import Connection, Record

from domain.jobs import LEASE, payload_hash
from domain.values import new_id
from tests.factories.access import Tenant
from tests.factories.rows import insert

FINISHED = {"SUCCEEDED", "PARTIAL", "FAILED", "CANCELLED"}


async def job(
    owner: "Connection[Record]", of: Tenant, *, requested_by: UUID, kind: str = "INFERENCE", status: str = "QUEUED",
    **values: Any,
) -> UUID:  # fmt: skip
    """Make a job that a user asked for."""
    job_id, now = new_id(), datetime.now(UTC)
    leased = {"lease_token": new_id(), "leased_until": now + LEASE, "worker_name": "one"}
    own = {"task": "CHAT"} if kind == "INFERENCE" else {"workflow": "STAGING"}
    given = {
        "kind": kind, "status": status, "priority": 0, "max_attempts": 3, "turn_at": now, "payload": "{}",
        "payload_hash": payload_hash({}), "requested_by_noun": "users", "requested_by_id": requested_by,
        "finished_at": now if status in FINISHED else None, **own, **(leased if status == "RUNNING" else {}), **values,
    }  # fmt: skip
    await insert(owner, "jobs", of.id, id=job_id, **given)
    return job_id
