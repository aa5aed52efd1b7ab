"""What a merge of two canvases would be as they are now, and merge requests that follow their canvases' heads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

from domain.audit import AuditAction, Change
from domain.canvases.history import common_ancestors
from domain.canvases.kinds import MergeRequestStatus
from domain.canvases.merging import Merge, merged
from domain.canvases.records import MergeRequest, Resolution, Tree
from domain.canvases.refusals import NothingInCommon, NothingToMerge

if TYPE_CHECKING:
    from domain.unit import Unit


@dataclass(frozen=True, slots=True)
class Plan:
    """A merge and what it is between; `needless` where ours has every revision of theirs already."""

    base_id: UUID
    ours: Tree
    theirs: Tree
    merge: Merge
    needless: bool

    def check(self) -> None:
        """Refuse a merge that would bring nothing; raises NothingToMerge."""
        if self.needless:
            raise NothingToMerge


async def plan(unit: Unit, source_head_id: UUID, target_head_id: UUID, resolutions: Sequence[Resolution] = ()) -> Plan:
    """Merge the trees of two heads; raises NothingInCommon, or Invalid for resolutions."""
    parents = await unit.canvases.ancestry((source_head_id, target_head_id))
    base_ids = common_ancestors(parents, source_head_id, target_head_id)
    if not base_ids:
        raise NothingInCommon
    bases = [await unit.canvases.tree(base_id) for base_id in base_ids]
    ours, theirs = await unit.canvases.tree(target_head_id), await unit.canvases.tree(source_head_id)
    merge = merged(bases, ours, theirs, resolutions)
    return Plan(base_ids[0], ours, theirs, merge, needless=source_head_id in base_ids)


async def follow_head(unit: Unit, canvas_id: UUID) -> None:
    """Bring the undecided merge requests from and into a canvas to its new head.

    Approvals are for what was approved, so a request whose source has moved is OPEN again. It asks for no visibility:
    it follows a change that was allowed.
    """
    for request in await unit.canvases.lock_undecided(canvas_id):
        # Both heads are read after the request was locked: whoever moved the other one before has been here before.
        source_head_id = await unit.canvases.head_id(request.source_id)
        target_head_id = await unit.canvases.head_id(request.target_id)
        planned = await plan(unit, source_head_id, target_head_id)
        kept = source_head_id == request.source_head_id
        followed = replace(
            request,
            status=request.status if kept else MergeRequestStatus.OPEN,
            base_id=planned.base_id,
            source_head_id=source_head_id,
            target_head_id=target_head_id,
            conflicts=tuple(planned.merge.conflicts),
        )
        await unit.canvases.save_request(followed, unit.now)
        if followed.status is not request.status:
            unit.record(request_changed(followed, "MergeRequestReopened"))


async def close_requests(unit: Unit, canvas_id: UUID) -> None:
    """Close the undecided merge requests from and into a canvas that is archived."""
    for request in await unit.canvases.lock_undecided(canvas_id):
        closed = replace(request, status=MergeRequestStatus.CLOSED)
        await unit.canvases.save_request(closed, unit.now)
        unit.record(request_changed(closed, "MergeRequestClosed"))


def request_changed(
    request: MergeRequest, event: str, action: AuditAction = AuditAction.UPDATE, fields: tuple[str, ...] = ("status",)
) -> Change:
    """Return the change of a merge request, for its canvases' followers too."""
    return Change(
        action=action,
        event=event,
        noun="merge_requests",
        id=request.id,
        fields=fields,
        payload=(
            ("sourceId", str(request.source_id)),
            ("targetId", str(request.target_id)),
            ("status", request.status.name),
        ),
    )
