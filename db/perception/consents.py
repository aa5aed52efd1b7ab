"""How consents are written, and how what rested on them is erased."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import RowMapping, select, text, update
from sqlalchemy.dialects.postgresql import insert

from db import erasing
from db.perception.sessions import CONSENTS
from db.perception.tables import consents, erasure_receipts, erasures
from domain.access import Actor
from domain.errors import NotFound
from domain.perception import (
    Capture,
    Consent,
    ConsentPurpose,
    Erased,
    Erasure,
    ErasureScope,
    ErasureStatus,
    Modality,
    Receipt,
    SubjectKind,
)

if TYPE_CHECKING:
    from db.unit import SqlUnit

# The sessions that an erasure covers: of one consent, or of every consent of the same subject, purpose and modality.
_SESSIONS: Final = """
    select s.id from perception_sessions s
    where s.tenant_id = :tenant and s.consent_id = any(array(
        select c.id from consents c join consents k on k.tenant_id = c.tenant_id
            and (c.id = k.id or (:whole and c.person_id = k.person_id and c.purpose = k.purpose
                and c.modality = k.modality))
        where k.tenant_id = :tenant and k.id = :consent))
"""

# Whether the consent was to cameras: what they saw goes then, and no score, which rests on another consent.
_CAMERAS: Final = "(select k.modality = 'CCTV' from consents k where k.tenant_id = :tenant and k.id = :consent)"

# What counts as measured in the scores of a person: all that is no PROFILE; or only what came of these sessions. What
# canvases have kept about the person or these sessions goes as a whole: it is known by a digest of all its rows.
_STORES: Final = {
    "canvas_data": f"""
        update canvas_data set rows = null, salt = null, erased_at = now()
        where tenant_id = :tenant and digest in (
            select distinct kept.digest from canvas_data_subjects about join canvas_data kept
                on kept.tenant_id = about.tenant_id and kept.digest = about.digest and kept.erased_at is null
            where about.tenant_id = :tenant and (about.subject_noun = 'people' and about.subject_id = :person
                or about.subject_noun = 'perception_sessions' and about.subject_id in ({_SESSIONS}))
            order by kept.digest limit :most)
        returning encode(digest, 'hex') as id
    """,
    "cctv_events": f"""
        delete from cctv_events where tenant_id = :tenant and id in (
            select e.id from cctv_events e
            join perception_sessions v on v.tenant_id = e.tenant_id and v.id = e.session_id
            where e.tenant_id = :tenant and (v.id in ({_SESSIONS}) or v.person_id = :person and {_CAMERAS})
            order by e.id limit :most)
        returning id
    """,
    "qd_scores": f"""
        delete from qd_scores where tenant_id = :tenant and person_id = :person and (at, id) in (
            select at, id from qd_scores where tenant_id = :tenant and person_id = :person
                and ((:whole and kind <> 'PROFILE' and not {_CAMERAS}) or session_id in ({_SESSIONS}))
            order by at limit :most)
        returning id
    """,
    "visitor_scores": f"""
        delete from visitor_scores where tenant_id = :tenant and (session_id, at, id) in (
            select session_id, at, id from visitor_scores where tenant_id = :tenant and session_id in ({_SESSIONS})
            order by session_id, at, id limit :most)
        returning id
    """,
    "perception_batches": f"""
        delete from perception_batches where tenant_id = :tenant and id in (
            select id from perception_batches where tenant_id = :tenant and session_id in ({_SESSIONS})
            order by session_id, sequence limit :most)
        returning id
    """,
    "perception_sessions": f"""
        update perception_sessions set measured = false, memory = null, peak_score = null, peak_scene_id = null,
            final_qd_at = null, final_qd_score = null, final_qd_engagement = null, final_qd_valence = null,
            final_qd_attention = null, final_qd_confidence = null, refined_qd_at = null, refined_qd_score = null,
            refined_qd_engagement = null, refined_qd_valence = null, refined_qd_attention = null,
            refined_qd_confidence = null
        where tenant_id = :tenant and measured and id in ({_SESSIONS} order by s.id limit :most)
        returning id
    """,
}


class SqlConsents:
    """The consent store of one unit."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit

    async def add(self, consent: Consent, capture: Capture) -> None:
        """Store a consent that the caller recorded, and how it was given."""
        await self._unit.add(
            consents, id=consent.id, subject_kind=consent.subject_kind.name, person_id=consent.person_id,
            purpose=consent.purpose.name, modality=consent.modality.name, notice_version=capture.notice_version,
            method=None if capture.method is None else capture.method.name, evidence=capture.evidence,
            jurisdiction=capture.jurisdiction, granted_at=consent.granted_at, expires_at=consent.expires_at,
            recorded_by_id=self._unit.caller.actor.id, created_at=consent.granted_at,
        )  # fmt: skip

    async def get_for_update(self, consent_id: UUID) -> Consent:
        """Return a consent that the caller may see and lock it; raises NotFound naming `consentId`."""
        try:
            return consent_of(await self._unit.visible_row(CONSENTS, consent_id))
        except NotFound:
            raise NotFound(field="consentId") from None

    async def subject(self, consent: Consent) -> list[Consent]:
        """Return all consents of the same subject, purpose and modality, and lock them."""
        if consent.person_id is None:
            return [consent]
        rows = await self._unit.connection.execute(
            select(consents)
            .where(
                consents.c.tenant_id == self._unit.caller.tenant_id,
                consents.c.person_id == consent.person_id,
                consents.c.purpose == consent.purpose.name,
                consents.c.modality == consent.modality.name,
            )
            .order_by(consents.c.id)
            .with_for_update()
        )
        return [consent_of(row) for row in rows.mappings()]

    async def withdraw(self, consent_ids: Sequence[UUID], now: datetime) -> None:
        """Store that consents were taken back."""
        await self._unit.connection.execute(
            update(consents)
            .where(consents.c.tenant_id == self._unit.caller.tenant_id, consents.c.id.in_(consent_ids))
            .values(withdrawn_at=now)
        )

    async def add_erasure(self, erasure: Erasure) -> None:
        """Store an erasure that was ordered."""
        await self._unit.add(
            erasures, id=erasure.id, consent_id=erasure.consent_id, person_id=erasure.person_id,
            scope=erasure.scope.name, status=erasure.status.name, requested_by_noun=erasure.requested_by.noun,
            requested_by_id=erasure.requested_by.id, requested_at=erasure.requested_at,
        )  # fmt: skip

    async def newest_erasure(self, consent_id: UUID) -> UUID | None:
        """Return the erasure that was ordered last for a consent."""
        found: UUID | None = (
            await self._unit.connection.execute(
                select(erasures.c.id)
                .where(erasures.c.tenant_id == self._unit.caller.tenant_id, erasures.c.consent_id == consent_id)
                .order_by(erasures.c.requested_at.desc(), erasures.c.id.desc())
                .limit(1)
            )
        ).scalar_one_or_none()
        return found

    async def erasure_for_update(self, erasure_id: UUID) -> Erasure | None:
        """Return an erasure and lock it; None where there is none, or where another unit works at it."""
        row = (
            await self._unit.connection.execute(
                select(erasures)
                .where(erasures.c.tenant_id == self._unit.caller.tenant_id, erasures.c.id == erasure_id)
                .with_for_update(skip_locked=True)
            )
        ).one_or_none()
        return None if row is None else Erasure(
            row.id, row.consent_id, row.person_id, ErasureScope[row.scope], row.requested_at,
            Actor(row.requested_by_noun, row.requested_by_id), ErasureStatus[row.status], row.finished_at,
        )  # fmt: skip

    async def erase(self, erasure: Erasure, most: int) -> list[Erased]:
        """Erase at most so many rows of each store; one entry for each store."""
        given: dict[str, object] = {
            "tenant": self._unit.caller.tenant_id, "consent": erasure.consent_id, "person": erasure.person_id,
            "whole": erasure.scope is ErasureScope.SUBJECT, "most": most,
        }  # fmt: skip
        await erasing.begin(self._unit.connection, self._unit.caller.tenant_id)
        erased = []
        for store, statement in _STORES.items():
            counted = text(
                f"with gone as ({statement}) select count(*) as rows,"
                " sha256(convert_to(coalesce(string_agg(id::text, ',' order by id), ''), 'UTF8')) as digest from gone"
            )
            wanted = {name: given[name] for name in counted.compile().params}
            row = (await self._unit.connection.execute(counted, wanted)).one()
            erased.append(Erased(store, row.rows, row.digest))
        return erased

    async def receipts(self, erasure_id: UUID) -> list[Receipt]:
        """Return what was receipted so far."""
        rows = await self._unit.connection.execute(
            select(erasure_receipts).where(
                erasure_receipts.c.tenant_id == self._unit.caller.tenant_id,
                erasure_receipts.c.erasure_id == erasure_id,
            )
        )
        return [Receipt(row.store, row.erased_rows, row.erased_at, row.proof_hash) for row in rows]

    async def save_erasure(self, erasure: Erasure, receipts: Sequence[Receipt]) -> None:
        """Store how far an erasure is."""
        await self._unit.change(erasures, erasure.id, status=erasure.status.name, finished_at=erasure.finished_at)
        for receipt in receipts:
            changed = {
                "erased_rows": receipt.rows, "erased_at": receipt.erased_at, "proof_hash": receipt.proof_hash
            }  # fmt: skip
            await self._unit.connection.execute(
                insert(erasure_receipts)
                .values(
                    tenant_id=self._unit.caller.tenant_id, erasure_id=erasure.id, store=receipt.store, **changed
                )
                .on_conflict_do_update(constraint="pk_erasure_receipts", set_=changed)
            )  # fmt: skip


def consent_of(row: RowMapping) -> Consent:
    """Return a row as a consent."""
    return Consent(
        id=row["id"],
        subject_kind=SubjectKind[row["subject_kind"]],
        person_id=row["person_id"],
        purpose=ConsentPurpose[row["purpose"]],
        modality=Modality[row["modality"]],
        granted_at=row["granted_at"],
        expires_at=row["expires_at"],
        withdrawn_at=row["withdrawn_at"],
    )
