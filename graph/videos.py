"""Videos as clients see them, with their scenes."""

from __future__ import annotations

import strawberry

from domain import videos as domain
from domain.access import Permission
from graph.connections import Connection
from graph.context import Info
from graph.declaration import Node, column, connection, link, links, noun, paid, payload, root
from graph.inputs import argument, unpacked
from graph.mutations import mutation
from graph.scalars import URL
from resolvers import videos as resolve


@noun("scenes", prefix="scene", description="A part of a video.")
class Scene(Node):
    """A scene."""

    title: str = column("What is shown.")
    start_ms: int = column("Where it starts, in milliseconds.")
    end_ms: int = column("Where it ends; not part of it.")


@noun(
    "videos",
    prefix="video",
    description="A video that is shown in the showroom.",
    orders={"CREATED_AT": "When it was added."},
)
class Video(Node):
    """A video."""

    title: str = column("What it is called.")
    url: URL = column("Where to play it, in parts too (HTTP ranges), without signing in; for an hour or two.")
    duration_ms: int = column("How long it is, in milliseconds.")
    scenes: list[Scene] = links("Its scenes in the order in which they are shown; there may be gaps between them.")


@root
class VideoQuery:
    """Root fields that read videos."""

    videos: Connection[Video] = connection("The videos, newest first.", Permission.PERCEPTION_READ)


@strawberry.input(description="The scenes of a video, as a CSV.")
class SceneMapUploadInput:
    """A scene map."""

    video_id: strawberry.ID = argument("Which video.", of="videos")
    upload_id: strawberry.ID = argument("An upload of yours for SCENE_MAP, sent already.", of="uploads")


@payload("The video that has new scenes.")
class SceneMapUploadPayload:
    """The answer of sceneMapUpload."""

    video: Video = link("The video, with its scenes as they are now.")


@root
class VideoMutation:
    """Mutations of videos."""

    @mutation(
        "Give a video the scenes of a CSV (title, start_ms, end_ms) in place of those it has. They are in order and do"
        " not overlap. A refusal lists every issue at its line, such as `line 3.end_ms`."
    )
    async def scene_map_upload(self, info: Info, input: SceneMapUploadInput) -> SceneMapUploadPayload:
        """Store a scene map."""
        video = await resolve.scene_map_upload(info.context, unpacked(input, domain.SceneMapUpload))
        return paid(SceneMapUploadPayload, video=video)
