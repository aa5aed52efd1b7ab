"""What the scorer promises: it hardly depends on sampling and loss, knows when it knows nothing, and never jumps."""

import json
from datetime import timedelta
from itertools import pairwise
from math import exp
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.qd import (
    BLEND_SHAPES,
    START,
    Packet,
    QdKind,
    QdSource,
    QdState,
    Reading,
    advance,
    final,
    restored,
    stored,
)
from tests.faces import CALM, ELSEWHERE, SHUT, SMILING, START_AT, at, steady, watched

SEEDS = range(12)
MOST_A_SECOND = 5.0


def read(packets: list[Packet], state: QdState = START) -> list[Reading]:
    return advance(state, packets)[1]


def differences(some: list[Reading], others: list[Reading]) -> list[float]:
    """How far the scores differ at the moments that both have."""
    scores = {reading.at: reading.score for reading in others}
    return [abs(reading.score - scores[reading.at]) for reading in some if reading.at in scores]


@pytest.mark.parametrize("seed", SEEDS)
def test_ten_and_thirty_pictures_a_second_agree_within_a_point(seed: int) -> None:
    often = watched(seed, 30)

    found = differences(read(often[::3]), read(often))

    assert len(found) == 600
    assert max(found) < 1


@pytest.mark.parametrize("rate", [10, 30])
@pytest.mark.parametrize("seed", SEEDS)
def test_losing_three_packets_of_ten_moves_no_score_by_three_points(seed: int, rate: int) -> None:
    packets = watched(seed, rate)
    random = Random(seed)
    whole = read(packets)

    for _ in range(4):
        kept = [packet for packet in packets if random.random() >= 0.3]
        assert max(differences(read(kept), whole)) < 3


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("rate", [2, 10, 30])
def test_no_score_moves_faster_than_five_points_a_second(seed: int, rate: int) -> None:
    readings = read(watched(seed, rate))

    for before, after in pairwise(readings):
        assert abs(after.score - before.score) <= MOST_A_SECOND * (after.at - before.at).total_seconds()


def test_a_change_from_the_best_face_to_none_at_all_is_gradual() -> None:
    best = SMILING | {"browInnerUp": 0.9, "eyeWideLeft": 0.8, "eyeWideRight": 0.8}
    readings = read(steady(best, 0, 60) + steady(SHUT, 60.1, 120))

    assert readings[600].score > 80
    assert readings[-1].score < 5
    for before, after in pairwise(readings):
        assert abs(after.score - before.score) <= MOST_A_SECOND * (after.at - before.at).total_seconds()


def test_everybody_begins_in_the_middle_and_unknown() -> None:
    (first,) = read([at(0, SMILING)])

    assert (first.score, first.confidence) == (50.0, 0.0)


@pytest.mark.parametrize("rate", [5, 10, 30, 60])
def test_averages_follow_time_alone(rate: int) -> None:
    """A face that looks on from the beginning: attention goes from 0.5 to 1 as 1 - e^(-t / 5 s) / 2."""
    last = read(steady(CALM, 0, 10, rate))[-1]

    # The first packet has no line to it, so what happened before it is unknown.
    assert last.attention == pytest.approx(1 - exp(-10 / 5) / 2, abs=1e-9)
    assert last.valence == 0.0
    assert last.engagement == pytest.approx(0.35 * last.attention, abs=1e-9)


def test_known_faces_end_where_the_formulas_say() -> None:
    ends = {
        name: read(steady(face, 0, 200))[-1] for name, face in (("calm", CALM), ("smile", SMILING), ("away", ELSEWHERE))
    }

    # 1 + 99 * (0.35 + 0.40 * 0.35 + 0.25 / 2); a smile of 0.8 with cheeks of 0.4 has a valence of 1, liveliness 0.8.
    assert ends["calm"].score == pytest.approx(61.885, abs=0.001)
    assert (ends["smile"].valence, ends["smile"].engagement) == pytest.approx((1.0, 0.67), abs=0.001)
    assert ends["smile"].score == pytest.approx(1 + 99 * (0.35 + 0.40 * 0.67 + 0.25), abs=0.001)
    assert ends["away"].score == pytest.approx(1.0, abs=0.001)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_batch_is_only_a_cut(seed: int) -> None:
    packets = watched(seed)
    random, state, readings = Random(seed), START, list[Reading]()
    left = packets
    while left:
        length = random.randint(1, 100)
        state, some = advance(restored(json.loads(json.dumps(stored(state)))), left[:length])
        readings, left = readings + some, left[length:]

    assert (state, readings) == advance(START, packets)


def test_a_state_of_another_version_is_not_read() -> None:
    state, _ = advance(START, steady(CALM, 0, 5))

    assert restored(stored(state)) == state
    assert restored(stored(state) | {"version": 0}) == START
    assert restored(None) == START


def test_confidence_is_gone_within_five_seconds_without_a_face() -> None:
    packets = watched(1)[:300]
    readings = read(packets + steady(None, 30, 36))
    left = readings[300:]

    assert readings[299].confidence > 0.9
    assert all(after.confidence <= before.confidence for before, after in pairwise(left))
    assert left[0].confidence > 0
    assert {reading.confidence for reading in left if (reading.at - packets[-1].at) >= timedelta(seconds=5)} == {0.0}
    assert {(reading.score, reading.face) for reading in left} == {(readings[299].score, False)}


def test_confidence_begins_anew_when_somebody_comes_back() -> None:
    readings = read([*watched(2)[:300], *watched(2)[400:402]])

    assert readings[-2].confidence == 0.0
    assert 0 < readings[-1].confidence < 0.05
    assert abs(readings[-1].score - readings[-3].score) < 1


def test_a_photograph_is_nobody() -> None:
    random = Random(4)
    noisy = [
        at(number / 10, {name: max(0.0, random.gauss(0.3, 0.01)) for name in BLEND_SHAPES}) for number in range(600)
    ]

    for packets in (steady(SMILING, 0, 60), noisy):
        readings = read(packets)
        assert max(reading.confidence for reading in readings if reading.at - START_AT > timedelta(seconds=21)) == 0.0
        assert final(advance(START, packets)[0]) is not None


@pytest.mark.parametrize("seed", SEEDS)
def test_a_living_face_is_known(seed: int) -> None:
    readings = read(watched(seed))

    assert min(reading.confidence for reading in readings[100:200]) > 0.9


def blinks(length: float) -> list[Packet]:
    """A calm face that blinks every three seconds."""
    down = SHUT | {"eyeLookDownLeft": 0.6, "eyeLookDownRight": 0.6}
    times = [number / 30 for number in range(1800)]
    return [at(second, down if second % 3 < length else CALM) for second in times]


@pytest.mark.parametrize("length", [0.1, 0.2, 0.3])
def test_blinking_changes_no_score_by_a_point(length: float) -> None:
    assert max(differences(read(blinks(length)), read(blinks(0)))) < 1


def test_eyes_that_stay_shut_attend_to_nothing() -> None:
    assert read(steady(CALM, 0, 30) + steady(SHUT, 30.1, 60))[-1].attention < 0.01


@pytest.mark.parametrize("jump", [-3600.0, -5.0, -0.05, 0.5, 5.0, 86_400.0])
def test_scoring_goes_on_when_a_clock_jumps(jump: float) -> None:
    packets = watched(3)
    kept = read(packets)
    jumped = packets[:250] + [
        Packet(each.at + timedelta(seconds=jump), None, each.blend_shapes) for each in packets[250:]
    ]
    readings = read(jumped)

    # Between two pictures that were taken a tenth of a second apart, whatever the clock says; half a second is a loss.
    most = MOST_A_SECOND * (0.6 if jump == 0.5 else 0.1)
    assert all(abs(after.score - before.score) <= most for before, after in pairwise(readings))
    # Afterwards it is the same face at the same pace.
    assert abs(readings[-1].score - kept[-1].score) < 2
    assert readings[-1].confidence > 0.9


@pytest.mark.parametrize("between", [[], [at(31.5, None)]], ids=["no packets", "nobody"])
def test_of_a_pause_of_more_than_a_second_nothing_is_assumed(between: list[Packet]) -> None:
    *_, before, after = [each for each in read([*steady(CALM, 0, 30), *between, at(33, ELSEWHERE)]) if each.face]
    assert (after.attention, after.valence, after.score) == (before.attention, before.valence, before.score)

    *_, before, after = read([*steady(CALM, 0, 30), at(31, ELSEWHERE)])
    assert after.attention < before.attention - 0.05
    assert after.score < before.score


def test_a_clock_that_stands_still_moves_nothing() -> None:
    assert {reading.score for reading in read([at(0, SMILING)] * 50)} == {50.0}


shares = st.floats(0, 1)
faces = st.none() | st.fixed_dictionaries(dict.fromkeys(BLEND_SHAPES, shares))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-20, 20), faces), min_size=1, max_size=30))
def test_every_number_stays_in_its_range(steps: list[tuple[float, dict[str, float] | None]]) -> None:
    moment, packets = 0.0, list[Packet]()
    for step, face in steps:
        moment += step
        packets.append(at(moment, face))
    state, readings = advance(START, packets)

    for packet, reading in zip(packets, readings, strict=True):
        assert reading.at == packet.at
        assert 1 <= reading.score <= 100
        assert -1 <= reading.valence <= 1
        assert all(0 <= part <= 1 for part in (reading.attention, reading.engagement, reading.confidence))
        assert (reading.kind, reading.source) == (QdKind.LIVE, QdSource.RULES)
    for before, after in pairwise(readings):
        most = MOST_A_SECOND * max(0.0, (after.at - before.at).total_seconds())
        assert abs(after.score - before.score) <= most + 1e-9
    assert restored(json.loads(json.dumps(stored(state)))) == state


def test_the_final_score_weighs_each_moment_by_its_confidence() -> None:
    assert final(START) is None
    assert final(advance(START, steady(None, 0, 10))[0]) is None

    packets = watched(5)
    state, readings = advance(START, packets)
    ended = final(state)

    weights = [reading.confidence for reading in readings]
    mean = sum(reading.score * reading.confidence for reading in readings) / sum(weights)
    assert ended is not None
    assert ended.score == pytest.approx(mean, abs=0.01)
    assert (ended.at, ended.kind, ended.source) == (packets[-1].at, QdKind.SESSION, QdSource.RULES)
    assert state.packets == 600
    assert state.peak == max(reading.score for reading in readings if reading.confidence >= 0.5)


def test_the_peak_remembers_where_the_video_stood() -> None:
    packets = [Packet(each.at, 100 * number, each.blend_shapes) for number, each in enumerate(steady(SMILING, 0, 15))]
    away = [Packet(each.at, 60_000, each.blend_shapes) for each in steady(ELSEWHERE, 15.1, 30)]
    state, readings = advance(START, packets + away)

    best = max(readings, key=lambda reading: reading.score)
    assert (state.peak, state.peak_video_ms) == (best.score, best.video_ms)
    assert state.peak_at == best.at.timestamp()
