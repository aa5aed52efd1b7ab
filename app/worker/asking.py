"""Asks models for jobs: one request at a time, for which a place of the provider is held, and given up with the job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.worker.leases import LeasedPlaces, until_ended
from domain.asking import failed
from domain.inference import InferenceTask, ModelRefused, ModelsOf, ModelUnavailable
from domain.jobs import Cancelled, Failed, Lease, RunningJob
from domain.structured import Answer, AnswerRefused, Check, Identity, StructuredAnswers


class LeasedAsking:
    """The port `Asking`."""

    def __init__(self, answers: StructuredAnswers, models: ModelsOf) -> None:
        """Ask each tenant's models by way of `answers`."""
        self._answers = answers
        self._models = models

    async def ask(
        self,
        job: RunningJob,
        lease: Lease,
        task: InferenceTask,
        variables: Mapping[str, object],
        *,
        people: Sequence[Identity],
        check: Check | None = None,
    ) -> Answer | Failed | Cancelled:
        """Ask a task's prompt; neither a model nor a place is waited for once the job is lost or cancelled."""
        models = self._models.of(job.tenant_id, LeasedPlaces(lease))
        asked = self._answers.ask(models, task, variables, people=people, check=check, model=job.model)
        try:
            return await until_ended(lease, asked)
        except (AnswerRefused, ModelRefused, ModelUnavailable) as error:
            return failed(error)
