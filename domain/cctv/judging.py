"""What a model makes of an event: a profile of an arrival, or the risk of a batch. Jobs run it, and may run it twice.

A model describes; it decides nothing. What it says that is in no detection is refused, after it was asked once more.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast
from uuid import UUID

from domain.asking import Asking, everybody, note_answer
from domain.audit import AuditAction, Change
from domain.cctv.profiles import Judged, Profile, Witnessed, profile_faults, risk_faults
from domain.cctv.risk import Risk
from domain.jobs import Failed, InferenceTask, Lease, Outcome, RunningJob, Succeeded
from domain.structured import Answer, Check

if TYPE_CHECKING:
    from domain.unit import Unit

GONE: Final = Failed("NOT_FOUND", "The event is no longer kept.", retryable=False)


class _Judge(ABC):
    """A handler of jobs about one event."""

    task: InferenceTask
    event: str

    def __init__(self, asking: Asking) -> None:
        """Ask through `asking`."""
        self._asking = asking

    async def run(self, job: RunningJob, lease: Lease) -> Outcome:
        """Ask a model about the event, and keep what it says. An event that was judged before stays as it is."""
        if job.subject is None:
            return GONE
        async with lease.unit() as unit:
            found = await unit.cctv.witnessed(job.subject.id)
            if found is None or found.judged:
                return GONE if found is None else Succeeded()
            given = self.variables(found)
            # A camera or a label may be called after somebody, such as the gate of their house.
            people = await everybody(unit, given, by_any_part=True)
        answer = await self._asking.ask(job, lease, self.task, given, people=people, check=self.check(found))
        if not isinstance(answer, Answer):
            return answer
        async with lease.unit() as unit:
            by = Judged(answer.model, answer.prompt_version, answer.prompt_hash, unit.now)
            if not await self.save(unit, job.subject.id, answer, by):
                return GONE
            await note_answer(unit, job, answer)
            fields = ("summary", "model", "promptVersion")
            unit.record(Change(AuditAction.UPDATE, self.event, "cctv_events", job.subject.id, fields))
        return Succeeded()

    @abstractmethod
    def variables(self, found: Witnessed) -> Mapping[str, object]:
        """Return what the prompt is filled with."""

    @abstractmethod
    def check(self, found: Witnessed) -> Check:
        """Return what an answer must agree with."""

    @abstractmethod
    async def save(self, unit: Unit, event_id: UUID, answer: Answer, by: Judged) -> bool:
        """Store an answer; return whether there was an event to store it with."""


class CctvProfiler(_Judge):
    """Says what an arrival was."""

    task = InferenceTask.CCTV_PROFILER
    event = "CctvEventProfiled"

    def variables(self, found: Witnessed) -> Mapping[str, object]:
        """Return the camera, its time and what was detected."""
        return {"event": {"camera": found.camera, "at": found.local(found.at)}, "detections": found.seen()}

    def check(self, found: Witnessed) -> Check:
        """Refuse what no detection shows."""
        return lambda value: profile_faults(value, found)

    async def save(self, unit: Unit, event_id: UUID, answer: Answer, by: Judged) -> bool:
        """Store the profile."""
        value = answer.value
        profile = Profile(
            cast("str | None", value["visitor_kind"]), cast("str | None", value["vehicle"]),
            float(cast("float", value["confidence"])), cast("str", value["summary"]),
        )  # fmt: skip
        return await unit.cctv.save_profile(event_id, profile, by)


class RiskAnalyzer(_Judge):
    """Scores a batch of detections. It is asked for no level: that follows from the score."""

    task = InferenceTask.RISK_ANALYZER
    event = "CctvEventAssessed"

    def variables(self, found: Witnessed) -> Mapping[str, object]:
        """Return the camera and what was detected."""
        return {"camera": found.camera, "detections": found.seen()}

    def check(self, found: Witnessed) -> Check:
        """Refuse a score that the detections are not sure enough for."""
        return lambda value: risk_faults(value, found)

    async def save(self, unit: Unit, event_id: UUID, answer: Answer, by: Judged) -> bool:
        """Store the risk."""
        value = answer.value
        risk = Risk(cast("int", value["score"]), cast("str", value["summary"]), cast("str", value["reasoning"]))
        return await unit.cctv.save_risk(event_id, risk, by)
