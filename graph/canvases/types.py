"""Canvases, their history and their components, as clients read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain.access import Permission
from domain.canvases import (
    CanvasAccess,
    ChangeKind,
    ColumnType,
    ComponentDataState,
    ComponentKind,
    RevisionKind,
)
from graph.canvases.kinds import SourceKind
from graph.canvases.rerun import component_data
from graph.connections import Connection
from graph.declaration import Node, by_id, column, connection, kind, link, links, noun, reference, root, value
from graph.fields import field
from graph.inputs import optional
from graph.scalars import JSON, DateTime

if TYPE_CHECKING:
    from graph.access import Actor, User


@value("component_layouts", description="Where a component stands on the grid.")
class Layout:
    """A place."""

    x: int = column("Cells from the left.")
    y: int = column("Cells from the top.")
    width: int = column("How many cells wide.")
    height: int = column("How many cells high.")


@value("component_sources", description="Where a component's rows come from.", interface=True)
class ComponentSource:
    """A source."""

    label: str | None = column("What to call it.")


@kind(ComponentSource, SourceKind.OPERATION, description="A trusted document, run as the author of the revision.")
class OperationSource(ComponentSource):
    """An operation."""

    document_id: str = column("Which document: `sha256:…`.")
    variables: JSON = column("Its variables.")


@value("data_columns", description="A column of a component's rows.")
class DataColumn:
    """A column."""

    name: str = column("Its name in each row.")
    label: str = column("What to call it.")
    type: ColumnType = column("What its cells hold.")


@value("component_data", description="The rows of a component, as far as they are yours to see.")
class ComponentData:
    """Rows."""

    state: ComponentDataState = column("What there is of them for you.")
    as_of: DateTime | None = column("When they were read.")
    columns: list[DataColumn] = column("Their columns.")
    rows: list[JSON] | None = column("One object per row, by the columns' names; null where they are not here.")
    truncated: bool = column("Whether there were more.")


@value("keyed_component_data", description="The rows of the component with a key.")
class KeyedComponentData:
    """Rows with the key of their component."""

    key: strawberry.ID = column("The component's key.")
    data: ComponentData = column("Its rows.")


@noun("canvas_components", prefix="canvascomponent", description="A version of a component; it never changes.")
class CanvasComponent(Node):
    """A version of a component."""

    key: strawberry.ID = column("The same in every revision.")
    kind: ComponentKind = column("What it is.")
    title: str | None = column("What is written above it.")
    order_key: str = column("Its place in the order of the components: compared byte by byte.")
    layout: Layout = column("Where it stands.")
    visualization: JSON | None = column("How it is shown; a Vega-Lite specification for a chart.")
    source: ComponentSource | None = column("Where its rows come from, if it has any.")
    data: ComponentData | None = column(
        "Its rows, if it has any: those that its author got, where you may see them all."
    )


@value("canvas_changes", description="What happened to a component since the parent.")
class CanvasChange:
    """A change."""

    kind: ChangeKind = column("What happened.")
    component_key: strawberry.ID = column("To which component.")
    path: str | None = column("To which part of it, dotted; null for the component as a whole.")


@noun(
    "canvas_revisions",
    prefix="canvasrevision",
    description="A state of a canvas; it never changes.",
    orders={"CREATED_AT": "When it was made: the order of the numbers."},
)
class CanvasRevision(Node):
    """A revision."""

    number: int = column("Its number in the canvas, from 1.")
    kind: RevisionKind = column("How it came to be.")
    message: str | None = column("What its author says about it.")
    created_at: DateTime = column("When it was made.")
    hash: str = column("SHA-256 in hex, over its parents' hashes, its components, its author and its time.")
    changes: list[CanvasChange] = column("What changed since the first parent.")
    canvas: Canvas = link("The canvas.")
    author: Actor | None = reference("Who made it.")
    parents: list[CanvasRevision] = links(
        "What it follows, as far as you may see it: the head before it and, of a merge, the other canvas's head."
    )
    components: list[CanvasComponent] = links("What is on it, in order.")
    component_data = field(
        "The rows of components: those that are kept where you may see all of them, and else what their documents"
        " answer you now.",
        keys="Keys of components of this revision, at most 50.",
    )(component_data)


@value("canvas_shares", description="What somebody may do with a canvas.")
class CanvasShareGrant:
    """A share."""

    access: CanvasAccess = column("What they may do.")
    user: User = link("Who.")


@strawberry.input(description="Which canvases; every entry narrows the list.")
class CanvasFilter:
    """The filter of canvas lists."""

    owner_ids: list[strawberry.ID] | None = optional("Owned by one of these users.", of="users")
    shared_with_me: bool | None = optional("Shared with you by name, or not.")
    archived: bool | None = optional("Archived, or not; both, if left out.")
    search: str | None = optional("Part of the title.", longest=100)


@noun(
    "canvases",
    prefix="canvas",
    description="A board of components with its whole history.",
    filter=CanvasFilter,
    orders={"CREATED_AT": "When it was made.", "UPDATED_AT": "When it was last changed."},
)
class Canvas(Node):
    """A canvas."""

    title: str = column("What it is called.")
    viewer_access: CanvasAccess = column("What you may do with it.")
    created_at: DateTime = column("When it was made.")
    updated_at: DateTime = column("When it last got a revision, a title or a place in the archive.")
    archived_at: DateTime | None = column("When it was archived, if it is.")
    shares: list[CanvasShareGrant] = column("With whom it is shared, in the order in which that was done.")
    owner: User = link("Whose it is.")
    head: CanvasRevision = link("What is on it now.")
    forked_from: Canvas | None = link("The canvas it was branched off, if you may see that.")
    revisions: Connection[CanvasRevision] = connection("Its history, newest first.")


@root
class CanvasQuery:
    """Root fields that read canvases."""

    canvas: Canvas | None = by_id("One canvas, or null.", Permission.CANVAS_READ)
    canvas_revision: CanvasRevision | None = by_id("One state of a canvas, or null.", Permission.CANVAS_READ)
    canvases: Connection[Canvas] = connection("The canvases you may see, newest first.", Permission.CANVAS_READ)
