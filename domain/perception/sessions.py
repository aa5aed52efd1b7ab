"""Sessions: somebody watches, with their consent, and is scored until the session ends or the consent does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from domain import notifications, qd
from domain.access import Actor
from domain.audit import AuditAction, Change
from domain.errors import Conflict, Invalid
from domain.notifications import NotificationKind
from domain.perception.consents import Consent, ConsentEnded, ConsentMissing
from domain.perception.kinds import ConsentPurpose, Modality, SessionStatus, SubjectKind, SurfaceKind
from domain.perception.scores import Score
from domain.values import new_id

if TYPE_CHECKING:
    from domain.unit import Unit


Then: TypeAlias = "Callable[[Unit, UUID], Awaitable[None]]"
"""What follows the end of a session."""


class SessionEnded(Conflict):
    """The session has ended."""


class SessionMatched(Conflict):
    """It is known already who the visitor of this session was."""


@dataclass(frozen=True, slots=True)
class SessionStart:
    """What begins a session."""

    consent_id: UUID
    surface: SurfaceKind
    person_id: UUID | None = None
    video_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class SessionComplete:
    """What ends a session."""

    session_id: UUID


@dataclass(frozen=True, slots=True)
class WalkInLead:
    """A visitor of whom a lead is made."""

    full_name: str
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class SessionMatch:
    """Who the visitor was: a person, or a new lead."""

    session_id: UUID
    target: UUID | WalkInLead


@dataclass(frozen=True, slots=True)
class Matched:
    """A session with its person, and the lead that was opened."""

    session_id: UUID
    lead_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """A part of a video, from `start_ms` up to `end_ms`."""

    id: UUID
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Session:
    """A session as its rules see it."""

    id: UUID
    status: SessionStatus
    surface: SurfaceKind
    consent: Consent
    person_id: UUID | None
    video_id: UUID | None
    started_by: Actor
    started_at: datetime
    last_sequence: int = 0
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """A session with what scoring needs: what it remembers as JSON, and the scenes of the video."""

    session: Session
    memory: Mapping[str, object]
    scenes: tuple[Scene, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a session came to; without a reading nothing was ever known."""

    reading: qd.Reading | None
    peak_score: float | None
    peak_scene_id: UUID | None


def check_consent(consent: Consent, person_id: UUID | None, now: datetime) -> None:
    """Make sure that somebody's face may be measured; raises ConsentMissing, ConsentEnded or Invalid."""
    if consent.subject_kind is SubjectKind.AGENT:
        raise ConsentMissing("Members of the team are not measured.", field="consentId")
    if consent.purpose is not ConsentPurpose.SHOWROOM_ENGAGEMENT or consent.modality is not Modality.FACE:
        raise ConsentMissing(
            "A session needs a consent to SHOWROOM_ENGAGEMENT by FACE; this one allows"
            f" {consent.purpose.name} by {consent.modality.name}.",
            field="consentId",
        )
    if not consent.stands(now):
        raise ConsentEnded(field="consentId")
    if person_id is not None and consent.person_id != person_id:
        raise Invalid("This consent is somebody else's.", field="personId")


def scene_at(scenes: Sequence[Scene], video_ms: int | None) -> UUID | None:
    """Return the scene that a video shows at a moment."""
    if video_ms is None:
        return None
    return next((scene.id for scene in scenes if scene.start_ms <= video_ms < scene.end_ms), None)


async def start(unit: Unit, command: SessionStart) -> UUID:
    """Begin to measure somebody who consented: a person, or a visitor without a name.

    Raises NotFound, ConsentMissing, ConsentEnded or Invalid.
    """
    consent = await unit.consents.get_for_update(command.consent_id)
    person_id = command.person_id and await unit.people.owned(command.person_id)
    check_consent(consent, person_id, unit.now)
    if command.video_id is not None:
        await unit.videos.check(command.video_id)
    session = Session(
        id=new_id(),
        status=SessionStatus.RUNNING,
        surface=command.surface,
        consent=consent,
        person_id=consent.person_id,
        video_id=command.video_id,
        started_by=unit.caller.actor,
        started_at=unit.now,
    )
    await unit.perception.add_session(session)
    unit.record(changed(AuditAction.CREATE, "PerceptionSessionStarted", session, ("status", "consent", "surface")))
    return session.id


async def complete(unit: Unit, command: SessionComplete, then: Then | None = None) -> UUID:
    """End a session and sum it up. One that is completed already gives the same answer; raises NotFound, SessionEnded.

    `then` is done in the unit that completes it. What a consent that has run out meanwhile let be measured is summed up
    as well: the sweep removes it with the rest.
    """
    watched = await unit.perception.watched(command.session_id)
    session = watched.session
    if session.status is SessionStatus.COMPLETED:
        return session.id
    if session.status is SessionStatus.STOPPED:
        raise SessionEnded("This session was stopped: its consent was taken back.", field="sessionId")
    state = remembered(watched.memory)
    reading = qd.final(state)
    outcome = Outcome(reading, state.peak, scene_at(watched.scenes, state.peak_video_ms))
    ended = replace(session, status=SessionStatus.COMPLETED, ended_at=unit.now)
    await unit.perception.finish(ended, outcome)
    if reading is not None and session.person_id is not None:
        await unit.perception.add_scores([scored(reading, session, session.person_id, new_id())])
    unit.record(changed(AuditAction.UPDATE, "PerceptionSessionCompleted", ended, ("status",)))
    await notifications.tell(unit, _completed(ended), await audience(unit, session))
    if then is not None:
        await then(unit, session.id)
    return session.id


async def match(
    unit: Unit,
    command: SessionMatch,
    open_lead: Callable[[Unit, WalkInLead], Awaitable[tuple[UUID, UUID]]],
) -> Matched:
    """Store who the visitor of a session was; `open_lead` makes the person and the lead of somebody new.

    The session, its scores and the visitor's consent become the person's. Raises NotFound, NotAllowed or
    SessionMatched.
    """
    session = await unit.perception.session_for_update(command.session_id)
    if session.person_id is not None:
        if session.person_id == command.target:
            return Matched(session.id)
        raise SessionMatched(field="sessionId")
    lead_id: UUID | None = None
    if isinstance(command.target, WalkInLead):
        person_id, lead_id = await open_lead(unit, command.target)
    else:
        person_id = await unit.people.owned(command.target)
    await unit.perception.match(session, person_id)
    await unit.perception.keep_newest(person_id)
    await unit.people.touch(person_id)
    unit.record(
        changed(AuditAction.UPDATE, "PerceptionSessionMatched", replace(session, person_id=person_id), ("person",))
    )
    return Matched(session.id, lead_id)


async def audience(unit: Unit, session: Session) -> list[UUID]:
    """Return who is told about a session: who began it, and who works on the person's leads."""
    starter = [session.started_by.id] if session.started_by.noun == "users" else []
    return await unit.notifications.following(session.person_id, *starter)


def _completed(session: Session) -> notifications.News:
    return notifications.News(
        NotificationKind.SESSION_COMPLETE, "A session is completed.", "A session is complete",
        Actor("perception_sessions", session.id),
    )  # fmt: skip


def remembered(memory: Mapping[str, object]) -> qd.QdState:
    """Return the state of scoring out of what a session remembers."""
    state = memory.get("qd")
    return qd.restored(state if isinstance(state, dict) else None)


def scored(reading: qd.Reading, session: Session, person_id: UUID, score_id: UUID) -> Score:
    """Return a reading as a score of a person."""
    return Score(
        id=score_id,
        person_id=person_id,
        at=reading.at,
        kind=reading.kind,
        source=reading.source,
        score=reading.score,
        engagement=reading.engagement,
        valence=reading.valence,
        attention=reading.attention,
        confidence=reading.confidence,
        session_id=session.id,
    )


def changed(
    action: AuditAction, event: str, session: Session, fields: tuple[str, ...], *payload: tuple[str, str]
) -> Change:
    """Return what happened to a session."""
    return Change(action, event, "perception_sessions", session.id, fields, session.person_id, payload)
