"""QD scores and consents."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from asyncpg import Connection, Record

from domain.values import new_id
from tests.factories.access import Tenant
from tests.factories.rows import insert


async def score(
    owner: "Connection[Record]", of: Tenant, *, person_id: UUID, at: datetime, score: float, **values: Any
) -> UUID:
    """Make a QD score, LIVE by the rules unless told otherwise. What a person keeps of it is left alone."""
    score_id = new_id()
    values = {"kind": "LIVE", "source": "RULES", **values}
    await insert(owner, "qd_scores", of.id, id=score_id, person_id=person_id, at=at, score=score, **values)
    return score_id


async def consent(owner: "Connection[Record]", of: Tenant, *, granted_at: datetime, **values: Any) -> UUID:
    """Make a consent to measure faces in the showroom."""
    consent_id = new_id()
    values = {
        "subject_kind": "PERSON", "purpose": "SHOWROOM_ENGAGEMENT", "modality": "FACE", "notice_version": "2026-1",
        **values,
    }  # fmt: skip
    await insert(owner, "consents", of.id, id=consent_id, granted_at=granted_at, **values)
    return consent_id


async def video(owner: "Connection[Record]", of: Tenant, **values: Any) -> UUID:
    """Make a video of a minute without scenes."""
    video_id = new_id()
    values = {
        "title": "The Marina", "object_key": f"videos/{video_id}.webm", "content_type": "video/webm",
        "duration_ms": 60_000, **values,
    }  # fmt: skip
    await insert(owner, "videos", of.id, id=video_id, **values)
    return video_id


async def scene(owner: "Connection[Record]", of: Tenant, *, video_id: UUID, start_ms: int, end_ms: int) -> UUID:
    """Make a scene that is called by where it starts."""
    scene_id = new_id()
    await insert(
        owner, "scenes", of.id, id=scene_id, video_id=video_id, title=f"From {start_ms}", start_ms=start_ms,
        end_ms=end_ms,
    )  # fmt: skip
    return scene_id


async def session(
    owner: "Connection[Record]", of: Tenant, *, consent_id: UUID, started_by_id: UUID, **values: Any
) -> UUID:
    """Make a session of a visitor that runs since now, unless told otherwise."""
    session_id = new_id()
    values = {"status": "RUNNING", "surface": "KIOSK", "started_at": datetime.now(UTC), **values}
    await insert(
        owner, "perception_sessions", of.id, id=session_id, consent_id=consent_id, started_by_noun="users",
        started_by_id=started_by_id, **values,
    )  # fmt: skip
    return session_id


async def notification(owner: "Connection[Record]", of: Tenant, *, user_id: UUID, **values: Any) -> UUID:
    """Make a notification that a session is complete."""
    notification_id = new_id()
    values = {
        "kind": "SESSION_COMPLETE", "rule": "A session is completed.", "title": "A session is complete",
        "at": datetime.now(UTC), **values,
    }  # fmt: skip
    await insert(owner, "notifications", of.id, id=notification_id, user_id=user_id, **values)
    return notification_id


async def batch(owner: "Connection[Record]", of: Tenant, *, session_id: UUID, sequence: int = 1) -> UUID:
    """Make an accepted batch of two packets."""
    batch_id, now = new_id(), datetime.now(UTC)
    await insert(
        owner, "perception_batches", of.id, id=batch_id, session_id=session_id, sequence=sequence, at=now,
        accepted_count=2, qd_at=now, qd_score=51.0, qd_engagement=0.2, qd_valence=0.0, qd_attention=0.6,
        qd_confidence=0.3, face_form="BLEND_SHAPES",
    )  # fmt: skip
    return batch_id


async def visitor_score(
    owner: "Connection[Record]", of: Tenant, *, session_id: UUID, at: datetime, score: float
) -> UUID:
    """Make a LIVE score of a visitor without a name."""
    score_id = new_id()
    await insert(
        owner, "visitor_scores", of.id, id=score_id, session_id=session_id, at=at, score=score, kind="LIVE",
        source="RULES",
    )  # fmt: skip
    return score_id
