"""Merge requests as clients see them: opened, reviewed, merged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain import canvases as domain
from domain.access import Permission
from domain.canvases import CANVAS_EVENTS, CanvasUpdateKind, ConflictSide, MergeRequestStatus, ReviewDecision
from graph.canvases.problems import CanvasHeadMovedProblem, MergeConflictProblem
from graph.canvases.types import Canvas, CanvasRevision
from graph.connections import Connection
from graph.context import Info
from graph.declaration import Node, by_id, column, connection, link, noun, paid, payload, reference, root
from graph.inputs import argument, key_of, once, optional, unpacked
from graph.mutations import mutation
from graph.scalars import JSON, DateTime, EventCursor
from graph.subscriptions.declaration import Only, event, stream
from resolvers import canvases as resolve

if TYPE_CHECKING:
    from graph.access import Actor
    from graph.canvases.conflicts import MergeConflict


@strawberry.input(description="Which merge requests; every entry narrows the list.")
class MergeRequestFilter:
    """The filter of lists of merge requests."""

    canvas_id: strawberry.ID | None = optional("From or into this canvas.", of="canvases")
    statuses: list[MergeRequestStatus] | None = optional("Stands like one of these.")


@noun(
    "merge_requests",
    prefix="mergerequest",
    description="A wish to bring what one canvas changed into another.",
    filter=MergeRequestFilter,
    orders={"CREATED_AT": "When it was opened."},
)
class MergeRequest(Node):
    """A merge request."""

    title: str = column("What it is about.")
    status: MergeRequestStatus = column("Where it stands.")
    created_at: DateTime = column("When it was opened.")
    conflicts: list[MergeConflict] = column("What a merge of the two heads as they are now has to decide.")
    author: Actor | None = reference("Who asks.")
    source: Canvas = link("Where the changes come from.")
    target: Canvas = link("Where they are to go.")
    base: CanvasRevision = link("The newest revision that both came from.")
    revision: CanvasRevision | None = link("What the merge made, once it was merged.")
    reviews: Connection[MergeRequestReview] = connection("What people think of it, newest first.")


@noun(
    "merge_request_reviews",
    prefix="mergerequestreview",
    description="What somebody thinks of a merge request.",
    orders={"CREATED_AT": "When it was given."},
)
class MergeRequestReview(Node):
    """A review."""

    decision: ReviewDecision = column("What they decided.")
    comment: str | None = column("What they say.")
    at: DateTime = column("When.")
    author: Actor | None = reference("Who.")


@event("canvas_updates", description="Something happened to a canvas, or to a merge request into it.")
class CanvasUpdate:
    """What canvasUpdates answers for each event."""

    cursor: EventCursor = column("The position of this event: follow from it, and nothing is missed or told twice.")
    kind: CanvasUpdateKind = column("What happened.")
    canvas: Canvas = link("The canvas, as it is now; of a merge request, its target.")
    revision: CanvasRevision | None = link("The revision that was made.")
    merge_request: MergeRequest | None = link("The merge request, as it is now.")


@root
class CanvasSubscription:
    """Subscriptions to canvases."""

    canvas_updates: CanvasUpdate = stream(
        "What happens to the canvases you may see, or to one of them.",
        Permission.CANVAS_READ,
        kinds=CANVAS_EVENTS,
        only=(
            Only(
                "canvas_id",
                of="canvases",
                entries=("subject_id", "sourceId", "targetId"),
                description="Only of this canvas, and of merge requests from or into it.",
            ),
        ),
    )


@root
class MergeRequestQuery:
    """Root fields that read merge requests."""

    merge_request: MergeRequest | None = by_id("One merge request, or null.", Permission.CANVAS_READ)
    merge_requests: Connection[MergeRequest] = connection(
        "The merge requests into canvases of yours, newest first.", Permission.CANVAS_READ
    )


@strawberry.input(description="A wish to bring what one canvas changed into another.")
class MergeRequestOpenInput:
    """A new merge request."""

    source_canvas_id: strawberry.ID = argument("Where the changes come from; one that you may edit.", of="canvases")
    target_canvas_id: strawberry.ID = argument("Where they are to go.", of="canvases")
    title: str = argument("What it is about.", longest=200)
    idempotency_key: str | None = once()


@strawberry.input(description="What you think of a merge request.")
class MergeRequestReviewInput:
    """A review."""

    merge_request_id: strawberry.ID = argument("Which merge request.", of="merge_requests")
    decision: ReviewDecision = argument("What you decide.")
    comment: str | None = optional("What to say about it.")


@strawberry.input(description="A side, or a value.", one_of=True)
class ConflictChoiceInput:
    """A choice."""

    take: ConflictSide | None = optional("The value of this side.")
    value: JSON | None = optional("This value.")


@strawberry.input(description="How a conflict is decided.")
class ConflictResolutionInput:
    """A resolution."""

    conflict_key: strawberry.ID = argument("Which conflict.", longest=200)
    choice: ConflictChoiceInput = argument("What is taken.")


@strawberry.input(description="A merge on top of the target's head that you saw.")
class MergeRequestMergeInput:
    """A merge."""

    merge_request_id: strawberry.ID = argument("Which merge request.", of="merge_requests")
    expected_head_id: strawberry.ID = argument("The target's head as you know it.", of="canvas_revisions")
    resolutions: list[ConflictResolutionInput] = argument("One for each conflict.", into=domain.ConflictResolution)
    expected_source_head_id: strawberry.ID | None = optional(
        "The source's head as you know it; refused when it moved.", of="canvas_revisions"
    )
    idempotency_key: str | None = once()


@payload("The merge request that was opened.")
class MergeRequestOpenPayload:
    """The answer of mergeRequestOpen."""

    merge_request: MergeRequest = link("The new merge request.")


@payload("The merge request that was reviewed.")
class MergeRequestReviewPayload:
    """The answer of mergeRequestReview."""

    merge_request: MergeRequest = link("The merge request, as it is now.")


@payload("The merge request that was merged.")
class MergeRequestMergePayload:
    """The answer of mergeRequestMerge."""

    merge_request: MergeRequest = link("The merge request, as it is now.")
    revision: CanvasRevision = link("The target's new head.")


@root
class MergeRequestMutation:
    """Mutations of merge requests."""

    @mutation("Ask to have what one canvas changed brought into another.")
    async def merge_request_open(self, info: Info, input: MergeRequestOpenInput) -> MergeRequestOpenPayload:
        """Open a merge request."""
        opened = await resolve.merge_request_open(
            info.context, unpacked(input, domain.MergeRequestOpen), key_of(input.idempotency_key)
        )
        return paid(MergeRequestOpenPayload, merge_request=opened)

    @mutation("Say what you think of a merge request. Its approvals are for the source's head that was looked at.")
    async def merge_request_review(self, info: Info, input: MergeRequestReviewInput) -> MergeRequestReviewPayload:
        """Review a merge request."""
        reviewed = await resolve.merge_request_review(info.context, unpacked(input, domain.MergeRequestReview))
        return paid(MergeRequestReviewPayload, merge_request=reviewed)

    @mutation("Merge, with a decision for each conflict.", CanvasHeadMovedProblem, MergeConflictProblem)
    async def merge_request_merge(self, info: Info, input: MergeRequestMergeInput) -> MergeRequestMergePayload:
        """Merge."""
        merged = await resolve.merge_request_merge(
            info.context, unpacked(input, domain.MergeRequestMerge), key_of(input.idempotency_key)
        )
        return paid(MergeRequestMergePayload, merge_request=merged.merge_request_id, revision=merged.revision_id)
