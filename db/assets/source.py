"""How uploads and assets are read. Whoever announced an upload sees it, and nobody else: its address takes bytes."""

from __future__ import annotations

from db.assets.tables import assets, uploads
from db.reading.fields import enum, integer, text, time, value
from db.reading.signing import asset_address, upload_address
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


def _thumbnail(w: Writer, t: Alias) -> str:
    return f"case when {t.thumbnail_key} is not null then {asset_address(w, t.thumbnail_key)} end"


def _asked_for(w: Writer, t: Alias) -> str | None:
    """Whoever asked for it sees it, as those who see their jobs do; keys ask for work too."""
    if w.unrestricted:
        return None
    return f"({t.created_by_id} = any({w.members}) or {t.created_by_id} = {w.viewer})"


ASSETS = source(
    "assets",
    assets,
    prefix="asset",
    visible=_asked_for,
    default_order=("CREATED_AT", True),
    columns={
        "url": text(Computed(lambda w, t: asset_address(w, t.object_key))),
        "thumbnail_url": text(Computed(_thumbnail), null=True),
        "content_type": text("content_type"),
        "width": integer("width", null=True),
        "height": integer("height", null=True),
    },
    orders={"CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz")},
)
