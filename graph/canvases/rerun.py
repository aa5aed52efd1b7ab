"""The rows of components for whoever looks at them: a field that a function answers, because documents are run."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import strawberry

from domain.canvases import ComponentDataState, DataRows
from domain.reading import Row
from graph import ids
from graph.context import Info
from graph.registry import REGISTRY
from resolvers import canvases as resolve

if TYPE_CHECKING:
    from graph.canvases.types import CanvasRevision, KeyedComponentData


async def component_data(self: CanvasRevision, info: Info, keys: list[strawberry.ID]) -> list[KeyedComponentData]:
    """Answer the rows of the components with these keys, in the order in which they stand."""
    revision_id = ids.expected(self.id, "canvas_revisions", "id")
    keyed = REGISTRY.values["keyed_component_data"]
    return [
        cast("KeyedComponentData", REGISTRY.materialise(keyed, {"key": key, "data": _row(rows)}))
        for key, rows in await resolve.component_data(info.context, revision_id, keys)
    ]


def _row(rows: Row | DataRows) -> Row:
    if not isinstance(rows, DataRows):
        return rows
    return {
        "state": ComponentDataState.READY.name,
        "as_of": rows.as_of,
        "columns": [{"name": each.name, "label": each.label, "type": each.type.name} for each in rows.columns],
        "rows": list(rows.rows),
        "truncated": rows.truncated,
    }
