"""Jobs as their rules see them: what is asked for, what a worker is given, and how an attempt can end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeAlias
from uuid import UUID

from domain.access import Actor
from domain.jobs.kinds import InferenceTask, JobKind, JobStatus, RenderWorkflow, RoomType, SlotKind

MOST_ATTEMPTS: Final = 3
LONGEST_MESSAGE: Final = 2000
"""Characters of what a failure says."""
NORMAL: Final = 0
"""The priority of what is asked for without one; a step of it is worth half a minute of waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """What makes a job.

    `payload` is what the handler needs, as plain data that JSON holds; no client ever sees it. `items` says how many
    items were submitted. `key` makes a second job with the same key and payload the first one. An INFERENCE job has a
    `task`, a RENDER job a `workflow`; `takes_slot`: it leases a slot of its kind while it runs.
    """

    kind: JobKind
    payload: Mapping[str, object] = field(default_factory=dict)
    task: InferenceTask | None = None
    subject: Actor | None = None
    items: int = 0
    model: str | None = None
    workflow: RenderWorkflow | None = None
    room_type: RoomType | None = None
    keywords: tuple[str, ...] = ()
    prompt: str | None = None
    photo_id: UUID | None = None
    priority: int = NORMAL
    max_attempts: int = MOST_ATTEMPTS
    not_before: datetime | None = None
    deadline_at: datetime | None = None
    key: str | None = None
    takes_slot: bool = True


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the rules of cancelling, retrying and sweeping see it."""

    id: UUID
    kind: JobKind
    status: JobStatus
    attempt: int
    max_attempts: int
    priority: int
    deadline_at: datetime | None
    cancel_requested_at: datetime | None


@dataclass(frozen=True, slots=True)
class Slot:
    """A unit of capacity: one of those that a resource (a provider, a render worker) has."""

    kind: SlotKind
    resource: str
    number: int


@dataclass(frozen=True, slots=True)
class RunningJob:
    """What a worker is given that has begun an attempt: the first is number 1."""

    tenant_id: UUID
    id: UUID
    kind: JobKind
    attempt: int
    max_attempts: int
    payload: Mapping[str, object]
    payload_hash: str
    requested_by: Actor
    task: InferenceTask | None = None
    subject: Actor | None = None
    model: str | None = None
    workflow: RenderWorkflow | None = None
    room_type: RoomType | None = None
    keywords: tuple[str, ...] = ()
    prompt: str | None = None
    prompt_version: str | None = None
    prompt_hash: str | None = None
    photo_id: UUID | None = None
    deadline_at: datetime | None = None
    seconds_left: float | None = None
    """How long it had until its deadline when the attempt began, by the clock of whoever handed it out."""
    slot: Slot | None = None
    """What was leased with the job; None where no such capacity is known of."""


@dataclass(frozen=True, slots=True)
class Succeeded:
    """Everything that was asked for is there."""


@dataclass(frozen=True, slots=True)
class Partial:
    """Some items have an answer, and some have failed for good."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The handler has stopped because it was asked to."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt failed. `code` and `message` are for clients: no path, no raw text of a vendor.

    A `retryable` one is tried again after a backoff, or after `retry_after` where somebody said when.
    """

    code: str
    message: str
    retryable: bool
    retry_after: timedelta | None = None
    progressed: bool = False
    """Whether something of the work was done for good: then the attempt costs none of those that are left."""

    def __post_init__(self) -> None:
        """Cut a message that is too long to be kept, such as one that names many providers."""
        object.__setattr__(self, "message", self.message[:LONGEST_MESSAGE])


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The worker has to go. It is nobody's fault: the job begins again at once, and has as many attempts left."""


Outcome: TypeAlias = Succeeded | Partial | Failed | Cancelled | Interrupted


@dataclass(frozen=True, slots=True)
class Settled:
    """Where an attempt leaves its job: finished, or queued again until `not_before`."""

    status: JobStatus
    not_before: datetime | None = None
    error: Failed | None = None
    more_attempts: int = 0
