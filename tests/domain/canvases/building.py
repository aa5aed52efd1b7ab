"""Components, trees and generated histories for the tests of canvases."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from domain.canvases import Component, ComponentKind, DataStamp, Layout, OperationSource, Tree
from domain.canvases.records import new_version
from domain.canvases.specifications import component_issues
from domain.canvases.trees import shown
from domain.values import new_id

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
TEXT: dict[str, Any] = {"markdown": "Hello"}
BARS: dict[str, Any] = {
    "mark": "bar",
    "encoding": {
        "x": {"field": "stage", "type": "nominal"},
        "y": {"field": "count", "type": "quantitative", "aggregate": "sum"},
    },
}
LEADS = OperationSource("sha256:leads", {"first": 20})
DEALS = OperationSource("sha256:deals", {"first": 20})


def read_at(minute: int) -> DataStamp:
    """What a tree holds of rows that were read so many minutes after noon."""
    return DataStamp(f"{minute:064x}", NOON + timedelta(minutes=minute))


def note(key: str, markdown: str = "Hello", **values: Any) -> Component:
    """A text."""
    return Component(
        new_id(), key, ComponentKind.TEXT, values.pop("title", None), values.pop("order_key", "a0"),
        values.pop("layout", Layout(0, 0, 4, 4)), {"markdown": markdown}, **values,
    )  # fmt: skip


def bars(key: str, **values: Any) -> Component:
    """A bar chart of leads; `y`, `color` and `mark` go into its spec."""
    spec = deepcopy(BARS)
    spec["encoding"]["y"] |= values.pop("y", {})
    spec["mark"] = values.pop("mark", "bar")
    if "color" in values:
        spec["encoding"]["color"] = values.pop("color")
    return Component(
        new_id(), key, ComponentKind.BAR, values.pop("title", None), values.pop("order_key", "a0"),
        values.pop("layout", Layout(0, 0, 4, 4)), spec, values.pop("source", LEADS),
        values.pop("data", read_at(0)),
    )  # fmt: skip


def tree(*components: Component) -> Tree:
    return {component.key: component for component in components}


def changed(component: Component, **values: Any) -> Component:
    """Another version, with these values."""
    return replace(component, id=new_id(), **values)


def leaves(component: Component | None) -> dict[str, object]:
    """Every value of a component that people decide, by its dotted path."""
    found: dict[str, object] = {}

    def walk(value: object, path: str) -> None:
        if isinstance(value, Mapping) and path.startswith("visualization"):
            for name, inner in value.items():
                walk(inner, f"{path}.{name}")
        else:
            found[path] = value

    for name, value in (shown(component) or {}).items():
        walk(value, name)
    return found


@dataclass(frozen=True)
class Step:
    """Something that somebody does to one component; where it cannot be done, nothing happens."""

    what: str
    key: str
    value: int

    def apply(self, before: Tree) -> Tree:
        after = dict(before)
        component = before.get(self.key)
        if self.what == "remove":
            after.pop(self.key, None)
        elif self.what == "add" and component is None:
            title = (None, "A", "B")[self.value]
            after[self.key] = note(self.key, title=title) if self.value == 0 else bars(self.key, title=title)
        elif component is not None and self.what != "add":
            edited = self._edited(component)
            # What no commit would take happens on neither side.
            if not list(component_issues(edited, "")):
                after[self.key] = edited
        return after

    def _edited(self, component: Component) -> Component:
        plain: dict[str, dict[str, Any]] = {
            "title": {"title": (None, "A", "B")[self.value]},
            "layout": {"layout": Layout(self.value, 0, 4, 4)},
            "order": {"order_key": ("a0", "a1", "a2")[self.value]},
        }
        if self.what in plain:
            return changed(component, **plain[self.what])
        if component.kind is ComponentKind.TEXT:
            return changed(component, visualization={"markdown": ("Hello", "Good bye", "Hello again")[self.value]})
        if self.what == "rows":
            return changed(component, data=read_at(self.value + 1))
        if self.what == "source":
            source = (LEADS, DEALS, OperationSource("sha256:leads", {"first": 50}))[self.value]
            same_source = source == component.source
            return changed(component, source=source, data=component.data if same_source else read_at(self.value + 10))
        return changed(component, visualization=self._spec(component.visualization or {}))

    def _spec(self, before: Mapping[str, Any]) -> dict[str, Any]:
        spec = deepcopy(dict(before))
        encoding = spec["encoding"]
        if self.what == "aggregate":
            encoding["y"]["aggregate"] = ("sum", "mean", "max")[self.value]
        elif self.what == "stack":
            encoding["y"].pop("stack", None)
            encoding["y"] |= ({}, {"stack": "zero"}, {"stack": "normalize"})[self.value]
        elif self.what == "color":
            encoding.pop("color", None)
            encoding |= ({}, {"color": {"field": "city", "type": "nominal"}}, {"color": {"value": "teal"}})[self.value]
        elif self.what == "mark":
            spec["mark"] = ("bar", {"type": "bar", "opacity": 0.5}, {"type": "bar", "opacity": 1, "tooltip": True})[
                self.value
            ]
        return spec


WHATS = ("title", "layout", "order", "rows", "source", "aggregate", "stack", "color", "mark", "remove", "add")
STEPS = st.lists(
    st.builds(Step, st.sampled_from(WHATS), st.sampled_from(["one", "two", "three", "four"]), st.integers(0, 2)),
    max_size=8,
)


def after(start: Tree, steps: list[Step]) -> Tree:
    for step in steps:
        start = step.apply(start)
    return start


def copies(of: Tree) -> Tree:
    """The same contents in versions of their own, as another canvas has them."""
    return {key: new_version(component) for key, component in of.items()}


START = tree(note("one"), bars("two", title="A"), bars("three", order_key="a1"))
