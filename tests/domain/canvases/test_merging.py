"""Each class of conflict by its table, how each is resolved, and what is no conflict."""

from __future__ import annotations

from typing import Any

import pytest

from domain.canvases import (
    Component,
    ComponentKind,
    ConflictKind,
    ConflictSide,
    DataStamp,
    Layout,
    OperationSource,
    Resolution,
)
from domain.canvases import trees as limits
from domain.canvases.merging import merged
from domain.canvases.trees import shown
from domain.errors import Invalid
from tests.domain.canvases.building import DEALS, LEADS, bars, changed, note, read_at, tree

BASE, OURS, THEIRS, VALUE = ConflictSide.BASE, ConflictSide.OURS, ConflictSide.THEIRS, ConflictSide.VALUE
COLOR = {"field": "city", "type": "nominal"}
HERE, THERE = {"x": 4, "y": 0, "width": 4, "height": 4}, {"x": 8, "y": 0, "width": 4, "height": 4}
SPARSE, DENSE = {"type": "bar", "opacity": 0.5}, {"type": "bar", "opacity": 1}


def spec_of(component: Component) -> Any:
    return component.visualization


TABLE: list[tuple[ConflictKind, str, Component | None, Component | None, Component | None, Any]] = [
    (
        ConflictKind.EDIT_EDIT, "title",
        bars("a", title="Leads"), bars("a", title="All leads"), bars("a", title="Our leads"),
        ("Leads", "All leads", "Our leads"),
    ),
    (
        ConflictKind.EDIT_EDIT, "title",
        bars("a"), bars("a", title="All leads"), bars("a", title="Our leads"), (None, "All leads", "Our leads"),
    ),
    (
        ConflictKind.EDIT_EDIT, "visualization.mark",
        bars("a"), bars("a", mark=SPARSE), bars("a", mark=DENSE), ("bar", SPARSE, DENSE),
    ),
    (
        ConflictKind.EDIT_EDIT, "visualization.encoding.y.aggregate",
        bars("a"), bars("a", y={"aggregate": "mean"}), bars("a", y={"aggregate": "max"}), ("sum", "mean", "max"),
    ),
    (
        ConflictKind.EDIT_EDIT, "visualization.encoding.color",
        bars("a"), bars("a", color=COLOR), bars("a", color={"value": "teal"}), (None, COLOR, {"value": "teal"}),
    ),
    (
        ConflictKind.EDIT_EDIT, "source",
        bars("a"), bars("a", source=DEALS), bars("a", source=OperationSource("sha256:leads", {"first": 50})),
        (
            {"documentId": "sha256:leads", "variables": {"first": 20}},
            {"documentId": "sha256:deals", "variables": {"first": 20}},
            {"documentId": "sha256:leads", "variables": {"first": 50}},
        ),
    ),
    (
        ConflictKind.MOVE_MOVE, "layout",
        note("a"), note("a", layout=Layout(**HERE)), note("a", layout=Layout(**THERE)),
        ({"x": 0, "y": 0, "width": 4, "height": 4}, HERE, THERE),
    ),
    (
        ConflictKind.MOVE_MOVE, "orderKey",
        note("a"), note("a", order_key="a1"), note("a", order_key="a2"), ("a0", "a1", "a2"),
    ),
    (
        ConflictKind.DELETE_EDIT, "",
        note("a"), None, note("a", "Good bye"),
        (shown(note("a")), None, shown(note("a", "Good bye"))),
    ),
    (
        ConflictKind.DELETE_EDIT, "",
        note("a"), note("a", order_key="a1"), None,
        (shown(note("a")), shown(note("a", order_key="a1")), None),
    ),
    (
        ConflictKind.ADD_ADD, "",
        None, note("a"), note("a", "Good bye"),
        (None, shown(note("a")), shown(note("a", "Good bye"))),
    ),
    (
        ConflictKind.CONSTRAINT, "visualization.encoding.y.stack",
        bars("a"), bars("a", y={"stack": "zero"}), bars("a", y={"aggregate": "mean"}),
        (
            shown(bars("a")), shown(bars("a", y={"stack": "zero"})), shown(bars("a", y={"aggregate": "mean"})),
        ),
    ),
]  # fmt: skip


def of(component: Component | None) -> Any:
    return {} if component is None else tree(component)


def leaf(component: Component | None, path: str) -> Any:
    value: Any = shown(component)
    for name in path.split(".") if path else ():
        value = value.get(name)
    return value


@pytest.mark.parametrize(("kind", "path", "base", "ours", "theirs", "values"), TABLE)
def test_a_conflict_names_where_and_what_each_side_has(
    kind: ConflictKind, path: str, base: Component | None, ours: Component | None, theirs: Component | None, values: Any
) -> None:
    [conflict] = merged([of(base)], of(ours), of(theirs)).unresolved
    assert (conflict.kind, conflict.component_key, conflict.path) == (kind, "a", path)
    assert (conflict.base, conflict.ours, conflict.theirs) == values


@pytest.mark.parametrize("side", [BASE, OURS, THEIRS])
@pytest.mark.parametrize(("kind", "path", "base", "ours", "theirs", "values"), TABLE)
def test_a_resolution_takes_the_side_that_it_names(
    side: ConflictSide,
    kind: ConflictKind,
    path: str,
    base: Component | None,
    ours: Component | None,
    theirs: Component | None,
    values: Any,
) -> None:
    [conflict] = merged([of(base)], of(ours), of(theirs)).unresolved
    merge = merged([of(base)], of(ours), of(theirs), [Resolution(conflict.key, side)])
    assert merge.unresolved == []
    assert merge.conflicts == [conflict]
    wanted = values[[BASE, OURS, THEIRS].index(side)]
    whole = kind is ConflictKind.CONSTRAINT or path == ""
    assert leaf(merge.tree.get("a"), "" if whole else path) == wanted


@pytest.mark.parametrize(
    ("place", "value", "path"),
    [
        (0, "Everybody's leads", "title"),
        (2, {"type": "bar", "cornerRadius": 4}, "visualization.mark"),
        (5, {"documentId": "sha256:other", "variables": {}}, "source"),
        (6, {"x": 12, "y": 1, "width": 2, "height": 2}, "layout"),
        (7, "a1V", "orderKey"),
        (8, {"kind": "TEXT", "orderKey": "a5", "layout": HERE, "visualization": {"markdown": "New"}}, ""),
    ],
)
def test_a_resolution_gives_a_value_of_its_own(place: int, value: Any, path: str) -> None:
    _, _, base, ours, theirs, _ = TABLE[place]
    [conflict] = merged([of(base)], of(ours), of(theirs)).unresolved
    merge = merged([of(base)], of(ours), of(theirs), [Resolution(conflict.key, VALUE, value)])
    assert merge.unresolved == []
    assert leaf(merge.tree["a"], path) == value
    assert [each.source.document_id for each in merge.unread.values()] == (["sha256:other"] if path == "source" else [])


@pytest.mark.parametrize(
    ("place", "value", "field", "message"),
    [
        (0, 7, "resolutions.0.choice.value.title", "This is a text, and not empty."),
        (0, "\ud800", "resolutions.0.choice.value", "This text has a character that cannot be kept."),
        (2, "line", "resolutions.0.choice.value", "visualization.mark: This is bar, or { type } with how it looks."),
        (6, {"x": 47, "y": 0, "width": 4, "height": 4}, "resolutions.0.choice.value",
         "layout.width: The grid has 48 columns."),
        (6, "left", "resolutions.0.choice.value.layout", "This is an object."),
        (7, "a00", "resolutions.0.choice.value.orderKey", "This is no fractional index key, such as a0 or a1V."),
        (8, {}, "resolutions.0.choice.value.kind", "This is missing."),
        (8, {"kind": "TEXT", "orderKey": "a5", "layout": HERE}, "resolutions.0.choice.value.visualization",
         "A component of kind TEXT says how it shows its rows."),
    ],
)  # fmt: skip
def test_a_value_that_no_commit_would_take_is_refused(place: int, value: Any, field: str, message: str) -> None:
    _, _, base, ours, theirs, _ = TABLE[place]
    [conflict] = merged([of(base)], of(ours), of(theirs)).unresolved
    with pytest.raises(Invalid) as refused:
        merged([of(base)], of(ours), of(theirs), [Resolution(conflict.key, VALUE, value)])
    assert (refused.value.issues[0].field, refused.value.issues[0].message) == (field, message)


def test_a_conflict_is_resolved_once() -> None:
    _, _, base, ours, theirs, _ = TABLE[0]
    [conflict] = merged([of(base)], of(ours), of(theirs)).unresolved
    with pytest.raises(Invalid, match="resolved twice") as refused:
        merged([of(base)], of(ours), of(theirs), [Resolution(conflict.key, OURS), Resolution(conflict.key, THEIRS)])
    assert refused.value.field == "resolutions.1.conflictKey"


def test_a_resolution_of_other_values_does_not_fit() -> None:
    base, ours = bars("a", title="Leads"), bars("a", title="All leads")
    [before] = merged([of(base)], of(ours), of(bars("a", title="Our leads"))).unresolved
    merge = merged([of(base)], of(ours), of(bars("a", title="My leads")), [Resolution(before.key, THEIRS)])
    assert [each.theirs for each in merge.unresolved] == ["My leads"]


def test_true_and_one_are_two_values() -> None:
    base, ours = bars("a", mark=SPARSE), bars("a", mark={"type": "bar", "opacity": 1})
    [conflict] = merged([of(base)], of(ours), of(bars("a", mark={"type": "bar", "opacity": True}))).unresolved
    assert (conflict.ours, conflict.theirs) == (1, True)


def test_different_members_of_one_chart_merge() -> None:
    merge = merged(
        [tree(bars("a"))],
        tree(bars("a", mark=SPARSE, title="Leads", layout=Layout(**HERE))),
        tree(bars("a", color=COLOR, y={"title": "Leads"}, order_key="a3")),
    )
    assert merge.conflicts == []
    assert shown(merge.tree["a"]) == shown(
        bars("a", mark=SPARSE, title="Leads", layout=Layout(**HERE), color=COLOR, y={"title": "Leads"}, order_key="a3")
    )


def test_different_components_merge_in_their_order() -> None:
    base = tree(note("a"), note("b", order_key="a1"))
    merge = merged(
        [base],
        tree(note("b", order_key="a1"), note("d", order_key="a2")),
        tree(*base.values(), note("c", order_key="a2")),
    )
    # Two that were put at one place stand in the order of their keys.
    assert (merge.conflicts, list(merge.tree)) == ([], ["b", "c", "d"])


STAMPS = [
    # base, ours, theirs, what is taken
    (0, 1, 0, 1),
    (0, 0, 2, 2),
    (0, 1, 2, 2),
    (0, 2, 1, 2),
    # Back to earlier rows is a wish as well.
    (3, 1, 3, 1),
]


@pytest.mark.parametrize(("base", "ours", "theirs", "taken"), STAMPS)
def test_rows_read_again_are_no_conflict(base: int, ours: int, theirs: int, taken: int) -> None:
    merge = merged(*_with_stamps(base, ours, theirs))
    assert merge.conflicts == []
    assert merge.tree["a"].data == read_at(taken)


def _with_stamps(*minutes: int) -> Any:
    base, ours, theirs = (tree(bars("a", data=read_at(minute))) for minute in minutes)
    return [base], ours, theirs


@pytest.mark.parametrize(("ours", "theirs"), [(1, 3), (3, 1)])
def test_going_back_to_earlier_rows_is_kept_beside_other_edits(ours: int, theirs: int) -> None:
    base, mine, yours = bars("a", data=read_at(3)), bars("a", data=read_at(ours)), bars("a", data=read_at(theirs))
    merge = merged([tree(base)], tree(changed(mine, title="Mine")), tree(changed(yours, layout=Layout(4, 0, 4, 4))))
    assert merge.conflicts == []
    assert (merge.tree["a"].title, merge.tree["a"].layout.x, merge.tree["a"].data) == ("Mine", 4, read_at(1))


def test_rows_go_with_their_source() -> None:
    ours = tree(bars("a", source=DEALS, data=read_at(1)))
    merge = merged([tree(bars("a"))], ours, tree(bars("a", data=read_at(5))))
    assert merge.conflicts == []
    assert (merge.tree["a"].source, merge.tree["a"].data) == (DEALS, read_at(1))


@pytest.mark.parametrize(
    ("side", "source", "data"), [(BASE, LEADS, read_at(0)), (OURS, DEALS, read_at(1)), (THEIRS, None, None)]
)
def test_a_resolved_source_brings_its_rows(
    side: ConflictSide, source: OperationSource | None, data: DataStamp | None
) -> None:
    inline = bars("a").visualization or {}
    theirs = changed(
        bars("a"), source=None, data=None, visualization={**inline, "data": {"values": [{"stage": "NEW"}]}}
    )
    base, ours = tree(bars("a")), tree(bars("a", source=DEALS, data=read_at(1)))
    [conflict] = merged([base], ours, tree(theirs)).unresolved
    answers = [Resolution(conflict.key, side)]
    merge = merged([base], ours, tree(theirs), answers)
    if side is not THEIRS:
        # Their rows were inline, and ours come from a document: both is one too many.
        [broken] = merge.unresolved
        assert (broken.kind, broken.path) == (ConflictKind.CONSTRAINT, "visualization.data")
        merge = merged([base], ours, tree(theirs), [*answers, Resolution(broken.key, side)])
    assert merge.unresolved == []
    assert (merge.tree["a"].source, merge.tree["a"].data) == (source, data)


def test_what_was_removed_stays_removed_though_its_rows_were_read_again() -> None:
    merge = merged([tree(bars("a"))], {}, tree(bars("a", data=read_at(1))))
    assert (merge.conflicts, merge.tree) == ([], {})


def test_the_same_addition_is_one_component_with_the_later_rows() -> None:
    merge = merged([{}], tree(bars("a", data=read_at(2))), tree(bars("a", data=read_at(1))))
    assert (merge.conflicts, merge.tree["a"].data) == ([], read_at(2))


def test_a_decision_of_one_crosswise_merge_is_not_undone_by_the_other() -> None:
    # Both were merged into each other: one merge kept 1, the other took 2.
    one, other = tree(note("a", "1")), tree(note("a", "2"))
    merge = merged([one, other], tree(note("a", "1")), tree(note("a", "2")))
    assert [(each.path, each.base, each.ours, each.theirs) for each in merge.unresolved] == [
        ("visualization.markdown", "1", "1", "2")
    ]
    settled = merged([one, other], tree(note("a", "3")), tree(note("a", "3")))
    assert (settled.conflicts, settled.tree["a"].visualization) == ([], {"markdown": "3"})


def test_what_one_of_two_bases_lacks_was_added_by_both() -> None:
    merge = merged([{}, tree(note("a", "1"))], tree(note("a", "2")), tree(note("a", "3")))
    assert [(each.kind, each.path, each.base) for each in merge.unresolved] == [(ConflictKind.ADD_ADD, "", None)]


def test_a_canvas_that_is_too_large_asks_about_whatever_grew(monkeypatch: pytest.MonkeyPatch) -> None:
    base = tree(note("a"), note("b"), note("c"))
    ours, theirs = {**base, **tree(note("a", "A" * 500))}, {**base, **tree(note("b", "B" * 500))}
    most = max(sum(map(limits.size_of, each.values())) for each in (ours, theirs))
    monkeypatch.setattr("domain.canvases.merging.LARGEST_TREE", most)
    monkeypatch.setattr(limits, "LARGEST_TREE", most)
    merge = merged([base], ours, theirs)
    assert [(each.kind, each.component_key) for each in merge.unresolved] == [
        (ConflictKind.CONSTRAINT, "a"), (ConflictKind.CONSTRAINT, "b")
    ]  # fmt: skip
    one, other = (each.key for each in merge.unresolved)
    fits = merged([base], ours, theirs, [Resolution(one, BASE), Resolution(other, THEIRS)])
    assert (fits.unresolved, spec_of(fits.tree["b"])) == ([], {"markdown": "B" * 500})
    with pytest.raises(Invalid, match="bytes; it would have"):
        merged([base], ours, theirs, [Resolution(one, OURS), Resolution(other, THEIRS)])


def test_a_canvas_over_its_limit_asks_about_every_addition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.canvases.merging.MOST_COMPONENTS", 3)
    monkeypatch.setattr(limits, "MOST_COMPONENTS", 3)
    base = tree(note("a"))
    ours, theirs = tree(note("a"), note("b"), note("c")), tree(note("a"), note("d"), note("e"))
    merge = merged([base], ours, theirs)
    assert [(each.kind, each.component_key, each.path) for each in merge.unresolved] == [
        (ConflictKind.CONSTRAINT, key, "") for key in "bcde"
    ]
    keys = {each.component_key: each.key for each in merge.unresolved}
    chosen = [Resolution(keys["b"], OURS), Resolution(keys["c"], BASE), Resolution(keys["d"], BASE)]
    fits = merged([base], ours, theirs, [*chosen, Resolution(keys["e"], THEIRS)])
    assert (fits.unresolved, list(fits.tree)) == ([], ["a", "b", "e"])
    with pytest.raises(Invalid, match="at most 3 components; it would have 4"):
        merged([base], ours, theirs, [*chosen[:2], Resolution(keys["d"], THEIRS), Resolution(keys["e"], THEIRS)])


def test_a_kind_is_merged_with_its_spec() -> None:
    line = changed(bars("a"), kind=ComponentKind.LINE, visualization={**spec_of(bars("a")), "mark": "line"})
    [conflict] = merged([tree(bars("a"))], tree(line), tree(bars("a", y={"stack": "zero"}))).unresolved
    assert (conflict.kind, conflict.path) == (ConflictKind.CONSTRAINT, "visualization.encoding.y.stack")
