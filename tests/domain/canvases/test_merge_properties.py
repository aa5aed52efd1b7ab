"""What holds of every merge, over generated histories of both sides."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.canvases import Conflict, ConflictKind, ConflictSide, Resolution, Tree
from domain.canvases.merging import Merge, merged
from domain.canvases.trees import alike, content_of, shown, tree_hash
from tests.domain.canvases.building import START, STEPS, Step, after, copies, leaves

SIDES = st.sampled_from([ConflictSide.BASE, ConflictSide.OURS, ConflictSide.THEIRS])
histories = given(STEPS, STEPS, STEPS)


def sides(start: list[Step], ours: list[Step], theirs: list[Step]) -> tuple[Tree, Tree, Tree]:
    """A base and what two canvases made of it, the second of which is a fork with versions of its own."""
    base = after(START, start)
    return base, after(base, ours), after(copies(base), theirs)


def covered(conflicts: list[Conflict], key: str, path: str) -> bool:
    return any(
        each.component_key == key and (each.path in {"", path} or path.startswith(f"{each.path}."))
        for each in conflicts
        if each.kind is not ConflictKind.CONSTRAINT
    ) or any(each.component_key == key and each.kind is ConflictKind.CONSTRAINT for each in conflicts)


@histories
def test_what_one_side_left_alone_is_as_the_other_has_it(
    start: list[Step], ours: list[Step], theirs: list[Step]
) -> None:
    base, mine, yours = sides(start, ours, theirs)
    for merge in (merged([base], mine, copies(base)), merged([base], mine, mine)):
        assert merge.conflicts == []
        assert tree_hash(merge.tree) == tree_hash(mine)
    merge = merged([base], copies(base), yours)
    assert merge.conflicts == []
    assert tree_hash(merge.tree) == tree_hash(yours)


@histories
def test_a_merge_is_the_same_from_both_sides(start: list[Step], ours: list[Step], theirs: list[Step]) -> None:
    base, mine, yours = sides(start, ours, theirs)
    one, other = merged([base], mine, yours), merged([base], yours, mine)

    def about(conflict: Conflict) -> tuple[Any, ...]:
        return (conflict.kind, conflict.component_key, conflict.path, conflict.base)

    assert [(*about(each), each.ours, each.theirs) for each in one.conflicts] == [
        (*about(each), each.theirs, each.ours) for each in other.conflicts
    ]
    undecided = {each.component_key for each in one.conflicts}
    assert {key: content_of(each) for key, each in one.tree.items() if key not in undecided} == {
        key: content_of(each) for key, each in other.tree.items() if key not in undecided
    }


@settings(max_examples=150)
@histories
def test_no_edit_is_lost(start: list[Step], ours: list[Step], theirs: list[Step]) -> None:
    base, mine, yours = sides(start, ours, theirs)
    merge = merged([base], mine, yours)
    for key in {*base, *mine, *yours}:
        before, one, other = leaves(base.get(key)), leaves(mine.get(key)), leaves(yours.get(key))
        now = leaves(merge.tree.get(key))
        for path in {*before, *one, *other}:
            old, left, right = before.get(path), one.get(path), other.get(path)
            if covered(merge.conflicts, key, path):
                continue
            assert left == right or old in (left, right), (key, path)
            assert now.get(path) == (right if left == old else left), (key, path)


@settings(max_examples=150)
@given(STEPS, STEPS, STEPS, st.data())
def test_resolving_every_conflict_gives_exactly_what_was_chosen(
    start: list[Step], ours: list[Step], theirs: list[Step], data: st.DataObject
) -> None:
    base, mine, yours = sides(start, ours, theirs)
    chosen, merge = resolved(base, mine, yours, data)
    trees = {ConflictSide.BASE: base, ConflictSide.OURS: mine, ConflictSide.THEIRS: yours}
    whole = {each.component_key for each in merge.conflicts if each.path == "" or each.kind is ConflictKind.CONSTRAINT}
    for conflict in merge.conflicts:
        side = trees[chosen[conflict.key]]
        key, path = conflict.component_key, conflict.path
        if key in whole:
            if conflict.path == "" or conflict.kind is ConflictKind.CONSTRAINT:
                assert shown(merge.tree.get(key)) == shown(side.get(key))
        else:
            assert part(merge.tree, key, path) == part(side, key, path)


@given(STEPS, STEPS, STEPS, st.data())
def test_merging_again_changes_nothing(
    start: list[Step], ours: list[Step], theirs: list[Step], data: st.DataObject
) -> None:
    base, mine, yours = sides(start, ours, theirs)
    _, merge = resolved(base, mine, yours, data)
    for parent in (mine, yours):
        again = merged([parent], merge.tree, parent)
        assert again.conflicts == []
        assert tree_hash(again.tree) == tree_hash(merge.tree)


@histories
def test_two_bases_never_decide_what_they_do_not_agree_on(
    start: list[Step], ours: list[Step], theirs: list[Step]
) -> None:
    _, mine, yours = sides(start, ours, theirs)
    # After a crosswise merge one side kept what it had, and the other took all of the first.
    merge = merged([mine, yours], mine, yours)
    asked = {each.component_key for each in merge.conflicts}
    for key in {*mine, *yours}:
        one, other = mine.get(key), yours.get(key)
        if alike(one, other):
            assert key not in asked
            assert alike(merge.tree.get(key), one)
        else:
            # Rows that were read again are the only difference that nobody has to decide.
            assert (key in asked) is (shown(one) != shown(other))


def resolved(base: Tree, mine: Tree, yours: Tree, data: st.DataObject) -> tuple[dict[str, ConflictSide], Merge]:
    """Choose a side for every conflict, also for those that only show when others are resolved."""
    chosen: dict[str, ConflictSide] = {}
    merge = merged([base], mine, yours)
    while merge.unresolved:
        chosen |= {each.key: data.draw(SIDES) for each in merge.unresolved}
        merge = merged([base], mine, yours, [Resolution(key, side) for key, side in chosen.items()])
    return chosen, merge


def part(of: Tree, key: str, path: str) -> object:
    value: Any = shown(of.get(key))
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
