"""From JSON back to a component: the value that somebody gives where no side of a conflict will do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from domain.canvases.kinds import ComponentKind
from domain.canvases.order_keys import LONGEST_ORDER_KEY, is_order_key
from domain.canvases.records import Component, Layout, OperationSource
from domain.canvases.shapes import any_object, choice, record, text, whole
from domain.canvases.specifications import LONGEST_DOCUMENT_ID, LONGEST_TITLE
from domain.errors import Invalid, Issue
from domain.values import new_id

_GRID: Final = whole(0, 2**31 - 1)

_COMPONENT: Final = record(
    {
        "kind": choice(*(kind.name for kind in ComponentKind)),
        "orderKey": text(LONGEST_ORDER_KEY),
        "layout": record({"x": _GRID, "y": _GRID, "width": _GRID, "height": _GRID}),
    },
    {
        "title": text(LONGEST_TITLE),
        "visualization": any_object,
        "source": record({"documentId": text(LONGEST_DOCUMENT_ID), "variables": any_object}),
    },
)


def restored(key: str, content: object, path: str) -> Component:
    """Return a new version with a content as `shown` gives it; raises Invalid with every issue, named under `path`."""
    issues = list(_COMPONENT(content, path))
    if not issues and not is_order_key(cast("Mapping[str, str]", content)["orderKey"]):
        issues.append(Issue(f"{path}.orderKey", "This is no fractional index key, such as a0 or a1V."))
    if issues:
        raise Invalid(issues=tuple(issues))
    # The shape has checked what the types cannot say.
    given = cast("dict[str, Any]", content)
    source = given.get("source")
    return Component(
        id=new_id(),
        key=key,
        kind=ComponentKind[given["kind"]],
        title=given.get("title"),
        order_key=given["orderKey"],
        layout=Layout(**given["layout"]),
        visualization=given.get("visualization"),
        source=None if source is None else OperationSource(source["documentId"], source["variables"]),
    )
