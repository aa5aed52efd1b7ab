"""The edge of the canvas use cases, and of reading components' rows again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, TypeAlias, cast
from uuid import UUID

from domain import canvases
from domain.access import Permission
from domain.canvases import ComponentDataState, DataRows, Merged, OperationSource
from domain.errors import DomainError, Invalid
from domain.reading import Page, Request, Row, Selected
from resolvers.context import Context
from resolvers.guard import allow
from resolvers.performing import perform

MOST_KEYS: Final = 50
"""How many components' rows one field reads."""

_COLUMNS: Final = tuple(map(Selected, ("name", "label", "type")))
_DATA: Final = (*map(Selected, ("state", "as_of", "rows", "truncated")), Selected("columns", fields=_COLUMNS))
_SOURCE: Final = tuple(map(Selected, ("kind", "document_id", "variables")))
_FIELDS: Final = (Selected("key"), Selected("source", fields=_SOURCE), Selected("data", fields=_DATA))

KeyedRows: TypeAlias = tuple[str, Row | DataRows]
"""A component's key, and its rows: those that are kept, as they are stored, or those that were read again."""


@allow(Permission.CANVAS_WRITE)
async def canvas_create(context: Context, command: canvases.CanvasCreate, idempotency_key: str | None) -> UUID:
    """Make a canvas."""
    return await perform(context, canvases.create, command, idempotency_key)


@allow(Permission.CANVAS_WRITE)
async def canvas_update(context: Context, command: canvases.CanvasUpdate) -> UUID:
    """Rename a canvas, or archive it."""
    return await perform(context, canvases.update, command)


@allow(Permission.CANVAS_WRITE)
async def canvas_commit(context: Context, command: canvases.CanvasCommit, idempotency_key: str | None) -> UUID:
    """Change components."""
    return await perform(context, canvases.committer(context.sources), command, idempotency_key)


@allow(Permission.CANVAS_WRITE)
async def canvas_rollback(context: Context, command: canvases.CanvasRollback, idempotency_key: str | None) -> UUID:
    """Go back to an earlier revision's components."""
    return await perform(context, canvases.rollback, command, idempotency_key)


@allow(Permission.CANVAS_WRITE)
async def canvas_fork(context: Context, command: canvases.CanvasFork, idempotency_key: str | None) -> UUID:
    """Branch off a canvas."""
    return await perform(context, canvases.fork, command, idempotency_key)


@allow(Permission.CANVAS_WRITE)
async def canvas_share(context: Context, command: canvases.CanvasShare) -> UUID:
    """Share a canvas."""
    return await perform(context, canvases.share, command)


@allow(Permission.CANVAS_WRITE)
async def canvas_unshare(context: Context, command: canvases.CanvasUnshare) -> UUID:
    """Take a share back."""
    return await perform(context, canvases.unshare, command)


@allow(Permission.CANVAS_WRITE)
async def merge_request_open(context: Context, command: canvases.MergeRequestOpen, idempotency_key: str | None) -> UUID:
    """Ask for a merge."""
    return await perform(context, canvases.open_request, command, idempotency_key)


@allow(Permission.CANVAS_WRITE)
async def merge_request_review(context: Context, command: canvases.MergeRequestReview) -> UUID:
    """Review a merge request."""
    return await perform(context, canvases.review, command)


@allow(Permission.CANVAS_WRITE)
async def merge_request_merge(
    context: Context, command: canvases.MergeRequestMerge, idempotency_key: str | None
) -> Merged:
    """Merge."""
    return await perform(context, canvases.merger(context.sources), command, idempotency_key)


@allow(Permission.CANVAS_READ)
async def component_data(context: Context, revision_id: UUID, keys: Sequence[str]) -> list[KeyedRows]:
    """Read the rows of components: the kept ones where the caller may see them all, else what the document answers now.

    Components without a source, and keys of none, are left out. Where the caller may not run a document, or it fits no
    more, what is stored says why there are no rows. Raises Invalid for too many keys.
    """
    if len(keys) > MOST_KEYS:
        raise Invalid(f"`keys` takes at most {MOST_KEYS}; {len(keys)} were sent.", field="keys")
    page = Page(filter=(("keys", tuple(keys)),), whole=True)
    request = Request("canvas_components", _FIELDS, ("canvas_revisions", "components"), page)
    [found] = await context.reads.pages(context.caller, request, [str(revision_id)])
    rows = [row for row in found.rows if row["data"] is not None]
    return list(await asyncio.gather(*(_rows(context, row) for row in rows)))


async def _rows(context: Context, row: Row) -> KeyedRows:
    key, kept, source = str(row["key"]), cast("Row", row["data"]), cast("Row", row["source"])
    if kept["state"] == ComponentDataState.READY.name:
        return key, kept
    wanted = OperationSource(str(source["document_id"]), cast("dict[str, object]", source["variables"]))
    try:
        return key, await context.sources.read(context.caller, wanted, "keys")
    except DomainError:
        return key, kept
