"""The enumerations of canvases, in the order in which they are listed."""

from __future__ import annotations

from enum import Enum


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
