"""What bridges send: one event, or a batch of detections. Each becomes an event and a job, in one unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from domain.access import Actor
from domain.asking import question
from domain.cctv.detections import Detection, checked, parsed
from domain.cctv.events import Cameras, CctvEventKind, Seen, check_camera, check_moment, keep
from domain.cctv.plates import normalised
from domain.errors import Invalid
from domain.jobs import InferenceTask

if TYPE_CHECKING:
    from domain.unit import Unit

MOST_IN_BATCH: Final = 100


@dataclass(frozen=True, slots=True)
class CctvEventIngest:
    """An event as a bridge sends it: `plate` as it was read, `detections` any JSON."""

    camera: str
    at: datetime
    plate: str | None = None
    detections: object = None


@dataclass(frozen=True, slots=True)
class SentDetection:
    """A detection as a bridge sends it in a batch."""

    label: str
    confidence: float
    at: datetime


@dataclass(frozen=True, slots=True)
class DetectionBatchSubmit:
    """A batch of detections of one camera."""

    camera: str
    detections: Sequence[SentDetection]


@dataclass(frozen=True, slots=True)
class Ingested:
    """What was made of it."""

    event_id: UUID
    job_id: UUID


def seen(command: CctvEventIngest, cameras: Cameras, tenant_id: UUID) -> Seen:
    """Return what is kept of an event: a token in place of the plate. Raises Invalid."""
    camera = check_camera(command.camera)
    plate = None if command.plate is None else normalised(command.plate)
    return Seen(
        camera, command.at, cameras.kind(camera), () if plate is None else cameras.plates.tokens(tenant_id, plate),
        parsed(command.detections, plate),
    )  # fmt: skip


async def ingest(unit: Unit, seen: Seen) -> Ingested:
    """Keep an event and let a model profile it. Raises Invalid."""
    event_id = await keep(unit, seen)
    return Ingested(event_id, await _enqueue(unit, InferenceTask.CCTV_PROFILER, event_id))


async def submit(unit: Unit, command: DetectionBatchSubmit) -> Ingested:
    """Keep a batch of detections as an event at the time of the last, and let a model score it. Raises Invalid."""
    if not 1 <= len(command.detections) <= MOST_IN_BATCH:
        raise Invalid(f"A batch has 1 to {MOST_IN_BATCH} detections.", field="detections")
    found = [Detection(" ".join(each.label.split()), each.confidence, each.at) for each in command.detections]
    checked(found)
    for place, each in enumerate(command.detections):
        check_moment(each.at, unit.now, f"detections.{place}.at")
    ordered = sorted(command.detections, key=lambda each: each.at)
    kept = tuple(sorted(found, key=lambda each: each.at or unit.now))
    camera = check_camera(command.camera)
    event_id = await keep(unit, Seen(camera, ordered[-1].at, CctvEventKind.DETECTIONS, detections=kept))
    return Ingested(event_id, await _enqueue(unit, InferenceTask.RISK_ANALYZER, event_id))


async def _enqueue(unit: Unit, task: InferenceTask, event_id: UUID) -> UUID:
    # The event is what the job is about, and all that its worker needs: what is erased there is nowhere else.
    return await unit.jobs.enqueue(question(task, Actor("cctv_events", event_id), {"event": str(event_id)}))
