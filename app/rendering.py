"""The pool of render workers as an operator set it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.failures import CannotContinue
from app.settings import Settings
from domain.values import new_id
from gpu.renders.pool import ComfyPool, addresses
from gpu.renders.worker import RenderRules
from gpu.renders.workflows import WorkflowWrong, read_workflows


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
