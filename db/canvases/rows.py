"""Canvases between rows and records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from domain.access import Actor
from domain.canvases import (
    CanvasChange,
    ChangeKind,
    ColumnType,
    Component,
    ComponentKind,
    Conflict,
    ConflictKind,
    ConflictSide,
    DataColumn,
    DataRows,
    DataStamp,
    Layout,
    MergeRequest,
    MergeRequestStatus,
    OperationSource,
    Resolution,
    Revision,
    RevisionKind,
)

# The versions of a revision: those that came with it or before, and ended after it.
TREE: Final = """
    select c.*, d.as_of from canvas_revisions r
    join canvas_placements p on p.tenant_id = r.tenant_id and p.canvas_id = r.canvas_id
        and p.until_number > r.number and p.from_number <= r.number
    join canvas_components c on c.tenant_id = p.tenant_id and c.id = p.component_id
    left join canvas_data d on d.tenant_id = c.tenant_id and d.digest = c.data_digest
    where r.tenant_id = :tenant and r.id = :revision
"""

ANCESTRY: Final = """
    with recursive found as (
        select id from canvas_revisions where tenant_id = :tenant and id = any(:revisions)
        union
        select p.parent_id from found join canvas_revision_parents p
            on p.tenant_id = :tenant and p.revision_id = found.id
    )
    select id, array(
        select p.parent_id from canvas_revision_parents p
        where p.tenant_id = :tenant and p.revision_id = found.id order by p.position
    ) as parent_ids from found
"""


def component_of(row: RowMapping) -> Component:
    """Return the component of a row of TREE."""
    source = None
    if row["source_document_id"] is not None:
        source = OperationSource(row["source_document_id"], row["source_variables"])
    data = None if row["data_digest"] is None else DataStamp(row["data_digest"].hex(), row["as_of"])
    return Component(
        row["id"], row["key"], ComponentKind[row["kind"]], row["title"], row["order_key"],
        Layout(row["x"], row["y"], row["width"], row["height"]), row["visualization"], source, data,
    )  # fmt: skip


def component_row(component: Component) -> dict[str, object]:
    """Return the columns of a version."""
    source, data, layout = component.source, component.data, component.layout
    return {
        "id": component.id,
        "key": component.key,
        "kind": component.kind.name,
        "title": component.title,
        "order_key": component.order_key,
        "x": layout.x,
        "y": layout.y,
        "width": layout.width,
        "height": layout.height,
        "visualization": component.visualization,
        "source_document_id": None if source is None else source.document_id,
        "source_variables": None if source is None else source.variables,
        "data_digest": None if data is None else bytes.fromhex(data.digest),
    }


def rows_of(row: Mapping[str, Any]) -> DataRows:
    """Return the kept rows of a row that were not erased."""
    columns = tuple(DataColumn(each["name"], each["label"], ColumnType[each["type"]]) for each in row["columns"])
    return DataRows(columns, row["rows"], row["truncated"], row["as_of"], row["salt"])


def revision_of(row: RowMapping, parent_ids: tuple[UUID, ...]) -> Revision:
    """Return the revision of a row."""
    changes = tuple(
        CanvasChange(ChangeKind[each["kind"]], each["component_key"], each["path"]) for each in row["changes"]
    )
    return Revision(
        row["id"], row["canvas_id"], row["number"], RevisionKind[row["kind"]], parent_ids,
        Actor(row["author_noun"], row["author_id"]), row["message"], row["created_at"], row["tree_hash"], row["hash"],
        changes,
    )  # fmt: skip


def revision_row(revision: Revision) -> dict[str, object]:
    """Return the columns of a revision."""
    return {
        "id": revision.id,
        "canvas_id": revision.canvas_id,
        "number": revision.number,
        "kind": revision.kind.name,
        "message": revision.message,
        "author_noun": revision.author.noun,
        "author_id": revision.author.id,
        "tree_hash": revision.tree_hash,
        "hash": revision.hash,
        "changes": [
            {"kind": each.kind.name, "component_key": each.component_key, "path": each.path}
            for each in revision.changes
        ],
        "created_at": revision.created_at,
    }


def request_of(row: Mapping[Any, Any]) -> MergeRequest:
    """Return the merge request of a row."""
    return MergeRequest(
        row["id"], row["title"], row["source_id"], row["target_id"], Actor(row["author_noun"], row["author_id"]),
        MergeRequestStatus[row["status"]], row["created_at"], row["base_id"], row["source_head_id"],
        row["target_head_id"], tuple(map(_conflict_of, row["conflicts"])),
        tuple(map(_resolution_of, row["resolutions"])), row["merged_revision_id"],
    )  # fmt: skip


def request_row(request: MergeRequest) -> dict[str, object]:
    """Return the columns of a merge request that change."""
    return {
        "status": request.status.name,
        "base_id": request.base_id,
        "source_head_id": request.source_head_id,
        "target_head_id": request.target_head_id,
        "conflicts": [
            {
                "key": each.key, "component_key": each.component_key, "kind": each.kind.name, "path": each.path,
                "base": each.base, "ours": each.ours, "theirs": each.theirs,
            }
            for each in request.conflicts
        ],
        "resolutions": [
            {"conflict_key": each.conflict_key, "side": each.side.name, "value": each.value}
            for each in request.resolutions
        ],
        "merged_revision_id": request.merged_revision_id,
    }  # fmt: skip


def _conflict_of(stored: Mapping[str, Any]) -> Conflict:
    return Conflict(
        stored["key"], ConflictKind[stored["kind"]], stored["component_key"], stored["path"], stored["base"],
        stored["ours"], stored["theirs"],
    )  # fmt: skip


def _resolution_of(stored: Mapping[str, Any]) -> Resolution:
    return Resolution(stored["conflict_key"], ConflictSide[stored["side"]], stored["value"])
