"""The rules of camera events: what a plate becomes, what detections may hold, what a score means."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain import cctv
from domain.cctv import Cameras, CctvEventKind, Detection, PlateKey, RiskLevel, Visit
from domain.errors import Invalid
from domain.values import new_id

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
ONE, OTHER = UUID(int=1), UUID(int=2)
KEY = PlateKey(b"a secret of this installation")


@pytest.mark.parametrize(
    "written", ["mh 12 ab 1234", "MH-12-AB-1234", "MH12AB1234", " \uff2d\uff28\uff11\uff12\u00b7AB.1234"]
)
def test_a_plate_is_the_same_however_it_was_written(written: str) -> None:
    assert cctv.normalised(written) == "MH12AB1234"


@pytest.mark.parametrize("read", ["", "A", "?", "MH12AB1234XYZ0123", "MH12*AB", "\0", "\ud800A1"])
def test_what_is_no_plate_is_refused_and_not_repeated(read: str) -> None:
    with pytest.raises(Invalid) as refused:
        cctv.normalised(read)

    assert (refused.value.field, refused.value.message) == ("plate", "A plate has 2 to 15 letters and digits.")


def test_a_token_of_a_plate_is_one_tenants_and_one_secrets() -> None:
    [token] = KEY.tokens(ONE, "MH12AB1234")

    assert len(bytes.fromhex(token)) == cctv.TOKEN_BYTES
    assert KEY.tokens(ONE, "MH12AB1234") == (token,)
    assert token not in {
        *KEY.tokens(OTHER, "MH12AB1234"), *KEY.tokens(ONE, "MH12AB1235"),
        *PlateKey(b"another secret").tokens(ONE, "MH12AB1234"),
    }  # fmt: skip


def test_a_rotated_secret_still_knows_what_the_one_before_it_made() -> None:
    [before] = KEY.tokens(ONE, "MH12AB1234")
    newest, earlier = PlateKey(b"a newer secret", b"a secret of this installation").tokens(ONE, "MH12AB1234")

    assert (earlier, newest == before) == (before, False)


def test_detections_are_read_with_words_in_one_way() -> None:
    sent = [
        {"label": " white   car ", "confidence": 1},
        {"label": "person", "confidence": 0.5, "attributes": {"carries": "a bag"}},
    ]

    assert cctv.parsed(sent, None) == (
        Detection("white car", 1.0), Detection("person", 0.5, attributes={"carries": "a bag"})
    )  # fmt: skip
    assert cctv.parsed(None, None) == ()
    assert [each.stored() for each in cctv.parsed(sent, None)] == [
        {"label": "white car", "confidence": 1.0},
        {"label": "person", "confidence": 0.5, "attributes": {"carries": "a bag"}},
    ]


CAR = {"label": "car", "confidence": 0.9}


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({"label": "car"}, ["detections"]),
        ([CAR] * 51, ["detections"]),
        (["car"], ["detections.0"]),
        ([{"label": "car"}], ["detections.0"]),
        ([CAR | {"box": [0, 0, 1, 1]}], ["detections.0"]),
        ([CAR | {"owner": "Asha Rao"}], ["detections.0"]),
        ([CAR | {"label": ""}], ["detections.0.label"]),
        ([CAR | {"label": "c" * 61}], ["detections.0.label"]),
        ([CAR | {"label": "car\n"}, CAR | {"label": "a\0b"}], ["detections.1.label"]),
        ([CAR | {"label": ["car"]}], ["detections.0.label"]),
        ([CAR | {"label": "KA 05 MM 9999"}], ["detections.0.label"]),
        ([CAR | {"label": "car mh-1 2a"}], ["detections.0.label"]),
        ([CAR | {"confidence": True}], ["detections.0.confidence"]),
        (
            [CAR | {"confidence": -0.1}, CAR | {"confidence": 1.1}],
            ["detections.0.confidence", "detections.1.confidence"],
        ),
        ([CAR | {"confidence": float("nan")}], ["detections.0.confidence"]),
        ([CAR | {"confidence": "0.9"}], ["detections.0.confidence"]),
        ([CAR | {"attributes": ["white"]}], ["detections.0.attributes"]),
        ([CAR | {"attributes": {f"a{n}": "b" for n in range(9)}}], ["detections.0.attributes"]),
        ([CAR | {"attributes": {"colour": 7}}], ["detections.0.attributes"]),
        ([CAR | {"attributes": {"colour": {"is": "white"}}}], ["detections.0.attributes"]),
        ([CAR | {"attributes": {"plate": "MH1 2A"}}], ["detections.0.attributes"]),
    ],
)
def test_what_is_not_a_few_words_is_refused(sent: object, fields: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        cctv.parsed(sent, "MH12A")

    assert [issue.field for issue in refused.value.issues] == fields
    assert "Asha" not in str(refused.value.issues)


def test_typed_detections_have_the_same_bounds() -> None:
    cctv.checked([Detection("car", 0.0), Detection("BMW X5", 1.0)])
    with pytest.raises(Invalid) as refused:
        cctv.checked([Detection("car", 0.5), Detection("", 0.5), Detection("car", 1.5)])

    assert [issue.field for issue in refused.value.issues] == ["detections.1.label", "detections.2.confidence"]


@pytest.mark.parametrize(
    ("level", "scores"),
    [
        (RiskLevel.LOW, (0, 29)),
        (RiskLevel.MEDIUM, (30, 59)),
        (RiskLevel.HIGH, (60, 84)),
        (RiskLevel.CRITICAL, (85, 100)),
    ],
)
def test_a_level_follows_from_its_score(level: RiskLevel, scores: tuple[int, int]) -> None:
    assert [cctv.level_of(score) for score in scores] == [level, level]


@pytest.mark.parametrize("score", [-1, 101])
def test_a_score_outside_its_range_has_no_level(score: int) -> None:
    with pytest.raises(Invalid):
        cctv.level_of(score)


@pytest.mark.parametrize(("hours", "field"), [(timedelta(minutes=6), "future"), (timedelta(days=-8), "days ago")])
def test_an_event_is_of_the_last_days(hours: timedelta, field: str) -> None:
    cctv.check_moment(NOW + timedelta(minutes=4), NOW)
    cctv.check_moment(NOW - timedelta(days=6), NOW)
    with pytest.raises(Invalid) as refused:
        cctv.check_moment(NOW + hours, NOW)

    assert refused.value.field == "at"
    assert field in refused.value.message


def test_a_camera_has_a_name() -> None:
    assert cctv.check_camera("  Gate  1 ") == "Gate 1"
    for name in ("", "   ", "a\x07b", "c" * 101):
        with pytest.raises(Invalid):
            cctv.check_camera(name)


def test_where_visitors_arrive_is_a_setting() -> None:
    everywhere, gate = Cameras(KEY), Cameras(KEY, frozenset({"Gate"}))

    assert everywhere.kind("Lobby") is CctvEventKind.ARRIVAL
    assert (gate.kind("Gate"), gate.kind("Lobby")) == (CctvEventKind.ARRIVAL, CctvEventKind.SIGHTING)


def test_a_vehicle_belongs_where_it_is_recognised_once() -> None:
    known, other = (Visit(new_id(), recognised=True, began_after=False) for _ in range(2))
    unknown = Visit(new_id(), recognised=False, began_after=True)

    assert cctv.chosen([unknown, known]) == known.session_id
    assert cctv.chosen([unknown]) is None
    assert cctv.chosen([known, other]) is None
