"""The commands that change canvases, and the ports that they go through: where canvases are kept, who reads rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias
from uuid import UUID

from domain.access import Caller
from domain.canvases.kinds import CanvasAccess, ComponentKind, ConflictSide, ReviewDecision
from domain.canvases.records import (
    Canvas,
    DataRows,
    Layout,
    MergeRequest,
    OperationSource,
    Review,
    Revision,
    Tree,
)
from domain.values import UNSET, Unset


@dataclass(frozen=True, slots=True)
class CanvasCreate:
    """What makes a canvas."""

    title: str


@dataclass(frozen=True, slots=True)
class CanvasUpdate:
    """What is to change about a canvas itself; what is left out stays."""

    canvas_id: UUID
    title: str | Unset | None = UNSET
    archived: bool | Unset | None = UNSET


@dataclass(frozen=True, slots=True)
class ComponentAdd:
    """A component to add; without a key it gets one, without an order key it goes last."""

    kind: ComponentKind
    layout: Layout
    key: str | None = None
    title: str | None = None
    order_key: str | None = None
    visualization: object = None
    source: OperationSource | None = None


@dataclass(frozen=True, slots=True)
class ComponentEdit:
    """What is to change about a component; what is left out stays. Giving the source reads its rows again."""

    key: str
    title: str | Unset | None = UNSET
    visualization: object = UNSET
    source: OperationSource | Unset | None = UNSET


@dataclass(frozen=True, slots=True)
class ComponentMove:
    """Where a component is to go; what is left out stays."""

    key: str
    layout: Layout | Unset | None = UNSET
    order_key: str | Unset | None = UNSET


@dataclass(frozen=True, slots=True)
class ComponentRemove:
    """A component to remove."""

    key: str


ComponentChange: TypeAlias = ComponentAdd | ComponentEdit | ComponentMove | ComponentRemove


@dataclass(frozen=True, slots=True)
class CanvasCommit:
    """Changes on top of the head that the client saw."""

    canvas_id: UUID
    expected_head_id: UUID
    message: str
    changes: Sequence[ComponentChange]


@dataclass(frozen=True, slots=True)
class CanvasRollback:
    """A revision of the canvas whose components are to be the head's again."""

    canvas_id: UUID
    revision_id: UUID
    expected_head_id: UUID


@dataclass(frozen=True, slots=True)
class CanvasFork:
    """A canvas to branch off; without a title it takes the canvas's."""

    canvas_id: UUID
    title: str | None = None


@dataclass(frozen=True, slots=True)
class CanvasShare:
    """Who may do what with a canvas from now on."""

    canvas_id: UUID
    user_id: UUID
    access: CanvasAccess


@dataclass(frozen=True, slots=True)
class CanvasUnshare:
    """With whom a canvas is shared no longer."""

    canvas_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True)
class MergeRequestOpen:
    """A wish to bring the source's changes into the target."""

    source_canvas_id: UUID
    target_canvas_id: UUID
    title: str


@dataclass(frozen=True, slots=True)
class MergeRequestReview:
    """What the caller thinks of a merge request."""

    merge_request_id: UUID
    decision: ReviewDecision
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class ConflictResolution:
    """How one conflict is decided: `choice` is a side, or the value itself as JSON."""

    conflict_key: str
    choice: ConflictSide | object


@dataclass(frozen=True, slots=True)
class MergeRequestMerge:
    """The merge itself, on top of the target's head that the client saw, and of the source's if the client says so."""

    merge_request_id: UUID
    expected_head_id: UUID
    resolutions: Sequence[ConflictResolution] = ()
    expected_source_head_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge made."""

    merge_request_id: UUID
    revision_id: UUID


class SourceReader(Protocol):
    """Runs trusted documents to fill components with rows."""

    async def read(self, caller: Caller, source: OperationSource, field: str) -> DataRows:
        """Run a document as the caller and return its answer as rows.

        Raises Invalid naming `field` for a document that is not trusted, no query, or not fit for its variables, and
        NotAllowed where the caller may not run it.
        """


class CanvasStore(Protocol):
    """Canvases of the unit's tenant that its caller may see."""

    async def get_for_update(self, canvas_id: UUID, field: str) -> Canvas:
        """Return a canvas and lock its row; raises NotFound naming `field`."""

    async def get_both_for_update(self, source_id: UUID, target_id: UUID) -> tuple[Canvas | None, Canvas | None]:
        """Return two canvases and lock their rows in the order of their ids; None for one that the caller may not see.

        Both rows are locked, seen or not.
        """

    async def is_active(self, user_id: UUID, field: str) -> bool:
        """Whether a user can work; raises NotFound naming `field`."""

    async def revision(self, revision_id: UUID) -> Revision:
        """Return a revision, whoever may see its canvas; raises NotFound naming `revisionId`."""

    async def tree(self, revision_id: UUID) -> Tree:
        """Return the components of a revision, whoever may see its canvas."""

    async def head_id(self, canvas_id: UUID) -> UUID:
        """Return the head of a canvas as it is at this moment, whoever may see it."""

    async def ancestry(self, revision_ids: Sequence[UUID]) -> Mapping[UUID, tuple[UUID, ...]]:
        """Return the parents of these revisions and of all that came before them, in whichever canvas, by their ids."""

    async def add(self, canvas: Canvas, first: Revision, tree: Tree, now: datetime) -> None:
        """Store a new canvas with its first revision and that revision's components, all of them new versions."""

    async def hold_off_erasures(self) -> None:
        """Let no erasure of the tenant's begin until the unit ends, and wait for one that has begun.

        What is read after this and kept by the unit is found by the next erasure; else one could run in between.
        """

    async def add_revision(self, revision: Revision, tree: Tree, rows: Sequence[DataRows]) -> None:
        """Store a revision with its tree and make it the head.

        Versions of the tree that are not stored yet are stored; `rows` are new, read by the caller, and kept by their
        digests with the caller's scope (`Scope.of`).
        """

    async def save(self, canvas: Canvas, now: datetime) -> None:
        """Store a canvas's title and whether it is archived."""

    async def share(self, canvas_id: UUID, user_id: UUID, access: CanvasAccess, now: datetime) -> CanvasAccess | None:
        """Store what a user may do with a canvas; return what it was before."""

    async def unshare(self, canvas_id: UUID, user_id: UUID) -> bool:
        """Take away what a user was given; False where there was nothing."""

    async def get_request(self, request_id: UUID) -> MergeRequest:
        """Return a merge request whose target or source the caller may see; raises NotFound naming `mergeRequestId`."""

    async def lock_request(self, request_id: UUID) -> MergeRequest:
        """Lock a merge request's row and return it as it is now. Lock its canvases before it."""

    async def lock_undecided(self, canvas_id: UUID) -> Sequence[MergeRequest]:
        """Lock and return the OPEN and APPROVED requests from or into a canvas, whoever may see them, by their ids."""

    async def add_request(self, request: MergeRequest) -> None:
        """Store a merge request; raises RequestUndecided where an undecided one has the same source and target."""

    async def save_request(self, request: MergeRequest, now: datetime) -> None:
        """Store what changed about a merge request: its status, heads, base, conflicts, resolutions and revision."""

    async def reviews(self, request_id: UUID) -> Sequence[Review]:
        """Return the reviews of a merge request, oldest first."""

    async def add_review(self, review: Review) -> None:
        """Store a review."""
