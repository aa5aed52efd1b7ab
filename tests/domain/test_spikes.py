"""The rule behind QD_SPIKE."""

from datetime import UTC, datetime, timedelta

from domain.perception.spikes import NO_RISES, Rises, restored, stored, watch
from domain.qd import Reading

START = datetime(2026, 11, 21, 9, tzinfo=UTC)


def readings(*scores: tuple[float, float], confidence: float = 0.9) -> list[Reading]:
    """Readings at seconds after START."""
    return [
        Reading(START + timedelta(seconds=second), None, score, 0.5, 0.0, 0.5, confidence, face=True)
        for second, score in scores
    ]


def spiked(*scores: tuple[float, float], confidence: float = 0.9) -> bool:
    return watch(NO_RISES, readings(*scores, confidence=confidence))[1]


def test_twenty_points_within_a_minute_are_a_spike() -> None:
    assert spiked((0, 50), (30, 50), (80, 70))
    assert not spiked((0, 50), (30, 50), (80, 69.9))


def test_a_slow_rise_is_none() -> None:
    assert not spiked((0, 50), (30, 50), (91, 70))


def test_everybody_begins_at_the_same_score_so_the_first_seconds_do_not_count() -> None:
    assert not spiked((0, 50), (10, 70), (19, 80))
    assert not spiked((0, 50), (10, 50), (20, 90))


def test_what_is_not_sure_does_not_count() -> None:
    assert not spiked((0, 50), (30, 50), (40, 90), confidence=0.49)


def test_after_a_spike_there_is_quiet_for_five_minutes() -> None:
    rises, first = watch(NO_RISES, readings((0, 50), (30, 50), (50, 75)))
    assert first
    rises, second = watch(rises, readings((60, 40), (70, 80), (345, 40), (349, 90)))
    assert not second
    assert watch(rises, readings((351, 90)))[1]


def test_batches_make_no_difference_and_the_memory_is_short() -> None:
    scores = [(float(second), 50 + 10 * (second % 7) / 7) for second in range(400)]
    whole, _ = watch(NO_RISES, readings(*scores))
    parts = NO_RISES
    for start in range(0, 400, 10):
        parts, _ = watch(restored(stored(parts)), readings(*scores[start : start + 10]))

    assert parts == whole
    assert len(whole.lows) <= 13
    assert restored(None) == NO_RISES
    assert restored({"since": "x"}) == Rises()
