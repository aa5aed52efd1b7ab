"""The chain of revisions: how each is sealed by its hash, how a changed byte is found, and where histories meet.

A revision's hash is SHA-256 over canonical JSON (RFC 8785) of:

    {"id", "canvas", "number", "kind", "parents": [their hashes], "tree": the tree's hash,
     "author": "noun:uuid", "at": RFC 3339 in UTC with six decimals, "message": text or null}

with hashes as lower-case hexadecimal. So it covers all that was before it, in whichever canvas that was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.access import Actor
from domain.canvases.canonical import canonical, moment_text
from domain.canvases.kinds import RevisionKind
from domain.canvases.records import Revision, Tree
from domain.canvases.trees import changes_between, tree_hash
from domain.values import new_id


def revision_hash(revision: Revision, parent_hashes: Sequence[bytes]) -> bytes:
    """Return what a revision's hash has to be, from the hashes of its parents in their order."""
    content = {
        "id": str(revision.id),
        "canvas": str(revision.canvas_id),
        "number": revision.number,
        "kind": revision.kind.name,
        "parents": [each.hex() for each in parent_hashes],
        "tree": revision.tree_hash.hex(),
        "author": f"{revision.author.noun}:{revision.author.id}",
        "at": moment_text(revision.created_at),
        "message": revision.message,
    }
    return hashlib.sha256(canonical(content)).digest()


def sealed(
    kind: RevisionKind,
    *,
    canvas_id: UUID,
    parents: Sequence[tuple[Revision, Tree]],
    tree: Tree,
    author: Actor,
    message: str | None,
    at: datetime,
) -> Revision:
    """Return the next revision after `parents`; the first of them is the canvas's head, if it has one."""
    follows = kind is not RevisionKind.FORK and parents
    revision = Revision(
        id=new_id(),
        canvas_id=canvas_id,
        number=parents[0][0].number + 1 if follows else 1,
        kind=kind,
        parent_ids=tuple(parent.id for parent, _ in parents),
        author=author,
        message=message,
        created_at=at,
        tree_hash=tree_hash(tree),
        hash=b"",
        changes=changes_between(parents[0][1], tree) if follows else (),
    )
    return replace(revision, hash=revision_hash(revision, [parent.hash for parent, _ in parents]))


def faults(revision: Revision, parents: Sequence[Revision], tree: bytes) -> Iterator[str]:
    """Say what of a stored revision is not as it was sealed; `tree` is the hash of the components that it has now."""
    if tuple(parent.id for parent in parents) != revision.parent_ids:
        yield "Its parents are not those that it names."
    if tree != revision.tree_hash:
        yield "Its components are not those that it was made with."
    if revision_hash(revision, [parent.hash for parent in parents]) != revision.hash:
        yield "It was changed after it was made, or one before it was."


def common_ancestors(parents: Mapping[UUID, Iterable[UUID]], one: UUID, other: UUID) -> list[UUID]:
    """Return the newest revisions that two have in common, none of them before another of them, the newest first.

    Histories that merged into each other crosswise have more than one; unrelated histories have none. Ids sort by time.
    """
    shared = _with_ancestors(parents, one) & _with_ancestors(parents, other)
    before_another = {parent for each in shared for parent in parents.get(each, ())}
    return sorted(shared - before_another, reverse=True)


def _with_ancestors(parents: Mapping[UUID, Iterable[UUID]], start: UUID) -> set[UUID]:
    found, left = {start}, [start]
    while left:
        new = [parent for parent in parents.get(left.pop(), ()) if parent not in found]
        found.update(new)
        left.extend(new)
    return found
