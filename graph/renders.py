"""Renders as clients see them: a photograph of a room is sent, and pictures of it come back."""

from __future__ import annotations

import strawberry

from domain import renders as domain
from domain.jobs import RenderWorkflow, RoomType
from graph.context import Info
from graph.declaration import link, paid, payload, root
from graph.inputs import argument, key_of, once, unpacked
from graph.jobs import RenderJob
from graph.mutations import mutation
from resolvers import renders as resolve


@strawberry.input(description="A render of a room's photograph.")
class RenderSubmitInput:
    """A render."""

    photo_upload_id: strawberry.ID = argument("An upload of yours for ROOM_PHOTO, sent already.", of="uploads")
    room_type: RoomType = argument("What the room is.")
    keywords: list[str] = argument("What it is to look like: 1 to 20 keywords.", longest=domain.LONGEST_KEYWORD)
    workflow: RenderWorkflow = argument("What is made of it.", default=RenderWorkflow.STAGING)
    idempotency_key: str | None = once()


@payload("The render was queued.")
class RenderSubmitPayload:
    """The answer of renderSubmit."""

    job: RenderJob = link("The job; follow it with jobUpdates.")


@root
class RenderMutation:
    """Mutations of renders."""

    @mutation("Have a photograph of a room rendered: furnished, as a poster or as a film.")
    async def render_submit(self, info: Info, input: RenderSubmitInput) -> RenderSubmitPayload:
        """Queue a render."""
        job = await resolve.render_submit(
            info.context, unpacked(input, domain.RenderSubmit), key_of(input.idempotency_key)
        )
        return paid(RenderSubmitPayload, job=job)
