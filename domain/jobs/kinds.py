"""The words of jobs: what kinds there are, where a job stands, and what it may be asked."""

from __future__ import annotations

from enum import Enum
from typing import Final


class JobKind(Enum):
    """Which machine does the work."""

    INFERENCE = "INFERENCE"
    RENDER = "RENDER"


class JobStatus(Enum):
    """Where a job stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    PARTIAL = "PARTIAL"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class InferenceTask(Enum):
    """What a model is asked to do."""

    CHAT = "CHAT"
    QD_CALCULATOR = "QD_CALCULATOR"
    LEAD_TAGGER = "LEAD_TAGGER"
    CCTV_PROFILER = "CCTV_PROFILER"
    RISK_ANALYZER = "RISK_ANALYZER"
    PROMPT_EXPANDER = "PROMPT_EXPANDER"


class RenderWorkflow(Enum):
    """What is made of a photograph."""

    STAGING = "STAGING"
    IMAGE_TO_VIDEO = "IMAGE_TO_VIDEO"
    POSTER = "POSTER"


class RoomType(Enum):
    """What a photographed room is."""

    LIVING_ROOM = "LIVING_ROOM"
    BEDROOM = "BEDROOM"
    KITCHEN = "KITCHEN"
    BATHROOM = "BATHROOM"
    DINING_ROOM = "DINING_ROOM"
    OFFICE = "OFFICE"
    BALCONY = "BALCONY"


class SlotKind(Enum):
    """What a unit of capacity serves."""

    LLM = "LLM"
    COMFYUI = "COMFYUI"


class JobUpdateKind(Enum):
    """What those who follow a job are told."""

    STATE = "STATE"
    ITEM = "ITEM"
    PROGRESS = "PROGRESS"
    TEXT = "TEXT"


QUEUED_EVENT, CHANGED_EVENT, STOPPING_EVENT = "JobQueued", "JobChanged", "JobCancelRequested"
ITEM_EVENT = "JobItemFinished"
PROGRESS_FRAME, TEXT_FRAME = "JobProgressed", "JobTextDelta"
UPDATE_KINDS: Final = {
    QUEUED_EVENT: JobUpdateKind.STATE,
    CHANGED_EVENT: JobUpdateKind.STATE,
    STOPPING_EVENT: JobUpdateKind.STATE,
    ITEM_EVENT: JobUpdateKind.ITEM,
    PROGRESS_FRAME: JobUpdateKind.PROGRESS,
    TEXT_FRAME: JobUpdateKind.TEXT,
}
"""What each event and each frame about a job is told as."""
JOB_FRAMES: Final = frozenset({PROGRESS_FRAME, TEXT_FRAME})
"""What is told and kept nowhere."""
JOB_EVENTS: Final = UPDATE_KINDS.keys() - JOB_FRAMES

SLOT_OF: Final = {JobKind.INFERENCE: SlotKind.LLM, JobKind.RENDER: SlotKind.COMFYUI}
"""What a job of a kind leases while it runs, wherever such capacity is known of."""

FINISHED: Final = frozenset({JobStatus.SUCCEEDED, JobStatus.PARTIAL, JobStatus.FAILED, JobStatus.CANCELLED})
"""Where a job goes no further by itself."""
RETRIED: Final = frozenset({JobStatus.PARTIAL, JobStatus.FAILED, JobStatus.CANCELLED})
"""From where a job may be asked to begin again."""
