"""What workers take jobs from, whatever tenant they belong to: functions of the look-up role tell ids, nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.access.acting import system_caller
from db.engine import transaction
from db.errors import answering
from db.jobs.store import HELD, RENEWED
from domain import jobs
from domain.access import Caller
from domain.jobs import LEASE, Beat, Claim, JobKind
from domain.unit import Units

BATCH: Final = 100
_CLAIMABLE: Final = "select tenant_id, id from claimable_jobs(:kinds, :most)"
_ABANDONED: Final = "select tenant_id, id from abandoned_jobs(:most)"
_OVERDUE: Final = "select tenant_id, id from overdue_jobs(:most)"
# A job that a unit of its worker has locked is renewed by that unit.
_BEAT: Final = text(
    "with held as (select jobs.id from jobs join unnest(cast(:ids as uuid[]), cast(:tokens as uuid[]))"
    " as given(id, token) on given.id = jobs.id and given.token = jobs.lease_token"
    " where tenant_id = :tenant and status = 'RUNNING' and leased_until > now()"
    " order by jobs.id for no key update of jobs skip locked)"
    f" update jobs set leased_until = {RENEWED} from held where jobs.tenant_id = :tenant and jobs.id = held.id"
)
_HELD: Final = text(
    "select jobs.id, cancel_requested_at is not null as cancelled from jobs"
    " join unnest(cast(:ids as uuid[]), cast(:tokens as uuid[])) as given(id, token)"
    " on given.id = jobs.id and given.token = jobs.lease_token"
    " where tenant_id = :tenant and status = 'RUNNING' and leased_until > now()"
)
_PROGRESS: Final = text(
    "update jobs set progress_value = :value, progress_max = :most, progress_step = :step"
    f" where tenant_id = :tenant and id = :id and {HELD}"
)


class SqlJobQueue:
    """The port `JobQueue`."""

    def __init__(self, engine: AsyncEngine, units: Units) -> None:
        """Read through `engine`, and begin jobs in `units`."""
        self._engine = engine
        self._units = units
        self._callers: dict[UUID, Caller] = {}

    async def claim(self, worker: str, kinds: Sequence[JobKind], most: int) -> list[Claim]:
        """Begin at most so many jobs whose turn it is."""
        found = await self._ids(_CLAIMABLE, {"kinds": [kind.name for kind in kinds], "most": most})
        claims: list[Claim] = []
        for tenant_id in dict.fromkeys(tenant_id for tenant_id, _ in found):
            caller = await self._caller(tenant_id)
            async with self._units.write(caller) as unit:
                begun = await jobs.begin(unit, [job_id for tenant, job_id in found if tenant == tenant_id], worker)
            claims += [Claim(each.job, each.token, caller) for each in begun]
        return claims

    async def beat(self, claims: Sequence[Claim]) -> Beat:
        """Renew the leases of these jobs, and say which are lost and which are to stop."""
        lost, cancelled = {claim.job.id for claim in claims}, set()
        for tenant_id in {claim.job.tenant_id for claim in claims}:
            own = [claim for claim in claims if claim.job.tenant_id == tenant_id]
            given = {"tenant": tenant_id, "ids": [each.job.id for each in own], "tokens": [each.token for each in own]}
            with answering():
                async with transaction(self._engine, tenant_id) as connection:
                    await connection.execute(_BEAT, {**given, "lease": LEASE.total_seconds()})
                    held = (await connection.execute(_HELD, given)).all()
            lost -= {row.id for row in held}
            cancelled |= {row.id for row in held if row.cancelled}
        return Beat(frozenset(lost), frozenset(cancelled))

    async def progress(self, claim: Claim, value: int, most: int, step: str | None) -> bool:
        """Store how far a job is; false where the lease is lost."""
        job = claim.job
        with answering():
            async with transaction(self._engine, job.tenant_id) as connection:
                done = await connection.execute(
                    _PROGRESS,
                    {
                        "tenant": job.tenant_id, "id": job.id, "token": claim.token, "value": value, "most": most,
                        "step": step,
                    },
                )  # fmt: skip
        return done.rowcount == 1

    async def abandoned(self) -> AsyncIterator[tuple[Caller, UUID]]:
        """Yield running jobs whose lease has expired."""
        for tenant_id, job_id in await self._ids(_ABANDONED, {"most": BATCH}):
            yield await self._caller(tenant_id), job_id

    async def overdue(self) -> AsyncIterator[tuple[Caller, UUID]]:
        """Yield queued jobs whose deadline has passed."""
        for tenant_id, job_id in await self._ids(_OVERDUE, {"most": BATCH}):
            yield await self._caller(tenant_id), job_id

    async def _ids(self, statement: str, given: Mapping[str, object]) -> list[tuple[UUID, UUID]]:
        with answering():
            async with self._engine.connect() as connection:
                return [(row[0], row[1]) for row in await connection.execute(text(statement), given)]

    async def _caller(self, tenant_id: UUID) -> Caller:
        if tenant_id not in self._callers:
            self._callers[tenant_id] = await system_caller(self._engine, tenant_id)
        return self._callers[tenant_id]
