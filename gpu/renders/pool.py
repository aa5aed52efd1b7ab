"""The pool of ComfyUI workers: which there are, how they are, what each can make, and the port `Renderer` over them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from domain.jobs import RenderWorkflow
from domain.renders import RenderedFile, RenderFault, RenderOrder, Told, prompt_ids
from gpu.renders import faults
from gpu.renders.client import Vitals, WorkerUnreachable
from gpu.renders.worker import ComfyWorker, RenderRules
from gpu.renders.workflows import Workflow

RESTART: Final = timedelta(seconds=30)
"""What a ComfyUI takes to start, about, with its nodes."""


@dataclass(frozen=True, slots=True)
class WorkerAddress:
    """A worker as an operator names it."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class WorkerHealth:
    """How a worker is: `vitals` and `load`, or `problem`."""

    name: str
    url: str
    vitals: Vitals | None = None
    load: int = 0
    problem: str | None = None


class ComfyPool:
    """The port `Renderer` over ComfyUI workers."""

    def __init__(
        self,
        addresses: Sequence[WorkerAddress],
        workflows: Mapping[RenderWorkflow, Workflow],
        *,
        client_id: str,
        rules: RenderRules | None = None,
    ) -> None:
        """Use these workers; `client_id` is this process's own, and stays the same as long as it runs."""
        self._workflows: Final = workflows
        made = [ComfyWorker(each.name, each.url, client_id, rules or RenderRules()) for each in addresses]
        self._workers: Final = {worker.name: worker for worker in made}

    async def close(self) -> None:
        """End every connection."""
        for worker in self._workers.values():
            await worker.close()

    @property
    def names(self) -> tuple[str, ...]:
        """The workers, as they were named."""
        return tuple(self._workers)

    async def health(self) -> list[WorkerHealth]:
        """Ask every worker how it is, at once."""
        return list(await asyncio.gather(*(_health(worker) for worker in self._workers.values())))

    async def lacking(self, workflow: RenderWorkflow) -> dict[str, tuple[str, ...]]:
        """Return what each worker lacks for a workflow: nothing where it can make it. Silent ones are left out."""
        wanted = self._workflows[workflow]
        found = await asyncio.gather(*(_lacking(worker, wanted) for worker in self._workers.values()))
        return {name: missing for name, missing in zip(self._workers, found, strict=True) if missing is not None}

    async def able(self, workflow: RenderWorkflow) -> tuple[str, ...]:
        """Return the workers that answer and have what a workflow needs; raises RenderFault where there is none."""
        if not self._workers:
            raise RenderFault(faults.NO_WORKERS, "No render worker is configured: COMFYUI_URLS names none.")
        found = await self.lacking(workflow)
        if not found:
            raise RenderFault(faults.WORKER_LOST, "No render worker answers.", retryable=True, retry_after=RESTART)
        able = tuple(name for name, missing in found.items() if not missing)
        if not able:
            raise faults.lacking(self._workflows[workflow], found)
        return able

    async def render(self, worker: str, order: RenderOrder, told: Told) -> tuple[RenderedFile, ...]:
        """Render on a worker, or take up what an earlier attempt left there. Raises RenderFault."""
        return await self._worker(worker).render(self._workflows[order.workflow], order, told)

    async def stop(self, job_id: UUID, attempt: int, *, but: str | None = None) -> bool:
        """End an attempt and those before it on every worker but one; return whether they are known to have ended."""
        ids = prompt_ids(job_id, attempt)
        return all(await asyncio.gather(*(each.stop(ids) for name, each in self._workers.items() if name != but)))

    async def forget(self, worker: str, job_id: UUID, attempt: int) -> None:
        """Remove from a worker's memory what it was asked. Where it does not answer, its memory may have ended too."""
        found = self._workers.get(worker)
        if found is not None:
            with suppress(WorkerUnreachable):
                await found.client.forget(list(prompt_ids(job_id, attempt)))

    def _worker(self, name: str) -> ComfyWorker:
        found = self._workers.get(name)
        if found is None:
            raise faults.lost(name, "It is not among the configured workers any more.")
        return found


async def _lacking(worker: ComfyWorker, workflow: Workflow) -> tuple[str, ...] | None:
    try:
        return await worker.lacking(workflow)
    except WorkerUnreachable:
        return None


async def _health(worker: ComfyWorker) -> WorkerHealth:
    try:
        vitals = await worker.client.vitals()
        return WorkerHealth(worker.name, worker.url, vitals, await worker.client.load())
    except WorkerUnreachable as error:
        return WorkerHealth(worker.name, worker.url, problem=error.reason)


def addresses(urls: Sequence[str]) -> tuple[WorkerAddress, ...]:
    """Name workers: `left=http://…` is called left, and a bare address by what is made of it.

    A worker has one name in every process, whatever the order of the addresses: its slot is leased by its name.
    """
    found = []
    for each in urls:
        name, named, url = each.partition("=")
        if not named or "://" in name:
            name, url = f"comfyui-{hashlib.sha256(each.rstrip('/').encode()).hexdigest()[:8]}", each
        found.append(WorkerAddress(name, url))
    return tuple(found)
