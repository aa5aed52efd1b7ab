"""The slots of the installation: declared by whoever knows machines, opened and closed by its mode, leased by jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import transaction
from db.errors import answering
from db.jobs.statements import FREED, HELD
from domain.jobs import STALE, Claim, LeaseLost, Slot, SlotKind

_DECLARE: Final = text(
    "insert into slots (kind, resource, number, open) select :kind, :resource, number, coalesce("
    " (select bool_or(open or declared_at < now() - make_interval(secs => :stale)) from slots"
    " where kind = :kind and resource = :resource), true)"
    " from generate_series(1, :count) as number on conflict (kind, resource, number) do update set declared_at = now(),"
    " open = slots.open or slots.declared_at < now() - make_interval(secs => :stale)"
)
_RETIRE: Final = text("delete from slots where job_id is null and declared_at < now() - make_interval(secs => :stale)")
_CLOSE_RETIRED: Final = text(
    "update slots set open = false where open and declared_at < now() - make_interval(secs => :stale)"
)
_WITHDRAW: Final = text(
    "delete from slots where kind = :kind and resource = :resource and number > :count and job_id is null"
)
_CLOSE_REST: Final = text(
    "update slots set open = false where kind = :kind and resource = :resource and number > :count"
)
_OPEN: Final = text("update slots set open = :to where kind = :kind and resource = :resource")
_HELD_NOW: Final = text("select count(*) from slots where kind = :kind and resource = :resource and job_id is not null")
# Whoever waits looks for a slot before it locks the job: its lease could not be renewed meanwhile.
_ANY_FREE: Final = text(
    "select exists (select from slots where kind = :kind and resource = any(:resources) and open and job_id is null)"
)
_CLOSED: Final = text(
    "select not bool_or(open) from slots"
    " where kind = :kind and (cast(:resource as text) is null or resource = cast(:resource as text))"
)
_STILL_LEASED: Final = text(f"select id from jobs where tenant_id = :tenant and id = :id and {HELD} for update")
_TAKE: Final = text(
    "update slots set job_tenant_id = :tenant, job_id = :id, lease_token = :token, leased_at = now()"
    " where (kind, resource, number) = (select kind, resource, number from slots"
    " where kind = :kind and resource = any(:resources) and open and job_id is null"
    " order by array_position(cast(:resources as text[]), resource), number limit 1 for update skip locked)"
    " returning resource, number"
)
_GIVE_BACK: Final = text(
    "update slots set job_tenant_id = null, job_id = null, lease_token = null, leased_at = null"
    " where kind = :kind and resource = :resource and number = :number and lease_token = :token"
)


class SqlSlots:
    """The port `Slots`."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Write through `engine`."""
        self._engine = engine

    async def declare(self, kind: SlotKind, resource: str, count: int) -> None:
        """Let a resource have so many slots; what is above is closed, and goes once nobody holds it."""
        given = {"kind": kind.name, "resource": resource, "count": count, "stale": STALE.total_seconds()}
        with answering():
            async with self._engine.begin() as connection:
                await connection.execute(_DECLARE, given)
                await connection.execute(_WITHDRAW, given)
                await connection.execute(_CLOSE_REST, given)
                await connection.execute(FREED)

    async def retire(self) -> None:
        """Let the slots go that nobody has declared for long."""
        given = {"stale": STALE.total_seconds()}
        with answering():
            async with self._engine.begin() as connection:
                await connection.execute(_CLOSE_RETIRED, given)
                await connection.execute(_RETIRE, given)

    async def open(self, kind: SlotKind, resource: str, *, to: bool) -> None:
        """Open or close the slots of a resource."""
        with answering():
            async with self._engine.begin() as connection:
                await connection.execute(_OPEN, {"kind": kind.name, "resource": resource, "to": to})
                await connection.execute(FREED)

    async def held(self, kind: SlotKind, resource: str) -> int:
        """Return how many slots of a resource are leased now."""
        with answering():
            async with self._engine.connect() as connection:
                count: int = (
                    await connection.execute(_HELD_NOW, {"kind": kind.name, "resource": resource})
                ).scalar_one()
        return count

    async def closed(self, kind: SlotKind, resource: str | None = None) -> bool:
        """Whether a resource has slots and all of them are closed; without one, whether all of the kind are."""
        with answering():
            async with self._engine.connect() as connection:
                found = await connection.execute(_CLOSED, {"kind": kind.name, "resource": resource})
        return found.scalar_one() is True

    async def take(self, claim: Claim, kind: SlotKind, resources: Sequence[str]) -> Slot | None:
        """Lease a free open slot to a running job; None where there is none.

        Raises LeaseLost where there is one, and the job is another's.
        """
        job = {"tenant": claim.job.tenant_id, "id": claim.job.id, "token": claim.token}
        wanted = {"kind": kind.name, "resources": list(resources)}
        with answering():
            async with self._engine.connect() as connection:
                if not (await connection.execute(_ANY_FREE, wanted)).scalar_one():
                    return None
            async with transaction(self._engine, claim.job.tenant_id) as connection:
                if (await connection.execute(_STILL_LEASED, job)).first() is None:
                    raise LeaseLost
                row = (await connection.execute(_TAKE, {**job, **wanted})).one_or_none()
        return None if row is None else Slot(kind, row.resource, row.number)

    async def give_back(self, claim: Claim, slot: Slot) -> None:
        """Free a slot, if this lease still has it."""
        with answering():
            async with self._engine.begin() as connection:
                await connection.execute(
                    _GIVE_BACK,
                    {
                        "kind": slot.kind.name, "resource": slot.resource, "number": slot.number, "token": claim.token,
                    },
                )  # fmt: skip
                await connection.execute(FREED)
