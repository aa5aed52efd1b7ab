"""How canvases, their revisions, components and merge requests are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from db.canvases.tables import (
    canvas_components,
    canvas_revisions,
    canvases,
    merge_request_reviews,
    merge_requests,
)
from db.canvases.visibility import (
    access_of_viewer,
    of_visible_canvas,
    of_visible_request,
    open_rows,
    visible_canvas,
    visible_request,
    visible_revision,
)
from db.reading.conditions import contains
from db.reading.events import event
from db.reading.fields import boolean, document, enum, integer, text, time, value
from db.reading.source import Computed, Filter, Link, Ordering, Reference, Through, source
from db.reading.writer import Alias, Writer
from domain.canvases.kinds import CANVAS_EVENTS
from domain.canvases.trees import MOST_COMPONENTS


def _shares(w: Writer, t: Alias, _arguments: Mapping[str, object]) -> str:
    share = w.alias("canvas_shares")
    return (
        f"select {share.user_id}, {share.access} from canvas_shares {share.name}"
        f" where {share.tenant_id} = {w.tenant} and {share.canvas_id} = {t.id}"
        f" order by {share.created_at}, {share.user_id}"
    )


CANVAS_SHARE: Final = value({"access": enum("access"), "user": Link("users", local="user_id")}, rows=_shares, many=True)


def _shared_with_viewer(w: Writer, t: Alias, wanted: str) -> str:
    share = w.alias("canvas_shares")
    return (
        f"exists (select from canvas_shares {share.name} where {share.tenant_id} = {w.tenant}"
        f" and {share.canvas_id} = {t.id} and {share.user_id} = {w.viewer}) = {wanted}"
    )


CANVASES = source(
    "canvases",
    canvases,
    prefix="canvas",
    visible=visible_canvas,
    default_order=("CREATED_AT", True),
    columns={
        "title": text("title"),
        "viewer_access": enum(Computed(access_of_viewer)),
        "created_at": time("created_at"),
        "updated_at": time("updated_at"),
        "archived_at": time("archived_at", null=True),
        "shares": CANVAS_SHARE,
    },
    links={
        "owner": Link("users", local="owner_id"),
        "head": Link("canvas_revisions", local="head_id"),
        "forked_from": Link("canvases", local="forked_from_id"),
        "revisions": Link("canvas_revisions", remote="canvas_id"),
    },
    orders={
        "CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz"),
        "UPDATED_AT": Ordering(lambda t: t.updated_at, "timestamptz"),
    },
    filters={
        "owner_ids": Filter("uuid[]", lambda _w, t, wanted: f"{t.owner_id} = any({wanted})"),
        "shared_with_me": Filter("boolean", _shared_with_viewer),
        "archived": Filter("boolean", lambda _w, t, wanted: f"({t.archived_at} is not null) = {wanted}"),
        "search": Filter("text", lambda _w, t, wanted: contains(f"lower({t.title})", wanted)),
    },
)


def _of_revision(w: Writer, t: Alias, revision: str) -> str:
    """Write that version `t` is placed in a revision: as an array, so that its versions are found by their index."""
    of, placed = w.alias("canvas_revisions"), w.alias("canvas_placements")
    return (
        f"{t.id} = any(array(select {placed.component_id} from canvas_revisions {of.name}"
        f" join canvas_placements {placed.name} on {placed.tenant_id} = {w.tenant}"
        f" and {placed.canvas_id} = {of.canvas_id} and {placed.until_number} > {of.number}"
        f" and {placed.from_number} <= {of.number}"
        f" where {of.tenant_id} = {w.tenant} and {of.id} = {revision}))"
    )


def _position(w: Writer, t: Alias, revision: str) -> str:
    """Write which parent of a revision `t` is: the head that it follows comes first."""
    parent = w.alias("canvas_revision_parents")
    return (
        f"(select {parent.position} from canvas_revision_parents {parent.name} where {parent.tenant_id} = {w.tenant}"
        f" and {parent.revision_id} = {revision} and {parent.parent_id} = {t.id})"
    )


def _changes(_w: Writer, t: Alias, _arguments: Mapping[str, object]) -> str:
    return f"select * from json_to_recordset({t.changes}) as c(kind text, component_key text, path text)"


CANVAS_CHANGE: Final = value(
    {"kind": enum("kind"), "component_key": text("component_key"), "path": text("path", null=True)},
    rows=_changes,
    many=True,
)

CANVAS_REVISIONS = source(
    "canvas_revisions",
    canvas_revisions,
    prefix="canvasrevision",
    visible=visible_revision,
    default_order=("CREATED_AT", True),
    columns={
        "number": integer("number"),
        "kind": enum("kind"),
        "message": text("message", null=True),
        "created_at": time("created_at"),
        "hash": enum(lambda t: f"encode({t.hash}, 'hex')"),
        "changes": CANVAS_CHANGE,
    },
    links={
        "canvas": Link("canvases", local="canvas_id"),
        "author": Reference("author_noun", "author_id"),
        "parents": Link(
            "canvas_revisions",
            remote=Through("canvas_revision_parents", "revision_id", "parent_id"),
            sort=_position,
        ),
        "components": Link("canvas_components", remote=_of_revision, most=MOST_COMPONENTS),
    },
    # Within a canvas, the order of the numbers is the order of time, whatever the clocks said.
    orders={"CREATED_AT": Ordering(lambda t: t.number, "integer")},
)


def _columns(_w: Writer, t: Alias, _arguments: Mapping[str, object]) -> str:
    return f"select * from json_to_recordset({t.columns}) as c(name text, label text, type text)"


DATA_COLUMN: Final = value(
    {"name": text(lambda t: t.column("name")), "label": text("label"), "type": enum("type")}, rows=_columns, many=True
)


def _data(w: Writer, t: Alias, _arguments: Mapping[str, object]) -> str:
    """Read the rows that are kept, for those only who may see all of them: the others run the document themselves.

    So does everybody where a document has never been run, as for a canvas that was imported.
    """
    data = w.alias("canvas_data")
    return (
        "select case when d.open is not true then 'RERUN' when d.rows is null then 'ERASED' else 'READY' end as state,"
        " d.as_of, coalesce(d.columns, '[]') as columns, case when d.open then d.rows end as shown,"
        f" coalesce(d.open and d.truncated, false) as truncated from (select) one left join (select {data.name}.*,"
        f" ({open_rows(w, data)}) as open from canvas_data {data.name} where {data.tenant_id} = {w.tenant}"
        f" and {data.digest} = {t.data_digest}) d on true where {t.source_document_id} is not null"
    )


COMPONENT_DATA: Final = value(
    {
        "state": enum("state"),
        "as_of": time("as_of", null=True),
        "columns": DATA_COLUMN,
        "rows": document("shown", null=True),
        "truncated": boolean("truncated"),
    },
    rows=_data,
)

LAYOUT: Final = value({name: integer(name) for name in ("x", "y", "width", "height")})

COMPONENT_SOURCE: Final = value(
    {
        "kind": enum(lambda _t: "'OPERATION'::text"),
        "label": text(lambda _t: "null::text", null=True),
        "document_id": text("source_document_id"),
        "variables": document("source_variables"),
    },
    null=lambda t: f"{t.source_document_id} is null",
)

CANVAS_COMPONENTS = source(
    "canvas_components",
    canvas_components,
    prefix="canvascomponent",
    visible=of_visible_canvas,
    default_order=("ORDER_KEY", False),
    columns={
        "key": text("key"),
        "kind": enum("kind"),
        "title": text("title", null=True),
        "order_key": text("order_key"),
        "layout": LAYOUT,
        "visualization": document("visualization", null=True),
        "source": COMPONENT_SOURCE,
        "data": COMPONENT_DATA,
    },
    # The key breaks ties; a space comes before whatever an order key is made of.
    orders={"ORDER_KEY": Ordering(lambda t: f"({t.order_key} || ' ' || {t.key}) collate \"C\"", "text")},
    filters={"keys": Filter("text[]", lambda _w, t, wanted: f"{t.key} = any({wanted})")},
)


def _conflicts(_w: Writer, t: Alias, _arguments: Mapping[str, object]) -> str:
    columns = "key text, component_key text, kind text, path text, base json, ours json, theirs json"
    return f"select * from json_to_recordset({t.conflicts}) as c({columns})"


MERGE_CONFLICT: Final = value(
    {
        "key": text("key"),
        "component_key": text("component_key"),
        "kind": enum("kind"),
        "path": text("path"),
        "base": document("base", null=True),
        "ours": document("ours", null=True),
        "theirs": document("theirs", null=True),
    },
    rows=_conflicts,
    many=True,
)

MERGE_REQUESTS = source(
    "merge_requests",
    merge_requests,
    prefix="mergerequest",
    visible=visible_request,
    default_order=("CREATED_AT", True),
    columns={
        "title": text("title"),
        "status": enum("status"),
        "created_at": time("created_at"),
        "conflicts": MERGE_CONFLICT,
    },
    links={
        "author": Reference("author_noun", "author_id"),
        "source": Link("canvases", local="source_id"),
        "target": Link("canvases", local="target_id"),
        "base": Link("canvas_revisions", local="base_id"),
        "revision": Link("canvas_revisions", local="merged_revision_id"),
        "reviews": Link("merge_request_reviews", remote="merge_request_id"),
    },
    orders={"CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz")},
    filters={
        "canvas_id": Filter("uuid", lambda _w, t, wanted: f"({t.source_id} = {wanted} or {t.target_id} = {wanted})"),
        "statuses": Filter("text[]", lambda _w, t, wanted: f"{t.status} = any({wanted})"),
    },
)

MERGE_REQUEST_REVIEWS = source(
    "merge_request_reviews",
    merge_request_reviews,
    prefix="mergerequestreview",
    visible=of_visible_request,
    default_order=("CREATED_AT", True),
    columns={"decision": enum("decision"), "comment": text("comment", null=True), "at": time("at")},
    links={"author": Reference("author_noun", "author_id")},
    orders={"CREATED_AT": Ordering(lambda t: t.at, "timestamptz")},
)

_KINDS: Final = " ".join(f"when '{name}' then '{kind.name}'" for name, kind in CANVAS_EVENTS.items())


def _canvas(w: Writer, t: Alias) -> str:
    """Write the canvas of an event: of a merge request its target, and null where the caller does not see that."""
    request = w.alias("merge_requests")
    rule = visible_request(w, request)
    return (
        f"case {t.subject_noun} when 'canvases' then {t.subject_id} else (select {request.target_id}"
        f" from merge_requests {request.name} where {request.tenant_id} = {w.tenant}"
        f" and {request.id} = {t.subject_id}{f' and ({rule})' if rule is not None else ''}) end"
    )


CANVAS_UPDATES = event(
    {
        "kind": enum(lambda t: f"case {t.kind} {_KINDS} end"),
        "canvas": Link("canvases", _canvas),
        "revision": Link("canvas_revisions", lambda _w, t: f"({t.payload} ->> 'revisionId')::uuid"),
        "merge_request": Link(
            "merge_requests", lambda _w, t: f"case {t.subject_noun} when 'merge_requests' then {t.subject_id} end"
        ),
    }
)
