"""Who may do what with canvases and merge requests.

Who sees a canvas: its owner, who has it shared, a senior whose team its owner is in, directors and admins; and who sees
a canvas sees the canvases that are asked to be merged into it. What they may do is the most of:

| | access |
|---|---|
| the owner; a SALES_DIRECTOR or an ADMIN | EDIT |
| a SENIOR_BROKER, of a canvas of their team | COMMENT |
| somebody it is shared with | as shared |
| everybody else who sees it | VIEW |

| what | who |
|---|---|
| read, fork, ask to have one's own fork merged into it | VIEW |
| review a merge request into it, asking for changes | COMMENT |
| commit, roll back, rename, ask to have it merged into another, merge into it | EDIT |
| share, archive; approve or reject a merge request into it | its owner, directors and admins |
| approve or reject as well | a SENIOR_BROKER, of a canvas of their team |
| take back a merge request (reject it as its author: it is CLOSED) | its author |

Nobody approves or judges their own request, and an API key none. A review counts for the source's head that it saw: a
commit to the source voids approvals and wishes for changes alike. While a reviewer's latest word on this head is
REQUEST_CHANGES, nobody merges. The target's owner, directors and admins merge without approval, since they could
commit the same; every other editor merges what is APPROVED. REJECTED, CLOSED and MERGED are final. Archiving a canvas
closes the requests from and into it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from domain.access import Caller, Role
from domain.canvases.kinds import CanvasAccess, MergeRequestStatus, ReviewDecision
from domain.canvases.records import ALL_ROWS, Canvas, MergeRequest, Review
from domain.canvases.refusals import (
    ApprovalMissing,
    CanvasArchived,
    CanvasNotYours,
    ChangesRequested,
    OwnRequest,
    RequestDecided,
)

DEGREES: Final = tuple(CanvasAccess)

UNDECIDED: Final = frozenset({MergeRequestStatus.OPEN, MergeRequestStatus.APPROVED})


def access_of(caller: Caller, canvas: Canvas) -> CanvasAccess:
    """Return what a caller may do with a canvas that they see."""
    if manages(caller, canvas):
        return CanvasAccess.EDIT
    team = CanvasAccess.COMMENT if canvas.owner_id in caller.members else CanvasAccess.VIEW
    return max(team, canvas.shared or CanvasAccess.VIEW, key=DEGREES.index)


def manages(caller: Caller, canvas: Canvas) -> bool:
    """Whether a caller decides who else may do what with a canvas."""
    return caller.role in ALL_ROWS or canvas.owner_id == caller.user_id


def check_access(caller: Caller, canvas: Canvas, least: CanvasAccess, field: str) -> None:
    """Refuse who has less than `least`; raises CanvasNotYours."""
    if DEGREES.index(access_of(caller, canvas)) < DEGREES.index(least):
        raise CanvasNotYours(f"This takes {least.name} access to the canvas.", field=field)


def check_managing(caller: Caller, canvas: Canvas, field: str) -> None:
    """Refuse who does not decide about a canvas; raises CanvasNotYours."""
    if not manages(caller, canvas):
        raise CanvasNotYours("Only the owner, a sales director or an admin does this.", field=field)


def check_changing(caller: Caller, canvas: Canvas, field: str) -> None:
    """Refuse who may not change a canvas as it is; raises CanvasNotYours or CanvasArchived."""
    check_access(caller, canvas, CanvasAccess.EDIT, field)
    if canvas.archived_at is not None:
        raise CanvasArchived(field=field)


def check_undecided(request: MergeRequest) -> None:
    """Refuse a merge request that is decided; raises RequestDecided."""
    if request.status not in UNDECIDED:
        raise RequestDecided(f"The merge request is {request.status.name} already.", field="mergeRequestId")


def check_review(caller: Caller, request: MergeRequest, target: Canvas, decision: ReviewDecision) -> None:
    """Decide who may say what about a merge request.

    Raises NotAUser for an API key, OwnRequest, CanvasNotYours or RequestDecided.
    """
    caller.as_user()
    check_undecided(request)
    if request.author == caller.actor:
        if decision is not ReviewDecision.REJECT:
            raise OwnRequest(field="decision")
        return
    check_access(caller, target, CanvasAccess.COMMENT, "mergeRequestId")
    senior = caller.role is Role.SENIOR_BROKER and target.owner_id in caller.members
    if decision is not ReviewDecision.REQUEST_CHANGES and not (senior or manages(caller, target)):
        raise CanvasNotYours(
            "Only the target's owner, their senior, a sales director or an admin approves or rejects.", field="decision"
        )


def status_after(request: MergeRequest, reviews: Sequence[Review]) -> MergeRequestStatus:
    """Return where a merge request stands after its reviews, oldest first; the last of them was just made."""
    if reviews[-1].decision is ReviewDecision.REJECT:
        own = reviews[-1].author == request.author
        return MergeRequestStatus.CLOSED if own else MergeRequestStatus.REJECTED
    said = latest_decisions(reviews, request.source_head_id)
    approved = ReviewDecision.APPROVE in said and ReviewDecision.REQUEST_CHANGES not in said
    return MergeRequestStatus.APPROVED if approved else MergeRequestStatus.OPEN


def latest_decisions(reviews: Sequence[Review], source_head_id: UUID) -> set[ReviewDecision]:
    """Return what reviewers think of the source as it is: of each the last word."""
    last = {each.author: each.decision for each in reviews if each.source_head_id == source_head_id}
    return set(last.values())


def check_merging(caller: Caller, request: MergeRequest, target: Canvas, reviews: Sequence[Review]) -> None:
    """Decide who merges when.

    Raises RequestDecided, CanvasNotYours, CanvasArchived, ChangesRequested or ApprovalMissing.
    """
    check_undecided(request)
    check_changing(caller, target, "mergeRequestId")
    if ReviewDecision.REQUEST_CHANGES in latest_decisions(reviews, request.source_head_id):
        raise ChangesRequested(field="mergeRequestId")
    if request.status is not MergeRequestStatus.APPROVED and not manages(caller, target):
        raise ApprovalMissing(field="mergeRequestId")
