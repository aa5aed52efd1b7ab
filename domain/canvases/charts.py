"""The part of Vega-Lite that a chart on a canvas may use, and the rules that keep a chart honest.

A chart is one view: a mark and its encoding. It has no transforms and no expressions, so nothing of it is code, and no
`data.url`, so it fetches nothing: its rows are the component's. Width, height and title are the component's as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from domain.canvases.kinds import ComponentKind
from domain.canvases.shapes import Shape, choice, either, flag, listed, number, record, text, whole
from domain.errors import Issue

MOST_INLINE_ROWS: Final = 1000


def _scalar(value: object, path: str) -> Iterator[Issue]:
    if not isinstance(value, str | int | float | bool):
        yield Issue(path, "This is a text, a number or a flag.")


def _alike(value: object, path: str) -> Iterator[Issue]:
    """Take a list of texts, of numbers or of flags."""
    issues = list(listed(_scalar, 100)(value, path))
    yield from issues
    if not issues and isinstance(value, list) and len({_sort_of(each) for each in value}) > 1:
        yield Issue(path, "These are all texts, all numbers or all flags.")


def _sort_of(value: object) -> type:
    return float if type(value) is int else type(value)


def _row(value: object, path: str) -> Iterator[Issue]:
    if not isinstance(value, Mapping):
        yield Issue(path, "A row is an object: the values by the names of their columns.")


INLINE_DATA: Final = record({"values": listed(_row, MOST_INLINE_ROWS)})
"""Rows that are part of the spec: nobody's personal data, for they stay in the history."""

MARKS: Final = {
    ComponentKind.BAR: ("bar",),
    ComponentKind.LINE: ("line",),
    ComponentKind.AREA: ("area",),
    ComponentKind.SCATTER: ("point", "circle", "square"),
}

SUMMATIVE: Final = ("count", "sum", "distinct")
AGGREGATES: Final = (*SUMMATIVE, "mean", "median", "min", "max")
TIME_UNITS: Final = (
    "year", "quarter", "month", "week", "date", "day", "hours", "yearquarter", "yearmonth", "yearweek",
    "yearmonthdate", "yearmonthdatehours", "monthdate", "dayhours",
)  # fmt: skip
STACKS: Final = ("zero", "normalize", "center", False)
DISCRETE: Final = ("nominal", "ordinal")

_TITLE: Final = text()
_SCALE: Final = record(
    {},
    {
        "type": choice("linear", "log", "sqrt", "symlog", "time", "utc", "band", "point", "ordinal"),
        "zero": flag,
        "nice": flag,
        "reverse": flag,
        "domain": listed(_scalar, 100),
        "range": listed(text(40), 100),
        "scheme": text(40),
    },
)
_FORMATTED: Final[Mapping[str, Shape]] = {"title": _TITLE, "format": text(40)}
_AXIS: Final = record(
    {}, {**_FORMATTED, "grid": flag, "labelAngle": whole(-360, 360), "tickCount": whole(0, 100), "labels": flag}
)
_LEGEND: Final = record({}, {**_FORMATTED, "orient": choice("left", "right", "top", "bottom", "none")})
_FIELD: Final[Mapping[str, Shape]] = {
    "field": text(),
    "type": choice("quantitative", "temporal", "ordinal", "nominal"),
    "aggregate": choice(*AGGREGATES),
    "timeUnit": choice(*TIME_UNITS),
    "bin": either(
        flag, record({}, {"maxbins": whole(2, 100), "step": number(1e-9, 1e15)}), "This is a flag or { maxbins, step }."
    ),
    "title": _TITLE,
}
_DIRECTION: Final = choice("ascending", "descending")
_SORTED: Final[Mapping[str, Shape]] = {
    **_FIELD,
    "sort": either(
        choice("ascending", "descending", "x", "y", "-x", "-y"),
        _alike,
        "This is ascending, descending, x, y, -x, -y or a list of texts, of numbers or of flags.",
    ),
    "scale": _SCALE,
}
_POSITION: Final = record({}, {**_SORTED, "axis": _AXIS, "stack": choice(*STACKS)})
_OFFSET: Final = record({}, _SORTED)
_DETAIL: Final = record({}, _FIELD)
_ORDER: Final = record({}, {**_FIELD, "sort": _DIRECTION})
_FACET: Final = record(
    {},
    {
        **_FIELD,
        "sort": either(_DIRECTION, _alike, "This is ascending, descending or a list of texts, of numbers or of flags."),
    },
)
_TOOLTIP: Final = record({}, {**_FIELD, "format": text(40)})


def _scaled(constant: Shape, **narrowed: Shape) -> Shape:
    """Take a constant of the sort that the channel has, or a field."""
    return either(
        record({"value": constant}),
        record({}, {**_SORTED, "legend": _LEGEND, **narrowed}),
        "This is { value }, or a field with its type, aggregate, timeUnit, bin, sort, title, scale and legend.",
    )


_ENCODING: Final = record(
    {"x": _POSITION, "y": _POSITION},
    {
        "color": _scaled(text(40)),
        "opacity": _scaled(number(0, 1)),
        "strokeDash": _scaled(listed(number(0, 100), 10)),
        "size": _scaled(number(0, 10_000)),
        "shape": _scaled(text(40), type=choice(*DISCRETE)),
        "xOffset": _OFFSET,
        "yOffset": _OFFSET,
        "detail": _DETAIL,
        "order": _ORDER,
        "row": _FACET,
        "column": _FACET,
        "tooltip": either(_TOOLTIP, listed(_TOOLTIP, 20), "This is a field, or a list of at most 20."),
    },
)
"""What each channel takes of what Vega-Lite's own schema lets it have."""


def chart(kind: ComponentKind) -> Shape:
    """Return the shape of a chart's spec."""
    marks = choice(*MARKS[kind])
    detailed = record(
        {"type": marks},
        {
            "tooltip": flag,
            "point": flag,
            "filled": flag,
            "interpolate": choice("linear", "monotone", "step", "step-before", "step-after"),
            "opacity": number(0, 1),
            "size": number(0, 10_000),
            "strokeWidth": number(0, 20),
            "cornerRadius": number(0, 50),
            "color": text(40),
        },
    )
    mark = either(marks, detailed, f"This is {' or '.join(MARKS[kind])}, or {{ type }} with how it looks.")
    shape = record(
        {"mark": mark, "encoding": _ENCODING},
        {"$schema": text(), "description": text(1000), "data": INLINE_DATA},
    )

    def checked(value: object, path: str) -> Iterator[Issue]:
        issues = list(shape(value, path))
        yield from issues
        if not issues and isinstance(value, Mapping):
            yield from _dishonest(kind, value["encoding"], f"{path}.encoding")

    return checked


def _dishonest(kind: ComponentKind, encoding: Mapping[str, object], path: str) -> Iterator[Issue]:
    """Say what is well formed and still shows nothing, or something else than the rows say."""
    for name, channel in encoding.items():
        for place, each in enumerate(channel) if isinstance(channel, list) else ((None, channel),):
            inside = f"{path}.{name}" if place is None else f"{path}.{name}.{place}"
            if isinstance(each, Mapping) and "value" not in each:
                yield from _field_issues(each, inside)
    for name in ("size", "shape"):
        if name in encoding and kind is not ComponentKind.SCATTER:
            yield Issue(f"{path}.{name}", f"Only a scatter plot has {name}.")
    x, y = encoding["x"], encoding["y"]
    if isinstance(x, Mapping) and isinstance(y, Mapping):
        yield from _axes_issues(kind, x, y, path)


def _field_issues(channel: Mapping[str, object], path: str) -> Iterator[Issue]:
    aggregate, type_name = channel.get("aggregate"), channel.get("type")
    if "field" not in channel and aggregate != "count":
        yield Issue(f"{path}.field", "This is missing: only a count needs no field.")
    if type_name is None and aggregate not in {"count", "distinct"}:
        yield Issue(f"{path}.type", "This is missing.")
    if aggregate in {"sum", "mean", "median"} and type_name != "quantitative":
        yield Issue(f"{path}.aggregate", "Only what is quantitative has a sum, a mean or a median.")
    if "timeUnit" in channel and type_name not in {"temporal", "ordinal"}:
        yield Issue(f"{path}.timeUnit", "Only what is temporal or ordinal has a time unit.")
    if channel.get("bin", False) is not False and aggregate is not None:
        yield Issue(f"{path}.bin", "What is aggregated is not binned.")
    scale = channel.get("scale")
    if isinstance(scale, Mapping) and scale.get("type") == "log" and not _is_measure(channel):
        yield Issue(f"{path}.scale.type", "Only what is quantitative has a logarithmic scale.")


def _axes_issues(kind: ComponentKind, x: Mapping[str, object], y: Mapping[str, object], path: str) -> Iterator[Issue]:
    if kind is not ComponentKind.BAR and _is_discrete(x) and _is_discrete(y):
        yield Issue(path, "One of x and y is quantitative or temporal.")
    if kind is ComponentKind.SCATTER and (_is_discrete(x) or _is_discrete(y)):
        yield Issue(path, "Both x and y of a scatter plot are quantitative or temporal.")
    if kind is ComponentKind.BAR and not (_is_measure(x) or _is_measure(y)):
        yield Issue(path, "One of x and y of a bar chart is a measure.")
    yield from _position_issues(kind, x, f"{path}.x")
    yield from _position_issues(kind, y, f"{path}.y")


def _position_issues(kind: ComponentKind, channel: Mapping[str, object], path: str) -> Iterator[Issue]:
    lengths = kind in {ComponentKind.BAR, ComponentKind.AREA}
    if channel.get("stack", False) is not False:
        if not lengths:
            yield Issue(f"{path}.stack", "Only bars and areas are stacked.")
        elif channel.get("aggregate", "sum") not in SUMMATIVE:
            yield Issue(f"{path}.stack", "Only counts and sums are stacked: these do not add up.")
    scale = channel.get("scale")
    if lengths and _is_measure(channel) and isinstance(scale, Mapping):
        if scale.get("type") == "log":
            yield Issue(f"{path}.scale.type", "The length of a bar or an area is not logarithmic.")
        if scale.get("zero") is False:
            yield Issue(f"{path}.scale.zero", "The length of a bar or an area starts at zero.")


def _is_measure(channel: Mapping[str, object]) -> bool:
    counted = channel.get("aggregate") in {"count", "distinct"}
    return counted or (channel.get("type") == "quantitative" and channel.get("bin", False) is False)


def _is_discrete(channel: Mapping[str, object]) -> bool:
    return channel.get("type") in DISCRETE and not _is_measure(channel)
