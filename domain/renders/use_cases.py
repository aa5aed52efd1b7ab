"""How a render is asked for, and how its files are kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from domain import assets
from domain.access import Actor
from domain.assets import ObjectStore, UploadPurpose
from domain.audit import AuditAction, Change
from domain.errors import DomainError, Invalid
from domain.jobs import JobKind, NewJob, RenderWorkflow, RoomType
from domain.values import new_id

if TYPE_CHECKING:
    from domain.unit import Unit

MOST_KEYWORDS: Final = 20
LONGEST_KEYWORD: Final = 80
MOST_ATTEMPTS: Final = 5
"""More than other work has: a worker that restarts is away for half a minute."""
WITHOUT: Final = "\n\nWithout: "
"""What stands between what a picture shows and what it must not show, in the one text that is kept of both."""
LEFT_AFTER: Final = timedelta(hours=1)
"""How long files that no row names are left alone: who announced them may have been stopped, and go on."""
_MADE: Final = {
    RenderWorkflow.STAGING: "Interior photograph of a furnished {room}",
    RenderWorkflow.POSTER: "Make an elegant property poster of this {room}, without any text",
    RenderWorkflow.IMAGE_TO_VIDEO: "The camera moves slowly through a {room}",
}


@dataclass(frozen=True, slots=True)
class RenderSubmit:
    """A render of a photograph that was sent."""

    photo_upload_id: UUID
    room_type: RoomType
    keywords: Sequence[str]
    workflow: RenderWorkflow = RenderWorkflow.STAGING


@dataclass(frozen=True, slots=True)
class Written:
    """Which model wrote words, and with which prompt: its version, and the SHA-256 of its file in hexadecimals."""

    model: str | None
    prompt_version: str
    prompt_hash: str


@dataclass(frozen=True, slots=True)
class Words:
    """What a picture shows, and what it must not show, if that was said. `by` is None where no model wrote it."""

    shows: str
    without: str | None = None
    by: Written | None = None

    @property
    def text(self) -> str:
        """Both as the one text that a job keeps."""
        shows, without = _line(self.shows), _line(self.without or "")
        return f"{shows}{WITHOUT}{without}" if without else shows


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of a render. `created_by` is who asked for it and may see it."""

    id: UUID
    object_key: str
    content_type: str
    bytes: int
    width: int | None
    height: int | None
    created_by: Actor
    thumbnail_key: str | None = None


class RenderStore(Protocol):
    """Files of the unit's tenant that renders begin with and end in."""

    async def add(self, asset: Asset) -> None:
        """Store a file."""

    async def get(self, asset_id: UUID) -> Asset:
        """Return a file, whoever may see it; raises NotFound."""

    async def set_thumbnail(self, asset_id: UUID, thumbnail_key: str) -> None:
        """Store where the small picture of a file is."""

    async def has_outputs(self, job_id: UUID) -> bool:
        """Whether a job's results are kept already."""

    async def announce(self, job_id: UUID, attempt: int, object_keys: Sequence[str]) -> None:
        """Store what an attempt is about to put into the asset store: if it is killed, a sweep finds it by that."""

    async def add_outputs(self, job_id: UUID, attempt: int, files: Sequence[Asset]) -> None:
        """Store the results of an attempt, in their order. What it announced has names now, or is not there."""


class LeftFiles(Protocol):
    """Files that attempts announced, of whatever tenant."""

    async def sweep(self, before: datetime, remove: Callable[[str], Awaitable[None]]) -> int:
        """Remove what was announced before a moment by attempts that are over and never named it; return how many.

        Each object goes before the row that announced it.
        """


def checked_keywords(given: Sequence[str]) -> tuple[str, ...]:
    """Return keywords without needless spaces and repetitions; raises Invalid."""
    keywords = tuple(dict.fromkeys(word for each in given if (word := _line(each))))
    if not keywords:
        raise Invalid("Say with at least one keyword what the room is to look like.", field="keywords")
    if len(keywords) > MOST_KEYWORDS:
        raise Invalid(f"There are at most {MOST_KEYWORDS} keywords.", field="keywords")
    for place, word in enumerate(keywords):
        if len(word) > LONGEST_KEYWORD:
            raise Invalid(f"A keyword has at most {LONGEST_KEYWORD} characters.", field=f"keywords.{place}")
    return keywords


def plain_words(workflow: RenderWorkflow, room_type: RoomType | None, keywords: Sequence[str]) -> Words:
    """Return what a worker is told where no model writes it: the room, and the keywords as they are."""
    room = room_type.name.replace("_", " ").lower() if room_type is not None else "room"
    return Words(", ".join([_MADE[workflow].format(room=room), *keywords]))


def words_of(text: str, by: Written | None = None) -> Words:
    """Read the text that a job keeps."""
    shows, _, without = text.partition(WITHOUT)
    return Words(shows, without or None, by)


async def submit(unit: Unit, command: RenderSubmit) -> UUID:
    """Have a photograph rendered; return the job. Raises Invalid, and what `assets.consume` raises."""
    keywords = checked_keywords(command.keywords)
    try:
        upload = await assets.consume(unit, command.photo_upload_id, UploadPurpose.ROOM_PHOTO)
    except DomainError as error:
        if error.field == "uploadId":
            error.field = "photoUploadId"
        raise
    photo = Asset(
        id=new_id(),
        object_key=upload.object_key,
        content_type=upload.content_type,
        bytes=upload.stored_bytes or upload.announced,
        width=upload.width,
        height=upload.height,
        created_by=unit.caller.actor,
    )
    await unit.renders.add(photo)
    unit.record(Change(AuditAction.CREATE, "AssetAdded", "assets", photo.id))
    return await unit.jobs.enqueue(
        NewJob(
            kind=JobKind.RENDER,
            workflow=command.workflow,
            room_type=command.room_type,
            keywords=keywords,
            photo_id=photo.id,
            max_attempts=MOST_ATTEMPTS,
            payload={
                "workflow": command.workflow.name,
                "roomType": command.room_type.name,
                "keywords": list(keywords),
                "photo": str(photo.id),
            },
        )
    )


async def keep_outputs(
    unit: Unit, job_id: UUID, attempt: int, files: Sequence[Asset], by: Written | None = None
) -> None:
    """Keep the results of the attempt that holds the job's lease; a job has those of one attempt only.

    `by` is who wrote the words that the files were made of, where a model did.
    """
    await unit.renders.add_outputs(job_id, attempt, files)
    payload = [("job", str(job_id)), ("attempt", str(attempt))]
    if by is not None:
        payload += [("promptVersion", by.prompt_version), ("promptHash", by.prompt_hash)]
    for file in files:
        unit.record(Change(AuditAction.CREATE, "AssetAdded", "assets", file.id, payload=tuple(payload)))


async def sweep(left: LeftFiles, objects: ObjectStore, now: datetime) -> int:
    """Remove the files of attempts that were killed before they could name them; return how many were announced."""
    return await left.sweep(now - LEFT_AFTER, objects.delete)


def _line(text: str) -> str:
    return " ".join(text.split())
