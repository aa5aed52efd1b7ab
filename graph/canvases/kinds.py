"""The enumerations of canvases, described."""

from __future__ import annotations

from enum import Enum

from domain.canvases import (
    CanvasAccess,
    CanvasUpdateKind,
    ChangeKind,
    ColumnType,
    ComponentDataState,
    ComponentKind,
    ConflictKind,
    ConflictSide,
    MergeRequestStatus,
    ReviewDecision,
    RevisionKind,
)
from graph.enums import described


class SourceKind(Enum):
    """Which kinds of sources there are; clients see them as types."""

    OPERATION = "OPERATION"


described(
    ComponentKind,
    "What a component is.",
    TABLE="Rows and columns.",
    KPI_TILE="One number, and what it is compared with.",
    BAR="A bar chart.",
    LINE="A line chart.",
    AREA="An area chart.",
    SCATTER="A scatter plot.",
    TIMELINE="What happened, along time.",
    ACTIVITY_STREAM="What happened, newest first.",
    PIPELINE_BOARD="Leads by stage.",
    MAP="Places.",
    TEXT="Words.",
)
described(
    CanvasAccess,
    "What somebody may do with a canvas; each has what the one before it has.",
    VIEW="Look at it, and fork it.",
    COMMENT="Review what is to be merged into it.",
    EDIT="Change it.",
)
described(
    RevisionKind,
    "How a revision came to be.",
    COMMIT="Somebody changed components.",
    MERGE="Another canvas was merged into it.",
    ROLLBACK="It has the components of an earlier one again.",
    FORK="It is the first of a canvas that was branched off another.",
)
described(
    ChangeKind,
    "What happened to a component.",
    ADD="It came.",
    EDIT="What it shows was changed.",
    MOVE="Where it stands was changed.",
    REMOVE="It went.",
)
described(
    ColumnType,
    "What the cells of a column hold.",
    TEXT="Text.",
    NUMBER="A number.",
    MONEY="An amount with its currency.",
    DATE_TIME="A moment or a day.",
    BOOLEAN="True or false.",
    ID="A global id.",
)
described(
    ComponentDataState,
    "What there is of a component's rows for you.",
    READY="Here they are.",
    RERUN="They were read by somebody who sees more, or other things, than you: `componentData` reads your own.",
    ERASED="They were there and had to be removed; `componentData` reads what there is now.",
)
described(
    CanvasUpdateKind,
    "What happened to a canvas.",
    REVISION="It got a revision; its first one too.",
    RENAMED="It got another title.",
    SHARED="It was shared with somebody, or is so no more.",
    ARCHIVED="It went into the archive, or came back.",
    MERGE_REQUEST="A merge request into it was opened, reviewed, merged or closed, or waits for reviews again.",
)
described(
    ConflictKind,
    "Why two sides do not go together.",
    EDIT_EDIT="Both changed the same in different ways.",
    DELETE_EDIT="One removed what the other changed.",
    ADD_ADD="Both added a component under one key.",
    MOVE_MOVE="Both moved it to different places.",
    CONSTRAINT="Each is fine alone, and both together are not valid.",
)
described(
    ConflictSide,
    "Whose value is taken.",
    OURS="The target's.",
    THEIRS="The source's.",
    BASE="The one that both began with.",
    VALUE="The one that is given as `value`; not for `take`.",
)
described(
    MergeRequestStatus,
    "Where a merge request stands.",
    OPEN="It waits for reviews.",
    APPROVED="It may be merged.",
    REJECTED="It will not be merged.",
    MERGED="It was merged.",
    CLOSED="It was given up.",
)
described(
    ReviewDecision,
    "What a reviewer thinks.",
    APPROVE="It may be merged.",
    REQUEST_CHANGES="Not like this.",
    REJECT="Not at all.",
)
