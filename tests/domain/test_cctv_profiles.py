"""What a model may say of an event: nothing that no detection shows."""

from datetime import UTC, datetime

import pytest

from domain.cctv import Detection, Witnessed, profile_faults, risk_faults

AT = datetime(2026, 11, 20, 20, 30, tzinfo=UTC)
CAR = Detection("car", 0.9, attributes={"colour": "white", "make": "Kia", "model": "EV6"})
SEEN = Witnessed("Gate", AT, (CAR, Detection("person", 0.4)), "Asia/Kolkata", judged=False)
PROFILE = {"visitor_kind": None, "vehicle": "white Kia car", "confidence": 0.8, "summary": "A white Kia came at 02:00."}
WORDS = "vehicle has a word that is in no detection"
SURE = "confidence is above that of every detection"
NUMBER = "summary has a number of four digits or more, as plates have, that is not in the data"


@pytest.mark.parametrize(
    ("said", "faults"),
    [
        ({}, []),
        ({"vehicle": None, "confidence": 0.0}, []),
        ({"vehicle": "a White car, with EV6"}, []),
        ({"vehicle": "white Kia sedan"}, [WORDS]),
        ({"vehicle": "MH12AB1234"}, [WORDS]),
        ({"confidence": 0.9}, []),
        ({"confidence": 0.91}, [SURE]),
        ({"summary": "A car came on 2026-11-21."}, []),
        ({"summary": "Car 1234 came."}, [NUMBER]),
        ({"vehicle": "black car", "confidence": 1, "summary": "MH 12 AB 1234"}, [WORDS, NUMBER, SURE]),
    ],
)
def test_a_profile_says_what_the_detections_show(said: dict[str, object], faults: list[str]) -> None:
    assert profile_faults(PROFILE | said, SEEN) == faults


def test_without_detections_nothing_is_known() -> None:
    nothing = Witnessed("Gate", AT, (), "Asia/Kolkata", judged=False)

    assert profile_faults(PROFILE, nothing) == [WORDS, SURE]
    assert profile_faults(PROFILE | {"vehicle": None, "confidence": 0}, nothing) == []


def test_what_is_not_sure_is_no_suspicion() -> None:
    unsure = Witnessed("Gate", AT, (Detection("knife", 0.49), Detection("person", 0.3)), "Asia/Kolkata", judged=False)

    assert risk_faults({"score": 59}, unsure) == []
    assert risk_faults({"score": 60}, unsure) == ["score is above 59, and no detection has a confidence of 0.5 or more"]
    assert risk_faults({"score": 100}, SEEN) == []


def test_a_model_is_told_the_hour_beside_the_camera() -> None:
    found = Witnessed("Gate", AT, (Detection("car", 0.5, AT),), "Asia/Kolkata", judged=False)

    assert found.local(AT) == "2026-11-21T02:00:00+05:30"
    assert found.seen() == [{"label": "car", "confidence": 0.5, "at": "2026-11-21T02:00:00+05:30"}]
