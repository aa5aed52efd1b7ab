"""How changes make a tree of another: each names a component by its key, and acts on what those before it left."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, cast

from domain.canvases.order_keys import between, is_order_key
from domain.canvases.records import Component, DataStamp, OperationSource, Tree
from domain.canvases.specifications import component_issues
from domain.canvases.store import ComponentAdd, ComponentChange, ComponentEdit, ComponentMove, ComponentRemove
from domain.canvases.trees import alike, ordered, tree_issues
from domain.errors import Invalid, Issue
from domain.values import UNSET, given, new_id

MOST_CHANGES: Final = 1000

_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Unread:
    """A component whose rows are to be read; `field` is the input that names its source."""

    key: str
    source: OperationSource
    field: str


@dataclass(slots=True)
class Draft:
    """A tree being changed, with what is wrong so far and which rows it needs."""

    tree: dict[str, Component]
    issues: list[Issue] = field(default_factory=list)
    unread: dict[str, Unread] = field(default_factory=dict)
    touched: dict[str, str] = field(default_factory=dict)
    """Which input changed a component last, by the component's key."""

    def apply(self, change: ComponentChange, path: str) -> None:
        """Make one change; a change that cannot be made leaves an issue."""
        match change:
            case ComponentAdd():
                self._add(change, f"{path}.add")
            case ComponentEdit():
                self._edit(change, f"{path}.edit")
            case ComponentMove():
                self._move(change, f"{path}.move")
            case ComponentRemove():
                if self._existing(change.key, f"{path}.remove") is not None:
                    del self.tree[change.key]
                    self.unread.pop(change.key, None)
                    self.touched.pop(change.key, None)

    def _add(self, change: ComponentAdd, path: str) -> None:
        key = str(new_id()) if change.key is None else change.key
        if _KEY.fullmatch(key) is None:
            self.issues.append(Issue(f"{path}.key", "A key has 1 to 64 of the characters A-Z, a-z, 0-9, _ and -."))
        elif key in self.tree:
            self.issues.append(Issue(f"{path}.key", f"There is a component {key!r} already."))
        else:
            order_key = self._order_key(change.order_key, path)
            self._put(
                Component(
                    new_id(), key, change.kind, change.title, order_key, change.layout,
                    cast("Mapping[str, object] | None", change.visualization), change.source,
                ),
                path,
            )  # fmt: skip
            self._read(key, change.source, path)

    def _edit(self, change: ComponentEdit, path: str) -> None:
        component = self._existing(change.key, path)
        if component is None:
            return
        visualization = component.visualization if change.visualization is UNSET else change.visualization
        edited = replace(
            component,
            title=given(change.title, component.title),
            visualization=cast("Mapping[str, object] | None", visualization),
        )
        if change.source is not UNSET:
            edited = replace(edited, source=change.source, data=None)
            self._read(change.key, change.source, path)
        self._put(edited, path)

    def _move(self, change: ComponentMove, path: str) -> None:
        component = self._existing(change.key, path)
        if component is None:
            return
        layout, order_key = given(change.layout, None), given(change.order_key, None)
        order_key = component.order_key if order_key is None else self._order_key(order_key, path)
        self._put(replace(component, layout=layout or component.layout, order_key=order_key), path)

    def _existing(self, key: str, path: str) -> Component | None:
        component = self.tree.get(key)
        if component is None:
            self.issues.append(Issue(f"{path}.key", f"There is no component {key[:64]!r}."))
        return component

    def _order_key(self, wanted: str | None, path: str) -> str:
        if wanted is None:
            last = max((each.order_key for each in self.tree.values()), default=None)
            return between(last, None)
        if not is_order_key(wanted):
            self.issues.append(Issue(f"{path}.orderKey", "This is no fractional index key, such as a0 or a1V."))
        return wanted

    def _put(self, component: Component, path: str) -> None:
        # Another content is another version; what ends as it was gets its old version back in the end.
        self.tree[component.key] = replace(component, id=new_id())
        self.touched[component.key] = path

    def _read(self, key: str, source: OperationSource | None, path: str) -> None:
        if source is None:
            self.unread.pop(key, None)
        else:
            self.unread[key] = Unread(key, source, f"{path}.source.operation")

    def check(self) -> None:
        """Refuse the draft where anything is wrong with it; raises Invalid with every issue."""
        for key, path in self.touched.items():
            self.issues.extend(component_issues(self.tree[key], path))
        if not self.issues:
            self.issues.extend(tree_issues(self.tree, "changes"))
        if self.issues:
            raise Invalid(issues=tuple(self.issues))


def drafted(tree: Tree, changes: Sequence[ComponentChange]) -> Draft:
    """Apply changes to a copy of a tree; raises Invalid with every issue of them."""
    if not 1 <= len(changes) <= MOST_CHANGES:
        raise Invalid(f"A commit has 1 to {MOST_CHANGES} changes.", field="changes")
    draft = Draft(dict(tree))
    for place, change in enumerate(changes):
        draft.apply(change, f"changes.{place}")
    draft.check()
    return draft


def with_rows(tree: Tree, stamps: Mapping[str, DataStamp]) -> Tree:
    """Return a tree whose components have the stamps of the rows that were read for them."""
    return {
        key: replace(component, data=stamps[key]) if key in stamps else component for key, component in tree.items()
    }


def versioned(before: Tree, after: Tree) -> Tree:
    """Return a tree in which what is as before is the same version, and what is not a new one; in the order shown."""
    versions = {}
    for component in ordered(after.values()):
        old = before.get(component.key)
        versions[component.key] = old if old and alike(old, component) else replace(component, id=new_id())
    return versions
