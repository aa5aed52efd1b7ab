"""Rendering as an operator set it: the pool of workers, and the model that writes what a picture shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import structlog

from app.failures import CannotContinue
from app.settings import Settings
from app.worker.renders import Expand
from domain.asking import everybody
from domain.errors import Unavailable
from domain.inference import InferenceTask, ModelRefused, Models
from domain.jobs import Lease, RenderWorkflow, RunningJob, SlotKind, Slots, SlotsClosed
from domain.renders import WHOLE, Words, Written
from domain.structured import StructuredAnswers
from domain.values import new_id
from gpu.renders.pool import ComfyPool, addresses
from gpu.renders.worker import RenderRules
from gpu.renders.workflows import WorkflowWrong, read_workflows

EXPAND_SECONDS: Final = 45.0
"""How long a render waits for a model's words; the keywords as they are do as well."""
PLACE_SECONDS: Final = 10.0
"""How long of that for a place at a model: a batch may hold them all, and the render worker stands idle meanwhile."""
WAITS: Final = "Waiting for a language model"
WRITES: Final = "A language model writes what the picture shows"

log = structlog.get_logger()


class WorkflowsWrong(CannotContinue):
    """A render workflow cannot be used."""


@asynccontextmanager
async def render_pool(settings: Settings) -> AsyncIterator[ComfyPool]:
    """Open the pool, which connects when it is used, and close it afterwards; raises WorkflowsWrong."""
    try:
        workflows = read_workflows(settings.render_workflows)
    except WorkflowWrong as error:
        raise WorkflowsWrong(f"VELOCITY_RENDER_WORKFLOWS: {error}") from error
    pool = ComfyPool(
        addresses(settings.comfyui_urls),
        workflows,
        # A ComfyUI tells of a prompt to one socket for each client id: every process needs one of its own.
        client_id=f"velocity-{new_id()}",
        rules=RenderRules(stalled_after=settings.render_stalled_seconds),
    )
    try:
        yield pool
    finally:
        await pool.close()


async def declare_workers(slots: Slots, pool: ComfyPool) -> None:
    """Let each worker run one render at a time: it has one slot."""
    for name in pool.names:
        await slots.declare(SlotKind.COMFYUI, name, 1)


class WritersPlaces:
    """The places of language models for a render, which says that it waits for one, and does not wait for long."""

    def __init__(self, lease: Lease, slots: Slots, seconds: float = PLACE_SECONDS) -> None:
        """Take slots for the job of `lease`."""
        self._lease = lease
        self._slots = slots
        self._seconds = seconds

    @asynccontextmanager
    async def place(self, provider: str) -> AsyncIterator[object]:
        """Wait for a slot of a provider, and hold it. Raises Unavailable where the mode has closed it."""
        if await self._slots.closed(SlotKind.LLM, provider):
            raise Unavailable(f"The mode keeps {provider} closed.")
        await self._lease.progress(0, WHOLE, WAITS)
        async with AsyncExitStack() as held:
            async with asyncio.timeout(self._seconds):
                slot = await held.enter_async_context(self._lease.slot(SlotKind.LLM, [provider]))
            await self._lease.progress(0, WHOLE, WRITES)
            yield slot


def expanding(
    answers: StructuredAnswers, models: Callable[[RunningJob, Lease], Models], seconds: float = EXPAND_SECONDS
) -> Expand:
    """Return what has a model write what a furnished room shows. Where none answers in time, there are no words."""

    async def expand(job: RunningJob, lease: Lease) -> Words | None:
        # The prompt is about furnishing; posters and films are told the keywords as they are.
        if job.workflow is not RenderWorkflow.STAGING or job.room_type is None:
            return None
        asked = {"room_type": job.room_type.name, "keywords": list(job.keywords)}
        try:
            async with lease.unit() as unit:
                people = await everybody(unit, asked, by_any_part=True)
            async with asyncio.timeout(seconds):
                answer = await answers.ask(models(job, lease), InferenceTask.PROMPT_EXPANDER, asked, people=people)
        except (Unavailable, ModelRefused, SlotsClosed, TimeoutError) as error:
            log.info("prompt_not_expanded", job=str(job.id), error=type(error).__name__)
            return None
        log.info("prompt_expanded", job=str(job.id), model=answer.model, prompt=answer.prompt_hash)
        by = Written(answer.model, answer.prompt_version, answer.prompt_hash)
        return Words(str(answer.value["prompt"]), str(answer.value["negative_prompt"]) or None, by)

    return expand
