"""Two records of one person become one: previewed first, then done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain.people import RecordKind
from domain.people.merge import PersonMerge
from graph import ids
from graph.context import Info
from graph.declaration import column, link, paid, payload, root, value
from graph.inputs import argument, key_of, once, unpacked
from graph.mutations import mutation
from resolvers import people as resolve

if TYPE_CHECKING:
    from graph.people.types import Person


@strawberry.input(description="Who is kept, and who is absorbed.")
class PersonMergeInput:
    """A merge."""

    keep_person_id: strawberry.ID = argument("Who is kept, with their own details.", of="people")
    absorb_person_ids: list[strawberry.ID] = argument("Who is absorbed: 1 to 20 people.", of="people")
    dry_run: bool = argument("True only tells what would move.", default=True)
    idempotency_key: str | None = once()


@value("moved_counts", description="How many records of a kind come to the person who is kept.")
class MovedCount:
    """A count."""

    kind: RecordKind = column("Of what.")
    count: int = column("How many the absorbed people have.")


@payload("What a merge did, or would do.")
class PersonMergePayload:
    """The answer of personMerge."""

    person: Person = link("The person who is kept.")
    absorbed_ids: list[strawberry.ID] = column("Who is absorbed: `node` answers the person who is kept for these ids.")
    moved: list[MovedCount] = column("What comes to the person who is kept; kinds without a record are left out.")
    dry_run: bool = column("Whether this was a preview, and nothing has changed.")


@root
class PersonMergeMutation:
    """The merge."""

    @mutation("Merge people, or preview it. No consent grows by a merge: the most restrictive decision holds.")
    async def person_merge(self, info: Info, input: PersonMergeInput) -> PersonMergePayload:
        """Merge people."""
        merged = await resolve.person_merge(info.context, unpacked(input, PersonMerge), key_of(input.idempotency_key))
        return paid(
            PersonMergePayload,
            person=merged.person_id,
            absorbed_ids=[ids.printed("people", absorbed) for absorbed in merged.absorbed_ids],
            moved=[paid(MovedCount, kind=moved.kind, count=moved.count) for moved in merged.moved],
            dry_run=merged.dry_run,
        )
