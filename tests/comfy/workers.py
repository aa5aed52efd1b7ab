"""A ComfyUI to render on: the fake, or the real one that COMFY_URL names, and the workflows that need no model."""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from domain.jobs import RenderWorkflow
from domain.renders import RenderFault, RenderOrder, RenderStep
from gpu.renders.pool import ComfyPool, WorkerAddress
from gpu.renders.worker import RenderRules
from gpu.renders.workflows import TEMPLATES, Workflow, read_workflow
from tests.comfy.server import FakeComfy, fake_comfy, photograph

REAL = os.environ.get("COMFY_URL")
PATIENT = RenderRules(look=0.2, lost_after=30, stalled_after=60, tell=0.02, stop_within=60)
HASTY = replace(PATIENT, lost_after=0.5)
"""For those whose worker does not come back."""
TRIAL = read_workflow(TEMPLATES / "trial.json")


@dataclass
class Rendering:
    """A pool of one worker or several, and the fakes behind them; none where the worker is real."""

    pool: ComfyPool
    fakes: list[FakeComfy]
    steps: list[RenderStep]

    async def told(self, step: RenderStep) -> None:
        """Note how far it is."""
        self.steps.append(step)

    async def render(self, order: RenderOrder, worker: str = "one") -> list[bytes]:
        """Render and return the files' bytes."""
        return [file.content for file in await self.pool.render(worker, order, self.told)]

    async def fault(self, order: RenderOrder, worker: str = "one") -> RenderFault:
        """Render what fails and return how."""
        try:
            await self.render(order, worker)
        except RenderFault as fault:
            return fault
        raise AssertionError("It did not fail.")

    @property
    def fake(self) -> FakeComfy:
        """The first of the fakes."""
        return self.fakes[0]


@asynccontextmanager
async def rendering(
    folder: Path, *, workers: int = 1, newest: bool = True, rules: RenderRules = PATIENT, workflow: Workflow = TRIAL
) -> AsyncIterator[Rendering]:
    """Fakes, and a pool over them in which every workflow is one that needs no model."""
    names = ["one", "two", "three"][:workers]
    async with _opened([folder / name for name in names], newest=newest) as fakes:
        addresses = [WorkerAddress(name, fake.url) for name, fake in zip(names, fakes, strict=True)]
        pool = ComfyPool(addresses, dict.fromkeys(RenderWorkflow, workflow), client_id=uuid.uuid4().hex, rules=rules)
        try:
            yield Rendering(pool, fakes, [])
        finally:
            await pool.close()


@asynccontextmanager
async def real(workflow: Workflow = TRIAL, rules: RenderRules = PATIENT) -> AsyncIterator[Rendering]:
    """A pool over the ComfyUI that COMFY_URL names."""
    assert REAL is not None
    pool = ComfyPool(
        [WorkerAddress("one", REAL)], dict.fromkeys(RenderWorkflow, workflow), client_id=uuid.uuid4().hex,
        rules=rules,
    )  # fmt: skip
    try:
        yield Rendering(pool, [], [])
    finally:
        await pool.close()


@asynccontextmanager
async def _opened(folders: list[Path], *, newest: bool) -> AsyncIterator[list[FakeComfy]]:
    if not folders:
        yield []
        return
    async with fake_comfy(folders[0], newest=newest) as first, _opened(folders[1:], newest=newest) as others:
        yield [first, *others]


def order(job_id: UUID | None = None, attempt: int = 1, content: bytes | None = None) -> RenderOrder:
    """An order of a new job, unless the job is given."""
    return RenderOrder(
        job_id=job_id or uuid.uuid4(),
        attempt=attempt,
        workflow=RenderWorkflow.STAGING,
        prompt="A bright room",
        content=photograph() if content is None else content,
        content_type="image/png",
    )
