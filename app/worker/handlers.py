"""Which handler runs which jobs. Every part that does work for models or machines adds its handlers here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from app.prompts import replies
from app.settings import Settings
from domain.assets import UploadPorts
from domain.inference import BATCH, InferenceTask
from domain.jobs import JobHandler, JobKind, Lease, Outcome, RunningJob, Slots, Work
from domain.structured import StructuredAnswers
from domain.unit import Units
from gpu.inference.batches import ItemsHandler
from gpu.inference.router import Router

Handlers: TypeAlias = Mapping[Work, JobHandler]


@dataclass(frozen=True, slots=True)
class Parts:
    """What handlers are made of."""

    settings: Settings
    uploads: UploadPorts
    slots: Slots
    units: Units
    router: Router
    answers: StructuredAnswers


class Submitted:
    """Work of one task: items that were submitted, and what the product itself asks for."""

    def __init__(self, items: JobHandler, other: JobHandler | None) -> None:
        """Run submitted items by `items`, and all else by `other`."""
        self._items = items
        self._other = other

    async def run(self, job: RunningJob, lease: Lease) -> Outcome:
        """Do the work; what there is in the payload says which it is."""
        return await (self._items if self._other is None or BATCH in job.payload else self._other).run(job, lease)


def handlers(parts: Parts) -> Handlers:
    """Return the handlers of this release."""
    items = ItemsHandler(parts.router, replies(parts.answers))
    others: dict[InferenceTask, JobHandler] = {}
    return {Work(JobKind.INFERENCE, task): Submitted(items, others.get(task)) for task in InferenceTask}
