"""How interactions are written."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import text

from db.interactions.tables import interactions
from domain.interactions import (
    LONGEST_HEARD,
    CallDetail,
    Detail,
    Direction,
    EmailDetail,
    Heard,
    InteractionKind,
    InteractionLog,
    NoteDetail,
    VisitDetail,
)

if TYPE_CHECKING:
    from db.unit import SqlUnit


_HEARD: Final = text("""
    select id, kind, direction, occurred_at, left(words, :longest) as words from (
        select i.id, i.kind, i.direction, i.occurred_at, coalesce(
            nullif(concat_ws(E'\\n', m.text, i.email_subject, i.email_body, i.text, (
                select string_agg(s.speaker || ': ' || s.text, E'\\n' order by s.start_ms, s.id)
                from transcript_segments s where s.tenant_id = i.tenant_id and s.interaction_id = i.id
            )), ''), i.summary, '') as words
        from interactions i
        left join thread_messages m on m.tenant_id = i.tenant_id and m.id = i.thread_message_id
        where i.tenant_id = :tenant and i.person_id = :person
        order by i.occurred_at desc, i.id desc limit :most) newest
    where words <> ''
    order by occurred_at desc, id desc
""")


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

    async def heard(self, person_id: UUID, most: int) -> list[Heard]:
        """Return the newest interactions with a person in which something was said."""
        given = {"tenant": self._unit.caller.tenant_id, "person": person_id, "most": most, "longest": LONGEST_HEARD}
        found = await self._unit.connection.execute(_HEARD, given)
        return [
            Heard(
                row.id, InteractionKind[row.kind], None if row.direction is None else Direction[row.direction],
                row.occurred_at, row.words,
            )
            for row in found
        ]  # fmt: skip


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
