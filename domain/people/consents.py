"""What becomes of consents when people are merged: for each purpose and modality the most restrictive decision holds.

A person's decision is the consent that was granted last: withdrawn, run out, or standing. Withdrawn by one of the
people is withdrawn for the one they become; run out for one is run out; and where all stand, all end when the first of
them ends. Somebody who never decided decides nothing. No consent is ever lengthened or restored.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from itertools import groupby
from uuid import UUID

from domain.perception import ConsentPurpose, Modality


@dataclass(frozen=True, slots=True)
class HeldConsent:
    """A consent of one person."""

    id: UUID
    person_id: UUID
    purpose: ConsentPurpose
    modality: Modality
    granted_at: datetime
    expires_at: datetime | None = None
    withdrawn_at: datetime | None = None

    def standing(self, now: datetime) -> Standing:
        """Return whether it holds."""
        if self.withdrawn_at is not None:
            return Standing.WITHDRAWN
        if self.expires_at is not None and self.expires_at <= now:
            return Standing.EXPIRED
        return Standing.ACTIVE


class Standing(IntEnum):
    """Whether a consent holds; the lower, the more restrictive."""

    WITHDRAWN = 0
    EXPIRED = 1
    ACTIVE = 2


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A consent that ends earlier: exactly one of the two is given."""

    id: UUID
    expires_at: datetime | None = None
    withdrawn_at: datetime | None = None


def narrowed(consents: Iterable[HeldConsent], now: datetime) -> tuple[Narrowed, ...]:
    """Return which consents of several people end earlier when the people become one."""
    ordered = sorted(consents, key=_subject)
    changes: list[Narrowed] = []
    for _, group in groupby(ordered, key=_subject):
        changes += _within_subject(list(group), now)
    return tuple(changes)


def decision(consents: Iterable[HeldConsent]) -> HeldConsent:
    """Return the consent of one person that was granted last."""
    return max(consents, key=lambda each: (each.granted_at, each.id))


def _within_subject(consents: list[HeldConsent], now: datetime) -> list[Narrowed]:
    people = {each.person_id for each in consents}
    decisions = [decision(each for each in consents if each.person_id == person) for person in people]
    strictest = min(each.standing(now) for each in decisions)
    standing = [each for each in consents if each.standing(now) is Standing.ACTIVE]
    last = decision(consents)
    if strictest is Standing.WITHDRAWN and last.standing(now) is Standing.EXPIRED:
        # Otherwise the one person's last decision would have run out, where one of them took theirs back.
        standing.append(last)
    if strictest is not Standing.ACTIVE:
        return [_ended(each, strictest, now) for each in standing]
    ends = [each.expires_at for each in decisions if each.expires_at is not None]
    if not ends:
        return []
    first = min(ends)
    return [
        Narrowed(each.id, expires_at=first) for each in standing if each.expires_at is None or each.expires_at > first
    ]


def _ended(consent: HeldConsent, strictest: Standing, now: datetime) -> Narrowed:
    # A consent ends after it was granted: one that was granted this very moment cannot run out, only be withdrawn.
    if strictest is Standing.EXPIRED and consent.granted_at < now:
        return Narrowed(consent.id, expires_at=now)
    return Narrowed(consent.id, withdrawn_at=max(now, consent.granted_at))


def _subject(consent: HeldConsent) -> tuple[str, str]:
    return consent.purpose.name, consent.modality.name
