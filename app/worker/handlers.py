"""Which handler runs which jobs. Every part that does work for models or machines adds its handlers here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeAlias
from uuid import UUID, uuid5

from app.rendering import render_pool
from app.settings import Settings
from app.worker.renders import RenderHandler, as_asked
from domain.assets import UploadPorts
from domain.jobs import JobHandler, JobKind, SlotKind, Slots, Work
from domain.renders import Renderer
from domain.unit import Units

WORKERS: Final = UUID("0d4f7c1e-96a5-5a0b-8a43-5e3f1f0c9b62")
"""The namespace of workers' ids."""

Handlers: TypeAlias = Mapping[Work, JobHandler]


@dataclass(frozen=True, slots=True)
class Parts:
    """What handlers are made of."""

    settings: Settings
    uploads: UploadPorts
    slots: Slots
    units: Units
    renderer: Renderer


@asynccontextmanager
async def opened(settings: Settings, uploads: UploadPorts, slots: Slots, units: Units) -> AsyncIterator[Parts]:
    """Open what handlers are made of, declare what capacity it has, and close it afterwards."""
    async with render_pool(settings) as pool:
        for name in pool.names:
            await slots.declare(SlotKind.COMFYUI, name, 1)
        yield Parts(settings, uploads, slots, units, pool)


def worker_id(name: str) -> UUID:
    """Return the id of a render worker, which is the same in every process."""
    return uuid5(WORKERS, f"{SlotKind.COMFYUI.name}:{name}")


def handlers(parts: Parts) -> Handlers:
    """Return the handlers of this release."""
    return {
        Work(JobKind.RENDER): RenderHandler(
            renderer=parts.renderer,
            objects=parts.uploads.objects,
            contents=parts.uploads.contents,
            expand=as_asked,
            worker_id=worker_id,
        )
    }
