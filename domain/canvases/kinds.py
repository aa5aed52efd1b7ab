"""The enumerations of canvases, in the order in which they are listed."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final


class ComponentKind(Enum):
    """What a component shows."""

    TABLE = "TABLE"
    KPI_TILE = "KPI_TILE"
    BAR = "BAR"
    LINE = "LINE"
    AREA = "AREA"
    SCATTER = "SCATTER"
    TIMELINE = "TIMELINE"
    ACTIVITY_STREAM = "ACTIVITY_STREAM"
    PIPELINE_BOARD = "PIPELINE_BOARD"
    MAP = "MAP"
    TEXT = "TEXT"


class CanvasAccess(Enum):
    """What somebody may do with a canvas, least first; each has what the one before it has."""

    VIEW = "VIEW"
    COMMENT = "COMMENT"
    EDIT = "EDIT"


class RevisionKind(Enum):
    """How a revision came to be."""

    COMMIT = "COMMIT"
    MERGE = "MERGE"
    ROLLBACK = "ROLLBACK"
    FORK = "FORK"


class ChangeKind(Enum):
    """What happened to a component between two revisions."""

    ADD = "ADD"
    EDIT = "EDIT"
    MOVE = "MOVE"
    REMOVE = "REMOVE"


class ColumnType(Enum):
    """What the cells of a column hold."""

    TEXT = "TEXT"
    NUMBER = "NUMBER"
    MONEY = "MONEY"
    DATE_TIME = "DATE_TIME"
    BOOLEAN = "BOOLEAN"
    ID = "ID"


class ComponentDataState(Enum):
    """Whether a viewer gets the rows that are kept, has to have them run again, or nobody has them any more."""

    READY = "READY"
    RERUN = "RERUN"
    ERASED = "ERASED"


class ConflictKind(Enum):
    """Why two sides of a merge do not go together."""

    EDIT_EDIT = "EDIT_EDIT"
    DELETE_EDIT = "DELETE_EDIT"
    ADD_ADD = "ADD_ADD"
    MOVE_MOVE = "MOVE_MOVE"
    CONSTRAINT = "CONSTRAINT"


class ConflictSide(Enum):
    """Where the value comes from that resolves a conflict; VALUE is one that the merger gives."""

    OURS = "OURS"
    THEIRS = "THEIRS"
    BASE = "BASE"
    VALUE = "VALUE"


class MergeRequestStatus(Enum):
    """Where a merge request stands."""

    OPEN = "OPEN"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    MERGED = "MERGED"
    CLOSED = "CLOSED"


class ReviewDecision(Enum):
    """What a reviewer thinks of a merge request."""

    APPROVE = "APPROVE"
    REQUEST_CHANGES = "REQUEST_CHANGES"
    REJECT = "REJECT"


class CanvasUpdateKind(Enum):
    """What an event says of a canvas."""

    REVISION = "REVISION"
    RENAMED = "RENAMED"
    SHARED = "SHARED"
    ARCHIVED = "ARCHIVED"
    MERGE_REQUEST = "MERGE_REQUEST"


CANVAS_EVENTS: Final[Mapping[str, CanvasUpdateKind]] = MappingProxyType(
    {
        "CanvasCreated": CanvasUpdateKind.REVISION,
        "CanvasCommitted": CanvasUpdateKind.REVISION,
        "CanvasRolledBack": CanvasUpdateKind.REVISION,
        "CanvasForked": CanvasUpdateKind.REVISION,
        "CanvasMerged": CanvasUpdateKind.REVISION,
        "CanvasRenamed": CanvasUpdateKind.RENAMED,
        "CanvasShared": CanvasUpdateKind.SHARED,
        "CanvasUnshared": CanvasUpdateKind.SHARED,
        "CanvasArchived": CanvasUpdateKind.ARCHIVED,
        "CanvasRestored": CanvasUpdateKind.ARCHIVED,
        "MergeRequestOpened": CanvasUpdateKind.MERGE_REQUEST,
        "MergeRequestReviewed": CanvasUpdateKind.MERGE_REQUEST,
        "MergeRequestReopened": CanvasUpdateKind.MERGE_REQUEST,
        "MergeRequestMerged": CanvasUpdateKind.MERGE_REQUEST,
        "MergeRequestClosed": CanvasUpdateKind.MERGE_REQUEST,
    }
)
"""The events of canvases and of merge requests, and what each says."""
