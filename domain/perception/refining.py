"""A model's reading of a session that is over: a second opinion beside the rules' score, and never instead of it.

A session never waits for it: its end asks for a job, and that is all. The consent is looked at again when the job runs,
and once more when its answer is stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, cast
from uuid import UUID

from domain import qd
from domain.access import Actor
from domain.asking import Asking, everybody, note_answer, question
from domain.audit import AuditAction
from domain.errors import Conflict, NotAllowed
from domain.inference import InferenceTask
from domain.interactions import Heard
from domain.jobs import Failed, Lease, Outcome, RunningJob, Succeeded
from domain.perception.kinds import SessionStatus
from domain.perception.sessions import Session, changed, check_consent, scored
from domain.perception.spikes import RISE, WITHIN
from domain.structured import Answer, Identity
from domain.values import new_id

if TYPE_CHECKING:
    from domain.unit import Unit

MOST_MOMENTS: Final = 60
"""How many moments of a session a model is shown."""
MOST_HEARD: Final = 10
"""How many interactions with the person it is shown, the newest."""
WITHOUT_CONSENT: Final = Failed(
    "CONSENT_ENDED", "The consent of the session has ended: no model was asked.", retryable=False
)


@dataclass(frozen=True, slots=True)
class Moment:
    """What the rules made of a session at one of its moments; `scene` is the title of what was shown."""

    at: datetime
    score: float
    attention: float | None
    valence: float | None
    engagement: float | None
    confidence: float | None
    face: bool
    scene: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A scene of the video that was shown."""

    title: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Scored:
    """A session with what the rules came to; without a final score nothing was ever known, or it was erased."""

    session: Session
    final: qd.Reading | None
    peak: float | None
    refined: bool
    moments: Sequence[Moment] = ()
    scenes: Sequence[Shown] = ()


@dataclass(frozen=True, slots=True)
class RefinedBy:
    """Which model made a score, and of which prompt: its version, and the SHA-256 of its file."""

    model: str
    prompt_version: str
    prompt_hash: str


async def request(unit: Unit, session_id: UUID) -> None:
    """Let a model read a session that has ended, if there is anything to read; once for each session."""
    found = await unit.perception.scored(session_id)
    if found.final is None or found.refined:
        return
    await unit.jobs.enqueue(
        question(
            InferenceTask.QD_CALCULATOR,
            Actor("perception_sessions", session_id),
            {"sessionId": str(session_id)},
            key=f"qd_calculator/{session_id}",
        )
    )


def may_refine(found: Scored, now: datetime) -> bool:
    """Whether a session is over, still has what was measured, and still rests on a consent."""
    if found.session.status is not SessionStatus.COMPLETED or found.final is None:
        return False
    try:
        check_consent(found.session.consent, None, now)
    except (NotAllowed, Conflict):
        return False
    return True


def variables(found: Scored, heard: Sequence[Heard]) -> dict[str, object]:
    """Return what the prompt is filled with: numbers, scenes and words, and nothing that tells who it was."""
    session, final = found.session, found.final
    began, ended = session.started_at, session.ended_at or session.started_at
    moments = _thinned(found.moments)
    return {
        "session": {
            "surface": session.surface.name,
            "seconds": round((ended - began).total_seconds()),
            "face_share": _share([each.face for each in found.moments]),
            "rules": None if final is None else _numbers(final),
            "peak": None if found.peak is None else round(found.peak, 1),
            "moments": [
                {"second": round((each.at - began).total_seconds()), "scene": each.scene, **_numbers(each)}
                for each in moments
            ],
            "spikes": _spikes(found.moments, began),
        },
        "scenes": [
            {"title": scene.title, "from": scene.start_ms // 1000, "to": scene.end_ms // 1000} for scene in found.scenes
        ],
        "interactions": [
            {"kind": each.kind.name, "at": each.occurred_at.date().isoformat(), "text": each.text} for each in heard
        ],
    }


def refined(found: Scored, value: Mapping[str, object]) -> qd.Reading:
    """Return a model's answer as a score of the session, at the moment of the rules' final one."""
    final = cast("qd.Reading", found.final)
    parts = {name: float(cast("float", value[name])) for name in ("score", "attention", "valence", "engagement")}
    return qd.Reading(
        at=final.at, video_ms=None, **parts, confidence=float(cast("float", value["confidence"])), face=final.face,
        kind=qd.QdKind.SESSION, source=qd.QdSource.MODEL,
    )  # fmt: skip


class QdRefiner:
    """Runs the jobs that `request` makes."""

    def __init__(self, asking: Asking) -> None:
        """Ask through `asking`."""
        self._asking = asking

    async def run(self, job: RunningJob, lease: Lease) -> Outcome:
        """Ask the model outside of any unit, and store its score in one."""
        session_id = UUID(str(job.payload["sessionId"]))
        async with lease.unit() as unit:
            found = await unit.perception.scored(session_id)
            if found.refined:
                return Succeeded()
            if not may_refine(found, unit.now):
                return WITHOUT_CONSENT
            heard, connected = await _said(unit, found.session.person_id)
            given = variables(found, heard)
            people = await everybody(unit, given, connected)
        answer = await self._asking.ask(job, lease, InferenceTask.QD_CALCULATOR, given, people=people)
        if not isinstance(answer, Answer):
            return answer
        async with lease.unit() as unit:
            # Until this is stored, no erasure runs that would not find it.
            await unit.perception.hold_off_erasures()
            found = await unit.perception.scored(session_id)
            if not may_refine(found, unit.now):
                return WITHOUT_CONSENT
            by = RefinedBy(answer.model, answer.prompt_version, answer.prompt_hash)
            await _keep(unit, found, refined(found, answer.value), by)
            await note_answer(unit, job, answer)
        return Succeeded()


async def _said(unit: Unit, person_id: UUID | None) -> tuple[Sequence[Heard], Sequence[Identity]]:
    if person_id is None:
        return (), ()
    return await unit.interactions.heard(person_id, MOST_HEARD), await unit.people.spellings(person_id)


async def _keep(unit: Unit, found: Scored, reading: qd.Reading, by: RefinedBy) -> None:
    session = found.session
    await unit.perception.refine(session, reading, by)
    if session.person_id is not None:
        await unit.perception.add_scores([scored(reading, session, session.person_id, new_id())])
    prompt = (("promptVersion", by.prompt_version), ("promptHash", by.prompt_hash))
    unit.record(changed(AuditAction.UPDATE, "PerceptionSessionRefined", session, ("refinedQd",), *prompt))


def _thinned(moments: Sequence[Moment]) -> list[Moment]:
    """Return at most MOST_MOMENTS, evenly spread, the last of them too."""
    step = max(1, -(-len(moments) // MOST_MOMENTS))
    return list(reversed(list(reversed(moments))[::step]))


def _spikes(moments: Sequence[Moment], began: datetime) -> list[dict[str, object]]:
    """Return where the score rose quickly: from which second on, and by how much."""
    found: list[dict[str, object]] = []
    low: Moment | None = None
    for each in moments:
        if low is None or each.score < low.score or (each.at - low.at).total_seconds() > WITHIN:
            low = each
        elif each.score - low.score >= RISE:
            second = round((each.at - began).total_seconds())
            found.append({"second": second, "rise": round(each.score - low.score, 1), "scene": each.scene})
            low = each
    return found


def _numbers(found: Moment | qd.Reading) -> dict[str, float | None]:
    names = ("score", "attention", "valence", "engagement", "confidence")
    return {name: None if getattr(found, name) is None else round(getattr(found, name), 2) for name in names}


def _share(faces: Sequence[bool]) -> float | None:
    return round(sum(faces) / len(faces), 2) if faces else None
