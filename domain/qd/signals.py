"""What scoring looks at in one face: eleven signals, measured by blend shapes or estimated from landmarks."""

from __future__ import annotations

from collections.abc import Mapping
from math import hypot
from typing import Final, NamedTuple

from domain.qd.packets import Packet, Point


class Signals(NamedTuple):
    """Each is 0 to 1 but `away`, how far the eyes look past the camera, which reaches 1.4 in a corner."""

    closure: float
    away: float
    turn: float
    smile: float
    cheek: float
    frown: float
    lower: float
    sneer: float
    raised: float
    wide: float
    jaw: float


def signals(packet: Packet) -> Signals | None:
    """Return what the packet shows, or None where it shows no face that can be measured."""
    if packet.blend_shapes is not None:
        return measured(packet.blend_shapes)
    return None if packet.landmarks is None else estimated(packet.landmarks)


def measured(shapes: Mapping[str, float]) -> Signals:
    """Take the signals from blend shapes: the mean of left and right, and for gaze the sum of the eyes' directions."""
    left = shapes["eyeLookOutLeft"] + shapes["eyeLookInRight"]
    right = shapes["eyeLookInLeft"] + shapes["eyeLookOutRight"]
    up = shapes["eyeLookUpLeft"] + shapes["eyeLookUpRight"]
    down = shapes["eyeLookDownLeft"] + shapes["eyeLookDownRight"]
    outer = (shapes["browOuterUpLeft"] + shapes["browOuterUpRight"]) / 2
    return Signals(
        closure=(shapes["eyeBlinkLeft"] + shapes["eyeBlinkRight"]) / 2,
        away=hypot(left - right, up - down) / 2,
        turn=0.0,
        smile=(shapes["mouthSmileLeft"] + shapes["mouthSmileRight"]) / 2,
        cheek=(shapes["cheekSquintLeft"] + shapes["cheekSquintRight"]) / 2,
        frown=(shapes["mouthFrownLeft"] + shapes["mouthFrownRight"]) / 2,
        lower=(shapes["browDownLeft"] + shapes["browDownRight"]) / 2,
        sneer=(shapes["noseSneerLeft"] + shapes["noseSneerRight"]) / 2,
        raised=(shapes["browInnerUp"] + outer) / 2,
        wide=(shapes["eyeWideLeft"] + shapes["eyeWideRight"]) / 2,
        jaw=shapes["jawOpen"],
    )


class Places(NamedTuple):
    """Where a set of landmarks has the points that the proxies need; right and left are the subject's."""

    right_eye: tuple[int, int]
    """The outer and the inner corner."""
    left_eye: tuple[int, int]
    upper_lids: tuple[int, ...]
    lower_lids: tuple[int, ...]
    brows: tuple[int, int]
    nose_tip: int
    nose_base: int
    mouth: tuple[int, int]
    lips: tuple[int, int]
    irises: tuple[int, int] | None = None


_MESH: Final = Places((33, 133), (263, 362), (159, 386), (145, 374), (105, 334), 1, 2, (61, 291), (13, 14))
PLACES: Final = {
    478: _MESH._replace(irises=(468, 473)),
    468: _MESH,
    68: Places((36, 39), (45, 42), (37, 38, 43, 44), (40, 41, 46, 47), (19, 24), 30, 33, (48, 54), (62, 66)),
}
_SMALLEST: Final = 1e-4
"""A face whose eyes lie closer together than this share of the picture is no face that can be measured."""


def estimated(points: tuple[Point, ...]) -> Signals | None:
    """Estimate the signals by proportions of an upright face. They are proxies: never shown as blend shapes.

    Widths are compared with widths and heights with heights, because the picture's proportions are not known.
    """
    at = PLACES[len(points)]
    corners = (*at.right_eye, *at.left_eye)
    eyes_y = _mean(points, corners, 1)
    width = abs(points[at.left_eye[0]][0] - points[at.right_eye[0]][0])
    height = points[at.nose_base][1] - eyes_y
    if width < _SMALLEST or abs(height) < _SMALLEST:
        return None
    gap = (_mean(points, at.lower_lids, 1) - _mean(points, at.upper_lids, 1)) / height
    brow = (eyes_y - _mean(points, at.brows, 1)) / height
    yaw = abs(points[at.nose_tip][0] - _mean(points, corners, 0)) / width
    spread = abs(points[at.mouth[1]][0] - points[at.mouth[0]][0]) / width
    corner_lift = (_mean(points, at.lips, 1) - _mean(points, at.mouth, 1)) / height
    opening = (points[at.lips[1]][1] - points[at.lips[0]][1]) / height
    return Signals(
        closure=1 - share(gap, 0.08, 0.22),
        away=0.0 if at.irises is None else _iris_offset(points, at, at.irises),
        turn=share(yaw, 0.08, 0.30),
        smile=(share(spread, 0.56, 0.74) + share(corner_lift, 0.02, 0.20)) / 2,
        cheek=0.0,
        frown=share(-corner_lift, 0.04, 0.20),
        lower=share(-brow, -0.45, -0.30),
        sneer=0.0,
        raised=share(brow, 0.62, 0.85),
        wide=share(gap, 0.32, 0.45),
        jaw=share(opening, 0.05, 0.60),
    )


def _iris_offset(points: tuple[Point, ...], at: Places, irises: tuple[int, int]) -> float:
    """How far the irises lie from the middle of their eyes, of half an eye's width; sideways only."""
    total = 0.0
    for iris, (outer, inner) in zip(irises, (at.right_eye, at.left_eye), strict=True):
        half = abs(points[outer][0] - points[inner][0]) / 2
        if half >= _SMALLEST:
            total += (points[iris][0] - (points[outer][0] + points[inner][0]) / 2) / half
    return min(1.0, abs(total / 2))


def _mean(points: tuple[Point, ...], places: tuple[int, ...], axis: int) -> float:
    return sum(points[place][axis] for place in places) / len(places)


def share(value: float, low: float, high: float) -> float:
    """Return how far a value lies on the way from `low` to `high`, 0 to 1."""
    return min(1.0, max(0.0, (value - low) / (high - low)))
