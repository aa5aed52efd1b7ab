"""Which handler runs which jobs. Every part that does work for models or machines adds its handlers here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from app.fleet import Reporting, render_workers
from app.inference import declare_places
from app.prompts import loaded_prompts
from app.renders import WritersPlaces, declare_workers, expanding, render_pool
from app.settings import Settings
from app.worker.asking import LeasedAsking
from app.worker.declaring import declaring
from app.worker.items import ItemsHandler
from app.worker.renders import RenderHandler
from domain import fleet
from domain.assets import UploadPorts
from domain.cctv.judging import CctvProfiler, RiskAnalyzer
from domain.inference import BATCH, InferenceTask
from domain.jobs import JobHandler, JobKind, Lease, Outcome, RunningJob, Slots, Work
from domain.perception import QdRefiner
from domain.proposals import LeadTagger
from domain.renders import Renderer
from domain.structured import StructuredAnswers
from domain.unit import Units
from gpu.inference.router import Router
from gpu.structured import PromptedAnswers

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
    renderer: Renderer


@asynccontextmanager
async def opened(
    settings: Settings,
    uploads: UploadPorts,
    slots: Slots,
    units: Units,
    router: Router,
    *,
    machine: Reporting | None = None,
) -> AsyncIterator[Parts]:
    """Open what handlers are made of, declare what capacity it has, and close it afterwards.

    `machine` reports the render workers, too.
    """
    answers = PromptedAnswers(loaded_prompts(settings), router.tallies)
    async with render_pool(settings) as pool:

        async def declare() -> None:
            await declare_places(slots, router.settings)
            await declare_workers(slots, pool)

        if machine is not None:
            machine.founds.append(render_workers(pool, settings.gpu_placements))
        async with declaring(declare):
            yield Parts(settings, uploads, slots, units, router, answers, pool)


def worker_id(name: str) -> UUID:
    """Return the id of a render worker, which is the same in every process."""
    return fleet.worker_id(fleet.WorkerKind.COMFYUI, name)


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
    items = ItemsHandler(parts.router, parts.answers)
    asking = LeasedAsking(parts.answers, parts.router)
    others: dict[InferenceTask, JobHandler] = {
        InferenceTask.CCTV_PROFILER: CctvProfiler(asking),
        InferenceTask.LEAD_TAGGER: LeadTagger(asking, parts.settings.tags_at_once),
        InferenceTask.QD_CALCULATOR: QdRefiner(asking),
        InferenceTask.RISK_ANALYZER: RiskAnalyzer(asking),
    }
    renders = RenderHandler(
        renderer=parts.renderer,
        objects=parts.uploads.objects,
        contents=parts.uploads.contents,
        expand=expanding(
            parts.answers, lambda job, lease: parts.router.of(job.tenant_id, WritersPlaces(lease, parts.slots))
        ),
        worker_id=worker_id,
    )
    inference = {Work(JobKind.INFERENCE, task): Submitted(items, others.get(task)) for task in InferenceTask}
    return {**inference, Work(JobKind.RENDER): renders}
