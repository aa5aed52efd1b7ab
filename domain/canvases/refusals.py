"""What canvases refuse, and what a client needs to go on."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from domain.canvases.records import Conflict as MergeConflict
from domain.errors import Conflict, NotAllowed


class CanvasHeadMoved(Conflict):
    """Somebody committed to this canvas first."""

    def __init__(self, head_id: UUID, *, field: str = "expectedHeadId") -> None:
        """Name the revision to go on from."""
        super().__init__(field=field)
        self.head_id = head_id


class MergeConflicts(Conflict):
    """Some conflicts of this merge are not resolved."""

    def __init__(self, conflicts: Sequence[MergeConflict]) -> None:
        """Keep the conflicts that are left."""
        super().__init__(field="resolutions")
        self.conflicts = tuple(conflicts)


class CanvasArchived(Conflict):
    """An archived canvas does not change."""


class NothingChanged(Conflict):
    """The components would be what they are."""


class NothingToMerge(Conflict):
    """The target has all that the source has."""


class NothingInCommon(Conflict):
    """The two canvases have no revision in common: neither was forked from the other's history."""


class RequestUndecided(Conflict):
    """There is a merge request between these canvases that is not decided yet."""


class RequestDecided(Conflict):
    """The merge request is decided."""


class ApprovalMissing(NotAllowed):
    """Somebody else has to approve this merge request first."""


class ChangesRequested(Conflict):
    """A reviewer asked for changes."""


class CanvasNotYours(NotAllowed):
    """Your access to this canvas does not allow this."""


class OwnRequest(NotAllowed):
    """Nobody approves their own merge request."""


class CanvasUserNotActive(Conflict):
    """Nobody works under this account: it was invited and not used yet, or is suspended."""
