"""What is done with canvases: make, rename, archive and share them, commit to them, roll them back and fork them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from domain.audit import AuditAction, Change
from domain.canvases.advancing import (
    LONGEST_MESSAGE,
    LONGEST_TITLE,
    advance,
    checked_text,
    read_rows,
    revision_payload,
)
from domain.canvases.changes import drafted, versioned, with_rows
from domain.canvases.history import sealed
from domain.canvases.kinds import CanvasAccess, RevisionKind
from domain.canvases.planning import close_requests
from domain.canvases.records import Canvas, Revision, Tree
from domain.canvases.refusals import CanvasArchived, CanvasHeadMoved, CanvasUserNotActive, NothingChanged
from domain.canvases.rules import check_access, check_changing, check_managing
from domain.canvases.store import (
    CanvasCommit,
    CanvasCreate,
    CanvasFork,
    CanvasRollback,
    CanvasShare,
    CanvasUnshare,
    CanvasUpdate,
    SourceReader,
)
from domain.canvases.trees import copied
from domain.errors import Invalid, Issue, NotFound
from domain.values import given, new_id

if TYPE_CHECKING:
    from domain.unit import Unit


async def create(unit: Unit, command: CanvasCreate) -> UUID:
    """Make an empty canvas of the caller's own; raises NotAUser for an API key."""
    owner_id = unit.caller.as_user()
    title = checked_text(command.title, "title", LONGEST_TITLE)
    canvas_id = new_id()
    first = sealed(
        RevisionKind.COMMIT,
        canvas_id=canvas_id,
        parents=(),
        tree={},
        author=unit.caller.actor,
        message=None,
        at=unit.now,
    )
    await unit.canvases.add(Canvas(canvas_id, title, owner_id, first.id), first, {}, unit.now)
    unit.record(
        Change(AuditAction.CREATE, "CanvasCreated", "canvases", canvas_id, ("title",), payload=revision_payload(first))
    )
    return canvas_id


async def update(unit: Unit, command: CanvasUpdate) -> UUID:
    """Rename a canvas, archive it or take it out of the archive. What is as it was is neither written nor recorded.

    Raises Invalid, NotFound, CanvasNotYours, or CanvasArchived where an archived canvas is renamed and stays so.
    """
    wanted = {"title": command.title, "archived": command.archived}
    if missing := [
        Issue(name, f"A canvas has {name}: leave it out to keep it.") for name in wanted if wanted[name] is None
    ]:
        raise Invalid(issues=tuple(missing))
    canvas = await unit.canvases.get_for_update(command.canvas_id, "canvasId")
    check_access(unit.caller, canvas, CanvasAccess.EDIT, "canvasId")
    was_archived = canvas.archived_at is not None
    archived = bool(given(command.archived, was_archived))
    title = canvas.title if not isinstance(command.title, str) else checked_text(command.title, "title", LONGEST_TITLE)
    if archived and was_archived and title != canvas.title:
        raise CanvasArchived(field="canvasId")
    if archived is not was_archived:
        check_managing(unit.caller, canvas, "archived")
    if title == canvas.title and archived is was_archived:
        return canvas.id
    archived_at = (canvas.archived_at or unit.now) if archived else None
    await unit.canvases.save(replace(canvas, title=title, archived_at=archived_at), unit.now)
    if title != canvas.title:
        unit.record(Change(AuditAction.UPDATE, "CanvasRenamed", "canvases", canvas.id, ("title",)))
    if archived is not was_archived:
        action, event = (AuditAction.ARCHIVE, "CanvasArchived") if archived else (AuditAction.UPDATE, "CanvasRestored")
        unit.record(Change(action, event, "canvases", canvas.id, ("archivedAt",)))
        if archived:
            await close_requests(unit, canvas.id)
    return canvas.id


def committer(reader: SourceReader) -> Callable[[Unit, CanvasCommit], Awaitable[UUID]]:
    """Return the use case that reads components' rows through `reader`."""

    async def commit(unit: Unit, command: CanvasCommit) -> UUID:
        """Change components, all or none; return the new head.

        Raises Invalid with everything that is wrong, CanvasHeadMoved, CanvasNotYours, CanvasArchived, NothingChanged,
        and what the reader raises.
        """
        message = checked_text(command.message, "message", LONGEST_MESSAGE)
        canvas, head, before = await _at_head(unit, command.canvas_id, command.expected_head_id)
        draft = drafted(before, command.changes)
        rows = await read_rows(unit, reader, draft.unread.values())
        stamps = {key: each.stamp for key, each in rows.items()}
        tree = versioned(before, with_rows(draft.tree, stamps))
        if all(tree.get(key) is before.get(key) for key in {*before, *tree}):
            raise NothingChanged(field="changes")
        revision = await advance(
            unit, canvas, RevisionKind.COMMIT, [(head, before)], tree=tree, message=message, rows=list(rows.values())
        )
        return revision.id

    return commit


async def rollback(unit: Unit, command: CanvasRollback) -> UUID:
    """Make a new head with the components of an earlier revision of the canvas; return it.

    Raises NotFound, CanvasHeadMoved, CanvasNotYours, CanvasArchived or NothingChanged.
    """
    canvas, head, before = await _at_head(unit, command.canvas_id, command.expected_head_id)
    wanted = await unit.canvases.revision(command.revision_id)
    if wanted.canvas_id != canvas.id:
        raise NotFound(field="revisionId")
    if wanted.tree_hash == head.tree_hash:
        raise NothingChanged(field="revisionId")
    tree = await unit.canvases.tree(wanted.id)
    message = f"Back to revision {wanted.number}"
    revision = await advance(unit, canvas, RevisionKind.ROLLBACK, [(head, before)], tree=tree, message=message)
    return revision.id


async def fork(unit: Unit, command: CanvasFork) -> UUID:
    """Branch off a canvas that the caller sees: a canvas of their own, whose history goes on from the head.

    The copy has the components, and what the author's rows are known by; who may see those rows does not change.
    """
    owner_id = unit.caller.as_user()
    canvas = await unit.canvases.get_for_update(command.canvas_id, "canvasId")
    title = canvas.title if command.title is None else checked_text(command.title, "title", LONGEST_TITLE)
    head = await unit.canvases.revision(canvas.head_id)
    before = await unit.canvases.tree(head.id)
    canvas_id, tree = new_id(), copied(before)
    first = sealed(
        RevisionKind.FORK,
        canvas_id=canvas_id,
        parents=[(head, before)],
        tree=tree,
        author=unit.caller.actor,
        message=f"Forked from revision {head.number}",
        at=unit.now,
    )
    await unit.canvases.add(Canvas(canvas_id, title, owner_id, first.id, canvas.id), first, tree, unit.now)
    payload = (("forkedFromId", str(canvas.id)), *revision_payload(first))
    unit.record(Change(AuditAction.CREATE, "CanvasForked", "canvases", canvas_id, ("title",), payload=payload))
    return canvas_id


async def share(unit: Unit, command: CanvasShare) -> UUID:
    """Say what somebody may do with a canvas. Said again, nothing happens.

    Raises NotFound, CanvasNotYours, CanvasUserNotActive, or Invalid for its owner.
    """
    canvas = await unit.canvases.get_for_update(command.canvas_id, "canvasId")
    check_managing(unit.caller, canvas, "canvasId")
    if command.user_id == canvas.owner_id:
        raise Invalid("The canvas is theirs.", field="userId")
    if not await unit.canvases.is_active(command.user_id, "userId"):
        raise CanvasUserNotActive(field="userId")
    before = await unit.canvases.share(canvas.id, command.user_id, command.access, unit.now)
    if before is not command.access:
        payload = (("userId", str(command.user_id)), ("access", command.access.name))
        unit.record(Change(AuditAction.GRANT, "CanvasShared", "canvases", canvas.id, ("shares",), payload=payload))
    return canvas.id


async def unshare(unit: Unit, command: CanvasUnshare) -> UUID:
    """Take back what somebody was given, or give up what the caller was given. Where there is nothing, nothing happens.

    Raises NotFound or CanvasNotYours.
    """
    canvas = await unit.canvases.get_for_update(command.canvas_id, "canvasId")
    if command.user_id != unit.caller.user_id:
        check_managing(unit.caller, canvas, "canvasId")
    if await unit.canvases.unshare(canvas.id, command.user_id):
        payload = (("userId", str(command.user_id)),)
        unit.record(Change(AuditAction.WITHDRAW, "CanvasUnshared", "canvases", canvas.id, ("shares",), payload=payload))
    return canvas.id


async def _at_head(unit: Unit, canvas_id: UUID, expected_head_id: UUID) -> tuple[Canvas, Revision, Tree]:
    """Return a canvas that the caller may change, locked, with the head that they know; raises CanvasHeadMoved."""
    canvas = await unit.canvases.get_for_update(canvas_id, "canvasId")
    check_changing(unit.caller, canvas, "canvasId")
    if canvas.head_id != expected_head_id:
        raise CanvasHeadMoved(canvas.head_id)
    head = await unit.canvases.revision(canvas.head_id)
    return canvas, head, await unit.canvases.tree(head.id)
