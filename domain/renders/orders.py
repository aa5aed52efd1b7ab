"""What a render worker is asked, what it makes, and how it fails: the port that `gpu` implements."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol
from uuid import UUID, uuid5

from domain.errors import Issue
from domain.jobs import RenderWorkflow

WHOLE: Final = 100
"""Progress is told in hundredths."""
MOST_EARLIER: Final = 5
"""How many earlier attempts are looked for on a worker before a render begins anew."""


class RenderFault(Exception):
    """A render did not come to its end. `message` is for clients; `issues` name fields of the input where it is one."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retryable: bool = False,
        retry_after: timedelta | None = None,
        issues: Sequence[Issue] = (),
    ) -> None:
        """Say what happened, and whether another attempt may end otherwise, and when if that is known."""
        self.code = code
        self.message = message
        self.retryable = retryable
        self.retry_after = retry_after
        self.issues = tuple(issues)
        super().__init__(f"{code}: {message}")


@dataclass(frozen=True, slots=True)
class RenderStep:
    """How far a render is: `value` of `most`, and what is being done."""

    value: int
    most: int
    step: str | None


@dataclass(frozen=True, slots=True)
class RenderOrder:
    """One attempt of a render. `content` is the photograph, of the media type `content_type`.

    `negative` is what the picture is not to show; where it is None the workflow's own words stand.
    """

    job_id: UUID
    attempt: int
    workflow: RenderWorkflow
    prompt: str
    content: bytes
    content_type: str
    negative: str | None = None

    @property
    def seed(self) -> int:
        """A number for the sampler, so that each attempt of a job makes the same picture."""
        return int.from_bytes(self.job_id.bytes[-8:]) >> 1

    @property
    def prompt_ids(self) -> tuple[UUID, ...]:
        """What workers call this attempt and those before it, newest first."""
        return prompt_ids(self.job_id, self.attempt)


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """A file as a worker made it, its metadata still in it."""

    content: bytes
    content_type: str


Told = Callable[[RenderStep], Awaitable[None]]


class Renderer(Protocol):
    """Renders on named workers. What it raises is a RenderFault."""

    async def able(self, workflow: RenderWorkflow) -> tuple[str, ...]:
        """Return the workers that answer and have what a workflow needs, at least one.

        Raises RenderFault where there is none, saying what each of them lacks.
        """

    async def render(self, worker: str, order: RenderOrder, told: Told) -> tuple[RenderedFile, ...]:
        """Render on a worker, or take up what an earlier attempt left there; `told` hears now and then how far it is.

        Giving up waiting leaves the worker at it, for the next attempt to take up: `stop` ends it.
        """

    async def stop(self, job_id: UUID, attempt: int, *, but: str | None = None) -> bool:
        """End an attempt and those before it on every worker but one; return whether they are known to have ended."""

    async def forget(self, worker: str, job_id: UUID, attempt: int) -> None:
        """Remove from a worker's memory what it was asked, once the results are kept."""


def prompt_id(job_id: UUID, attempt: int) -> UUID:
    """Return what a worker calls an attempt: the first by the job's own id, each later one by an id of its own.

    A worker knows a prompt by its id alone, and accepts the same twice. Were a later attempt called the same, then what
    it remembers of the earlier one would be taken for its end, late frames of the earlier for its own, and a process
    that lost its lease would interrupt what is not its any more.
    """
    return job_id if attempt == 1 else uuid5(job_id, f"attempt {attempt}")


def prompt_ids(job_id: UUID, attempt: int) -> tuple[UUID, ...]:
    """Return what workers call an attempt and those before it, newest first."""
    return tuple(prompt_id(job_id, each) for each in range(attempt, max(0, attempt - 1 - MOST_EARLIER), -1))
