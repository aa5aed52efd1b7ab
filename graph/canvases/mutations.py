"""What clients do with canvases."""

from __future__ import annotations

import strawberry

from domain import canvases as domain
from domain.canvases import CanvasAccess, ComponentKind
from graph.canvases.problems import CanvasHeadMovedProblem
from graph.canvases.types import Canvas, CanvasRevision
from graph.context import Info
from graph.declaration import link, paid, payload, root
from graph.inputs import argument, key_of, once, optional, unpacked
from graph.mutations import mutation
from graph.scalars import JSON
from resolvers import canvases as resolve


@strawberry.input(description="A new canvas.")
class CanvasCreateInput:
    """A new canvas."""

    title: str = argument("What to call it.", longest=200)
    idempotency_key: str | None = once()


@strawberry.input(description="What is to change about a canvas itself; what is left out stays.")
class CanvasUpdateInput:
    """An update."""

    canvas_id: strawberry.ID = argument("Which canvas.", of="canvases")
    title: str | None = optional("What to call it; not null.", longest=200)
    archived: bool | None = optional("Whether it is in the archive; not null.")


@strawberry.input(description="A place on the grid.")
class LayoutInput:
    """A place."""

    x: int = argument("Cells from the left.")
    y: int = argument("Cells from the top.")
    width: int = argument("How many cells wide.")
    height: int = argument("How many cells high.")


@strawberry.input(description="A trusted document to run.")
class OperationSourceInput:
    """An operation."""

    document_id: str = argument("Which document: `sha256:…`, or the id that it was registered with.", longest=200)
    variables: JSON = argument("Its variables: an object.")


@strawberry.input(description="Where rows come from.", one_of=True)
class ComponentSourceInput:
    """A source."""

    operation: OperationSourceInput | None = optional("A trusted document.", into=domain.OperationSource)


@strawberry.input(description="A component to add.")
class ComponentAddInput:
    """An addition."""

    key: strawberry.ID | None = optional("Its key in every revision; one is made, if left out.", longest=64)
    kind: ComponentKind = argument("What it is.")
    title: str | None = optional("What to write above it.", longest=200)
    layout: LayoutInput = argument("Where it stands.", into=domain.Layout)
    order_key: str | None = optional("Its place in the order; the last, if left out.", longest=200)
    visualization: JSON | None = optional("How it is shown; a Vega-Lite specification for a chart.")
    source: ComponentSourceInput | None = optional("Where its rows come from; run as you, now.")


@strawberry.input(description="What is to change about what a component shows; what is left out stays.")
class ComponentEditInput:
    """An edit."""

    key: strawberry.ID = argument("Which component.", longest=64)
    title: str | None = optional("What to write above it; null takes it away.", longest=200)
    visualization: JSON | None = optional("How it is shown; null takes it away.")
    source: ComponentSourceInput | None = optional(
        "Where its rows come from; run as you, now, even if it is the same. Null takes it away."
    )


@strawberry.input(description="Where a component is to stand; what is left out stays.")
class ComponentMoveInput:
    """A move."""

    key: strawberry.ID = argument("Which component.", longest=64)
    layout: LayoutInput | None = optional("Where it stands.", into=domain.Layout)
    order_key: str | None = optional("Its place in the order.", longest=200)


@strawberry.input(description="A component to remove.")
class ComponentRemoveInput:
    """A removal."""

    key: strawberry.ID = argument("Which component.", longest=64)


@strawberry.input(description="One change.", one_of=True)
class CanvasChangeInput:
    """A change."""

    add: ComponentAddInput | None = optional("Add a component.", into=domain.ComponentAdd)
    edit: ComponentEditInput | None = optional("Change what one shows.", into=domain.ComponentEdit)
    move: ComponentMoveInput | None = optional("Change where one stands.", into=domain.ComponentMove)
    remove: ComponentRemoveInput | None = optional("Remove one.", into=domain.ComponentRemove)


@strawberry.input(description="Changes on top of the head that you saw.")
class CanvasCommitInput:
    """A commit."""

    canvas_id: strawberry.ID = argument("Which canvas.", of="canvases")
    expected_head_id: strawberry.ID = argument("Its head as you know it.", of="canvas_revisions")
    message: str = argument("What the changes are for.", longest=2000)
    changes: list[CanvasChangeInput] = argument("The changes, in order.")
    idempotency_key: str | None = once()


@strawberry.input(description="A revision whose components are to be the head's again.")
class CanvasRollbackInput:
    """A rollback."""

    canvas_id: strawberry.ID = argument("Which canvas.", of="canvases")
    revision_id: strawberry.ID = argument("Which of its revisions.", of="canvas_revisions")
    expected_head_id: strawberry.ID = argument("Its head as you know it.", of="canvas_revisions")
    idempotency_key: str | None = once()


@strawberry.input(description="A canvas to branch off.")
class CanvasForkInput:
    """A fork."""

    canvas_id: strawberry.ID = argument("Which canvas.", of="canvases")
    title: str | None = optional("What to call the new one; as the canvas, if left out.", longest=200)
    idempotency_key: str | None = once()


@strawberry.input(description="Who may do what with a canvas from now on.")
class CanvasShareInput:
    """A share."""

    canvas_id: strawberry.ID = argument("Which canvas.", of="canvases")
    user_id: strawberry.ID = argument("Who.", of="users")
    access: CanvasAccess = argument("What they may do; what they may do already is replaced.")


@strawberry.input(description="With whom a canvas is shared no longer.")
class CanvasUnshareInput:
    """The end of a share."""

    canvas_id: strawberry.ID = argument("Which canvas.", of="canvases")
    user_id: strawberry.ID = argument("Who.", of="users")


@payload("The canvas that was made.")
class CanvasCreatePayload:
    """The answer of canvasCreate."""

    canvas: Canvas = link("The new canvas.")


@payload("The canvas that was updated.")
class CanvasUpdatePayload:
    """The answer of canvasUpdate."""

    canvas: Canvas = link("The canvas, as it is now.")


@payload("The revision that was made.")
class CanvasCommitPayload:
    """The answer of canvasCommit."""

    revision: CanvasRevision = link("The new head.")


@payload("The revision that was made.")
class CanvasRollbackPayload:
    """The answer of canvasRollback."""

    revision: CanvasRevision = link("The new head.")


@payload("The canvas that was branched off.")
class CanvasForkPayload:
    """The answer of canvasFork."""

    canvas: Canvas = link("The new canvas.")


@payload("The canvas that was shared.")
class CanvasSharePayload:
    """The answer of canvasShare."""

    canvas: Canvas = link("The canvas, as it is now.")


@payload("The canvas that is shared no longer.")
class CanvasUnsharePayload:
    """The answer of canvasUnshare."""

    canvas: Canvas = link("The canvas, as it is now.")


@root
class CanvasMutation:
    """Mutations of canvases."""

    @mutation("Make a canvas; it begins with an empty revision.")
    async def canvas_create(self, info: Info, input: CanvasCreateInput) -> CanvasCreatePayload:
        """Make a canvas."""
        made = await resolve.canvas_create(
            info.context, unpacked(input, domain.CanvasCreate), key_of(input.idempotency_key)
        )
        return paid(CanvasCreatePayload, canvas=made)

    @mutation("Rename a canvas, put it into the archive or take it out.")
    async def canvas_update(self, info: Info, input: CanvasUpdateInput) -> CanvasUpdatePayload:
        """Update a canvas."""
        updated = await resolve.canvas_update(info.context, unpacked(input, domain.CanvasUpdate))
        return paid(CanvasUpdatePayload, canvas=updated)

    @mutation(
        "Change components, on top of the head that you saw: all of the changes, or none.", CanvasHeadMovedProblem
    )
    async def canvas_commit(self, info: Info, input: CanvasCommitInput) -> CanvasCommitPayload:
        """Commit."""
        revision = await resolve.canvas_commit(
            info.context, unpacked(input, domain.CanvasCommit), key_of(input.idempotency_key)
        )
        return paid(CanvasCommitPayload, revision=revision)

    @mutation("Make a revision with the components of an earlier one; history stays.", CanvasHeadMovedProblem)
    async def canvas_rollback(self, info: Info, input: CanvasRollbackInput) -> CanvasRollbackPayload:
        """Roll back."""
        revision = await resolve.canvas_rollback(
            info.context, unpacked(input, domain.CanvasRollback), key_of(input.idempotency_key)
        )
        return paid(CanvasRollbackPayload, revision=revision)

    @mutation("Branch off a canvas of your own.")
    async def canvas_fork(self, info: Info, input: CanvasForkInput) -> CanvasForkPayload:
        """Fork."""
        made = await resolve.canvas_fork(
            info.context, unpacked(input, domain.CanvasFork), key_of(input.idempotency_key)
        )
        return paid(CanvasForkPayload, canvas=made)

    @mutation("Let somebody look at a canvas, review or edit it.")
    async def canvas_share(self, info: Info, input: CanvasShareInput) -> CanvasSharePayload:
        """Share."""
        shared = await resolve.canvas_share(info.context, unpacked(input, domain.CanvasShare))
        return paid(CanvasSharePayload, canvas=shared)

    @mutation("Take back what somebody was given.")
    async def canvas_unshare(self, info: Info, input: CanvasUnshareInput) -> CanvasUnsharePayload:
        """Unshare."""
        unshared = await resolve.canvas_unshare(info.context, unpacked(input, domain.CanvasUnshare))
        return paid(CanvasUnsharePayload, canvas=unshared)
