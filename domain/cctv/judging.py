"""What a model makes of an event: a profile of an arrival, or the risk of a batch. Jobs run it, and may run it twice.

A model describes; it decides nothing. What it says that is in no detection is refused, after it was asked once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast
from uuid import UUID

from domain import inference
from domain.audit import AuditAction, Change
from domain.cctv.profiles import Judged, Profile, Witnessed, profile_faults, risk_faults
from domain.cctv.risk import Risk
from domain.inference import ModelRefused, ModelsOf, ModelUnavailable, provider_id
from domain.jobs import Failed, Lease, Outcome, RunningJob, SlotKind, Succeeded
from domain.structured import Answer, AnswerRefused, Check, StructuredAnswers

if TYPE_CHECKING:
    from domain.unit import Unit

GONE: Final = Failed("NOT_FOUND", "The event is no longer kept.", retryable=False)


class _Places:
    """The places of providers that running jobs of all processes share."""

    def __init__(self, lease: Lease) -> None:
        """Take them for the job of `lease`."""
        self._lease = lease

    def place(self, provider: str) -> AbstractAsyncContextManager[object]:
        """Wait for a place of a provider, and hold it."""
        return self._lease.slot(SlotKind.LLM, [provider])


class _Judge:
    """A handler of jobs about one event."""

    task: inference.InferenceTask
    event: str

    def __init__(self, models: ModelsOf, answers: StructuredAnswers) -> None:
        """Ask these models by these prompts."""
        self._models = models
        self._answers = answers

    async def run(self, job: RunningJob, lease: Lease) -> Outcome:
        """Ask a model about the event, and keep what it says. An event that was judged before stays as it is."""
        if job.subject is None:
            return GONE
        async with lease.unit() as unit:
            found = await unit.cctv.witnessed(job.subject.id)
        if found is None or found.judged:
            return GONE if found is None else Succeeded()
        try:
            answer = await self._answers.ask(
                self._models.of(job.tenant_id, _Places(lease)), self.task, self.variables(found), people=(),
                check=self.check(found), model=job.model,
            )  # fmt: skip
        except (AnswerRefused, ModelRefused, ModelUnavailable) as error:
            return failed(error)
        async with lease.unit() as unit:
            by = Judged(answer.model, answer.prompt_version, answer.prompt_hash, unit.now)
            if not await self.save(unit, job.subject.id, answer, by):
                return GONE
            await unit.jobs.served_by(job.id, provider_id=provider_id(answer.provider), model=answer.model)
            await unit.jobs.count(job.id, completed=1)
            fields = ("summary", "model", "promptVersion")
            unit.record(Change(AuditAction.UPDATE, self.event, "cctv_events", job.subject.id, fields))
        return Succeeded()

    def variables(self, found: Witnessed) -> Mapping[str, object]:
        """Return what the prompt is filled with."""
        raise NotImplementedError

    def check(self, found: Witnessed) -> Check:
        """Return what an answer must agree with."""
        raise NotImplementedError

    async def save(self, unit: Unit, event_id: UUID, answer: Answer, by: Judged) -> bool:
        """Store an answer; return whether there was an event to store it with."""
        raise NotImplementedError


class CctvProfiler(_Judge):
    """Says what an arrival was."""

    task = inference.InferenceTask.CCTV_PROFILER
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

    task = inference.InferenceTask.RISK_ANALYZER
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


def failed(error: AnswerRefused | ModelRefused | ModelUnavailable) -> Failed:
    """Return how an attempt failed. Who is not there now may be there later; an answer was refused twice already."""
    match error:
        case ModelUnavailable():
            later = None if error.retry_after is None else timedelta(seconds=error.retry_after)
            return Failed("UNAVAILABLE", error.message, retryable=True, retry_after=later)
        case ModelRefused():
            return Failed(error.refusal.name, error.message, retryable=error.retryable)
        case _:
            return Failed("ANSWER_REFUSED", error.message, retryable=False)
