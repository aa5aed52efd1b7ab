"""How uploads are read: whoever announced one sees it, and nobody else, since its address takes bytes."""

from __future__ import annotations

from db.assets.tables import uploads
from db.reading.fields import enum, integer, text, time, value
from db.reading.signing import upload_address
from db.reading.source import Computed, Ordering, source
from db.reading.writer import Alias, Writer


def _own(w: Writer, t: Alias) -> str:
    return f"{t.created_by_id} = {w.viewer}"


UPLOADS = source(
    "uploads",
    uploads,
    prefix="upload",
    visible=_own,
    default_order=("CREATED_AT", True),
    columns={
        "purpose": enum("purpose"),
        "content_type": text("content_type"),
        "url": text(Computed(upload_address)),
        "headers": value(
            {"name": text("header"), "value": text("value")},
            rows=lambda _w, t, _arguments: f"select 'content-type' as header, {t.content_type} as value",
            many=True,
        ),
        "bytes": integer("bytes"),
        "state": enum("state"),
        "expires_at": time("expires_at"),
        "created_at": time("created_at"),
    },
    orders={"CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz")},
)
