"""The edge of the person use cases."""

from __future__ import annotations

from uuid import UUID

from domain.access import Permission
from domain.people import details, facts, merge
from resolvers.context import Context
from resolvers.guard import allow
from resolvers.performing import perform


@allow(Permission.PERSON_WRITE)
async def person_create(
    context: Context, command: details.PersonCreate, idempotency_key: str | None
) -> details.PersonCreated:
    """Add a person."""
    return await perform(context, details.create, command, idempotency_key)


@allow(Permission.PERSON_WRITE)
async def person_update(context: Context, command: details.PersonUpdate) -> UUID:
    """Change a person's details."""
    return await perform(context, details.update, command)


@allow(Permission.PERSON_WRITE)
async def fact_correct(context: Context, command: facts.FactCorrect) -> UUID:
    """Correct a fact."""
    return await perform(context, facts.correct, command)


@allow(Permission.PERSON_MERGE)
async def person_merge(context: Context, command: merge.PersonMerge, idempotency_key: str | None) -> merge.PersonMerged:
    """Merge people, or preview it."""
    return await perform(context, merge.merge, command, idempotency_key)
