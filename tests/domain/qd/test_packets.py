"""What a batch of packets must be, and that no refusal repeats what was measured."""

from datetime import datetime, timedelta
from math import inf, nan
from typing import Any

import pytest

from domain.errors import Invalid, Issue
from domain.qd import BLEND_SHAPES, MOST_PACKETS, READ, FaceForm, Packet, RawPacket, parsed
from tests.faces import CALM, SMILING, START_AT

MESH = [[0.5, 0.5, 0.0]] * 478


def raw(**changes: Any) -> RawPacket:
    fields: dict[str, Any] = {"at": START_AT, "blend_shapes": CALM} | changes
    return RawPacket(**fields)


def later(milliseconds: float) -> datetime:
    return START_AT + timedelta(milliseconds=milliseconds)


def issues(*packets: RawPacket) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refusal:
        parsed(packets, START_AT)
    assert all(isinstance(issue, Issue) for issue in refusal.value.issues)
    return [(issue.field, issue.message) for issue in refusal.value.issues]


def test_the_three_kinds_of_packet() -> None:
    batch = parsed(
        [
            raw(video_ms=40),
            raw(at=later(100), blend_shapes=None),
            raw(at=later(200), blend_shapes=None, landmarks=MESH),
            raw(at=later(300), blend_shapes=list(SMILING.values())),
        ],
        START_AT,
    )

    measured = FaceForm.BLEND_SHAPES
    assert [packet.form for packet in batch] == [measured, None, FaceForm.LANDMARKS, measured]
    assert batch[0] == Packet(START_AT, 40, CALM)
    assert batch[1] == Packet(later(100))
    assert batch[2].landmarks == tuple((0.5, 0.5, 0.0) for _ in range(478))
    assert batch[3].blend_shapes == SMILING


def test_names_that_scoring_does_not_read_may_be_left_out() -> None:
    few = {name: CALM[name] for name in READ}

    assert parsed([raw(blend_shapes=few)], START_AT)[0].blend_shapes == few


@pytest.mark.parametrize("size", [478, 468, 68])
def test_every_size_of_landmarks(size: int) -> None:
    assert parsed([raw(blend_shapes=None, landmarks=MESH[:size])], START_AT)[0].form is FaceForm.LANDMARKS


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"blend_shapes": CALM | {"jawOpen": 0.123456}, "landmarks": MESH}, "face"),
        ({"blend_shapes": CALM | {"jawOpen": 1.123456}}, "face.blendShapes.jawOpen"),
        ({"blend_shapes": CALM | {"jawOpen": -0.123456}}, "face.blendShapes.jawOpen"),
        ({"blend_shapes": CALM | {"jawOpen": nan}}, "face.blendShapes.jawOpen"),
        ({"blend_shapes": CALM | {"_neutral": nan}}, "face.blendShapes._neutral"),
        ({"blend_shapes": CALM | {"jawOpen": inf}}, "face.blendShapes.jawOpen"),
        ({"blend_shapes": CALM | {"jawOpen": 10**400}}, "face.blendShapes.jawOpen"),
        ({"blend_shapes": CALM | {"jawOpen": True}}, "face.blendShapes.jawOpen"),
        ({"blend_shapes": CALM | {"jawOpen": "0.123456"}}, "face.blendShapes.jawOpen"),
        ({"blend_shapes": CALM | {"jawOpen": None}}, "face.blendShapes.jawOpen"),
        ({"blend_shapes": CALM | {"0.123456": 0.5}}, "face.blendShapes"),
        ({"blend_shapes": {name: 0.123456 for name in BLEND_SHAPES if name != "jawOpen"}}, "face.blendShapes.jawOpen"),
        ({"blend_shapes": [0.123456] * 51}, "face.blendShapes"),
        ({"blend_shapes": [0.1] * 51 + [1.123456]}, "face.blendShapes.noseSneerRight"),
        ({"blend_shapes": 0.123456}, "face.blendShapes"),
        ({"blend_shapes": {}}, "face.blendShapes.eyeBlinkLeft"),
        ({"blend_shapes": None, "landmarks": MESH[:477]}, "face.landmarks"),
        ({"blend_shapes": None, "landmarks": {"x": 0.123456}}, "face.landmarks"),
        ({"blend_shapes": None, "landmarks": [*MESH[:467], [0.123456, 0.5]]}, "face.landmarks.467"),
        ({"blend_shapes": None, "landmarks": [*MESH[:467], [nan, 0.5, 0.0]]}, "face.landmarks.467"),
        ({"blend_shapes": None, "landmarks": [*MESH[:467], [0.5, 9.123456, 0.0]]}, "face.landmarks.467"),
        ({"blend_shapes": None, "landmarks": [*MESH[:467], [0.5, "0.123456", 0.0]]}, "face.landmarks.467"),
        ({"video_ms": -1}, "videoMs"),
        ({"video_ms": 86_400_001}, "videoMs"),
        ({"at": later(5 * 60_000 + 1)}, "at"),
        ({"at": later(-86_400_001)}, "at"),
        ({"at": START_AT.replace(tzinfo=None)}, "at"),
    ],
)
def test_a_refusal_names_the_place_and_no_number(changes: dict[str, Any], place: str) -> None:
    ((field, message),) = issues(raw(**changes))

    assert field == f"packets.0.{place}"
    assert "123456" not in message + field


def test_every_refused_packet_is_named() -> None:
    found = issues(
        raw(blend_shapes=CALM | {"jawOpen": 2}),
        raw(at=later(100)),
        raw(at=later(200), video_ms=-1),
        raw(at=later(200)),
    )

    assert [field for field, _ in found] == ["packets.3.at", "packets.0.face.blendShapes.jawOpen", "packets.2.videoMs"]


def test_a_batch_is_in_order_of_time() -> None:
    assert [field for field, _ in issues(raw(at=later(100)), raw(), raw())] == ["packets.1.at", "packets.2.at"]


@pytest.mark.parametrize("count", [0, MOST_PACKETS + 1])
def test_a_batch_has_one_to_a_hundred_packets(count: int) -> None:
    assert [field for field, _ in issues(*(raw(at=later(20 * number)) for number in range(count)))] == ["packets"]


def test_sixty_packets_a_second_and_no_more() -> None:
    allowed = [raw(at=later(1000 / 60 * number)) for number in range(100)]
    assert len(parsed(allowed, START_AT)) == 100

    ((field, _),) = issues(*(raw(at=later(16 * number)) for number in range(100)))
    assert field == "packets.60.at"
