"""What happened with a person, in the plain peer: interactions by kind, facts, tasks, threads and consents."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import strawberry
from asyncpg import Record
from strawberry import Private

from bench.plain.connections import Info, given
from bench.plain.properties import BRIEF, Property
from bench.plain.rows import made


@strawberry.type
class Objection:
    id: UUID
    kind: str
    text: str
    resolved: bool


@strawberry.interface
class Interaction:
    id: UUID
    kind: str
    direction: str | None = None
    summary: str | None = None
    occurred_at: datetime | None = None


@strawberry.type
class MessageInteraction(Interaction):
    pass


@strawberry.type
class CallInteraction(Interaction):
    duration_seconds: int | None = None

    @strawberry.field
    async def objections(self, info: Info) -> list[Objection]:
        return await given(info).many("objections_of_interactions", made(Objection), "interaction_id", self.id)


@strawberry.type
class EmailInteraction(Interaction):
    pass


@strawberry.type
class VisitInteraction(Interaction):
    property_id: Private[UUID | None] = None

    @strawberry.field
    async def property(self, info: Info) -> Property | None:
        return await given(info).one("properties_by_id", BRIEF, self.property_id)


@strawberry.type
class NoteInteraction(Interaction):
    pass


KINDS: dict[str, type[Interaction]] = {
    "MESSAGE": MessageInteraction,
    "CALL": CallInteraction,
    "EMAIL": EmailInteraction,
    "VISIT": VisitInteraction,
    "NOTE": NoteInteraction,
}


COLUMNS: Final = ("id", "kind", "direction", "summary", "occurred_at")
OWN_COLUMNS: Final = {"CALL": ("duration_seconds",), "VISIT": ("property_id",)}


def interaction(row: Record) -> Interaction:
    cls = KINDS[row["kind"]]
    columns = (*COLUMNS, *OWN_COLUMNS.get(row["kind"], ()))
    return cls(**{name: row[name] for name in columns})


def interaction_kind(row: Record) -> Interaction:
    return KINDS[row["kind"]](id=row["id"], kind=row["kind"])


@strawberry.type
class Task:
    id: UUID
    title: str
    due_at: datetime | None
    priority: str = ""


@strawberry.type
class Fact:
    id: UUID
    kind: str
    text: str
    confidence: float
    source: str
    quote: str | None
    extracted_at: datetime
    interaction_id: Private[UUID | None]

    @strawberry.field
    async def interaction(self, info: Info) -> Interaction | None:
        return await given(info).one("interactions_by_id", interaction_kind, self.interaction_id)


@strawberry.type
class Thread:
    id: UUID
    channel: str
    last_message_at: datetime
    unread_count: int


@strawberry.type
class Consent:
    id: UUID
    purpose: str
    modality: str
    status: str
    granted_at: datetime
    expires_at: datetime | None
