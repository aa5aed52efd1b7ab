"""Asks models for jobs: one request at a time, for which a place of the provider is held, and given up with the job."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from domain.asking import failed
from domain.inference import InferenceTask, ModelRefused, ModelsOf, ModelUnavailable
from domain.jobs import Cancelled, Failed, Lease, LeaseLost, RunningJob
from domain.structured import Answer, AnswerRefused, Check, Identity, StructuredAnswers
from gpu.inference.batches import LeasedPlaces


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
        asked = asyncio.ensure_future(
            self._answers.ask(models, task, variables, people=people, check=check, model=job.model)
        )
        ends = [asyncio.ensure_future(each.wait()) for each in (lease.lost, lease.cancelled)]
        try:
            await asyncio.wait([asked, *ends], return_when=asyncio.FIRST_COMPLETED)
            if lease.lost.is_set():
                raise LeaseLost
            return Cancelled() if lease.cancelled.is_set() else asked.result()
        except (AnswerRefused, ModelRefused, ModelUnavailable) as error:
            return failed(error)
        finally:
            for each in (asked, *ends):
                each.cancel()
            await asyncio.wait([asked, *ends])
            if not asked.cancelled():
                # Looked at, so that nobody reports an error that nobody waits for.
                asked.exception()
