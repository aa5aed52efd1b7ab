"""What a detector saw: words and how sure it was. They are bounded, because a model reads them and a row keeps them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from domain.cctv.plates import joined
from domain.errors import Invalid, Issue

MOST_DETECTIONS: Final = 50
MOST_ATTRIBUTES: Final = 8
LONGEST_WORDS: Final = 60
_WORDS: Final = re.compile(rf"[^\W_][\w .'&+-]{{0,{LONGEST_WORDS - 1}}}")
_PLATE: Final = re.compile(r"\d{4}")
"""Four digits in a row stand on most plates, and in hardly any name of a vehicle."""
_PARTS: Final = frozenset({"label", "confidence", "attributes"})


@dataclass(frozen=True, slots=True)
class Detection:
    """One thing that was seen, such as a car that is white."""

    label: str
    confidence: float
    at: datetime | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)

    def stored(self) -> dict[str, object]:
        """Return it as JSON, as a row keeps it and a model reads it."""
        kept: dict[str, object] = {"label": self.label, "confidence": self.confidence}
        if self.at is not None:
            kept["at"] = self.at.astimezone(UTC).isoformat()
        if self.attributes:
            kept["attributes"] = dict(self.attributes)
        return kept


def parsed(value: object, plate: str | None) -> tuple[Detection, ...]:
    """Read the `detections` of an event: a list of `{label, confidence, attributes}`, the last a few names and words.

    Whatever else a bridge sends is refused and not dropped: a name or a plate among it would be kept unseen. No message
    repeats what was sent. Raises Invalid with every issue.
    """
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MOST_DETECTIONS:
        raise Invalid(f"Detections are a list of at most {MOST_DETECTIONS}.", field="detections")
    issues: list[Issue] = []
    found = [_one(each, f"detections.{place}", plate, issues) for place, each in enumerate(value)]
    if issues:
        raise Invalid(issues=tuple(issues))
    return tuple(each for each in found if each is not None)


def checked(detections: Sequence[Detection], path: str = "detections") -> None:
    """Check what came as typed inputs; raises Invalid with every issue."""
    issues: list[Issue] = []
    for place, each in enumerate(detections):
        _words(each.label, f"{path}.{place}.label", None, issues)
        _sure(each.confidence, f"{path}.{place}.confidence", issues)
    if issues:
        raise Invalid(issues=tuple(issues))


def _one(value: object, path: str, plate: str | None, issues: list[Issue]) -> Detection | None:
    if not isinstance(value, dict) or not {"label", "confidence"} <= value.keys() <= _PARTS:
        issues.append(Issue(path, "A detection has a label, a confidence and, if you want, attributes; nothing else."))
        return None
    label = _words(value["label"], f"{path}.label", plate, issues)
    confidence = _sure(value["confidence"], f"{path}.confidence", issues)
    attributes = value.get("attributes") or {}
    if not isinstance(attributes, dict) or len(attributes) > MOST_ATTRIBUTES:
        issues.append(Issue(f"{path}.attributes", f"Attributes are at most {MOST_ATTRIBUTES} names with words."))
        attributes = {}
    words = {
        _words(name, f"{path}.attributes", plate, issues): _words(each, f"{path}.attributes", plate, issues)
        for name, each in attributes.items()
    }
    return Detection(label, confidence, attributes=words)


def _words(value: object, path: str, plate: str | None, issues: list[Issue]) -> str:
    text = " ".join(value.split()) if isinstance(value, str) else ""
    if _WORDS.fullmatch(text) is None:
        issues.append(Issue(path, f"It is a few words of at most {LONGEST_WORDS} characters."))
    elif _PLATE.search(text) is not None or (plate is not None and plate in joined(text)):
        issues.append(Issue(path, "This looks like a plate, which has a place of its own."))
    return text


def _sure(value: object, path: str, issues: list[Issue]) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        issues.append(Issue(path, "A confidence is from 0 to 1."))
        return 0.0
    return float(value)
