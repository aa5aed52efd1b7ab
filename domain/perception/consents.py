"""Consents: given for a purpose and a modality, renewed by a new row, taken back at once.

Without one, nothing is measured. A withdrawal covers every consent of the same subject, purpose and modality, stops the
sessions that run on them, and orders the erasure of what they let be measured.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from domain.audit import AuditAction, Change
from domain.errors import Conflict, Invalid, NotAllowed
from domain.perception.erasures import Erased, Erasure, OpenWork, Receipt
from domain.perception.kinds import ConsentMethod, ConsentPurpose, ErasureScope, Modality, SubjectKind
from domain.values import new_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.unit import Unit

EMOTION: Final = frozenset({Modality.FACE, Modality.VOICE})
"""The modalities from which a mood can be read."""

LONGEST_TERM: Final = timedelta(days=3 * 365)
"""How long a consent lasts at most, and how long what was measured is kept at most."""

LONGEST_NOTICE: Final = 50
LONGEST_EVIDENCE: Final = 200
JURISDICTION: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
"""A country of ISO 3166-1, or a part of one of ISO 3166-2."""


class EmotionOfAgent(NotAllowed):
    """Faces and voices of the team are not measured: reading moods at work is forbidden."""


class ConsentMissing(NotAllowed):
    """There is no consent that allows this."""


class ConsentEnded(Conflict):
    """The consent was taken back, or its time has passed."""


@dataclass(frozen=True, slots=True)
class ConsentGrant:
    """What somebody allows."""

    subject_kind: SubjectKind
    purpose: ConsentPurpose
    modality: Modality
    notice_version: str
    person_id: UUID | None = None
    expires_at: datetime | None = None
    method: ConsentMethod | None = None
    evidence: str | None = None
    jurisdiction: str | None = None


@dataclass(frozen=True, slots=True)
class ConsentWithdraw:
    """What somebody takes back."""

    consent_id: UUID


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent as its rules see it."""

    id: UUID
    subject_kind: SubjectKind
    person_id: UUID | None
    purpose: ConsentPurpose
    modality: Modality
    granted_at: datetime
    expires_at: datetime | None = None
    withdrawn_at: datetime | None = None

    def stands(self, now: datetime) -> bool:
        """Whether it holds at a moment."""
        if self.withdrawn_at is not None and self.withdrawn_at <= now:
            return False
        return self.granted_at <= now and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class Capture:
    """How a consent was given, so that it can be shown to somebody who doubts it. No rule depends on it."""

    notice_version: str
    method: ConsentMethod | None
    evidence: str | None
    jurisdiction: str | None


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What a withdrawal did."""

    consent_id: UUID
    erasure_id: UUID | None = None


class ConsentStore(Protocol):
    """Consents and erasures of the unit's tenant."""

    async def add(self, consent: Consent, capture: Capture) -> None:
        """Store a consent that the caller recorded, and how it was given."""

    async def get_for_update(self, consent_id: UUID) -> Consent:
        """Return a consent that the caller may see and lock it; raises NotFound naming `consentId`."""

    async def subject(self, consent: Consent) -> list[Consent]:
        """Return all consents of the same subject, purpose and modality, and lock them."""

    async def withdraw(self, consent_ids: Sequence[UUID], now: datetime) -> None:
        """Store that consents were taken back."""

    async def add_erasure(self, erasure: Erasure) -> None:
        """Store an erasure that was ordered."""

    async def newest_erasure(self, consent_id: UUID) -> UUID | None:
        """Return the erasure that was ordered last for a consent."""

    async def erasure_for_update(self, erasure_id: UUID) -> Erasure | None:
        """Return an erasure and lock it; None where there is none, or where another unit works at it."""

    async def open_work(self, erasure: Erasure) -> OpenWork:
        """Return what is not finished about whom an erasure covers, and lock it. Call it before `erase`."""

    async def erase(self, erasure: Erasure, most: int) -> list[Erased]:
        """Erase at most so many rows of each store, and of none behind a store of which some may be left.

        Proposals among them that wait expire.
        """

    async def receipts(self, erasure_id: UUID) -> list[Receipt]:
        """Return what was receipted so far."""

    async def save_erasure(self, erasure: Erasure, receipts: Sequence[Receipt]) -> None:
        """Store how far an erasure is."""


async def grant(unit: Unit, command: ConsentGrant) -> UUID:
    """Record a consent. One that renews another is a row of its own.

    Raises Invalid, NotFound, NotAllowed for another's person, or EmotionOfAgent.
    """
    person_id = await _subject(unit, command)
    capture = _capture(command)
    if command.expires_at is not None and not unit.now < command.expires_at <= unit.now + LONGEST_TERM:
        raise Invalid("A consent ends after now, and within three years.", field="expiresAt")
    consent = Consent(
        id=new_id(),
        subject_kind=command.subject_kind,
        person_id=person_id,
        purpose=command.purpose,
        modality=command.modality,
        granted_at=unit.now,
        expires_at=command.expires_at,
    )
    await unit.consents.add(consent, capture)
    unit.record(_change(AuditAction.GRANT, "ConsentGranted", consent, ("purpose", "modality")))
    return consent.id


async def withdraw(unit: Unit, command: ConsentWithdraw) -> Withdrawn:
    """Take a consent back, and with it every other of the same subject, purpose and modality.

    Running sessions that rest on them stop in this unit, and what was measured is to be erased. Said again, it gives
    the same answer. Raises NotFound.
    """
    consent = await unit.consents.get_for_update(command.consent_id)
    if consent.withdrawn_at is not None:
        return Withdrawn(consent.id, await unit.consents.newest_erasure(consent.id))
    every = await unit.consents.subject(consent)
    standing = [each for each in every if each.stands(unit.now) or each.id == consent.id]
    await unit.consents.withdraw([each.id for each in standing], unit.now)
    for each in standing:
        unit.record(_change(AuditAction.WITHDRAW, "ConsentWithdrawn", each, ("withdrawnAt",)))
    await stop(unit, every)
    if consent.purpose is not ConsentPurpose.SHOWROOM_ENGAGEMENT:
        return Withdrawn(consent.id)
    return Withdrawn(consent.id, await order(unit, consent, ErasureScope.SUBJECT))


async def stop(unit: Unit, ended: Sequence[Consent]) -> None:
    """Stop the running sessions that rest on consents of one subject; whoever follows them hears of it."""
    for session_id in await unit.perception.stop([each.id for each in ended], unit.now):
        unit.record(
            Change(
                AuditAction.UPDATE, "PerceptionSessionStopped", "perception_sessions", session_id, ("status",),
                ended[0].person_id,
            )
        )  # fmt: skip


async def order(unit: Unit, consent: Consent, scope: ErasureScope) -> UUID:
    """Order the erasure of what was measured."""
    erasure = Erasure(new_id(), consent.id, consent.person_id, scope, unit.now, unit.caller.actor)
    await unit.consents.add_erasure(erasure)
    unit.record(Change(AuditAction.DELETE, "ErasureRequested", "erasures", erasure.id, ("status",), consent.person_id))
    return erasure.id


def _capture(command: ConsentGrant) -> Capture:
    notice = " ".join(command.notice_version.split())
    if not 1 <= len(notice) <= LONGEST_NOTICE:
        raise Invalid(f"A notice's version has 1 to {LONGEST_NOTICE} characters.", field="noticeVersion")
    jurisdiction = (command.jurisdiction or "").strip().upper() or None
    if jurisdiction is not None and not JURISDICTION.fullmatch(jurisdiction):
        raise Invalid("A jurisdiction is a code of ISO 3166, such as IN or US-IL.", field="jurisdiction")
    return Capture(notice, command.method, (command.evidence or "").strip() or None, jurisdiction)


async def _subject(unit: Unit, command: ConsentGrant) -> UUID | None:
    """Return the person who consents, None for somebody without a name."""
    if command.subject_kind is SubjectKind.AGENT and command.modality in EMOTION:
        raise EmotionOfAgent(field="modality")
    if command.subject_kind is not SubjectKind.PERSON:
        if command.person_id is not None:
            raise Invalid("Only a PERSON's consent names a person.", field="personId")
        return None
    if command.person_id is None:
        raise Invalid("A PERSON's consent names the person.", field="personId")
    return await unit.people.owned(command.person_id)


def _change(action: AuditAction, event: str, consent: Consent, fields: tuple[str, ...]) -> Change:
    return Change(
        action, event, "consents", consent.id, fields, consent.person_id, (("purpose", consent.purpose.name),)
    )
