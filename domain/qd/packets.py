"""Packets as clients send them, and what is refused. No refusal repeats a number that was measured on a face."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from itertools import chain
from math import isfinite
from typing import Final

from domain.errors import Invalid, Issue
from domain.qd.names import BLEND_SHAPES, NAMES, READ

MOST_PACKETS: Final = 100
"""How many packets a batch has at most."""

MOST_PER_SECOND: Final = 60
"""How many packets of one session may lie within a second."""

SIZES: Final = (478, 468, 68)
"""How many landmarks a face has: MediaPipe's mesh with and without irises, and the 68 points of iBUG 300-W."""

AHEAD: Final = timedelta(minutes=5)
BEHIND: Final = timedelta(days=1)
"""How far a packet's time may lie from the server's: a clock that is wrong, or a sender that was cut off."""

LONGEST_VIDEO_MS: Final = 86_400_000
_FARTHEST: Final = 4.0
_SECOND: Final = timedelta(seconds=1)
_REQUIRED: Final = frozenset(READ)
_NUMBERS: Final = frozenset({float, int})
"""Not bool, which is an int too."""

Point = tuple[float, float, float]


class FaceForm(Enum):
    """As what a face was given: blend shapes are measured, what landmarks are read as is estimated."""

    BLEND_SHAPES = "BLEND_SHAPES"
    LANDMARKS = "LANDMARKS"


@dataclass(frozen=True, slots=True)
class RawPacket:
    """A packet as it came: the two forms of a face are any JSON, and at most one of them is there."""

    at: datetime
    video_ms: int | None = None
    blend_shapes: object = None
    landmarks: object = None


@dataclass(frozen=True, slots=True)
class Packet:
    """A face at a moment, as blend shapes (0 to 1, by name) or landmarks (x and y as shares of the picture's sides).

    Neither means that nobody was seen. `video_ms` is where the video stood.
    """

    at: datetime
    video_ms: int | None = None
    blend_shapes: Mapping[str, float] | None = None
    landmarks: tuple[Point, ...] | None = None

    @property
    def form(self) -> FaceForm | None:
        if self.blend_shapes is not None:
            return FaceForm.BLEND_SHAPES
        return None if self.landmarks is None else FaceForm.LANDMARKS


class _Refused(Exception):
    """What is wrong, and where within the packet."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(message)
        self.place = place


def parsed(packets: Sequence[RawPacket], received_at: datetime) -> tuple[Packet, ...]:
    """Check a batch, which counts whole or not at all; raises Invalid with an issue for each packet that is refused."""
    if not 1 <= len(packets) <= MOST_PACKETS:
        raise Invalid(f"A batch has 1 to {MOST_PACKETS} packets; this has {len(packets)}.", field="packets")
    issues = list(_disorder(packets))
    faces: list[Packet] = []
    earliest, latest = received_at - BEHIND, received_at + AHEAD
    for number, raw in enumerate(packets):
        try:
            faces.append(_packet(raw, earliest, latest))
        except _Refused as refusal:
            issues.append(Issue(f"packets.{number}.{refusal.place}", str(refusal)))
    if issues:
        raise Invalid(issues=tuple(issues))
    return tuple(faces)


def _disorder(packets: Sequence[RawPacket]) -> Iterator[Issue]:
    for number in range(1, len(packets)):
        if packets[number].at <= packets[number - 1].at:
            yield Issue(f"packets.{number}.at", "The packets of a batch are in order of time.")
    for number in range(MOST_PER_SECOND, len(packets)):
        if packets[number].at - packets[number - MOST_PER_SECOND].at < _SECOND:
            yield Issue(f"packets.{number}.at", f"There are at most {MOST_PER_SECOND} packets a second.")
            return


def _packet(raw: RawPacket, earliest: datetime, latest: datetime) -> Packet:
    if raw.at.tzinfo is None:
        raise _Refused("at", "A time has its offset from UTC.")
    if not earliest <= raw.at <= latest:
        raise _Refused("at", "The time is more than a day behind the server's, or more than 5 minutes ahead of it.")
    if raw.video_ms is not None and not 0 <= raw.video_ms <= LONGEST_VIDEO_MS:
        raise _Refused("videoMs", f"A video's time is from 0 to {LONGEST_VIDEO_MS} milliseconds.")
    if raw.blend_shapes is not None and raw.landmarks is not None:
        raise _Refused("face", "A face is given as blend shapes or as landmarks, not as both.")
    shapes = None if raw.blend_shapes is None else _blend_shapes(raw.blend_shapes)
    points = None if raw.landmarks is None else _landmarks(raw.landmarks)
    return Packet(raw.at, raw.video_ms, shapes, points)


def _blend_shapes(value: object) -> Mapping[str, float]:
    place = "face.blendShapes"
    if type(value) is not dict and isinstance(value, list | tuple):
        if len(value) != len(BLEND_SHAPES):
            raise _Refused(place, f"An array of blend shapes has {len(BLEND_SHAPES)} numbers.")
        value = dict(zip(BLEND_SHAPES, value, strict=True))
    if not isinstance(value, Mapping):
        raise _Refused(place, f"Blend shapes are an object of names and numbers, or an array of {len(BLEND_SHAPES)}.")
    if not value.keys() <= NAMES:
        raise _Refused(place, "There is a name that is none of MediaPipe's 52.")
    if not value.keys() >= _REQUIRED:
        missing = next(name for name in READ if name not in value)
        raise _Refused(f"{place}.{missing}", f"It is missing. Scoring reads {len(READ)} of the 52.")
    if not _are_shares(list(value.values())):
        wrong = next(name for name, share in value.items() if not _are_shares([share]))
        raise _Refused(f"{place}.{wrong}", "It is no number from 0 to 1.")
    return value


def _are_shares(values: Sequence[object]) -> bool:
    return _lie_between(values, 0.0, 1.0)


def _lie_between(values: Sequence[object], low: float, high: float) -> bool:
    """Whether all are numbers, and none lies outside. `min` and `max` may pass over a NaN; a sum does not."""
    if not set(map(type, values)) <= _NUMBERS:
        return False
    numbers: Sequence[float] = values  # type: ignore[assignment]  # the line above has looked
    return min(numbers) >= low and max(numbers) <= high and isfinite(sum(numbers))


def _landmarks(value: object) -> tuple[Point, ...]:
    place = "face.landmarks"
    if not isinstance(value, list | tuple) or len(value) not in SIZES:
        raise _Refused(place, f"Landmarks are {SIZES[0]}, {SIZES[1]} or {SIZES[2]} points.")
    for number, point in enumerate(value):
        if not isinstance(point, list | tuple) or len(point) != len(("x", "y", "z")):
            raise _Refused(f"{place}.{number}", "A point is [x, y, z].")
    if not _are_coordinates([*chain.from_iterable(value)]):
        wrong = next(number for number, point in enumerate(value) if not _are_coordinates(point))
        raise _Refused(f"{place}.{wrong}", f"A coordinate is a number from {-_FARTHEST:g} to {_FARTHEST:g}.")
    return tuple(map(tuple, value))


def _are_coordinates(values: Sequence[object]) -> bool:
    return _lie_between(values, -_FARTHEST, _FARTHEST)
