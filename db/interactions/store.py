"""How interactions are written."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from db.interactions.tables import interactions
from domain.interactions import CallDetail, Detail, EmailDetail, InteractionLog, NoteDetail, VisitDetail

if TYPE_CHECKING:
    from db.unit import SqlUnit


class SqlInteractions:
    """The interaction store of one unit."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit

    async def add(self, interaction_id: UUID, person_id: UUID, command: InteractionLog, now: datetime) -> None:
        """Store an interaction of a person."""
        if isinstance(command.detail, VisitDetail):
            await self._unit.exists("properties", command.detail.property_id, "detail.visit.propertyId")
        actor = self._unit.caller.actor
        await self._unit.add(
            interactions, id=interaction_id, person_id=person_id, kind=command.kind.name,
            direction=command.direction and command.direction.name, summary=command.summary,
            occurred_at=command.occurred_at, created_at=now, author_noun=actor.noun, author_id=actor.id,
            **_columns(command.detail),
        )  # fmt: skip


def _columns(detail: Detail) -> dict[str, object]:
    match detail:
        case CallDetail(duration_seconds=seconds):
            return {"duration_seconds": seconds}
        case EmailDetail(subject=subject, body=body):
            return {"email_subject": subject, "email_body": body}
        case VisitDetail(property_id=property_id):
            return {"property_id": property_id}
        case NoteDetail(text=text):
            return {"text": text}
