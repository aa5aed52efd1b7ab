"""How a job asks a model: the ports that it needs, and how its attempt ends where no usable answer comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from domain.inference import InferenceTask, ModelRefused, ModelsOf, ModelUnavailable
from domain.jobs import Failed, RunningJob
from domain.structured import Answer, AnswerRefused, Check, Identity, StructuredAnswers


@dataclass(frozen=True, slots=True)
class Asking:
    """What asks with the prompts of this installation, and every tenant's models."""

    answers: StructuredAnswers
    models: ModelsOf

    async def ask(
        self,
        job: RunningJob,
        task: InferenceTask,
        variables: Mapping[str, object],
        people: Sequence[Identity],
        check: Check | None = None,
    ) -> Answer | Failed:
        """Ask a task's prompt for a job, or return why its attempt has failed."""
        try:
            return await self.answers.ask(
                self.models.of(job.tenant_id), task, variables, people=people, check=check, model=job.model
            )
        except AnswerRefused as error:
            return Failed("ANSWER_REFUSED", error.message, retryable=False)
        except ModelRefused as error:
            return Failed(error.refusal.name, error.message, error.retryable, _after(error.retry_after))
        except ModelUnavailable as error:
            return Failed("UNAVAILABLE", error.message, retryable=True, retry_after=_after(error.retry_after))


def _after(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
