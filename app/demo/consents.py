"""The consents that a person's recorded calls and measured visits rest on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.demo import history
from app.demo.chance import between, days, identifier, likely
from app.demo.diary import Diary
from app.demo.team import User
from domain.access import Actor
from domain.perception import ConsentMethod, ConsentPurpose, Modality, SubjectKind

_MODALITIES: Final = {
    ConsentPurpose.RECORDING: Modality.VOICE,
    ConsentPurpose.SHOWROOM_ENGAGEMENT: Modality.FACE,
}
_METHODS: Final = {
    ConsentPurpose.RECORDING: ConsentMethod.VERBAL_RECORDED,
    ConsentPurpose.SHOWROOM_ENGAGEMENT: ConsentMethod.ESIGN,
}
_LONG, _SHORT = timedelta(days=730), timedelta(days=180)
_BEFORE: Final = timedelta(minutes=2)
_NEWEST_NOTICE, _OLDER_NOTICE = timedelta(days=300), timedelta(days=900)
"""How long before the reference instant the two wordings of the notice were published."""


@dataclass(frozen=True, slots=True)
class Held:
    """A consent, and when it ended, if it did."""

    id: UUID
    ended_at: datetime | None
    withdrawn: bool


def write_consents(diary: Diary) -> dict[ConsentPurpose, Held]:
    """Record each consent just before it was first needed, good for as long as it was needed and longer."""
    held = {}
    for purpose, uses in diary.measurements.items():
        first, by = min(uses, key=lambda use: use[0])
        last = max(at for at, _ in uses)
        held[purpose] = _write(diary, purpose, first - _BEFORE, last, by)
    return held


def _write(diary: Diary, purpose: ConsentPurpose, at: datetime, last_use: datetime, by: User) -> Held:
    world, random = diary.world, diary.random
    consent_id = identifier(random, at)
    short = last_use < at + _SHORT and likely(random, 0.2)
    withdrawn = None
    if last_use < world.now - days(4) and likely(random, 0.05):
        withdrawn = world.now - days(between(random, 0.1, 3))
    expires_at = at + (_SHORT if short else _LONG)
    notice = world.now - (_NEWEST_NOTICE if at > world.now - _NEWEST_NOTICE else _OLDER_NOTICE)
    world.batch.add(
        "consents", id=consent_id, subject_kind=SubjectKind.PERSON.name, person_id=diary.person.id,
        purpose=purpose.name, modality=_MODALITIES[purpose].name, notice_version=f"{notice:%Y-%m}",
        method=_METHODS[purpose].name, granted_at=at, expires_at=expires_at, withdrawn_at=withdrawn,
        recorded_by_id=by.id, created_at=at,
    )  # fmt: skip
    world.recent.note(at, Actor("users", by.id), history.consent_granted(consent_id, diary.person.id, purpose.name))
    return Held(consent_id, withdrawn or (expires_at if expires_at <= world.now else None), withdrawn is not None)
