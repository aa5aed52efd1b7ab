"""What two sides of a merge do not agree on, as clients see it."""

from __future__ import annotations

import strawberry

from domain.canvases import ConflictKind
from graph.declaration import column, value
from graph.scalars import JSON


@value("merge_conflicts", description="What two canvases do not agree on.")
class MergeConflict:
    """A conflict."""

    key: strawberry.ID = column("Names it in a resolution, as long as the three values are these.")
    component_key: strawberry.ID = column("In which component.")
    kind: ConflictKind = column("Why the sides do not go together.")
    path: str = column("In which part of it, dotted; empty for the component as a whole.")
    base: JSON | None = column("What both began with; null also where there was nothing.")
    ours: JSON | None = column("What the target has.")
    theirs: JSON | None = column("What the source has.")
