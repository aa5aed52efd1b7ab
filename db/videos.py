"""How videos and their scenes are stored, read and written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import CheckConstraint, delete, insert

from db.reading.fields import integer, text
from db.reading.signing import asset_address
from db.reading.source import Computed, Link, Ordering, source
from db.tables import (
    belongs_to,
    belongs_to_tenant,
    created_at,
    ordered_by,
    prose,
    reference,
    tenant_table,
    updated_at,
    whole,
)
from db.visibility import everyone
from domain.assets import LONGEST_KEY, OBJECT_KEY
from domain.errors import NotFound
from domain.videos import LONGEST_TITLE, Scene, Video

if TYPE_CHECKING:
    from db.unit import SqlUnit

videos = tenant_table(
    "videos",
    prose("title", LONGEST_TITLE, least=1),
    prose("object_key", LONGEST_KEY, least=1),
    prose("content_type", 100, least=1),
    whole("duration_ms", least=1, nullable=False),
    created_at(),
    updated_at(),
    CheckConstraint(f"object_key ~ '{OBJECT_KEY}'", name="object_key_stands_in_addresses"),
    belongs_to_tenant(),
    ordered_by("created_at"),
)

scenes = tenant_table(
    "scenes",
    reference("video_id"),
    prose("title", LONGEST_TITLE, least=1),
    whole("start_ms", nullable=False),
    whole("end_ms", nullable=False),
    CheckConstraint("start_ms < end_ms", name="ends_after_start"),
    belongs_to("video_id", "videos"),
    ordered_by("video_id", "start_ms"),
)

VIDEOS = source(
    "videos",
    videos,
    prefix="video",
    visible=everyone,
    default_order=("CREATED_AT", True),
    columns={
        "title": text("title"),
        "url": text(Computed(lambda w, t: asset_address(w, t.object_key))),
        "duration_ms": integer("duration_ms"),
    },
    links={"scenes": Link("scenes", remote="video_id")},
    orders={"CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz")},
)

SCENES = source(
    "scenes",
    scenes,
    prefix="scene",
    visible=everyone,
    default_order=("START", False),
    columns={"title": text("title"), "start_ms": integer("start_ms"), "end_ms": integer("end_ms")},
    orders={"START": Ordering(lambda t: t.start_ms, "integer")},
)


class SqlVideos:
    """The video store of one unit."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit

    async def check(self, video_id: UUID) -> None:
        """Raise NotFound naming `videoId` where there is no such video."""
        await self._unit.exists("videos", video_id, "videoId")

    async def get_for_update(self, video_id: UUID) -> Video:
        """Return a video and lock it; raises NotFound naming `videoId`."""
        try:
            row = await self._unit.visible_row(VIDEOS, video_id)
        except NotFound:
            raise NotFound(field="videoId") from None
        return Video(row["id"], row["duration_ms"])

    async def set_scenes(self, video_id: UUID, made: Sequence[Scene], now: datetime) -> None:
        """Store the scenes of a video in place of those it had."""
        tenant = self._unit.caller.tenant_id
        await self._unit.connection.execute(
            delete(scenes).where(scenes.c.tenant_id == tenant, scenes.c.video_id == video_id)
        )
        await self._unit.connection.execute(
            insert(scenes),
            [
                {
                    "tenant_id": tenant, "id": scene.id, "video_id": video_id, "title": scene.title,
                    "start_ms": scene.start_ms, "end_ms": scene.end_ms,
                }
                for scene in made
            ],
        )  # fmt: skip
        await self._unit.change(videos, video_id, updated_at=now)
