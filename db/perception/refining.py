"""What a model is told of a session that is over: what the rules came to, batch by batch, and what was shown."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain import qd
from domain.perception import Moment, Scored, Session, Shown

_FINAL: Final = text("""
    select final_qd_at, final_qd_score, final_qd_attention, final_qd_valence, final_qd_engagement, final_qd_confidence,
        peak_score, refined_qd_at
    from perception_sessions where tenant_id = :tenant and id = :session
""")
_MOMENTS: Final = text("""
    select b.qd_at, b.qd_score, b.qd_attention, b.qd_valence, b.qd_engagement, b.qd_confidence,
        b.face_form is not null as face, s.title
    from perception_batches b left join scenes s on s.tenant_id = b.tenant_id and s.id = b.scene_id
    where b.tenant_id = :tenant and b.session_id = :session
    order by b.sequence
""")
_SCENES: Final = text("""
    select title, start_ms, end_ms from scenes where tenant_id = :tenant and video_id = :video order by start_ms, id
""")


async def scored(connection: AsyncConnection, tenant_id: UUID, session: Session) -> Scored:
    """Return a session with what the rules came to."""
    given = {"tenant": tenant_id, "session": session.id}
    row = (await connection.execute(_FINAL, given)).one()
    final = None if row.final_qd_at is None else qd.Reading(
        row.final_qd_at, None, row.final_qd_score, row.final_qd_attention, row.final_qd_valence,
        row.final_qd_engagement, row.final_qd_confidence, face=True, kind=qd.QdKind.SESSION,
    )  # fmt: skip
    moments = await connection.execute(_MOMENTS, given)
    scenes = await connection.execute(_SCENES, {"tenant": tenant_id, "video": session.video_id})
    return Scored(
        session,
        final,
        row.peak_score,
        row.refined_qd_at is not None,
        [
            Moment(
                each.qd_at, each.qd_score, each.qd_attention, each.qd_valence, each.qd_engagement,
                each.qd_confidence, each.face, each.title,
            )
            for each in moments
        ],
        [Shown(each.title, each.start_ms, each.end_ms) for each in scenes],
    )  # fmt: skip
