"""The merge of three trees: the base, ours (the target's head) and theirs (the source's head).

Everything goes by the component's key. What only one side changed is taken from that side, and what both changed alike
is taken once. What both changed differently is a conflict, never a guess:

    EDIT_EDIT    the same title, source or member of the visualization
    MOVE_MOVE    the same layout or order key
    DELETE_EDIT  one side removed what the other changed
    ADD_ADD      both added one key with different contents
    CONSTRAINT   each side is valid and both together are not: a spec that breaks a rule, a canvas over its limits

Within a visualization objects merge member by member; lists and everything else are one value. A layout and a source
are one value each. Rows go with their source: where both sides read the same source again, the later rows are taken,
and reading again alone is no edit. Two components that end up with one order key are shown in the order of their keys.

Histories that merged into each other crosswise have several bases. What a side has counts as unchanged only if it is as
in all of them, so that a decision taken in one of the merges is never undone silently by the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from domain.canvases.canonical import canonical, same
from domain.canvases.changes import Unread
from domain.canvases.kinds import ConflictKind, ConflictSide
from domain.canvases.records import Component, Conflict, DataStamp, OperationSource, Resolution, Tree
from domain.canvases.restored import restored
from domain.canvases.shapes import json_issues
from domain.canvases.specifications import component_issues
from domain.canvases.trees import (
    LARGEST_TREE,
    MOST_COMPONENTS,
    MOVES,
    alike,
    ordered,
    shown,
    size_of,
    source_content,
    tree_issues,
)
from domain.errors import Invalid, Issue


class Missing(Enum):
    """A member that is not there, which null is not."""

    MISSING = "MISSING"


MISSING: Final = Missing.MISSING

MEMBERS: Final = ("kind", "layout", "orderKey", "source", "title", "visualization")
"""What is merged of a component, each for itself."""


@dataclass(slots=True)
class Merge:
    """A merge, as far as it can be made with the resolutions that are there.

    `conflicts` are all there are, resolved or not, by component key and path; while some are `unresolved`, the tree
    has at their places what ours has. `unread` are components with a source of nobody's, whose rows are to be read.
    """

    tree: dict[str, Component] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    unresolved: list[Conflict] = field(default_factory=list)
    unread: dict[str, Unread] = field(default_factory=dict)


def merged(bases: Sequence[Tree], ours: Tree, theirs: Tree, resolutions: Sequence[Resolution] = ()) -> Merge:
    """Merge two trees with the bases that they have in common, the first of which is shown in conflicts.

    Resolutions of other conflicts than there are count for nothing. Raises Invalid for a value that a conflict cannot
    be resolved to, for a conflict resolved twice, and for a tree that is over a limit however it was resolved.
    """
    places: dict[str, int] = {}
    for place, resolution in enumerate(resolutions):
        if places.setdefault(resolution.conflict_key, place) != place:
            raise Invalid("This conflict is resolved twice.", field=f"resolutions.{place}.conflictKey")
    merge = Merge()
    chosen = _Chosen(merge, resolutions, places)
    for key in sorted({*ours, *theirs}):
        component = _Sides(key, [base.get(key) for base in bases], ours.get(key), theirs.get(key), chosen).merged()
        if component is not None:
            merge.tree[key] = component
    if not merge.unresolved:
        _keep_limits(merge, chosen, bases, ours, theirs)
    for conflicts in (merge.conflicts, merge.unresolved):
        conflicts.sort(key=lambda each: (each.component_key, each.path, each.kind.name))
    merge.tree = {component.key: component for component in ordered(merge.tree.values())}
    return merge


class _Chosen:
    """The resolutions, and the conflicts that were met while looking for them."""

    def __init__(self, merge: Merge, resolutions: Sequence[Resolution], places: Mapping[str, int]) -> None:
        self.merge = merge
        self._resolutions = resolutions
        self._places = places
        self._met: set[str] = set()

    def among(
        self, kind: ConflictKind, key: str, path: str, sides: Mapping[ConflictSide, object]
    ) -> tuple[ConflictSide | None, object, str]:
        """Note a conflict; return the side that resolves it (None so far), its value, and the input that says so."""
        base, ours, theirs = (
            None if sides[side] is MISSING else sides[side]
            for side in (ConflictSide.BASE, ConflictSide.OURS, ConflictSide.THEIRS)
        )
        named = canonical([kind.name, key, path, base, ours, theirs])
        conflict = Conflict(hashlib.sha256(named).hexdigest()[:32], kind, key, path, base, ours, theirs)
        place = self._places.get(conflict.key)
        if conflict.key not in self._met:
            self._met.add(conflict.key)
            self.merge.conflicts.append(conflict)
            if place is None:
                self.merge.unresolved.append(conflict)
        if place is None:
            return None, sides[ConflictSide.OURS], ""
        resolution = self._resolutions[place]
        side = resolution.side
        input_path = f"resolutions.{place}.choice.value"
        if side is not ConflictSide.VALUE:
            return side, sides[side], input_path
        if issues := tuple(json_issues(resolution.value, input_path, nulls=True)):
            raise Invalid(issues=issues)
        return side, resolution.value, input_path


class _Sides:
    """One component on all sides of a merge."""

    def __init__(
        self,
        key: str,
        bases: Sequence[Component | None],
        ours: Component | None,
        theirs: Component | None,
        chosen: _Chosen,
    ) -> None:
        self._key = key
        self._bases = bases
        self._ours = ours
        self._theirs = theirs
        self._chosen = chosen
        self._values: list[str] = []
        """The inputs that gave values of their own for this component."""

    def merged(self) -> Component | None:
        """Return the component as both sides want it, or None where it is not to be."""
        ours, theirs = self._ours, self._theirs
        if alike(ours, theirs) or all(alike(theirs, base) for base in self._bases):
            return ours
        if all(alike(ours, base) for base in self._bases):
            return theirs
        if ours is None or theirs is None:
            left = ours or theirs
            # Reading rows again is no edit, so what was removed stays removed.
            unchanged = all(base is not None and same(shown(base), shown(left)) for base in self._bases)
            return None if unchanged else self.whole(ConflictKind.DELETE_EDIT, "")
        if any(base is None for base in self._bases):
            if not same(shown(ours), shown(theirs)):
                return self.whole(ConflictKind.ADD_ADD, "")
            return replace(ours, data=self._stamp(ours.source))
        return self._by_member(ours, theirs)

    def whole(self, kind: ConflictKind, path: str) -> Component | None:
        """Return the component of the side that resolves a conflict about all of it."""
        sides = {
            ConflictSide.BASE: shown(self._bases[0]),
            ConflictSide.OURS: shown(self._ours),
            ConflictSide.THEIRS: shown(self._theirs),
        }
        side, value, input_path = self._chosen.among(kind, self._key, path, sides)
        if side is ConflictSide.VALUE:
            self._values.append(input_path)
            component = restored(self._key, value, input_path)
            if issues := tuple(component_issues(component, input_path)):
                raise Invalid(issues=issues)
            return self._with_rows(component)
        if side is ConflictSide.BASE:
            return self._bases[0]
        return self._theirs if side is ConflictSide.THEIRS else self._ours

    def _by_member(self, ours: Component, theirs: Component) -> Component | None:
        one, other = shown(ours) or {}, shown(theirs) or {}
        bases = [shown(base) or {} for base in self._bases]
        open_before = len(self._chosen.merge.unresolved)
        content = {}
        for name in MEMBERS:
            values = [base.get(name, MISSING) for base in bases]
            value = self._value(name, values, one.get(name, MISSING), other.get(name, MISSING))
            if value is not MISSING:
                content[name] = value
        component = self._with_rows(restored(self._key, content, self._values[-1] if self._values else ""))
        if len(self._chosen.merge.unresolved) > open_before:
            return component
        if alike(component, ours):
            return ours
        issues = () if alike(component, theirs) else tuple(component_issues(component, ""))
        if issues and self._values:
            told = (Issue(self._values[-1], f"{issue.field.lstrip('.')}: {issue.message}") for issue in issues)
            raise Invalid(issues=tuple(told))
        return self.whole(ConflictKind.CONSTRAINT, issues[0].field.lstrip(".")) if issues else component

    def _value(self, path: str, bases: Sequence[object], ours: object, theirs: object) -> object:
        if _equal(ours, theirs) or all(_equal(theirs, base) for base in bases):
            return ours
        if all(_equal(ours, base) for base in bases):
            return theirs
        inside_spec = path.startswith("visualization")
        if inside_spec and isinstance(ours, Mapping) and isinstance(theirs, Mapping):
            objects = [base for base in bases if isinstance(base, Mapping)]
            if len(objects) == len(bases):
                return self._members(path, objects, ours, theirs)
        kind = ConflictKind.MOVE_MOVE if path in MOVES else ConflictKind.EDIT_EDIT
        sides = {ConflictSide.BASE: bases[0], ConflictSide.OURS: ours, ConflictSide.THEIRS: theirs}
        side, value, input_path = self._chosen.among(kind, self._key, path, sides)
        if side is ConflictSide.VALUE:
            self._values.append(input_path)
        return value

    def _members(
        self,
        path: str,
        bases: Sequence[Mapping[str, object]],
        ours: Mapping[str, object],
        theirs: Mapping[str, object],
    ) -> dict[str, object]:
        found = {}
        for name in sorted({*ours, *theirs}):
            values = [base.get(name, MISSING) for base in bases]
            value = self._value(f"{path}.{name}", values, ours.get(name, MISSING), theirs.get(name, MISSING))
            if value is not MISSING:
                found[name] = value
        return found

    def _with_rows(self, component: Component) -> Component:
        return replace(component, data=self._stamp(component.source))

    def _stamp(self, source: OperationSource | None) -> DataStamp | None:
        """Return the stamp of the rows of a source: of the side that has it, and the later one where both do."""
        if source is None:
            return None
        wanted = source_content(source)
        stamps = [
            each.data if each is not None and each.source and same(source_content(each.source), wanted) else None
            for each in (self._ours, self._theirs, *self._bases)
        ]
        ours, theirs, *bases = stamps
        if ours is not None and theirs is not None:
            if (ours in bases) is not (theirs in bases):
                return theirs if ours in bases else ours
            return max(ours, theirs, key=_age)
        stamp = ours or theirs or max((base for base in bases if base), key=_age, default=None)
        if stamp is None:
            field = self._values[-1] if self._values else "resolutions"
            self._chosen.merge.unread[self._key] = Unread(self._key, source, field)
        return stamp


def _keep_limits(merge: Merge, chosen: _Chosen, bases: Sequence[Tree], ours: Tree, theirs: Tree) -> None:
    """Ask about every component that brought a canvas over its limits: each side was within them.

    Raises Invalid where every answer is there and the canvas still is.
    """
    too_many = len(merge.tree) > MOST_COMPONENTS
    too_large = sum(map(size_of, merge.tree.values())) > LARGEST_TREE
    for key, component in list(merge.tree.items()):
        of_bases = [base.get(key) for base in bases]
        added = too_many and None in of_bases
        grown = too_large and not all(alike(component, base) for base in of_bases)
        if added or grown:
            decided = _Sides(key, of_bases, ours.get(key), theirs.get(key), chosen).whole(ConflictKind.CONSTRAINT, "")
            merge.tree.pop(key)
            if decided is not None:
                merge.tree[key] = decided
    if not merge.unresolved and (issues := tree_issues(merge.tree, "resolutions")):
        raise Invalid(issues=tuple(issues))


def _age(stamp: DataStamp) -> tuple[object, str]:
    return stamp.as_of, stamp.digest


def _equal(one: object, other: object) -> bool:
    if one is MISSING or other is MISSING:
        return one is other
    return same(one, other)
