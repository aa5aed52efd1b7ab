"""Interactions, and what calls add to them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from asyncpg import Connection, Record

from domain.values import new_id
from tests.factories.access import Tenant
from tests.factories.rows import insert

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)


async def interaction(
    owner: "Connection[Record]", of: Tenant, *, person_id: UUID, kind: str = "CALL", **values: Any
) -> UUID:
    """Make an interaction of a person, a call unless told otherwise."""
    interaction_id = new_id()
    values = {"occurred_at": AT, **values}
    await insert(owner, "interactions", of.id, id=interaction_id, person_id=person_id, kind=kind, **values)
    return interaction_id


async def segment(owner: "Connection[Record]", of: Tenant, *, call_id: UUID, text: str, start_ms: int) -> UUID:
    """Make a piece of a call's transcript."""
    segment_id = new_id()
    await insert(
        owner, "transcript_segments", of.id, id=segment_id, interaction_id=call_id, speaker="Buyer", text=text,
        start_ms=start_ms,
    )  # fmt: skip
    return segment_id


async def objection(
    owner: "Connection[Record]", of: Tenant, *, call_id: UUID, kind: str = "PRICE", **values: Any
) -> UUID:
    """Make an objection that came up in a call."""
    objection_id = new_id()
    values = {"text": "It is too dear.", **values}
    await insert(owner, "objections", of.id, id=objection_id, interaction_id=call_id, kind=kind, **values)
    return objection_id
