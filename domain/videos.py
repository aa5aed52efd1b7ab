"""Videos that are shown in the showroom, and their scenes, which come as a CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from domain import assets
from domain.assets import ObjectStore, UploadPurpose
from domain.audit import AuditAction, Change
from domain.errors import Invalid, Issue
from domain.values import new_id

if TYPE_CHECKING:
    from domain.unit import Unit

MOST_SCENES: Final = 100
LONGEST_TITLE: Final = 200
MOST_ISSUES: Final = 100
"""How many issues of one scene map are listed."""
COLUMNS: Final = ("title", "start_ms", "end_ms")
LARGEST_MAP: Final = 200_000
"""Bytes of a scene map that are read: far more than 100 scenes have."""


@dataclass(frozen=True, slots=True)
class Video:
    """A video as its rules see it."""

    id: UUID
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Scene:
    """A part of a video, from `start_ms` up to `end_ms`."""

    id: UUID
    title: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class SceneMapUpload:
    """A scene map that was sent, for a video."""

    video_id: UUID
    upload_id: UUID


class VideoStore(Protocol):
    """Videos of the unit's tenant."""

    async def check(self, video_id: UUID) -> None:
        """Raise NotFound naming `videoId` where there is no such video."""

    async def get_for_update(self, video_id: UUID) -> Video:
        """Return a video and lock it; raises NotFound naming `videoId`."""

    async def set_scenes(self, video_id: UUID, scenes: Sequence[Scene], now: datetime) -> None:
        """Store the scenes of a video in place of those it had."""


def scenes_of(content: bytes, duration_ms: int) -> tuple[Scene, ...]:
    """Read a scene map for a video; raises Invalid with every issue, each at its line, such as `line 3.end_ms`.

    The scenes lie in order, do not overlap, and end with the video. Between them there may be gaps.
    """
    issues: list[Issue] = []
    scenes: list[Scene] = []
    reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), skipinitialspace=True, strict=True)
    try:
        header = [name.strip() for name in reader.fieldnames or ()]
        _check_header(header)
        reader.fieldnames = header
        for row in reader:
            before = scenes[-1] if scenes else None
            scene = _scene(row, f"line {reader.line_num}", before, duration_ms, issues)
            if scene is not None:
                scenes.append(scene)
    except csv.Error:
        issues.append(Issue(f"line {reader.line_num + 1}", "From here on it is no CSV."))
    if not scenes and not issues:
        issues.append(Issue("line 2", "There is no scene."))
    if len(scenes) > MOST_SCENES:
        issues.append(Issue("uploadId", f"A video has at most {MOST_SCENES} scenes; these are {len(scenes)}."))
    if issues:
        raise Invalid(issues=tuple(issues[:MOST_ISSUES]))
    return tuple(scenes)


async def upload_scene_map(unit: Unit, command: SceneMapUpload, objects: ObjectStore) -> UUID:
    """Give a video the scenes of a CSV in place of those it had. A refused map leaves video and upload as they were.

    Raises NotFound, what `assets.consume` raises, or Invalid with every issue.
    """
    video = await unit.videos.get_for_update(command.video_id)
    upload = await assets.consume(unit, command.upload_id, UploadPurpose.SCENE_MAP)
    size = upload.stored_bytes or 0
    if size > LARGEST_MAP:
        raise Invalid(f"A scene map has at most {LARGEST_MAP} bytes.", field="uploadId")
    content = b"".join([piece async for piece in objects.read(upload.object_key, 0, size - 1)])
    scenes = scenes_of(content, video.duration_ms)
    await unit.videos.set_scenes(video.id, scenes, unit.now)
    # The scenes are rows now: the file has done its work.
    await unit.assets.release(upload.object_key, unit.now)
    unit.record(Change(AuditAction.UPDATE, "SceneMapUploaded", "videos", video.id, ("scenes",)))
    return video.id


def _check_header(header: Sequence[str]) -> None:
    missing = [name for name in COLUMNS if name not in header]
    repeated = sorted({name for name in header if name in COLUMNS and header.count(name) > 1})
    issues = [Issue(f"line 1.{name}", "The header lacks this column.") for name in missing]
    issues += [Issue(f"line 1.{name}", "The header names this column twice.") for name in repeated]
    if issues:
        raise Invalid(issues=tuple(issues))


def _scene(
    row: Mapping[str | None, str | list[str] | None],
    line: str,
    before: Scene | None,
    duration_ms: int,
    issues: list[Issue],
) -> Scene | None:
    """Read one line; what is wrong with it is added to `issues`."""
    found = len(issues)
    cells = {name: value.strip() for name, value in row.items() if isinstance(value, str)}
    title = " ".join(cells.get("title", "").split())
    if not 1 <= len(title) <= LONGEST_TITLE:
        issues.append(Issue(f"{line}.title", f"A title has 1 to {LONGEST_TITLE} characters."))
    start, end = (_milliseconds(cells.get(name, ""), f"{line}.{name}", issues) for name in COLUMNS[1:])
    if start is not None and end is not None and start >= end:
        issues.append(Issue(f"{line}.end_ms", "A scene ends after it starts."))
    if end is not None and end > duration_ms:
        issues.append(Issue(f"{line}.end_ms", f"The video ends at {duration_ms}."))
    if before is not None and start is not None and start < before.start_ms:
        issues.append(Issue(f"{line}.start_ms", "The scenes are in the order in which they are shown."))
    elif before is not None and start is not None and start < before.end_ms:
        issues.append(Issue(f"{line}.start_ms", f"It overlaps the scene before it, which ends at {before.end_ms}."))
    if len(issues) > found or start is None or end is None:
        # The next line is still compared with this one, where it has a place at all.
        return None
    return Scene(new_id(), title, start, end)


def _milliseconds(text: str, field: str, issues: list[Issue]) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= len("86400000"):
        return int(text)
    issues.append(Issue(field, "It is a whole number of milliseconds."))
    return None
