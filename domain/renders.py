"""Renders: pictures and films that a pool of workers makes of a room's photograph and a few words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol
from uuid import UUID, uuid5

from domain.errors import Issue

MOST_EARLIER: Final = 5
"""How many earlier attempts are looked for on a worker before a render begins anew."""


class RenderWorkflow(Enum):
    """What is made of the photograph."""

    STAGING = "STAGING"
    IMAGE_TO_VIDEO = "IMAGE_TO_VIDEO"
    POSTER = "POSTER"


class RoomType(Enum):
    """What kind of room it is."""

    LIVING_ROOM = "LIVING_ROOM"
    BEDROOM = "BEDROOM"
    KITCHEN = "KITCHEN"
    BATHROOM = "BATHROOM"
    DINING_ROOM = "DINING_ROOM"
    OFFICE = "OFFICE"
    BALCONY = "BALCONY"


class RenderFault(Exception):
    """A render did not come to its end. `message` is for clients; `issues` name fields of the input where it is one."""

    def __init__(self, code: str, message: str, *, retryable: bool = False, issues: Sequence[Issue] = ()) -> None:
        """Say what happened, and whether another attempt may end otherwise."""
        self.code = code
        self.message = message
        self.retryable = retryable
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
    """One attempt of a render. `content` is the photograph, of the media type `content_type`."""

    job_id: UUID
    attempt: int
    workflow: RenderWorkflow
    prompt: str
    content: bytes
    content_type: str

    @property
    def seed(self) -> int:
        """A number for the sampler, so that each attempt of a job makes the same picture."""
        return int.from_bytes(self.job_id.bytes[-8:]) >> 1

    @property
    def prompt_id(self) -> UUID:
        """What the worker calls this attempt."""
        return prompt_id(self.job_id, self.attempt)

    @property
    def earlier(self) -> tuple[UUID, ...]:
        """What workers call the attempts before this one, newest first."""
        first = max(1, self.attempt - MOST_EARLIER)
        return tuple(prompt_id(self.job_id, attempt) for attempt in range(self.attempt - 1, first - 1, -1))


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """A file as a worker made it, its metadata still in it."""

    content: bytes
    content_type: str


Told = Callable[[RenderStep], Awaitable[None]]


class Renderer(Protocol):
    """Renders on named workers. What it raises is a RenderFault."""

    async def render(self, worker: str, order: RenderOrder, told: Told) -> tuple[RenderedFile, ...]:
        """Render on a worker, or take up what an earlier attempt left there; `told` hears now and then how far it is.

        Giving up waiting leaves the worker at it, for the next attempt to take up: `stop` ends it.
        """

    async def stop(self, worker: str, order: RenderOrder) -> bool:
        """End this attempt and those before it on a worker; return whether they are known to have ended."""

    async def forget(self, worker: str, order: RenderOrder) -> None:
        """Remove from a worker's memory what it was asked, once the results are kept."""


def prompt_id(job_id: UUID, attempt: int) -> UUID:
    """Return what a worker calls an attempt: the first by the job's own id, each later one by an id of its own.

    A worker knows a prompt by its id alone, and accepts the same twice. Were a later attempt called the same, then what
    it remembers of the earlier one would be taken for its end, late frames of the earlier for its own, and a process
    that lost its lease would interrupt what is not its any more.
    """
    return job_id if attempt == 1 else uuid5(job_id, f"attempt {attempt}")
