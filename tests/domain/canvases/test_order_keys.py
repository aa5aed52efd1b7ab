"""Between any two places there is another, in the format that clients use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.canvases.order_keys import LONGEST_ORDER_KEY, SMALLEST_INTEGER, NoOrderKey, between, is_order_key


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        # As the `fractional-indexing` packages answer.
        (None, None, "a0"),
        (None, "a0", "Zz"),
        (None, "Zz", "Zy"),
        ("a0", None, "a1"),
        ("a1", None, "a2"),
        ("a0", "a1", "a0V"),
        ("a1", "a2", "a1V"),
        ("a0V", "a1", "a0l"),
        ("Zz", "a0", "ZzV"),
        ("Zz", "a1", "a0"),
        (None, "Y00", "Xzzz"),
        ("bzz", None, "c000"),
        ("a0", "a0V", "a0G"),
        ("a0", "a0G", "a08"),
        ("b125", "b129", "b127"),
        ("a0", "a1V", "a1"),
        ("Zz", "a01", "a0"),
        (None, "a0V", "a0"),
        (None, "b999", "b99"),
        (None, "A00000000000000000000000001", "A00000000000000000000000000V"),
        (None, "A000000000000000000000000001", "A000000000000000000000000000V"),
        ("zzzzzzzzzzzzzzzzzzzzzzzzzzy", None, "zzzzzzzzzzzzzzzzzzzzzzzzzzz"),
        ("zzzzzzzzzzzzzzzzzzzzzzzzzzz", None, "zzzzzzzzzzzzzzzzzzzzzzzzzzzV"),
    ],
)
def test_the_key_between_two(before: str | None, after: str | None, key: str) -> None:
    assert between(before, after) == key


@pytest.mark.parametrize(("before", "after"), [("a1", "a0"), ("a0", "a0"), ("a00", None), (None, "0"), ("", None)])
def test_there_is_nothing_between_what_has_no_order(before: str | None, after: str | None) -> None:
    with pytest.raises(NoOrderKey):
        between(before, after)


@pytest.mark.parametrize(
    "text", ["", "a", "b1", "a00", "a1V0", "a-", "a0 ", "é0", SMALLEST_INTEGER, "a1" + LONGEST_ORDER_KEY * "V"]
)
def test_these_are_no_order_keys(text: str) -> None:
    assert not is_order_key(text)


@given(st.lists(st.integers(0, 60), max_size=60))
def test_keys_keep_the_order_in_which_components_stand(places: list[int]) -> None:
    keys: list[str] = []
    for place in places:
        at = place % (len(keys) + 1)
        key = between(keys[at - 1] if at else None, keys[at] if at < len(keys) else None)
        keys.insert(at, key)
    assert keys == sorted(set(keys), key=str.encode)
    assert all(map(is_order_key, keys))


def test_keys_stay_short_where_components_are_appended() -> None:
    key: str | None = None
    for _ in range(500):
        key = between(key, None)
    assert key == "b73"


def test_keys_stay_short_enough_where_all_are_put_at_one_place() -> None:
    before, key = "a0", "a1"
    for _ in range(1000):
        key = between(before, key)
    assert len(key) == 169
    assert is_order_key(key)
