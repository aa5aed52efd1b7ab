"""What each change does to a tree, what is refused, and which versions are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from domain.canvases import (
    CanvasChange,
    ChangeKind,
    ComponentAdd,
    ComponentEdit,
    ComponentKind,
    ComponentMove,
    ComponentRemove,
    Layout,
    Tree,
)
from domain.canvases import trees as limits
from domain.canvases.changes import drafted, versioned, with_rows
from domain.canvases.trees import changes_between
from domain.errors import Invalid
from tests.domain.canvases.building import BARS, DEALS, LEADS, bars, changed, note, read_at, tree

HERE = Layout(4, 0, 4, 4)
HELLO = {"markdown": "Hello"}


def after(before: Tree, *changes: Any) -> Tree:
    draft = drafted(before, changes)
    stamps = {key: read_at(9) for key in draft.unread}
    return versioned(before, with_rows(draft.tree, stamps))


def told(before: Tree, *changes: Any) -> list[tuple[str, str, str | None]]:
    found = changes_between(before, after(before, *changes))
    return [(each.kind.name, each.component_key, each.path) for each in found]


def refused(before: Tree, changes: Sequence[Any]) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as error:
        drafted(before, changes)
    return [(issue.field, issue.message) for issue in error.value.issues]


def test_an_addition_gets_a_key_and_goes_last() -> None:
    before = tree(note("a", order_key="a3"))
    one = ComponentAdd(ComponentKind.TEXT, HERE, visualization=HELLO)
    made = after(before, one, one, ComponentAdd(ComponentKind.TEXT, HERE, key="z", order_key="a0", visualization=HELLO))
    assert [(each.order_key, len(each.key)) for each in made.values()] == [("a0", 1), ("a3", 1), ("a4", 36), ("a5", 36)]
    assert made["a"] is before["a"]


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        (ComponentEdit("a", title="Leads"), [("EDIT", "a", "title")]),
        (ComponentEdit("a", visualization={**BARS, "mark": {"type": "bar"}}), [("EDIT", "a", "visualization.mark")]),
        (
            ComponentEdit("a", visualization={**BARS, "encoding": {**BARS["encoding"], "color": {"value": "teal"}}}),
            [("EDIT", "a", "visualization.encoding.color")],
        ),
        (ComponentEdit("a", source=DEALS), [("EDIT", "a", "source")]),
        (ComponentEdit("a", source=LEADS), [("EDIT", "a", "data")]),
        (ComponentMove("a", layout=HERE), [("MOVE", "a", "layout")]),
        (ComponentMove("a", order_key="a9"), [("MOVE", "a", "orderKey")]),
        (ComponentMove("a", layout=HERE, order_key="a9"), [("MOVE", "a", "layout"), ("MOVE", "a", "orderKey")]),
        (ComponentRemove("a"), [("REMOVE", "a", None)]),
        (ComponentAdd(ComponentKind.TEXT, HERE, key="b", visualization=HELLO), [("ADD", "b", None)]),
        (ComponentEdit("a"), []),
        (ComponentEdit("a", title=None), []),
        (ComponentMove("a", layout=None, order_key=None), []),
    ],
)
def test_history_tells_what_a_change_did(change: Any, paths: list[tuple[str, str, str | None]]) -> None:
    assert told(tree(bars("a")), change) == paths


def test_changes_act_on_what_those_before_them_left() -> None:
    before = tree(bars("a"), note("b"))
    made = after(
        before,
        ComponentRemove("a"),
        ComponentAdd(ComponentKind.TEXT, HERE, key="a", visualization=HELLO),
        ComponentEdit("a", title="New"),
        ComponentEdit("b", title="For a moment"),
        ComponentEdit("b", title=None),
    )
    assert (made["a"].kind, made["a"].title) == (ComponentKind.TEXT, "New")
    # What ends as it was is the version that it was.
    assert made["b"] is before["b"]
    assert changes_between(before, made) == tuple(
        CanvasChange(ChangeKind.MOVE if path in {"layout", "orderKey"} else ChangeKind.EDIT, "a", path)
        for path in ("kind", "layout", "orderKey", "source", "title", "visualization.encoding", "visualization.mark",
                     "visualization.markdown")
    )  # fmt: skip


def test_rows_are_read_for_the_sources_that_are_given_and_kept() -> None:
    before = tree(bars("a"), bars("b"), bars("c"))
    draft = drafted(
        before,
        [
            ComponentEdit("a", source=DEALS),
            ComponentAdd(ComponentKind.BAR, HERE, key="d", source=LEADS, visualization=BARS),
            ComponentAdd(ComponentKind.BAR, HERE, key="e", source=LEADS, visualization=BARS),
            ComponentRemove("e"),
            ComponentEdit("b", title="As it was read"),
        ],
    )
    assert [(each.key, each.source, each.field) for each in draft.unread.values()] == [
        ("a", DEALS, "changes.0.edit.source.operation"),
        ("d", LEADS, "changes.1.add.source.operation"),
    ]
    made = versioned(before, with_rows(draft.tree, {"a": read_at(5), "d": read_at(6)}))
    assert {key: each.data for key, each in made.items()} == {
        "a": read_at(5), "b": read_at(0), "c": read_at(0), "d": read_at(6),
    }  # fmt: skip


def test_a_source_that_is_taken_away_takes_its_rows_along() -> None:
    inline = {**BARS, "data": {"values": [{"stage": "NEW", "count": 1}]}}
    made = after(tree(bars("a")), ComponentEdit("a", visualization=inline, source=None))
    assert (made["a"].source, made["a"].data) == (None, None)


def test_every_issue_of_every_change_is_told() -> None:
    assert refused(
        tree(note("a")),
        [
            ComponentAdd(ComponentKind.TEXT, HERE, key="a", visualization=HELLO),
            ComponentAdd(ComponentKind.TEXT, HERE, key="a b", visualization=HELLO),
            ComponentAdd(ComponentKind.TEXT, HERE, key="c", order_key="0", visualization={}),
            ComponentEdit("d", title="?"),
            ComponentMove("a", order_key="a10", layout=Layout(0, 0, 0, 1)),
            ComponentRemove("e"),
        ],
    ) == [
        ("changes.0.add.key", "There is a component 'a' already."),
        ("changes.1.add.key", "A key has 1 to 64 of the characters A-Z, a-z, 0-9, _ and -."),
        ("changes.2.add.orderKey", "This is no fractional index key, such as a0 or a1V."),
        ("changes.3.edit.key", "There is no component 'd'."),
        ("changes.4.move.orderKey", "This is no fractional index key, such as a0 or a1V."),
        ("changes.5.remove.key", "There is no component 'e'."),
        ("changes.2.add.visualization.markdown", "This is missing."),
        ("changes.4.move.layout.width", "This is a whole number from 1 to 48."),
    ]


def test_a_commit_changes_something_and_not_everything() -> None:
    assert refused({}, []) == [("changes", "A commit has 1 to 1000 changes.")]
    assert refused({}, 1001 * [ComponentRemove("a")]) == [("changes", "A commit has 1 to 1000 changes.")]


def test_a_canvas_has_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_COMPONENTS", 2)
    monkeypatch.setattr(limits, "LARGEST_TREE", 300)
    one = ComponentAdd(ComponentKind.TEXT, HERE, visualization={"markdown": 20 * "x"})
    assert refused(tree(note("a")), [one, one]) == [
        ("changes", "A canvas has at most 2 components; it would have 3."),
        ("changes", "A canvas has at most 300 bytes; it would have 366."),
    ]


def test_versions_of_one_content_in_two_canvases_are_two() -> None:
    before = tree(note("a"))
    same = versioned(before, tree(changed(before["a"])))
    assert same["a"] is before["a"]
    other = versioned({}, before)
    assert other["a"].id != before["a"].id
    assert isinstance(other["a"].id, UUID)
