"""Who sees a canvas, and what a viewer may do with it.

A broker sees the canvases that one of their members owns and those that are shared with them. Who asks to have a canvas
merged into another shows it to whoever sees that other. What hangs on a canvas is seen with it.
"""

from __future__ import annotations

from typing import Final

from db.reading.source import Predicate
from db.reading.writer import Alias, Writer
from domain.access import Caller
from domain.canvases.records import ALL_ROWS, RANKS


def _own(w: Writer, canvas: Alias) -> str:
    share = w.alias("canvas_shares")
    return (
        f"({canvas.owner_id} = any({w.members}) or exists (select from canvas_shares {share.name}"
        f" where {share.tenant_id} = {w.tenant} and {share.canvas_id} = {canvas.id} and {share.user_id} = {w.viewer}))"
    )


def _requested(w: Writer, column: str, value: str) -> str:
    """Write that a merge request into a canvas of the caller's own has this value."""
    request, target = w.alias("merge_requests"), w.alias("canvases")
    return (
        f"exists (select from merge_requests {request.name} join canvases {target.name}"
        f" on {target.tenant_id} = {w.tenant} and {target.id} = {request.target_id}"
        f" where {request.tenant_id} = {w.tenant} and {request.column(column)} = {value} and {_own(w, target)})"
    )


def visible_canvas(w: Writer, t: Alias) -> str | None:
    """Write that the caller sees canvas `t`."""
    if w.unrestricted:
        return None
    return f"{_own(w, t)} or {_requested(w, 'source_id', t.id)}"


def access_of_viewer(w: Writer, t: Alias) -> str:
    """Write what the caller may do with canvas `t`, as `domain.canvases.access_of` decides it."""
    if w.unrestricted:
        return "'EDIT'"
    share = w.alias("canvas_shares")
    given = (
        f"select {share.access} from canvas_shares {share.name} where {share.tenant_id} = {w.tenant}"
        f" and {share.canvas_id} = {t.id} and {share.user_id} = {w.viewer}"
    )
    team = f"case when {t.owner_id} = any({w.members}) then 'COMMENT' else 'VIEW' end"
    return f"case when {t.owner_id} = {w.viewer} then 'EDIT' else coalesce(nullif(({given}), 'VIEW'), {team}) end"


def _of_visible_canvas(w: Writer, t: Alias) -> str | None:
    canvas = w.alias("canvases")
    rule = visible_canvas(w, canvas)
    if rule is None:
        return None
    return (
        # With an offset it stays a question about one canvas: joined, it would walk through all that the caller sees.
        f"exists (select from canvases {canvas.name} where {canvas.tenant_id} = {w.tenant}"
        f" and {canvas.id} = {t.canvas_id} and ({rule}) offset 0)"
    )


of_visible_canvas: Final[Predicate] = _of_visible_canvas


def visible_revision(w: Writer, t: Alias) -> str | None:
    """Write that the caller sees revision `t`: with its canvas, or as the base of a merge request that they see."""
    rule = _of_visible_canvas(w, t)
    return None if rule is None else f"{rule} or {_requested(w, 'base_id', t.id)}"


def visible_request(w: Writer, t: Alias) -> str | None:
    """Write that the caller sees merge request `t`: its target is their own."""
    if w.unrestricted:
        return None
    target = w.alias("canvases")
    return (
        f"exists (select from canvases {target.name} where {target.tenant_id} = {w.tenant}"
        f" and {target.id} = {t.target_id} and {_own(w, target)})"
    )


def of_visible_request(w: Writer, t: Alias) -> str | None:
    """Write that the caller sees the merge request of review `t`."""
    request = w.alias("merge_requests")
    rule = visible_request(w, request)
    if rule is None:
        return None
    return (
        f"exists (select from merge_requests {request.name} where {request.tenant_id} = {w.tenant}"
        f" and {request.id} = {t.merge_request_id} and ({rule}))"
    )


def open_rows(w: Writer, data: Alias) -> str:
    """Write that the caller may see all that was read in the scope of `data`, as `Scope.is_open_to` decides it."""
    caller: Caller = w.caller
    lesser = ", ".join(f"'{role.name}'" for role in RANKS[: RANKS.index(caller.role) + 1])
    no_less = f"{data.author_role} in ({lesser})"
    if caller.role in ALL_ROWS and caller.user_id is not None:
        return no_less
    return (
        f"{no_less} and {data.author_noun} = '{caller.actor.noun}' and {data.author_id} = {w.viewer}"
        f" and {data.author_members} <@ {w.members}"
    )
