"""What canvases refuse with more than a sentence: the head to go on from, the conflicts to decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import strawberry

from domain.canvases import CanvasHeadMoved, MergeConflicts
from graph.canvases.conflicts import MergeConflict
from graph.declaration import link, paid, payload
from graph.problems import Problem, ProblemCode
from graph.registry import REGISTRY

if TYPE_CHECKING:
    from graph.canvases.types import CanvasRevision


@payload("Somebody committed to the canvas first.")
class CanvasHeadMovedProblem(Problem):
    """A lost race."""

    current_head: CanvasRevision = link("The head to go on from.")


@strawberry.type(description="Some conflicts of the merge are not resolved.")
class MergeConflictProblem(Problem):
    """Conflicts that are left."""

    conflicts: list[MergeConflict] = strawberry.field(description="The conflicts that are left.")


class HeadMovedHandler(strawberry.ExceptionHandler[CanvasHeadMoved, CanvasHeadMovedProblem]):
    """CanvasHeadMoved as CanvasHeadMovedProblem."""

    def handle(self, exception: CanvasHeadMoved, *, field: object, info: object) -> CanvasHeadMovedProblem:
        """Answer the head."""
        return paid(
            CanvasHeadMovedProblem, code=ProblemCode.CONFLICT, message=exception.message, field=exception.field,
            current_head=exception.head_id,
        )  # fmt: skip


class MergeConflictHandler(strawberry.ExceptionHandler[MergeConflicts, MergeConflictProblem]):
    """MergeConflicts as MergeConflictProblem."""

    def handle(self, exception: MergeConflicts, *, field: object, info: object) -> MergeConflictProblem:
        """Answer the conflicts."""
        conflicts = [
            REGISTRY.materialise(
                REGISTRY.values["merge_conflicts"],
                {
                    "key": each.key, "kind": each.kind, "component_key": each.component_key, "path": each.path,
                    "base": each.base, "ours": each.ours, "theirs": each.theirs,
                },
            )
            for each in exception.conflicts
        ]  # fmt: skip
        return paid(
            MergeConflictProblem, code=ProblemCode.CONFLICT, message=exception.message, field=exception.field,
            conflicts=conflicts,
        )  # fmt: skip


HANDLERS: Final = (HeadMovedHandler(), MergeConflictHandler())
