"""The chain of revisions: what its hashes are, that a changed byte is found, and where histories meet."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Actor
from domain.canvases import CanvasChange, ChangeKind, ColumnType, DataColumn, DataRows, Layout, Revision, RevisionKind
from domain.canvases.history import common_ancestors, faults, sealed
from domain.canvases.trees import copied, tree_hash
from tests.domain.canvases.building import DEALS, NOON, STEPS, Step, after, bars, changed, note, read_at, tree

AUTHOR = Actor("users", UUID(int=7))
CANVAS, FORK = UUID(int=1), UUID(int=2)


def committed(
    parents: Any, components: Any, kind: RevisionKind = RevisionKind.COMMIT, message: str = "Why"
) -> Revision:
    return sealed(kind, canvas_id=CANVAS, parents=parents, tree=components, author=AUTHOR, message=message, at=NOON)


def sha(value: Any) -> str:
    """The hash of what needs no canonical form: sorted, without spaces, without numbers but integers."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_revision_is_hashed_as_documented() -> None:
    chart = bars("leads", title="Leads — all")
    first = committed((), {})
    second = committed([(first, {})], tree(chart))
    content = {
        "kind": "BAR", "title": "Leads — all", "orderKey": "a0",
        "layout": {"x": 0, "y": 0, "width": 4, "height": 4}, "visualization": chart.visualization,
        "source": {"documentId": "sha256:leads", "variables": {"first": 20}},
        "data": {"digest": 64 * "0", "asOf": "2026-11-21T12:00:00.000000Z"},
    }  # fmt: skip
    assert second.tree_hash.hex() == sha({"leads": sha(content)})
    assert first.tree_hash.hex() == sha({})
    for revision, parents in ((first, []), (second, [first.hash.hex()])):
        assert revision.hash.hex() == sha({
            "id": str(revision.id), "canvas": "00000000-0000-0000-0000-000000000001", "number": len(parents) + 1,
            "kind": "COMMIT", "parents": parents, "tree": revision.tree_hash.hex(),
            "author": "users:00000000-0000-0000-0000-000000000007", "at": "2026-11-21T12:00:00.000000Z",
            "message": "Why",
        })  # fmt: skip
    assert second.changes == (CanvasChange(ChangeKind.ADD, "leads"),)


def test_a_fork_goes_on_from_the_head_that_it_copies() -> None:
    components = tree(note("a"))
    head = committed((), components)
    first = committed([(head, components)], copied(components), RevisionKind.FORK)
    assert (first.number, first.parent_ids, first.tree_hash, first.changes) == (1, (head.id,), head.tree_hash, ())


@pytest.mark.parametrize(
    ("altered", "fault"),
    [
        ({"number": 3}, "It was changed after it was made, or one before it was."),
        ({"kind": RevisionKind.ROLLBACK}, "It was changed after it was made, or one before it was."),
        ({"message": "why"}, "It was changed after it was made, or one before it was."),
        ({"message": None}, "It was changed after it was made, or one before it was."),
        ({"author": Actor("api_keys", UUID(int=7))}, "It was changed after it was made, or one before it was."),
        ({"created_at": NOON.replace(microsecond=1)}, "It was changed after it was made, or one before it was."),
        ({"canvas_id": FORK}, "It was changed after it was made, or one before it was."),
        ({"hash": bytes(32)}, "It was changed after it was made, or one before it was."),
        ({"parent_ids": ()}, "Its parents are not those that it names."),
    ],
)
def test_a_changed_revision_is_found(altered: dict[str, Any], fault: str) -> None:
    first = committed((), {})
    second = committed([(first, {})], tree(note("a")))
    assert list(faults(second, [first], tree_hash(tree(note("a"))))) == []
    assert list(faults(replace(second, **altered), [first], tree_hash(tree(note("a"))))) == [fault]


@pytest.mark.parametrize(
    "altered",
    [
        {"title": "Leads "},
        {"order_key": "a1"},
        {"layout": Layout(0, 0, 4, 5)},
        {"visualization": {**(bars("a").visualization or {}), "mark": {"type": "bar"}}},
        {"source": DEALS},
        {"data": read_at(1)},
        {"data": None},
    ],
)
def test_a_changed_component_is_found(altered: dict[str, Any]) -> None:
    chart = bars("a", title="Leads")
    revision = committed((), tree(chart))
    assert list(faults(revision, [], tree_hash(tree(changed(chart, **altered))))) == [
        "Its components are not those that it was made with."
    ]
    assert tree_hash({"b": chart}) != tree_hash({"a": chart})


def test_a_change_of_the_past_is_found_by_all_that_came_after() -> None:
    first = committed((), {})
    second = committed([(first, {})], tree(note("a")))
    forged = committed((), {}, message="Another reason")
    forged = replace(forged, id=first.id)
    assert list(faults(second, [forged], tree_hash(tree(note("a"))))) == [
        "It was changed after it was made, or one before it was."
    ]


@given(STEPS, STEPS)
def test_equal_components_have_equal_hashes_and_others_do_not(one: list[Step], other: list[Step]) -> None:
    start = tree(note("one"), bars("two"))
    mine, yours = after(start, one), after(copied(start), other)
    names = ("key", "kind", "title", "order_key", "layout", "visualization", "source", "data")
    same = {k: [getattr(v, n) for n in names] for k, v in mine.items()} == {
        k: [getattr(v, n) for n in names] for k, v in yours.items()
    }
    assert (tree_hash(mine) == tree_hash(yours)) is same


def test_rows_are_known_by_a_digest_that_nobody_guesses() -> None:
    columns = (DataColumn("name", "Name", ColumnType.TEXT),)
    rows = DataRows(columns, [{"name": "Sara Khan"}], False, NOON, salt=b"s" * 16)  # noqa: FBT003 - as it is stored.
    content = {
        "columns": [{"name": "name", "label": "Name", "type": "TEXT"}],
        "rows": [{"name": "Sara Khan"}],
        "truncated": False,
        "asOf": "2026-11-21T12:00:00.000000Z",
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    assert rows.digest == hashlib.sha256(b"s" * 16 + text).hexdigest()
    again = DataRows(columns, rows.rows, truncated=False, as_of=NOON)
    assert len(again.salt) == 16
    assert again.digest != rows.digest


# 4 was forked from 2; 3 and 5 were merged into each other, as 6 and as 7; 9 stands alone.
PARENTS = {
    number: tuple(UUID(int=parent) for parent in parents)
    for number, parents in {
        1: (), 2: (1,), 3: (2,), 4: (2,), 5: (4,), 6: (3, 5), 7: (5, 3), 8: (6,), 9: (),
    }.items()
}  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        (3, 5, [2]),
        (1, 5, [1]),
        (5, 4, [4]),
        (6, 3, [3]),
        (6, 5, [5]),
        (8, 8, [8]),
        (6, 7, [5, 3]),
        (8, 7, [5, 3]),
        (3, 9, []),
    ],
)
def test_histories_meet_at_the_newest_that_they_share(one: int, other: int, common: list[int]) -> None:
    parents = {UUID(int=number): of for number, of in PARENTS.items()}
    wanted = [UUID(int=number) for number in common]
    assert common_ancestors(parents, UUID(int=one), UUID(int=other)) == wanted
    assert common_ancestors(parents, UUID(int=other), UUID(int=one)) == wanted


@given(
    st.lists(st.lists(st.integers(0, 11), max_size=2), min_size=2, max_size=12), st.integers(0, 11), st.integers(0, 11)
)
def test_nothing_newer_is_shared_than_where_histories_meet(graph: list[list[int]], one: int, other: int) -> None:
    parents = {
        UUID(int=number): tuple(UUID(int=parent) for parent in before if parent < number)
        for number, before in enumerate(graph)
    }
    one, other = one % len(graph), other % len(graph)

    def before(number: UUID) -> set[UUID]:
        return {number}.union(*(before(parent) for parent in parents[number]))

    shared = before(UUID(int=one)) & before(UUID(int=other))
    newest = {each for each in shared if not any(each in before(later) - {later} for later in shared)}
    assert set(common_ancestors(parents, UUID(int=one), UUID(int=other))) == newest
