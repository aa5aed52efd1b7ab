"""Components as JSON, their hashes, and what happened between two trees.

The content of a component is what its hash covers: everything but `id`, which names the version, so that a fork's
components have the hashes of those that they were copied from. What is None is absent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from domain.canvases.canonical import canonical, moment_text, same
from domain.canvases.kinds import ChangeKind
from domain.canvases.records import CanvasChange, Component, DataStamp, Layout, OperationSource, Tree, new_version
from domain.errors import Issue

Content: TypeAlias = Mapping[str, object]

MOST_COMPONENTS: Final = 500
LARGEST_COMPONENT: Final = 64 * 1024
"""Bytes of the content as canonical JSON."""
LARGEST_TREE: Final = 2 * 1024 * 1024
"""Bytes of all contents together."""

MOVES: Final = ("layout", "orderKey")
"""What is changed by moving a component, and merged as one value each."""


def layout_content(layout: Layout) -> Content:
    """Return a layout as JSON."""
    return {"x": layout.x, "y": layout.y, "width": layout.width, "height": layout.height}


def source_content(source: OperationSource) -> Content:
    """Return a source as JSON."""
    return {"documentId": source.document_id, "variables": source.variables}


def stamp_content(stamp: DataStamp) -> Content:
    """Return what a tree holds of rows as JSON."""
    return {"digest": stamp.digest, "asOf": moment_text(stamp.as_of)}


def shown(component: Component | None) -> dict[str, object] | None:
    """Return what people decide about a component: its content without the stamp of its rows."""
    if component is None:
        return None
    content: dict[str, object] = {
        "kind": component.kind.name,
        "orderKey": component.order_key,
        "layout": layout_content(component.layout),
    }
    if component.title is not None:
        content["title"] = component.title
    if component.visualization is not None:
        content["visualization"] = component.visualization
    if component.source is not None:
        content["source"] = source_content(component.source)
    return content


def content_of(component: Component | None) -> dict[str, object] | None:
    """Return the content of a component, as its hash covers it."""
    content = shown(component)
    if content is not None and component is not None and component.data is not None:
        content["data"] = stamp_content(component.data)
    return content


def alike(one: Component | None, other: Component | None) -> bool:
    """Whether two versions have the same content, or neither is there."""
    if one is None or other is None:
        return one is other
    return one.id == other.id or same(content_of(one), content_of(other))


def component_hash(component: Component) -> str:
    """Return SHA-256 over the content of a component as canonical JSON, hexadecimal."""
    return hashlib.sha256(canonical(content_of(component))).hexdigest()


def hash_of_tree(hashes: Mapping[str, str]) -> bytes:
    """Return SHA-256 over `{key: hash of the component}` as canonical JSON."""
    return hashlib.sha256(canonical(hashes)).digest()


def tree_hash(tree: Tree) -> bytes:
    """Return the hash of a revision's components."""
    return hash_of_tree({key: component_hash(each) for key, each in tree.items()})


def ordered(components: Iterable[Component]) -> list[Component]:
    """Return components in the order in which they are shown: by order key, then by key, each by its bytes."""
    return sorted(components, key=lambda each: (each.order_key, each.key))


def copied(tree: Tree) -> Tree:
    """Return a tree of new versions with the same contents."""
    return {key: new_version(component) for key, component in tree.items()}


def size_of(component: Component) -> int:
    """Return the bytes of a component's content."""
    return len(canonical(content_of(component)))


def tree_issues(tree: Tree, field: str) -> list[Issue]:
    """Return which limits of a whole canvas a tree is over."""
    issues = []
    if len(tree) > MOST_COMPONENTS:
        issues.append(Issue(field, f"A canvas has at most {MOST_COMPONENTS} components; it would have {len(tree)}."))
    size = sum(map(size_of, tree.values()))
    if size > LARGEST_TREE:
        issues.append(Issue(field, f"A canvas has at most {LARGEST_TREE} bytes; it would have {size}."))
    return issues


def changes_between(before: Tree, after: Tree) -> tuple[CanvasChange, ...]:
    """Return what happened to each component, in the order of their keys."""
    found: list[CanvasChange] = []
    for key in sorted({*before, *after}):
        one, other = before.get(key), after.get(key)
        if one is None:
            found.append(CanvasChange(ChangeKind.ADD, key))
        elif other is None:
            found.append(CanvasChange(ChangeKind.REMOVE, key))
        elif one.id != other.id:
            paths = different_paths(content_of(one) or {}, content_of(other) or {})
            found.extend(
                CanvasChange(ChangeKind.MOVE if path in MOVES else ChangeKind.EDIT, key, path) for path in paths
            )
    return tuple(found)


def different_paths(one: Content, other: Content) -> Iterator[str]:
    """Return the dotted paths at which two contents differ. Rows that go with a changed source are not named twice."""
    for name in sorted({*one, *other}):
        before, after = one.get(name), other.get(name)
        if same(before, after) or (name == "data" and not same(one.get("source"), other.get("source"))):
            continue
        if name == "visualization":
            yield from _leaves(before, after, name)
        else:
            yield name


def _leaves(one: object, other: object, path: str) -> Iterator[str]:
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        if not same(one, other):
            yield path
        return
    for name in sorted({*one, *other}):
        yield from _leaves(one.get(name), other.get(name), f"{path}.{name}")
