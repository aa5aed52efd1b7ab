"""What is read from blend shapes, and how proportions of landmarks stand in for it."""

import pytest

from domain.qd import Packet, advance
from domain.qd.packets import Point
from domain.qd.signals import PLACES, estimated, measured, signals
from domain.qd.state import START
from tests.faces import CALM, ELSEWHERE, SMILING, START_AT, steady

# A drawn face, of which only these points are looked at: x to the right of the picture, y down, both as shares of it.
EYES, BASE = 0.40, 0.50


def drawn(
    size: int = 478,
    *,
    gap: float = 0.025,
    mouth: float = 0.10,
    lift: float = 0.0,
    opening: float = 0.0,
    brows: float = 0.055,
    nose: float = 0.5,
    iris: float = 0.0,
) -> tuple[Point, ...]:
    """A face between x = 0.4 and 0.6 with eyes at y = 0.4 and the base of the nose at y = 0.5."""
    at, points = PLACES[size], [(0.5, 0.5, 0.0)] * size

    def put(place: int, x: float, y: float) -> None:
        points[place] = (x, y, 0.0)

    for (outer, inner), xs in ((at.right_eye, (0.40, 0.46)), (at.left_eye, (0.60, 0.54))):
        put(outer, xs[0], EYES)
        put(inner, xs[1], EYES)
    for place in at.upper_lids:
        put(place, 0.5, EYES - gap / 2)
    for place in at.lower_lids:
        put(place, 0.5, EYES + gap / 2)
    for place, x in zip(at.brows, (0.43, 0.57), strict=True):
        put(place, x, EYES - brows)
    put(at.nose_tip, nose, 0.48)
    put(at.nose_base, nose, BASE)
    put(at.mouth[0], 0.5 - mouth / 2, 0.55 - lift)
    put(at.mouth[1], 0.5 + mouth / 2, 0.55 - lift)
    put(at.lips[0], 0.5, 0.55 - opening / 2)
    put(at.lips[1], 0.5, 0.55 + opening / 2)
    for place, x in zip(at.irises or (), (0.43, 0.57), strict=False):
        put(place, x + iris, EYES)
    return tuple(points)


@pytest.mark.parametrize("size", PLACES)
def test_a_drawn_face_at_rest_does_nothing(size: int) -> None:
    found = estimated(drawn(size))

    assert found is not None
    assert tuple(found) == pytest.approx((0,) * 11, abs=1e-9)


@pytest.mark.parametrize("size", PLACES)
@pytest.mark.parametrize(
    ("change", "signal", "value"),
    [
        ({"gap": 0.005}, "closure", 1.0),
        ({"gap": 0.015}, "closure", 0.5),
        ({"gap": 0.060}, "wide", 1.0),
        ({"mouth": 0.148, "lift": 0.02}, "smile", 1.0),
        ({"lift": -0.02}, "frown", 1.0),
        ({"opening": 0.06}, "jaw", 1.0),
        ({"brows": 0.085}, "raised", 1.0),
        ({"brows": 0.030}, "lower", 1.0),
        ({"nose": 0.56}, "turn", 1.0),
    ],
)
def test_one_change_of_a_drawn_face_is_one_signal(
    size: int, change: dict[str, float], signal: str, value: float
) -> None:
    found = estimated(drawn(size, **change))

    assert found is not None
    assert getattr(found, signal) == pytest.approx(value, abs=1e-9)


def test_only_the_large_mesh_has_irises() -> None:
    assert [round(face.away, 3) for size in PLACES if (face := estimated(drawn(size, iris=0.015)))] == [0.5, 0.0, 0.0]


@pytest.mark.parametrize("size", PLACES)
def test_the_size_and_the_place_of_a_face_do_not_matter(size: int) -> None:
    face = drawn(size, gap=0.018, mouth=0.12, lift=0.01, opening=0.02, iris=0.01)
    farther = tuple((0.1 + x * 0.3, 0.2 + y * 0.5, z) for x, y, z in face)

    assert estimated(farther) == pytest.approx(estimated(face))


def test_points_on_one_spot_are_no_face() -> None:
    assert estimated(((0.5, 0.5, 0.0),) * 68) is None
    _, (reading,) = advance(START, [Packet(START_AT, None, None, ((0.5, 0.5, 0.0),) * 68)])
    assert (reading.face, reading.confidence) == (False, 0.0)


def test_an_estimate_is_worth_less_than_a_measurement() -> None:
    drawings = [Packet(each.at, None, None, drawn(gap=0.002 if n % 30 == 0 else 0.025)) for n, each in
                enumerate(steady(CALM, 0, 30))]  # fmt: skip
    reading = advance(START, drawings)[1][-1]

    assert reading.confidence == pytest.approx(0.6, abs=0.001)
    assert reading.score == pytest.approx(61, abs=1.5)


def test_blend_shapes_are_means_of_both_sides() -> None:
    found = measured(SMILING | {"mouthSmileRight": 0.4, "eyeBlinkLeft": 0.5, "browInnerUp": 0.6})

    assert (found.smile, found.cheek, found.closure, found.raised) == pytest.approx((0.6, 0.4, 0.25, 0.3))
    assert measured(ELSEWHERE).away == pytest.approx(0.9)
    assert measured(CALM | {"eyeLookUpLeft": 0.5, "eyeLookUpRight": 0.5}).away == pytest.approx(0.5)


def test_eyes_that_cross_look_nowhere_else() -> None:
    assert measured(CALM | {"eyeLookInLeft": 0.6, "eyeLookInRight": 0.6}).away == 0.0


def test_no_face_has_no_signals() -> None:
    assert signals(Packet(START_AT)) is None
