"""CCTV: what cameras saw, whose visit it is evidence of, and what a model makes of it."""

from domain.cctv.detections import MOST_DETECTIONS, Detection, checked, parsed
from domain.cctv.events import (
    ARRIVAL,
    LONGEST_CAMERA,
    LONGEST_VISIT,
    Cameras,
    CctvEvent,
    CctvEventKind,
    CctvStore,
    Seen,
    Visit,
    check_camera,
    check_moment,
    chosen,
    gather,
    keep,
    settle,
)
from domain.cctv.plates import TOKEN_BYTES, PlateKey, normalised
from domain.cctv.retention import WatchedTenants, sweep
from domain.cctv.risk import FLOORS, MOST_SCORE, Risk, RiskLevel, level_of

__all__ = [
    "ARRIVAL",
    "FLOORS",
    "LONGEST_CAMERA",
    "LONGEST_VISIT",
    "MOST_DETECTIONS",
    "MOST_SCORE",
    "TOKEN_BYTES",
    "Cameras",
    "CctvEvent",
    "CctvEventKind",
    "CctvStore",
    "Detection",
    "PlateKey",
    "Risk",
    "RiskLevel",
    "Seen",
    "Visit",
    "WatchedTenants",
    "check_camera",
    "check_moment",
    "checked",
    "chosen",
    "gather",
    "keep",
    "level_of",
    "normalised",
    "parsed",
    "settle",
    "sweep",
]
