"""Ids that are made many at once."""

from domain.values import new_id, new_ids


def test_many_ids_are_as_good_as_one_each() -> None:
    before, ids, after = new_id(), new_ids(100), new_id()

    assert len(set(ids)) == 100
    assert {(each.version, each.variant) for each in ids} == {(7, before.variant)}
    assert all(before.int >> 64 <= each.int >> 64 <= after.int >> 64 for each in ids)
    assert new_ids(0) == []
