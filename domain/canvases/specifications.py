"""What each kind of component is told in its `visualization`, and what it shows: rows of a document, or of its own.

Charts have a Vega-Lite spec (`domain.canvases.charts`). In the others, a column is named by its name in the rows:

    TABLE            columns: [{ field, label, format, align, width }], sort: [{ field, order }], pageSize
    KPI_TILE         value: { field, aggregate }, format, unit, comparison: { field, aggregate, label }, target, better
    TIMELINE         start, label, end, group, color
    ACTIVITY_STREAM  time, text, actor, kind, limit
    PIPELINE_BOARD   stage, title, subtitle, value, stages: [in their order], limit
    MAP              latitude, longitude, label, color, size, zoom, center: [longitude, latitude]
    TEXT             markdown

All but TEXT have rows: from `source`, or in the spec as `data: { values: [rows] }`, never both. A table needs no spec:
without one it shows every column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from domain.canvases.canonical import NotCanonical
from domain.canvases.charts import INLINE_DATA, MARKS, chart
from domain.canvases.kinds import ComponentKind
from domain.canvases.records import Component, Layout, OperationSource
from domain.canvases.shapes import Shape, any_object, choice, json_issues, listed, number, record, text, whole
from domain.canvases.trees import LARGEST_COMPONENT, size_of
from domain.errors import Issue

LONGEST_TITLE: Final = 200
LONGEST_MARKDOWN: Final = 20_000
LONGEST_DOCUMENT_ID: Final = 200
GRID_WIDTH: Final = 48
LOWEST_ROW: Final = 10_000

_FORMAT: Final = choice("text", "number", "money", "percent", "date", "datetime", "boolean")
_COLUMN: Final = text()
_VALUE: Final[Mapping[str, Shape]] = {
    "aggregate": choice("first", "last", "count", "sum", "mean", "min", "max"),
    "label": text(),
}

SPECIFICATIONS: Final[Mapping[ComponentKind, Shape]] = {
    **{kind: chart(kind) for kind in MARKS},
    ComponentKind.TABLE: record(
        {},
        {
            "columns": listed(
                record(
                    {"field": _COLUMN},
                    {
                        "label": text(),
                        "format": _FORMAT,
                        "align": choice("left", "right", "center"),
                        "width": whole(1, 2000),
                    },
                ),
                100,
            ),
            "sort": listed(record({"field": _COLUMN}, {"order": choice("ascending", "descending")}), 10),
            "pageSize": whole(1, 200),
            "data": INLINE_DATA,
        },
    ),
    ComponentKind.KPI_TILE: record(
        {"value": record({"field": _COLUMN}, _VALUE)},
        {
            "format": _FORMAT,
            "unit": text(20),
            "comparison": record({"field": _COLUMN}, _VALUE),
            "target": number(-1e15, 1e15),
            "better": choice("higher", "lower"),
            "data": INLINE_DATA,
        },
    ),
    ComponentKind.TIMELINE: record(
        {"start": _COLUMN, "label": _COLUMN},
        {"end": _COLUMN, "group": _COLUMN, "color": _COLUMN, "data": INLINE_DATA},
    ),
    ComponentKind.ACTIVITY_STREAM: record(
        {"time": _COLUMN, "text": _COLUMN},
        {"actor": _COLUMN, "kind": _COLUMN, "limit": whole(1, 200), "data": INLINE_DATA},
    ),
    ComponentKind.PIPELINE_BOARD: record(
        {"stage": _COLUMN, "title": _COLUMN},
        {
            "subtitle": _COLUMN,
            "value": _COLUMN,
            "stages": listed(text(60), 20),
            "limit": whole(1, 200),
            "data": INLINE_DATA,
        },
    ),
    ComponentKind.MAP: record(
        {"latitude": _COLUMN, "longitude": _COLUMN},
        {
            "label": _COLUMN,
            "color": _COLUMN,
            "size": _COLUMN,
            "zoom": number(0, 22),
            "center": listed(number(-180, 180), 2, least=2),
            "data": INLINE_DATA,
        },
    ),
    ComponentKind.TEXT: record({"markdown": text(LONGEST_MARKDOWN)}),
}


def component_issues(component: Component, path: str) -> Iterator[Issue]:
    """Say everything that is wrong with a component; the paths are those of the contract's inputs, under `path`."""
    if component.title is not None:
        yield from text(LONGEST_TITLE)(component.title, f"{path}.title")
    yield from _layout_issues(component.layout, f"{path}.layout")
    yield from _specification_issues(component.kind, component.visualization, f"{path}.visualization")
    if component.source is not None:
        yield from source_issues(component.source, f"{path}.source.operation")
    yield from _row_issues(component, path)
    try:
        size = size_of(component)
    except NotCanonical:
        return  # What is no JSON has been named.
    if size > LARGEST_COMPONENT:
        yield Issue(path, f"A component has at most {LARGEST_COMPONENT} bytes; it has {size}.")


def source_issues(source: OperationSource, path: str) -> Iterator[Issue]:
    """Say what is wrong with a source before anybody asks whether the document is trusted."""
    yield from text(LONGEST_DOCUMENT_ID)(source.document_id, f"{path}.documentId")
    yield from any_object(source.variables, f"{path}.variables")
    yield from json_issues(source.variables, f"{path}.variables", nulls=True)


def _layout_issues(layout: Layout, path: str) -> Iterator[Issue]:
    yield from whole(0, GRID_WIDTH - 1)(layout.x, f"{path}.x")
    yield from whole(0, LOWEST_ROW)(layout.y, f"{path}.y")
    yield from whole(1, GRID_WIDTH)(layout.width, f"{path}.width")
    yield from whole(1, LOWEST_ROW)(layout.height, f"{path}.height")
    if layout.x + layout.width > GRID_WIDTH:
        yield Issue(f"{path}.width", f"The grid has {GRID_WIDTH} columns.")


def _specification_issues(kind: ComponentKind, spec: object, path: str) -> Iterator[Issue]:
    if spec is None:
        if kind is not ComponentKind.TABLE:
            yield Issue(path, f"A component of kind {kind.name} says how it shows its rows.")
        return
    if not isinstance(spec, Mapping):
        yield from any_object(spec, path)
        return
    data = spec.get("data")
    # Cells may be null, members of a spec may not: null and absent would be told apart by some readers only.
    issues = [*json_issues({name: spec[name] for name in spec if name != "data"}, path, nulls=False)]
    issues += json_issues(data, f"{path}.data", nulls=True) if "data" in spec else ()
    yield from issues
    if not issues:
        yield from SPECIFICATIONS[kind](spec, path)


def _row_issues(component: Component, path: str) -> Iterator[Issue]:
    spec = component.visualization
    inline = isinstance(spec, Mapping) and "data" in spec
    if component.kind is ComponentKind.TEXT:
        if component.source is not None:
            yield Issue(f"{path}.source", "A text shows no rows.")
    elif component.source is None and not inline:
        yield Issue(f"{path}.source", "It shows no rows: name a document, or give rows in visualization.data.values.")
    elif component.source is not None and inline:
        yield Issue(f"{path}.visualization.data", "Its rows come from its source, so it has none of its own.")
