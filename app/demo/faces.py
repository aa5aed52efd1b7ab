"""Generated faces: what a camera might have measured of somebody who watches a video. Nobody was filmed for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import cos, pi, sin
from random import Random
from typing import Final

from app.demo.chance import between, likely
from domain.qd import BLEND_SHAPES

_RESTING: Final = {"_neutral": 0.0, "browDownLeft": 0.05, "browDownRight": 0.06, "mouthPressLeft": 0.04}
_PAIRS: Final = {
    "blink": ("eyeBlinkLeft", "eyeBlinkRight"),
    "smile": ("mouthSmileLeft", "mouthSmileRight"),
    "cheek": ("cheekSquintLeft", "cheekSquintRight"),
    "frown": ("mouthFrownLeft", "mouthFrownRight"),
    "lower": ("browDownLeft", "browDownRight"),
    "outer": ("browOuterUpLeft", "browOuterUpRight"),
    "wide": ("eyeWideLeft", "eyeWideRight"),
    "down": ("eyeLookDownLeft", "eyeLookDownRight"),
    "left": ("eyeLookOutLeft", "eyeLookInRight"),
    "right": ("eyeLookInLeft", "eyeLookOutRight"),
    "inner": ("browInnerUp",),
    "jaw": ("jawOpen",),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """Something a face does: it begins and ends softly, within `soft` seconds each."""

    start: float
    seconds: float
    depth: float
    soft: float

    def at(self, second: float) -> float:
        into = min(second - self.start, self.start + self.seconds - second)
        if into <= 0:
            return 0.0
        return self.depth * (1.0 if into >= self.soft else (1 - cos(pi * into / self.soft)) / 2)


@dataclass(frozen=True, slots=True)
class Scene:
    """A part of what is shown, and how much it appeals, 0 to 1."""

    start: float
    end: float
    appeal: float


@dataclass(slots=True)
class Face:
    """A face over time. Any moment can be asked for, so that one trace can be sampled in several ways."""

    random: Random
    scenes: Sequence[Scene]
    absences: Sequence[tuple[float, float]] = ()
    _moments: dict[str, list[Moment]] = field(default_factory=dict)
    _phases: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._moments = {name: [] for name in _PAIRS}
        self._phases = [between(self.random, 0, 2 * pi) for _ in range(4)]
        for scene in self.scenes:
            self._blinks(scene)
            self._reactions(scene)

    def at(self, second: float) -> dict[str, float] | None:
        """Return the 52 blend shapes at a second of the session, or None while nobody is there."""
        if any(start <= second < end for start, end in self.absences):
            return None
        shapes = dict.fromkeys(BLEND_SHAPES, 0.0) | _RESTING
        for name, moments in self._moments.items():
            depth = max((moment.at(second) for moment in moments), default=0.0)
            for shape in _PAIRS[name]:
                shapes[shape] = max(shapes[shape], depth)
        sway = [0.015 * (1 + sin(phase + second * (0.5 + 0.3 * turn))) for turn, phase in enumerate(self._phases)]
        for shape, each in zip(("eyeLookUpLeft", "browInnerUp", "jawOpen", "mouthSmileLeft"), sway, strict=True):
            shapes[shape] = min(1.0, shapes[shape] + each)
        return {shape: round(depth, 4) for shape, depth in shapes.items()}

    def _blinks(self, scene: Scene) -> None:
        at = scene.start + between(self.random, 0.4, 3)
        while at < scene.end:
            length = between(self.random, 0.15, 0.35)
            self._add("blink", at, length, between(self.random, 0.7, 0.95), length / 2)
            self._add("down", at, length, 0.35, length / 2)
            at += between(self.random, 2, 8)

    def _reactions(self, scene: Scene) -> None:
        random, at = self.random, scene.start + between(self.random, 0, 2)
        while at < scene.end:
            length = min(between(random, 1.5, 5), scene.end - at)
            if likely(random, scene.appeal):
                strength = between(random, 0.35, 0.65) + 0.3 * scene.appeal
                self._add("smile", at, length, strength, 0.5)
                self._add("cheek", at, length, strength * 0.6, 0.5)
                self._add("inner", at, length * 0.6, between(random, 0.2, 0.7), 0.3)
                self._add("outer", at, length * 0.6, between(random, 0.1, 0.5), 0.3)
                self._add("wide", at, length * 0.5, between(random, 0.1, 0.5) * scene.appeal, 0.25)
                if likely(random, 0.4):
                    self._add("jaw", at + 0.4, length * 0.5, between(random, 0.2, 0.5), 0.2)
            elif likely(random, 1 - scene.appeal):
                side = "left" if likely(random, 0.5) else "right"
                self._add(side, at, length, between(random, 0.6, 0.95), 0.25)
                if likely(random, 0.4):
                    self._add("frown", at, length, between(random, 0.2, 0.5), 0.6)
                    self._add("lower", at, length, between(random, 0.2, 0.6), 0.6)
            at += length + between(random, 0.5, 3.5)

    def _add(self, name: str, start: float, seconds: float, depth: float, soft: float) -> None:
        self._moments[name].append(Moment(start, seconds, min(1.0, depth), min(soft, seconds / 2)))
