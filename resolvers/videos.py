"""The edge of the video use cases."""

from __future__ import annotations

from uuid import UUID

from domain import videos
from domain.access import Permission
from domain.unit import Unit
from resolvers.context import Context
from resolvers.guard import allow
from resolvers.performing import perform


@allow(Permission.VIDEO_WRITE)
async def scene_map_upload(context: Context, command: videos.SceneMapUpload) -> UUID:
    """Give a video the scenes of a CSV."""
    objects = context.uploads.objects

    async def upload(unit: Unit, command: videos.SceneMapUpload) -> UUID:
        return await videos.upload_scene_map(unit, command, objects)

    return await perform(context, upload, command)
