"""What a model is told of an event, what it may say of it, and what of that is refused: nothing is invented."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast
from zoneinfo import ZoneInfo

from domain.cctv.detections import Detection

UNSURE: Final = 0.5
MOST_IF_UNSURE: Final = 59
"""What the detections of a batch may be scored at most where none of them is sure."""
_NUMBER: Final = re.compile(r"\d{4,}")
_WORD: Final = re.compile(r"[^\W_]+")
_JOINING: Final = frozenset({"a", "an", "and", "of", "the", "with"})


@dataclass(frozen=True, slots=True)
class Judged:
    """Which model said something, by which prompt, and when."""

    model: str
    prompt_version: str
    prompt_hash: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Profile:
    """What a model made of an arrival; None where it could not tell."""

    visitor_kind: str | None
    vehicle: str | None
    confidence: float
    summary: str


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What a model may know of an event: no plate, and no session."""

    camera: str
    at: datetime
    detections: tuple[Detection, ...]
    time_zone: str
    judged: bool
    """Whether a model has done this before."""

    def local(self, moment: datetime) -> str:
        """Return a moment as the clock beside the camera shows it: the hour counts."""
        return moment.astimezone(ZoneInfo(self.time_zone)).isoformat(timespec="seconds")

    def seen(self) -> list[dict[str, object]]:
        """Return the detections as JSON."""
        return [
            {**each.stored(), **({} if each.at is None else {"at": self.local(each.at)})} for each in self.detections
        ]


def profile_faults(value: Mapping[str, object], found: Witnessed) -> list[str]:
    """Say what a profile holds that no detection shows; no sentence repeats it."""
    faults = []
    known = {word for each in found.detections for word in _words(each.label, *each.attributes.values())}
    if set(_words(str(value["vehicle"] or ""))) - known - _JOINING:
        faults.append("vehicle has a word that is in no detection")
    given = set(_NUMBER.findall(found.local(found.at)))
    if set(_NUMBER.findall(str(value["summary"]))) - given:
        faults.append("summary has a number of four digits or more, as plates have, that is not in the data")
    if float(cast("float", value["confidence"])) > max((each.confidence for each in found.detections), default=0.0):
        faults.append("confidence is above that of every detection")
    return faults


def risk_faults(value: Mapping[str, object], found: Witnessed) -> list[str]:
    """Say what a risk holds that the detections do not bear."""
    if cast("int", value["score"]) > MOST_IF_UNSURE and all(each.confidence < UNSURE for each in found.detections):
        return [f"score is above {MOST_IF_UNSURE}, and no detection has a confidence of {UNSURE} or more"]
    return []


def _words(*texts: str) -> list[str]:
    return [word for text in texts for word in _WORD.findall(text.casefold())]
