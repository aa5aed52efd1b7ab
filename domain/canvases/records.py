"""What is kept of canvases: immutable revisions and component versions, shares, merge requests and their reviews.

A value that is JSON (a visualization, variables, a cell, a side of a conflict) is `object` here: None, bool, int,
float, str, or lists and dicts of them; `domain.canvases.canonical` says which of these are taken, and how they are
hashed.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from domain.access import Actor, Caller, Role
from domain.canvases.canonical import canonical, moment_text
from domain.canvases.kinds import (
    CanvasAccess,
    ChangeKind,
    ColumnType,
    ComponentKind,
    ConflictKind,
    ConflictSide,
    MergeRequestStatus,
    ReviewDecision,
    RevisionKind,
)
from domain.values import new_id

RANKS: Final = (Role.JUNIOR_BROKER, Role.SENIOR_BROKER, Role.SALES_DIRECTOR, Role.ADMIN)
"""Roles, weakest first."""

ALL_ROWS: Final = frozenset({Role.SALES_DIRECTOR, Role.ADMIN})
"""The roles that see every row of the tenant."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """A canvas, as far as its rules need to know it. `shared` is what the caller was given by a share."""

    id: UUID
    title: str
    owner_id: UUID
    head_id: UUID
    forked_from_id: UUID | None = None
    archived_at: datetime | None = None
    shared: CanvasAccess | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a component stands on the grid, in cells from the upper left corner."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class OperationSource:
    """Where rows come from: a trusted document and its variables, run as the author of the revision."""

    document_id: str
    variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DataStamp:
    """What a revision knows of the rows of a component: their digest (hexadecimal SHA-256) and when they were read."""

    digest: str
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Component:
    """One immutable version of a component: `id` names this version, `key` is the same in every revision."""

    id: UUID
    key: str
    kind: ComponentKind
    title: str | None
    order_key: str
    layout: Layout
    visualization: Mapping[str, object] | None = None
    source: OperationSource | None = None
    data: DataStamp | None = None


Tree: TypeAlias = Mapping[str, Component]
"""The components of a revision by their keys."""

Subject: TypeAlias = tuple[str, UUID]
"""The noun and the id of a row that something was read from."""


@dataclass(frozen=True, slots=True)
class CanvasChange:
    """What happened to a component since the first parent; `path` is dotted, and None for the component as a whole."""

    kind: ChangeKind
    component_key: str
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """A state of a canvas that never changes. `number` counts within the canvas, from 1.

    `parent_ids` are the head that it follows and, of a merge, the other canvas's head; of a fork, the head forked.
    `changes` is the difference to the first parent; of a fork, nothing.
    """

    id: UUID
    canvas_id: UUID
    number: int
    kind: RevisionKind
    parent_ids: tuple[UUID, ...]
    author: Actor
    message: str | None
    created_at: datetime
    tree_hash: bytes
    hash: bytes
    changes: tuple[CanvasChange, ...] = ()


@dataclass(frozen=True, slots=True)
class DataColumn:
    """A column of a component's rows."""

    name: str
    label: str
    type: ColumnType


@dataclass(frozen=True, slots=True)
class Scope:
    """As whom rows were read: a copy of what decided it, because callers change."""

    actor: Actor
    role: Role
    members: tuple[UUID, ...]

    @classmethod
    def of(cls, caller: Caller) -> Scope:
        """Return the scope of whoever is asking."""
        return cls(caller.actor, caller.role, caller.members)

    def is_open_to(self, viewer: Caller) -> bool:
        """Whether a viewer may see all that was read in this scope.

        Only who sees every row, with a role that is no lesser one, or the author, whose own scope has not shrunk since.
        Having the author in one's team is not enough: leads are shared with single people.
        """
        no_less = RANKS.index(viewer.role) >= RANKS.index(self.role)
        if viewer.role in ALL_ROWS and viewer.user_id is not None:
            return no_less
        return viewer.actor == self.actor and no_less and set(viewer.members) >= set(self.members)


@dataclass(frozen=True, slots=True)
class DataRows:
    """The rows of a component, kept beside the revisions whose trees hold their digest.

    The salt is part of the digest and goes with the rows: after an erasure nobody finds out by trying what they were.
    `subjects` are what the rows were read from, whatever their columns say: by them an erasure finds whose rows go.
    """

    columns: tuple[DataColumn, ...]
    rows: Sequence[Mapping[str, object]]
    truncated: bool
    as_of: datetime
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    subjects: frozenset[Subject] = frozenset()

    @property
    def digest(self) -> str:
        """SHA-256 over the salt and the columns, rows and time as canonical JSON, hexadecimal."""
        content = {
            "columns": [{"name": each.name, "label": each.label, "type": each.type.name} for each in self.columns],
            "rows": list(self.rows),
            "truncated": self.truncated,
            "asOf": moment_text(self.as_of),
        }
        return hashlib.sha256(self.salt + canonical(content)).hexdigest()

    @property
    def stamp(self) -> DataStamp:
        """What a tree holds of these rows."""
        return DataStamp(self.digest, self.as_of)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Where two sides of a merge do not go together. `path` is dotted, and empty for the component as a whole.

    `key` is a digest of everything else here: a resolution of other values than these fits no more.
    """

    key: str
    kind: ConflictKind
    component_key: str
    path: str
    base: object
    ours: object
    theirs: object


@dataclass(frozen=True, slots=True)
class Resolution:
    """How a conflict was decided; `value` counts only where the side is VALUE."""

    conflict_key: str
    side: ConflictSide
    value: object = None


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """A wish to bring one canvas's changes into another.

    While it is undecided, the heads, `base_id` and `conflicts` follow both canvases; afterwards they stay.
    """

    id: UUID
    title: str
    source_id: UUID
    target_id: UUID
    author: Actor
    status: MergeRequestStatus
    created_at: datetime
    base_id: UUID
    source_head_id: UUID
    target_head_id: UUID
    conflicts: tuple[Conflict, ...] = ()
    resolutions: tuple[Resolution, ...] = ()
    merged_revision_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """What somebody decided about a merge request; it counts for the source's head that they saw."""

    id: UUID
    request_id: UUID
    author: Actor
    decision: ReviewDecision
    comment: str | None
    at: datetime
    source_head_id: UUID


def new_version(component: Component) -> Component:
    """Return a version of its own with the content of another."""
    return Component(
        new_id(),
        component.key,
        component.kind,
        component.title,
        component.order_key,
        component.layout,
        component.visualization,
        component.source,
        component.data,
    )
