"""The audit chain: what its hashes cover, and what its check finds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from domain.access import Actor
from domain.audit import GENESIS, BrokenLink, ChainCheck, Entry
from domain.values import new_id

TENANT, ACTOR, SUBJECT = new_id(), Actor("users", new_id()), Actor("leads", new_id())
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

Stored = tuple[Entry, bytes, bytes]


def chain(length: int) -> list[Stored]:
    """Entries with the hashes that are stored beside them."""
    links: list[Stored] = []
    previous = GENESIS
    for sequence in range(1, length + 1):
        entry = Entry(TENANT, sequence, new_id(), NOON, "UPDATE", ACTOR, SUBJECT, ("stage",))
        links.append((entry, previous, entry.hash_after(previous)))
        previous = links[-1][2]
    return links


def faults(links: list[Stored], *, head: tuple[int, bytes]) -> list[tuple[int, str]]:
    check = ChainCheck(TENANT)
    found: list[BrokenLink] = []
    for link in links:
        found += check.follow(*link)
    return [(fault.sequence, fault.reason) for fault in (*found, *check.end(*head))]


def test_a_whole_chain_has_no_faults() -> None:
    links = chain(4)
    assert faults(links, head=(4, links[-1][2])) == []
    assert faults([], head=(0, GENESIS)) == []


def test_every_column_is_covered_by_the_hash() -> None:
    entry = chain(1)[0][0]
    changed = [
        replace(entry, tenant_id=new_id()),
        replace(entry, sequence=2),
        replace(entry, id=new_id()),
        replace(entry, at=NOON + timedelta(microseconds=1)),
        replace(entry, action="CREATE"),
        replace(entry, actor=None),
        replace(entry, actor=Actor("api_keys", ACTOR.id)),
        replace(entry, subject=Actor("leads", new_id())),
        replace(entry, changed_fields=("stage", "budget")),
    ]
    hashes = {each.hash_after(GENESIS) for each in (entry, *changed)}
    assert len(hashes) == len(changed) + 1
    assert entry.hash_after(GENESIS) != entry.hash_after(bytes(31) + b"\1")


def test_the_hash_does_not_depend_on_the_offset_of_a_time() -> None:
    entry = chain(1)[0][0]
    elsewhere = replace(entry, at=NOON.astimezone(timezone(timedelta(hours=5, minutes=30))))
    assert elsewhere.hash_after(GENESIS) == entry.hash_after(GENESIS)


def test_a_changed_entry_is_one_fault() -> None:
    links = chain(3)
    head = (3, links[-1][2])
    links[1] = (replace(links[1][0], action="CREATE"), links[1][1], links[1][2])
    assert faults(links, head=head) == [(2, "It was changed after it was written.")]


def test_a_changed_entry_with_a_new_hash_is_found_at_the_next() -> None:
    links = chain(3)
    head = (3, links[-1][2])
    forged = replace(links[1][0], action="CREATE")
    links[1] = (forged, links[1][1], forged.hash_after(links[1][1]))
    assert faults(links, head=head) == [(3, "It does not follow the entry before it.")]


def test_missing_entries_are_found_within_and_at_the_end() -> None:
    links = chain(5)
    head = (5, links[-1][2])
    assert faults([links[0], *links[2:]], head=head) == [(2, "Entry 2 is missing.")]
    assert faults([links[0], *links[3:]], head=head) == [(2, "Entries 2 to 3 are missing.")]
    assert faults(links[:4], head=head) == [(5, "The chain ends at 4; its head says 5.")]


def test_moved_entries_are_found() -> None:
    links = chain(3)
    head = (3, links[-1][2])
    second, third = links[1], links[2]
    links[1] = (replace(third[0], sequence=2), third[1], third[2])
    links[2] = (replace(second[0], sequence=3), second[1], second[2])
    assert [sequence for sequence, _ in faults(links, head=head)] == [2, 2, 3, 3, 3]


def test_another_last_entry_than_the_heads_is_found() -> None:
    links = chain(2)
    assert faults(links, head=(2, bytes(32))) == [(2, "The last entry is not the one that the head names.")]
