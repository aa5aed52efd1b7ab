"""What is done with merge requests: open them, review them, and merge."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

from domain.audit import AuditAction
from domain.canvases.advancing import LONGEST_TITLE, advance, checked_text, read_rows
from domain.canvases.changes import versioned, with_rows
from domain.canvases.kinds import ConflictSide, MergeRequestStatus, RevisionKind
from domain.canvases.planning import Plan, plan, request_changed
from domain.canvases.records import Canvas, MergeRequest, Resolution, Review
from domain.canvases.refusals import CanvasArchived, CanvasHeadMoved, MergeConflicts
from domain.canvases.rules import check_changing, check_merging, check_review, status_after
from domain.canvases.store import (
    ConflictResolution,
    Merged,
    MergeRequestMerge,
    MergeRequestOpen,
    MergeRequestReview,
    SourceReader,
)
from domain.errors import Invalid, Issue, NotFound
from domain.values import new_id

if TYPE_CHECKING:
    from domain.unit import Unit

LONGEST_COMMENT: Final = 10_000


async def open_request(unit: Unit, command: MergeRequestOpen) -> UUID:
    """Ask to have the source's changes brought into the target.

    Raises Invalid, NotFound, CanvasNotYours, CanvasArchived, NothingInCommon, NothingToMerge or RequestUndecided.
    """
    title = checked_text(command.title, "title", LONGEST_TITLE)
    if command.source_canvas_id == command.target_canvas_id:
        raise Invalid("A canvas is merged into another one.", field="targetCanvasId")
    source, target = await unit.canvases.get_both_for_update(command.source_canvas_id, command.target_canvas_id)
    if source is None or target is None:
        raise NotFound(field="sourceCanvasId" if source is None else "targetCanvasId")
    check_changing(unit.caller, source, "sourceCanvasId")
    if target.archived_at is not None:
        raise CanvasArchived(field="targetCanvasId")
    planned = await plan(unit, source.head_id, target.head_id)
    planned.check()
    request = MergeRequest(
        id=new_id(),
        title=title,
        source_id=source.id,
        target_id=target.id,
        author=unit.caller.actor,
        status=MergeRequestStatus.OPEN,
        created_at=unit.now,
        base_id=planned.base_id,
        source_head_id=source.head_id,
        target_head_id=target.head_id,
        conflicts=tuple(planned.merge.conflicts),
    )
    await unit.canvases.add_request(request)
    unit.record(request_changed(request, "MergeRequestOpened", AuditAction.CREATE, ("title", "source", "target")))
    return request.id


async def review(unit: Unit, command: MergeRequestReview) -> UUID:
    """Say what the caller thinks of a merge request as it is now, and so perhaps decide it.

    Raises NotFound, NotAUser, OwnRequest, CanvasNotYours or RequestDecided.
    """
    comment = command.comment and command.comment.strip()
    if comment:
        comment = checked_text(comment, "comment", LONGEST_COMMENT)
    request, _, target = await _locked(unit, command.merge_request_id)
    check_review(unit.caller, request, target, command.decision)
    said = Review(
        id=new_id(),
        request_id=request.id,
        author=unit.caller.actor,
        decision=command.decision,
        comment=comment or None,
        at=unit.now,
        source_head_id=request.source_head_id,
    )
    await unit.canvases.add_review(said)
    status = status_after(request, await unit.canvases.reviews(request.id))
    reviewed = replace(request, status=status)
    if status is not request.status:
        await unit.canvases.save_request(reviewed, unit.now)
    unit.record(request_changed(reviewed, "MergeRequestReviewed", AuditAction.DECIDE, ("reviews", "status")))
    return request.id


def merger(reader: SourceReader) -> Callable[[Unit, MergeRequestMerge], Awaitable[Merged]]:
    """Return the use case that reads the rows of sources that a resolution names through `reader`."""

    async def merge(unit: Unit, command: MergeRequestMerge) -> Merged:
        """Bring the source's changes into the target, every conflict resolved, as one revision with both as parents.

        Raises what `check_merging` does, CanvasHeadMoved, MergeConflicts, NothingToMerge, Invalid for a resolution,
        and what the reader raises.
        """
        request, source_head_id, target = await _locked(unit, command.merge_request_id)
        check_merging(unit.caller, request, target, await unit.canvases.reviews(request.id))
        if target.head_id != command.expected_head_id:
            raise CanvasHeadMoved(target.head_id)
        if command.expected_source_head_id not in {None, source_head_id}:
            raise CanvasHeadMoved(source_head_id, field="expectedSourceHeadId")
        resolutions = _resolutions(command.resolutions)
        planned = await plan(unit, source_head_id, target.head_id, resolutions)
        planned.check()
        _check_resolved(planned, resolutions)
        rows = await read_rows(unit, reader, planned.merge.unread.values())
        stamps = {key: each.stamp for key, each in rows.items()}
        tree = versioned(planned.ours, with_rows(planned.merge.tree, stamps))
        parents = [
            (await unit.canvases.revision(target.head_id), planned.ours),
            (await unit.canvases.revision(source_head_id), planned.theirs),
        ]
        decided = replace(
            request,
            status=MergeRequestStatus.MERGED,
            base_id=planned.base_id,
            source_head_id=source_head_id,
            target_head_id=target.head_id,
            conflicts=tuple(planned.merge.conflicts),
            resolutions=resolutions,
        )
        revision = await advance(
            unit,
            target,
            RevisionKind.MERGE,
            parents,
            tree=tree,
            message=request.title,
            rows=list(rows.values()),
            request=decided,
        )
        unit.record(request_changed(decided, "MergeRequestMerged", AuditAction.MERGE))
        return Merged(request.id, revision.id)

    return merge


async def _locked(unit: Unit, request_id: UUID) -> tuple[MergeRequest, UUID, Canvas]:
    """Return a merge request, its source's head and its target, all locked; the canvases first, as in every unit."""
    found = await unit.canvases.get_request(request_id)
    source, target = await unit.canvases.get_both_for_update(found.source_id, found.target_id)
    if target is None:
        raise NotFound(field="mergeRequestId")
    source_head_id = await unit.canvases.head_id(found.source_id) if source is None else source.head_id
    return await unit.canvases.lock_request(request_id), source_head_id, target


def _resolutions(given: Sequence[ConflictResolution]) -> tuple[Resolution, ...]:
    resolutions, issues = [], []
    for place, each in enumerate(given):
        if each.choice is ConflictSide.VALUE:
            issues.append(Issue(f"resolutions.{place}.choice.take", "Give the value itself, in `value`."))
        elif isinstance(each.choice, ConflictSide):
            resolutions.append(Resolution(each.conflict_key, each.choice))
        else:
            resolutions.append(Resolution(each.conflict_key, ConflictSide.VALUE, each.choice))
    if issues:
        raise Invalid(issues=tuple(issues))
    return tuple(resolutions)


def _check_resolved(planned: Plan, resolutions: Sequence[Resolution]) -> None:
    if planned.merge.unresolved:
        raise MergeConflicts(planned.merge.unresolved)
    keys = {each.key for each in planned.merge.conflicts}
    issues = [
        Issue(f"resolutions.{place}.conflictKey", "There is no such conflict any more: read the merge request again.")
        for place, each in enumerate(resolutions)
        if each.conflict_key not in keys
    ]
    if issues:
        raise Invalid(issues=tuple(issues))
