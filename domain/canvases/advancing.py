"""How a canvas gets a new head: rows are read, the revision is sealed and stored, and merge requests follow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from domain.audit import AuditAction, Change
from domain.canvases.changes import Unread
from domain.canvases.history import sealed
from domain.canvases.kinds import RevisionKind
from domain.canvases.planning import follow_head
from domain.canvases.records import Canvas, DataRows, MergeRequest, Revision, Tree
from domain.canvases.shapes import text
from domain.canvases.store import SourceReader
from domain.errors import Invalid

if TYPE_CHECKING:
    from domain.unit import Unit

LONGEST_TITLE: Final = 200
LONGEST_MESSAGE: Final = 2000
MOST_READ: Final = 100
"""How many documents one commit runs."""

EVENTS: Final = {
    RevisionKind.COMMIT: "CanvasCommitted",
    RevisionKind.ROLLBACK: "CanvasRolledBack",
    RevisionKind.MERGE: "CanvasMerged",
}


async def read_rows(unit: Unit, reader: SourceReader, unread: Iterable[Unread]) -> dict[str, DataRows]:
    """Run the documents that components name, as the caller; return the rows by the components' keys.

    Raises Invalid or NotAllowed, as the reader does.
    """
    wanted = list(unread)
    if len(wanted) > MOST_READ:
        raise Invalid(f"A commit reads the rows of at most {MOST_READ} components, not {len(wanted)}.", field="changes")
    if wanted:
        await unit.canvases.hold_off_erasures()
    return {each.key: await reader.read(unit.caller, each.source, each.field) for each in wanted}


async def advance(
    unit: Unit,
    canvas: Canvas,
    kind: RevisionKind,
    parents: Sequence[tuple[Revision, Tree]],
    *,
    tree: Tree,
    message: str,
    rows: Sequence[DataRows] = (),
    request: MergeRequest | None = None,
) -> Revision:
    """Store the next revision of a canvas, of which the first parent is the head, and tell of it.

    `request` is the merge request that it fulfils: it is stored with the revision, before the undecided ones follow.
    """
    revision = sealed(
        kind,
        canvas_id=canvas.id,
        parents=parents,
        tree=tree,
        author=unit.caller.actor,
        message=message,
        at=unit.now,
    )
    await unit.canvases.add_revision(revision, tree, rows)
    unit.record(
        Change(
            action=AuditAction.MERGE if kind is RevisionKind.MERGE else AuditAction.UPDATE,
            event=EVENTS[kind],
            noun="canvases",
            id=canvas.id,
            fields=("head",),
            payload=revision_payload(revision),
        )
    )
    if request is not None:
        await unit.canvases.save_request(replace(request, merged_revision_id=revision.id), unit.now)
    await follow_head(unit, canvas.id)
    return revision


def revision_payload(revision: Revision) -> tuple[tuple[str, str], ...]:
    """Return what followers of a canvas get told of a revision before they read it."""
    return (("revisionId", str(revision.id)), ("kind", revision.kind.name))


def checked_text(value: str, field: str, longest: int) -> str:
    """Return a text without the space around it; raises Invalid where it is empty, too long or cannot be kept."""
    if issues := tuple(text(longest)(value.strip(), field)):
        raise Invalid(issues=issues)
    return value.strip()
