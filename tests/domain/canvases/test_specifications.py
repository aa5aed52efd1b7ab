"""What each kind of component takes, and what is said about what it does not, place by place."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from domain.canvases import Component, ComponentKind, Layout, OperationSource
from domain.canvases.specifications import SPECIFICATIONS, component_issues
from domain.values import new_id
from tests.domain.canvases.building import BARS, LEADS

ROWS = {"values": [{"stage": "NEW", "count": 3, "at": None}]}
X, Y = BARS["encoding"]["x"], BARS["encoding"]["y"]
CITY = {"field": "city", "type": "nominal"}
POINTS = {"x": {"field": "budget", "type": "quantitative"}, "y": {"field": "score", "type": "quantitative"}}
DAYS = {"field": "at", "type": "temporal", "timeUnit": "yearmonth"}

GOOD: dict[ComponentKind, list[Any]] = {
    ComponentKind.TABLE: [
        None,
        {},
        {
            "columns": [{"field": "name", "label": "Name", "format": "text", "align": "left", "width": 120}],
            "sort": [{"field": "name", "order": "descending"}, {"field": "at"}],
            "pageSize": 50,
        },
    ],
    ComponentKind.KPI_TILE: [
        {"value": {"field": "count", "aggregate": "sum"}},
        {
            "value": {"field": "count", "label": "Leads"}, "format": "number", "unit": "leads", "target": 100,
            "better": "higher", "comparison": {"field": "count", "aggregate": "first", "label": "last month"},
        },
    ],
    ComponentKind.BAR: [
        BARS,
        {
            "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
            "description": "Leads by stage",
            "mark": {"type": "bar", "tooltip": True, "cornerRadius": 2, "opacity": 0.8, "color": "teal"},
            "encoding": {
                "x": {**X, "sort": ["NEW", "WON"], "axis": {"title": "Stage", "labelAngle": -45, "grid": False}},
                "y": {"aggregate": "count", "stack": "normalize", "axis": {"format": "%"}},
                "color": {**CITY, "scale": {"scheme": "tableau10"}, "legend": {"orient": "top"}},
                "xOffset": {**CITY, "sort": ["Pune", "Goa"]},
                "column": {"field": "won", "type": "nominal", "sort": [True, False]},
                "order": {**CITY, "sort": "descending"},
                "tooltip": [X, {**Y, "format": ",.0f"}],
            },
        },
        {"mark": "bar", "encoding": {"x": {"field": "a", "type": "quantitative", "bin": {"maxbins": 12}}, "y": Y}},
        {"mark": "bar", "encoding": {"x": Y, "y": {**X, "sort": "-x"}}},
    ],
    ComponentKind.LINE: [
        {"mark": {"type": "line", "interpolate": "monotone", "point": True},
         "encoding": {"x": DAYS, "y": {**Y, "scale": {"type": "log"}}, "strokeDash": CITY}},
    ],
    ComponentKind.AREA: [{"mark": "area", "encoding": {"x": DAYS, "y": {**Y, "stack": "center"}}}],
    ComponentKind.SCATTER: [
        {"mark": mark, "encoding": {**POINTS, "size": {"value": 40}, "shape": {"field": "kind", "type": "nominal"}}}
        for mark in ("point", "circle", "square")
    ],
    ComponentKind.TIMELINE: [{"start": "from", "label": "name"},
                             {"start": "from", "end": "to", "label": "name", "group": "stage", "color": "stage"}],
    ComponentKind.ACTIVITY_STREAM: [{"time": "at", "text": "summary", "actor": "by", "kind": "kind", "limit": 20}],
    ComponentKind.PIPELINE_BOARD: [{"stage": "stage", "title": "name", "subtitle": "city", "value": "amount",
                                    "stages": ["NEW", "WON"], "limit": 10}],
    ComponentKind.MAP: [{"latitude": "lat", "longitude": "lon", "label": "name", "color": "status", "size": "price",
                         "zoom": 11.5, "center": [72.8777, 19.076]}],
    ComponentKind.TEXT: [{"markdown": "# This week"}],
}  # fmt: skip


def component(kind: ComponentKind, spec: Any, source: Any = LEADS, **values: Any) -> Component:
    given = None if kind is ComponentKind.TEXT else source
    place = values.pop("layout", Layout(0, 0, 4, 4))
    return Component(new_id(), "a", kind, values.pop("title", None), "a0", place, spec, given)


def issues(of: Component) -> list[tuple[str, str]]:
    return [(issue.field, issue.message) for issue in component_issues(of, "changes.0.add")]


def test_every_kind_has_a_specification() -> None:
    assert set(GOOD) == set(SPECIFICATIONS) == set(ComponentKind)


@pytest.mark.parametrize(("kind", "spec"), [(kind, spec) for kind, specs in GOOD.items() for spec in specs])
def test_these_are_taken(kind: ComponentKind, spec: Any) -> None:
    assert issues(component(kind, spec)) == []
    if kind is not ComponentKind.TEXT:
        assert issues(component(kind, {**(spec or {}), "data": ROWS}, source=None)) == []


def edited(spec: Any, path: str, value: Any) -> Any:
    """A copy of a spec with another value at a path; None takes it away."""
    copy = deepcopy(spec)
    *outer, last = path.split(".")
    place = copy
    for name in outer:
        place = place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return copy


LINE, AREA, SCATTER = (GOOD[kind][0] for kind in (ComponentKind.LINE, ComponentKind.AREA, ComponentKind.SCATTER))
SORTING = "This is ascending, descending, x, y, -x, -y or a list of texts, of numbers or of flags."
CHANNEL = "This is { value }, or a field with its type, aggregate, timeUnit, bin, sort, title, scale and legend."


@pytest.mark.parametrize(
    ("kind", "spec", "path", "message"),
    [
        ("BAR", edited(BARS, "mark", "line"), "mark", "This is bar, or { type } with how it looks."),
        ("BAR", edited(BARS, "mark", {"type": "line"}), "mark.type", "This is one of bar."),
        ("BAR", edited(BARS, "mark", {"type": "bar", "opacity": 2}), "mark.opacity", "This is a number from 0 to 1."),
        ("BAR", edited(BARS, "encoding.y", None), "encoding.y", "This is missing."),
        ("BAR", edited(BARS, "encoding.x.field", 7), "encoding.x.field", "This is a text, and not empty."),
        ("BAR", edited(BARS, "encoding.x.field", None), "encoding.x.field",
         "This is missing: only a count needs no field."),
        ("BAR", edited(BARS, "encoding.x.type", None), "encoding.x.type", "This is missing."),
        ("BAR", edited(BARS, "encoding.x.type", "geojson"), "encoding.x.type",
         "This is one of quantitative, temporal, ordinal, nominal."),
        ("BAR", edited(BARS, "encoding.y.aggregate", "sum(x)"), "encoding.y.aggregate",
         "This is one of count, sum, distinct, mean, median, min, max."),
        ("BAR", edited(BARS, "encoding.x.aggregate", "mean"), "encoding.x.aggregate",
         "Only what is quantitative has a sum, a mean or a median."),
        ("BAR", edited(BARS, "encoding.x.timeUnit", "year"), "encoding.x.timeUnit",
         "Only what is temporal or ordinal has a time unit."),
        ("BAR", edited(BARS, "encoding.y.bin", {"maxbins": 10}), "encoding.y.bin", "What is aggregated is not binned."),
        ("BAR", edited(BARS, "encoding.y.scale", {"zero": False}), "encoding.y.scale.zero",
         "The length of a bar or an area starts at zero."),
        ("BAR", edited(BARS, "encoding.y.scale", {"type": "log"}), "encoding.y.scale.type",
         "The length of a bar or an area is not logarithmic."),
        ("AREA", edited(AREA, "encoding.y.scale", {"zero": False}), "encoding.y.scale.zero",
         "The length of a bar or an area starts at zero."),
        ("LINE", edited(LINE, "encoding.x.scale", {"type": "log"}), "encoding.x.scale.type",
         "Only what is quantitative has a logarithmic scale."),
        ("BAR", edited(BARS, "encoding.y", {**Y, "aggregate": "mean", "stack": "zero"}), "encoding.y.stack",
         "Only counts and sums are stacked: these do not add up."),
        ("LINE", edited(LINE, "encoding.y.stack", "zero"), "encoding.y.stack", "Only bars and areas are stacked."),
        ("LINE", edited(edited(LINE, "encoding.x", X), "encoding.y", X), "encoding",
         "One of x and y is quantitative or temporal."),
        ("BAR", edited(BARS, "encoding.y", X), "encoding", "One of x and y of a bar chart is a measure."),
        ("SCATTER", edited(SCATTER, "encoding.x", X), "encoding",
         "Both x and y of a scatter plot are quantitative or temporal."),
        ("BAR", edited(BARS, "encoding.size", {"value": 3}), "encoding.size", "Only a scatter plot has size."),
        ("BAR", edited(BARS, "encoding.x.sort", ["NEW", 1]), "encoding.x.sort",
         SORTING),
        ("BAR", edited(BARS, "encoding.x.sort", [1, True]), "encoding.x.sort",
         SORTING),
        ("BAR", edited(BARS, "encoding.color", {"value": 3}), "encoding.color.value", "This is a text, and not empty."),
        ("BAR", edited(BARS, "encoding.opacity", {"value": 2}), "encoding.opacity.value",
         "This is a number from 0 to 1."),
        ("LINE", edited(LINE, "encoding.strokeDash", {"value": "4 2"}), "encoding.strokeDash.value", "This is a list."),
        ("SCATTER", edited(SCATTER, "encoding.size", {"value": "big"}), "encoding.size.value",
         "This is a number from 0 to 10000."),
        ("SCATTER", edited(SCATTER, "encoding.shape.type", "temporal"), "encoding.shape.type",
         "This is one of nominal, ordinal."),
        ("BAR", edited(BARS, "encoding.order", {**CITY, "sort": "x"}), "encoding.order.sort",
         "This is one of ascending, descending."),
        ("BAR", edited(BARS, "encoding.row", {**CITY, "sort": "-x"}), "encoding.row.sort",
         "This is ascending, descending or a list of texts, of numbers or of flags."),
        ("BAR", edited(BARS, "encoding.detail", {**CITY, "scale": {"nice": True}}), "encoding.detail",
         "There is no member 'scale' here; there are field, type, aggregate, timeUnit, bin, title."),
        ("BAR", edited(BARS, "encoding.xOffset", {**CITY, "format": "%"}), "encoding.xOffset",
         "There is no member 'format' here; there are field, type, aggregate, timeUnit, bin, title, sort, scale."),
        ("BAR", edited(BARS, "encoding.color", {"condition": {"test": "alert(1)"}}), "encoding.color", CHANNEL),
        ("BAR", edited(BARS, "encoding.color", {"field": []}), "encoding.color.field",
         "This is a text, and not empty."),
        ("BAR", {**BARS, "transform": [{"calculate": "1"}]}, "",
         "There is no member 'transform' here; there are mark, encoding, $schema, description, data."),
        ("BAR", {**BARS, "data": {"url": "https://example.com"}}, "data.values", "This is missing."),
        ("BAR", edited(BARS, "encoding.y.axis", {"title": "\0"}), "encoding.y.axis.title",
         "This text has a character that cannot be kept."),
        ("BAR", edited(BARS, "encoding.y.axis", {"title": float("nan")}), "encoding.y.axis.title",
         "This is no number."),
        ("BAR", {**BARS, "description": None}, "description", "This is null: leave it out instead."),
        ("TABLE", {"columns": []}, "columns", "This list has 1 to 100 entries; it has 0."),
        ("TABLE", {"columns": [{"field": "a"}, {"label": "b"}]}, "columns.1.field", "This is missing."),
        ("TABLE", {"pageSize": 1.5}, "pageSize", "This is a whole number from 1 to 200."),
        ("TABLE", {"pageSize": True}, "pageSize", "This is a whole number from 1 to 200."),
        ("TABLE", [], "", "This is an object."),
        ("KPI_TILE", {}, "value", "This is missing."),
        ("KPI_TILE", {"value": {"field": "a", "aggregate": "median"}}, "value.aggregate",
         "This is one of first, last, count, sum, mean, min, max."),
        ("TIMELINE", {"start": "at"}, "label", "This is missing."),
        ("ACTIVITY_STREAM", {"time": "at", "text": "a", "limit": 0}, "limit", "This is a whole number from 1 to 200."),
        ("PIPELINE_BOARD", {"stage": "s", "title": "t", "stages": "NEW"}, "stages", "This is a list."),
        ("MAP", {"latitude": "a", "longitude": "b", "center": [0]}, "center",
         "This list has 2 to 2 entries; it has 1."),
        ("MAP", {"latitude": "a", "longitude": "b", "center": [0, 181]}, "center.1",
         "This is a number from -180 to 180."),
        ("TEXT", {"markdown": " "}, "markdown", "This is a text, and not empty."),
        ("TEXT", {"markdown": 20_001 * "x"}, "markdown", "This text has at most 20000 characters; it has 20001."),
        ("TEXT", None, "", "A component of kind TEXT says how it shows its rows."),
    ],
)  # fmt: skip
def test_these_are_refused_where_they_are_wrong(kind: str, spec: Any, path: str, message: str) -> None:
    found = issues(component(ComponentKind[kind], spec))
    assert (f"changes.0.add.visualization.{path}".rstrip("."), message) in found


def test_everything_that_is_wrong_is_said_at_once() -> None:
    wrong = component(
        ComponentKind.KPI_TILE, {"value": {}, "format": "roman"}, OperationSource("", {"at": {1}}),
        title=201 * "x", layout=Layout(-1, 0, 60, 0),
    )  # fmt: skip
    assert issues(wrong) == [
        ("changes.0.add.title", "This text has at most 200 characters; it has 201."),
        ("changes.0.add.layout.x", "This is a whole number from 0 to 47."),
        ("changes.0.add.layout.width", "This is a whole number from 1 to 48."),
        ("changes.0.add.layout.height", "This is a whole number from 1 to 10000."),
        ("changes.0.add.layout.width", "The grid has 48 columns."),
        ("changes.0.add.visualization.value.field", "This is missing."),
        (
            "changes.0.add.visualization.format",
            "This is one of text, number, money, percent, date, datetime, boolean.",
        ),
        ("changes.0.add.source.operation.documentId", "This is a text, and not empty."),
        ("changes.0.add.source.operation.variables.at", "This is no JSON."),
    ]


@pytest.mark.parametrize(
    ("kind", "spec", "source", "path", "message"),
    [
        (ComponentKind.BAR, BARS, None, "source",
         "It shows no rows: name a document, or give rows in visualization.data.values."),
        (ComponentKind.TABLE, None, None, "source",
         "It shows no rows: name a document, or give rows in visualization.data.values."),
        (ComponentKind.BAR, {**BARS, "data": ROWS}, LEADS, "visualization.data",
         "Its rows come from its source, so it has none of its own."),
    ],
)  # fmt: skip
def test_a_component_has_rows_from_one_place(
    kind: ComponentKind, spec: Any, source: Any, path: str, message: str
) -> None:
    assert issues(component(kind, spec, source)) == [(f"changes.0.add.{path}", message)]


def test_a_text_has_no_rows() -> None:
    text = Component(new_id(), "a", ComponentKind.TEXT, None, "a0", Layout(0, 0, 4, 4), {"markdown": "Hello"}, LEADS)
    assert issues(text) == [("changes.0.add.source", "A text shows no rows.")]


def test_a_component_is_not_large() -> None:
    rows = {"values": [{"stage": 100 * "x"} for _ in range(700)]}
    [(path, message)] = issues(component(ComponentKind.TABLE, {"data": rows}, None))
    assert (path, message) == ("changes.0.add", "A component has at most 65536 bytes; it has 79214.")


def test_nothing_is_nested_without_end() -> None:
    deep: Any = "end"
    for _ in range(17):
        deep = [deep]
    [(path, message)] = issues(component(ComponentKind.TABLE, {"data": {"values": [{"a": deep}]}}, None))
    assert (path, message) == (
        "changes.0.add.visualization.data.values.0.a" + 14 * ".0",
        "This is nested more than 16 deep.",
    )
