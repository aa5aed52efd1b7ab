"""Tasks: what somebody promised to do."""

from enum import Enum


class TaskStatus(Enum):
    """Whether a task is still to be done."""

    OPEN = "OPEN"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


class TaskPriority(Enum):
    """How pressing a task is, lowest first."""

    LOW = "LOW"
    NORMAL = "NORMAL"
    HIGH = "HIGH"
    URGENT = "URGENT"
