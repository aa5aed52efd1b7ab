"""What jobs need of others: where they are stored, who runs them, and what a worker holds while it runs one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from domain.access import Caller
from domain.jobs.kinds import InferenceTask, JobKind, SlotKind
from domain.jobs.records import Job, NewJob, Outcome, RunningJob, Settled, Slot

if TYPE_CHECKING:
    from domain.unit import Unit


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt that has begun, and the token that its lease is known by."""

    job: RunningJob
    token: UUID


class JobStore(Protocol):
    """Jobs of the unit's tenant."""

    async def enqueue(self, job: NewJob) -> UUID:
        """Store a job, record that it was asked for, and have a worker told once the unit commits; return its id.

        Raises Invalid, and Conflict where its key stands for another payload.
        """

    async def enqueue_all(self, new: Sequence[NewJob]) -> list[UUID]:
        """Store several jobs at once, as `enqueue` does; return their ids in order."""

    async def get_for_update(self, job_id: UUID) -> Job:
        """Return a job that the caller may see and lock it; raises NotFound."""

    async def begin(self, job_ids: Sequence[UUID], worker: str, lease: timedelta) -> list[Begun]:
        """Begin an attempt of each of these jobs whose turn it still is, if there is a slot where it needs one.

        In one statement an attempt is counted and the job has a new lease token.
        """

    async def leased(self, tokens: Mapping[UUID, UUID], lease: timedelta) -> dict[UUID, Job]:
        """Return those of these jobs whose lease has the token given with it, locked and with their leases renewed."""

    async def held(self, tokens: Mapping[UUID, UUID]) -> dict[UUID, Job]:
        """Return those of these jobs whose lease has the token given with it, locked."""

    async def moment(self) -> datetime:
        """Return the present moment by the clock of the store: those of workers differ."""

    async def abandoned(self, job_id: UUID) -> Job | None:
        """Return a running job whose lease has expired and lock it; None where it is not so, or somebody has it."""

    async def overdue(self, job_id: UUID) -> Job | None:
        """Return a queued job whose deadline has passed and lock it; None where it is not so, or somebody has it."""

    async def request_cancel(self, job_id: UUID) -> None:
        """Store that a running job is to stop, and have its worker told."""

    async def settle(self, settled: Mapping[UUID, Settled], tokens: Mapping[UUID, UUID] | None = None) -> set[UUID]:
        """Store where jobs stand now, without a lease and without slots; return of which that was stored.

        This unit has locked them, or the token of each one's lease is given: without a lease nothing is stored.
        """

    async def cancelled(self, job_id: UUID) -> None:
        """Store that a queued job, which this unit has locked, is not wanted any more."""

    async def revoked(self, job_ids: Sequence[UUID]) -> None:
        """Store that jobs, which this unit has locked, are not wanted any more, and have the workers of some told."""

    async def requeue(self, job: Job, max_attempts: int) -> None:
        """Store that a finished job begins again."""

    async def ticket(self, job_id: UUID) -> bool:
        """Let workers be told again of a queued job; false where it is not queued."""

    async def count(self, job_id: UUID, *, completed: int = 0, failed: int = 0) -> None:
        """Add to the items that have an answer, and to those that failed for good."""

    async def served_by(
        self,
        job_id: UUID,
        *,
        provider_id: UUID | None = None,
        model: str | None = None,
        prompt_version: str | None = None,
        prompt_hash: str | None = None,
    ) -> None:
        """Store which provider and model answered last, and to which prompt; None leaves what is there."""

    async def forget(self, before: datetime, most: int) -> int:
        """Remove at most so many inference jobs that ended before a moment, with their items; return how many went.

        One that a proposal names stays, and loses its items.
        """

    async def rendered_by(
        self,
        job_id: UUID,
        *,
        worker_id: UUID | None = None,
        prompt: str | None = None,
        prompt_version: str | None = None,
        prompt_hash: str | None = None,
    ) -> None:
        """Store which render worker has the job, and the prompt it was sent; None leaves what is there.

        Where a model wrote that, version and hash are those of the prompt that it was asked with.
        """


class Signal(Protocol):
    """Something that happens at most once; an `asyncio.Event` is one."""

    def is_set(self) -> bool:
        """Whether it has happened."""

    async def wait(self) -> object:
        """Wait until it happens."""


class Lease(Protocol):
    """What a worker holds while it runs a job. Everything that a handler writes goes through `unit`."""

    @property
    def lost(self) -> Signal:
        """Happens when the job is another's: stop and discard."""

    @property
    def cancelled(self) -> Signal:
        """Happens when somebody asked to stop: stop soon, and return Cancelled."""

    def unit(self) -> AbstractAsyncContextManager[Unit]:
        """Open a unit as the system. Its first statement locks the job and renews the lease; raises LeaseLost."""

    async def progress(self, value: int, most: int, step: str | None = None) -> None:
        """Tell how far the work is; told to those who follow at most four times a second. Raises LeaseLost."""

    async def delta(self, request_id: str, text: str) -> None:
        """Tell those who follow of more text of an item; gathered to four frames a second, and kept nowhere."""

    def slot(self, kind: SlotKind, resources: Sequence[str]) -> AbstractAsyncContextManager[Slot]:
        """Wait for a free open slot of one of these resources, the first named preferred, and hold it.

        Raises LeaseLost where the job is lost meanwhile, and SlotsClosed where every slot of the kind is closed and
        this job holds none: the worker gives the job back, and it waits as QUEUED, which says why.
        """


class JobHandler(Protocol):
    """Runs jobs of one kind and task. An exception that it raises is an attempt that failed, and is retried."""

    async def run(self, job: RunningJob, lease: Lease) -> Outcome:
        """Do the work; safe to be done again, since a worker may die at any moment."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a handler is registered for; a render has no task."""

    kind: JobKind
    task: InferenceTask | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """An attempt that a worker has begun; the system is `caller`, as whom it writes."""

    job: RunningJob
    token: UUID
    caller: Caller


@dataclass(frozen=True, slots=True)
class Beat:
    """What became of leases that a worker renewed."""

    lost: frozenset[UUID]
    cancelled: frozenset[UUID]
    missed: frozenset[UUID] = frozenset()
    """Held as before, and not renewed this time: another transaction of the job had its row."""


class JobQueue(Protocol):
    """What workers take jobs from, whatever tenant they belong to."""

    async def claim(self, worker: str, kinds: Sequence[JobKind], most: int) -> list[Claim]:
        """Begin at most so many jobs whose turn it is: each counts an attempt and has a new lease token.

        What has begun is always returned, whatever fails beside it; raises what failed where nothing has begun.
        """

    async def wait(self, seconds: float) -> None:
        """Wait until there may be something to claim or to stop, at most so long."""

    def wake(self) -> None:
        """Let whoever waits look again."""

    @property
    def stopping(self) -> set[UUID]:
        """Jobs of which was heard that they are to stop; whoever runs one takes it out."""

    async def beat(self, claims: Sequence[Claim]) -> Beat:
        """Renew the leases of these jobs."""

    async def progress(self, claim: Claim, value: int, most: int, step: str | None) -> bool:
        """Store how far a job is; false where the lease is lost."""

    def abandoned(self) -> AsyncIterator[tuple[Caller, UUID]]:
        """Yield running jobs whose lease has expired, each with who acts."""

    def overdue(self) -> AsyncIterator[tuple[Caller, UUID]]:
        """Yield queued jobs whose deadline has passed, each with who acts."""

    def unticketed(self) -> AsyncIterator[tuple[Caller, UUID]]:
        """Yield queued jobs of which no worker would be told, each with who acts."""

    async def forget_log(self) -> None:
        """Remove what the dispatcher noted long ago."""


class Slots(Protocol):
    """The units of capacity of the installation: whoever knows machines declares them, and running jobs lease them."""

    async def declare(self, kind: SlotKind, resource: str, count: int) -> None:
        """Let a resource have so many slots, open ones; what is above goes once nobody holds it.

        Whoever knows the resource says so again and again: see `retire`.
        """

    async def retire(self) -> None:
        """Let the slots go that nobody has declared for STALE; what is held is closed, and goes once it is free."""

    async def open(self, kind: SlotKind, resource: str, *, to: bool) -> None:
        """Open or close the slots of a resource. Closing ends nothing that runs: see `held`."""

    async def held(self, kind: SlotKind, resource: str) -> int:
        """Return how many slots of a resource are leased now."""

    async def closed(self, kind: SlotKind, resource: str | None = None) -> bool:
        """Whether a resource has slots and all of them are closed; without one, whether all of the kind are."""

    async def take(self, claim: Claim, kind: SlotKind, resources: Sequence[str]) -> Slot | None:
        """Lease a free open slot of one of these resources to a running job; None where there is none.

        Raises LeaseLost where there is one, and the job is another's.
        """

    async def give_back(self, claim: Claim, slot: Slot) -> None:
        """Free a slot, if this lease still has it."""
