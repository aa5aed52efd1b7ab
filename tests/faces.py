"""Generated faces as packets, for tests of scoring and of what is sent."""

from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random

from app.demo.faces import Face, Scene
from domain.qd import BLEND_SHAPES, Packet

START_AT = datetime(2026, 11, 21, 9, tzinfo=UTC)
CALM = dict.fromkeys(BLEND_SHAPES, 0.0)
"""A face at rest that looks at the screen."""
SMILING = CALM | {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8, "cheekSquintLeft": 0.4, "cheekSquintRight": 0.4}
SHUT = CALM | {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}
ELSEWHERE = CALM | {"eyeLookOutLeft": 0.9, "eyeLookInRight": 0.9}


def at(second: float, shapes: dict[str, float] | None = CALM) -> Packet:
    """A packet so many seconds after the start."""
    return Packet(START_AT + timedelta(seconds=second), None, shapes)


def steady(shapes: dict[str, float] | None, start: float, end: float, rate: int = 10) -> list[Packet]:
    """The same face from `start` to `end`, both included."""
    return [at(start + number / rate, shapes) for number in range(round((end - start) * rate) + 1)]


def visitor(seed: int, seconds: float = 60) -> Face:
    """Somebody who watches scenes of different appeal; every fourth leaves for four seconds."""
    random, scenes, start = Random(seed), list[Scene](), 0.0
    while start < seconds:
        end = start + random.uniform(4, 15)
        scenes.append(Scene(start, end, random.random()))
        start = end
    return Face(Random(seed), scenes, [(20, 24)] if seed % 4 == 0 else ())


@cache
def _seen(seed: int) -> tuple[Packet, ...]:
    face = visitor(seed)
    return tuple(at(number / 30, face.at(number / 30)) for number in range(1800))


def watched(seed: int, rate: int = 10) -> list[Packet]:
    """A visitor's minute, sampled so many times a second: a divisor of 30."""
    return list(_seen(seed)[:: 30 // rate])
