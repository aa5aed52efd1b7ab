"""QD scores and consents."""

from datetime import datetime
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
