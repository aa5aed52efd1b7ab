"""The enumerations of perception."""

from __future__ import annotations

from enum import Enum
from typing import Final


class ConsentPurpose(Enum):
    """What a consent allows."""

    SHOWROOM_ENGAGEMENT = "SHOWROOM_ENGAGEMENT"
    MARKETING = "MARKETING"
    RECORDING = "RECORDING"


class Modality(Enum):
    """What a consent allows to be measured."""

    FACE = "FACE"
    VOICE = "VOICE"
    CCTV = "CCTV"


class ConsentStatus(Enum):
    """Whether a consent holds. Derived from its times, never stored."""

    ACTIVE = "ACTIVE"
    EXPIRED = "EXPIRED"
    WITHDRAWN = "WITHDRAWN"


class SubjectKind(Enum):
    """Who gave a consent."""

    PERSON = "PERSON"
    VISITOR = "VISITOR"
    AGENT = "AGENT"


class ConsentMethod(Enum):
    """How somebody consented."""

    ESIGN = "ESIGN"
    CHECKBOX = "CHECKBOX"
    VERBAL_RECORDED = "VERBAL_RECORDED"


class SurfaceKind(Enum):
    """What a visitor looks at while a session runs."""

    BROWSER = "BROWSER"
    IPAD = "IPAD"
    KIOSK = "KIOSK"


class SessionStatus(Enum):
    """Whether a session goes on. STOPPED is what a withdrawn consent makes of it."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    STOPPED = "STOPPED"


class ErasureStatus(Enum):
    """How far an erasure is."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"


class ErasureScope(Enum):
    """What an erasure covers: all that was measured of somebody, or what one consent let be measured."""

    SUBJECT = "SUBJECT"
    CONSENT = "CONSENT"


SESSION_EVENTS: Final = frozenset(
    {
        "PerceptionSessionStarted",
        "PerceptionScored",
        "PerceptionSessionCompleted",
        "PerceptionSessionStopped",
        "PerceptionSessionMatched",
    }
)
"""The events of sessions."""
