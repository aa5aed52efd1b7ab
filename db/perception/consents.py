"""How consents are written, and how what rested on them is erased."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import CursorResult, RowMapping, TextClause, select, update
from sqlalchemy.dialects.postgresql import insert

from db import erasing
from db.naming import naming
from db.perception.covered import PENDING, STORES, UNFINISHED
from db.perception.sessions import CONSENTS
from db.perception.tables import consents, erasure_receipts, erasures
from domain.access import Actor
from domain.errors import NotFound
from domain.perception import (
    AT_ONCE,
    Capture,
    Consent,
    ConsentPurpose,
    Erased,
    Erasure,
    ErasureScope,
    ErasureStatus,
    Modality,
    OpenWork,
    Receipt,
    SubjectKind,
)

if TYPE_CHECKING:
    from db.unit import SqlUnit


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

    async def open_work(self, erasure: Erasure) -> OpenWork:
        """Return what is not finished about whom an erasure covers, and lock it: jobs first, as workers do."""
        given = await self._covered(erasure, AT_ONCE)
        found = (await self._run(UNFINISHED, given)).all()
        pending = await self._run(PENDING, given)
        return OpenWork(
            [row.id for row in found if row.whole], [row.id for row in found if not row.whole],
            [(row.id, row.kind) for row in pending],
        )  # fmt: skip

    async def erase(self, erasure: Erasure, most: int) -> list[Erased]:
        """Erase at most so many rows of each store, and of none behind a store of which some may be left."""
        given = await self._covered(erasure, most)
        await erasing.begin(self._unit.connection, self._unit.caller.tenant_id)
        erased: list[Erased] = []
        for store, statement in STORES.items():
            row = (await self._run(statement, given)).one()
            erased.append(Erased(store, row.rows, row.digest))
            if row.rows >= most:
                break
        return erased

    async def _covered(self, erasure: Erasure, most: int) -> dict[str, object]:
        """Return what the statements are given that say what an erasure covers."""
        tenant_id, whole = self._unit.caller.tenant_id, erasure.scope is ErasureScope.SUBJECT
        called = await naming(self._unit.connection, tenant_id, erasure.person_id if whole else None)
        return {
            "tenant": tenant_id, "consent": erasure.consent_id, "person": erasure.person_id, "whole": whole,
            "most": most, "names": called.names, "phones": called.phones, "now": self._unit.now,
        }  # fmt: skip

    async def _run(self, statement: TextClause, given: dict[str, object]) -> CursorResult[Any]:
        return await self._unit.connection.execute(
            statement, {name: given[name] for name in statement.compile().params}
        )

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
