"""A board of the sales floor with its history, a junior's fork of it, and a merge request that has a conflict.

Its documents are the ones that ship. They are run by `app.demo.filling`, once there is something that they can read.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from app.demo.chance import generator, identifier
from app.demo.rows import Batch
from app.demo.team import Firm, TenantPlan, User
from db.canvases.rows import component_row, request_row, revision_row
from db.canvases.tables import NOT_ENDED
from domain.access import Actor, Role
from domain.canvases import (
    CanvasAccess,
    Component,
    ComponentKind,
    Layout,
    MergeRequest,
    MergeRequestStatus,
    OperationSource,
    ReviewDecision,
    Revision,
    RevisionKind,
)
from domain.canvases.history import revision_hash
from domain.canvases.merging import merged
from domain.canvases.trees import changes_between, tree_hash
from graph.persisted import shipped

_BOARD_AGE: Final = timedelta(days=9)
_NOTE: Final = "note"
_WORDS: Final = "Calls before eleven. Visits in the afternoon."
_THEIRS: Final = "Calls before ten. Visits in the afternoon."
_OURS: Final = "Calls before eleven. Visits after four, when the light is good."


@dataclass(slots=True)
class _Canvas:
    """A canvas being told: its revisions and what it has now."""

    id: UUID
    title: str
    owner: User
    random: Random
    at: datetime
    revisions: list[tuple[Revision, dict[str, Component]]] = field(default_factory=list)

    @property
    def head(self) -> tuple[Revision, dict[str, Component]]:
        return self.revisions[-1]


def board_id(plan: TenantPlan, now: datetime) -> UUID:
    """Return the id that a tenant's board gets with that reference instant."""
    return identifier(generator(plan.slug, "board"), now - _BOARD_AGE)


def write_canvases(batch: Batch, firm: Firm, now: datetime) -> None:
    """Write the board, its fork and the request to merge it."""
    senior, junior = firm.user(Role.SENIOR_BROKER), firm.user(Role.JUNIOR_BROKER)
    random = generator(firm.plan.slug, "canvases")
    start, forked_at = now - _BOARD_AGE, now - timedelta(days=3)
    board = _Canvas(board_id(firm.plan, now), "Sales floor", senior, random, start)
    _advance(board, senior, None, {}, start)
    _advance(board, senior, "The first board", _components(random, start), start)
    fork = _Canvas(identifier(random, forked_at), "Sales floor, my way", junior, random, forked_at)
    _fork(fork, board, junior)
    _write_note(fork, junior, _THEIRS, "Start earlier", now - timedelta(days=2))
    _write_note(board, senior, _OURS, "Visits after four", now - timedelta(days=1))
    _write(batch, board, None)
    _write(batch, fork, board.id)
    batch.add(
        "canvas_shares", canvas_id=board.id, user_id=junior.id, access=CanvasAccess.COMMENT.name,
        created_at=start + timedelta(hours=1),
    )  # fmt: skip
    _write_request(batch, board, fork, now)


def _components(random: Random, at: datetime) -> dict[str, Component]:
    documents = {each.name: each.document_id for each in shipped()}
    leads = OperationSource(documents["LeadBoard"], {"first": 100})
    sources = OperationSource(documents["LeadDemographics"], {"currency": "INR"})
    chart = {
        "mark": "bar",
        "encoding": {
            "x": {"field": "key", "type": "nominal", "title": "Source"},
            "y": {"field": "count", "type": "quantitative", "title": "Leads"},
        },
    }
    stages = {"stage": "stage", "title": "personFullName", "value": "budget"}
    count = {"value": {"field": "id", "aggregate": "count"}, "format": "number"}
    mean = {"value": {"field": "personLatestQdScore", "aggregate": "mean"}, "format": "number", "better": "higher"}
    told: Sequence[tuple[str, ComponentKind, str, Layout, Mapping[str, object] | None, OperationSource | None]] = (
        ("leads", ComponentKind.KPI_TILE, "Newest leads", Layout(0, 0, 12, 4), count, leads),
        ("qd", ComponentKind.KPI_TILE, "Their mean QD", Layout(12, 0, 12, 4), mean, leads),
        ("sources", ComponentKind.BAR, "Where leads come from", Layout(0, 4, 24, 10), chart, sources),
        ("tasks", ComponentKind.TABLE, "Tasks", Layout(24, 0, 24, 14), None,
         OperationSource(documents["Tasks"], {"first": 20})),
        ("stages", ComponentKind.PIPELINE_BOARD, "Pipeline", Layout(0, 14, 48, 12), stages, leads),
        (_NOTE, ComponentKind.TEXT, "This week", Layout(0, 26, 48, 3), {"markdown": _WORDS}, None),
    )  # fmt: skip
    return {
        key: Component(identifier(random, at), key, kind, title, f"a{place}", layout, visualization, source)
        for place, (key, kind, title, layout, visualization, source) in enumerate(told)
    }


def _advance(
    canvas: _Canvas, author: User, message: str | None, tree: dict[str, Component], at: datetime, *,
    forked: Revision | None = None,
) -> None:  # fmt: skip
    """Seal the next revision, with ids that are the same whenever the demo is made."""
    before = canvas.revisions[-1] if canvas.revisions else None
    followed = forked or (before[0] if before else None)
    revision = Revision(
        id=identifier(canvas.random, at),
        canvas_id=canvas.id,
        number=len(canvas.revisions) + 1,
        kind=RevisionKind.FORK if forked else RevisionKind.COMMIT,
        parent_ids=() if followed is None else (followed.id,),
        author=Actor("users", author.id),
        message=message,
        created_at=at,
        tree_hash=tree_hash(tree),
        hash=b"",
        changes=changes_between(before[1], tree) if before else (),
    )
    sealed = replace(revision, hash=revision_hash(revision, [followed.hash] if followed else []))
    canvas.revisions.append((sealed, tree))


def _fork(fork: _Canvas, board: _Canvas, author: User) -> None:
    head, tree = board.head
    copied = {key: replace(each, id=identifier(fork.random, fork.at)) for key, each in tree.items()}
    message = f"Forked from revision {head.number}"
    _advance(fork, author, message, copied, fork.at, forked=head)


def _write_note(canvas: _Canvas, author: User, words: str, message: str, at: datetime) -> None:
    _, tree = canvas.head
    note = replace(tree[_NOTE], id=identifier(canvas.random, at), visualization={"markdown": words})
    _advance(canvas, author, message, {**tree, _NOTE: note}, at)


def _write(batch: Batch, canvas: _Canvas, forked_from_id: UUID | None) -> None:
    head, _ = canvas.head
    batch.add(
        "canvases", id=canvas.id, title=canvas.title, owner_id=canvas.owner.id, head_id=head.id,
        forked_from_id=forked_from_id, created_at=canvas.at, updated_at=head.created_at,
    )  # fmt: skip
    known: set[UUID] = set()
    for revision, tree in canvas.revisions:
        _write_revision(batch, revision)
        for component in tree.values():
            if component.id not in known:
                known.add(component.id)
                _write_component(batch, revision, component)
                _place(batch, canvas, revision, component)


def _write_revision(batch: Batch, revision: Revision) -> None:
    batch.add("canvas_revisions", **_printed(revision_row(revision)))
    for position, parent_id in enumerate(revision.parent_ids):
        batch.add("canvas_revision_parents", revision_id=revision.id, position=position, parent_id=parent_id)


def _write_component(batch: Batch, revision: Revision, component: Component) -> None:
    row = component_row(component)
    batch.add("canvas_components", canvas_id=revision.canvas_id, created_at=revision.created_at, **_printed(row))


def _place(batch: Batch, canvas: _Canvas, revision: Revision, component: Component) -> None:
    later = (each for each, tree in canvas.revisions if each.number > revision.number and _gone(tree, component))
    batch.add(
        "canvas_placements", canvas_id=revision.canvas_id, component_key=component.key, from_number=revision.number,
        until_number=next((each.number for each in later), NOT_ENDED), component_id=component.id,
    )  # fmt: skip


def _gone(tree: Mapping[str, Component], component: Component) -> bool:
    return component.key not in tree or tree[component.key].id != component.id


def _write_request(batch: Batch, board: _Canvas, fork: _Canvas, now: datetime) -> None:
    (target, ours), (source, theirs) = board.head, fork.head
    base, before = board.revisions[1]
    at = now - timedelta(hours=20)
    request = MergeRequest(
        identifier(board.random, at), "Start earlier", fork.id, board.id, Actor("users", fork.owner.id),
        MergeRequestStatus.OPEN, at, base.id, source.id, target.id,
        tuple(merged([before], ours, theirs).conflicts),
    )  # fmt: skip
    batch.add(
        "merge_requests", id=request.id, source_id=request.source_id, target_id=request.target_id,
        title=request.title, author_noun=request.author.noun, author_id=request.author.id, created_at=at,
        updated_at=at, **_printed(request_row(request)),
    )  # fmt: skip
    batch.add(
        "merge_request_reviews", id=identifier(board.random, now), merge_request_id=request.id,
        decision=ReviewDecision.REQUEST_CHANGES.name, comment="Ten is too early for the coast.", author_noun="users",
        author_id=board.owner.id, at=now - timedelta(hours=18), source_head_id=source.id,
    )  # fmt: skip


def _printed(row: Mapping[str, object]) -> dict[str, object]:
    """Return a row as COPY takes it, with its JSON as text."""
    return {
        name: json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
        for name, value in row.items()
    }
