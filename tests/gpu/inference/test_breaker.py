"""Circuits and limits, by a clock that tests turn."""

from dataclasses import dataclass

import pytest

from domain.inference import CircuitState
from gpu.inference.breaker import Breaker
from gpu.inference.pacing import Pace


@dataclass
class Clock:
    """Seconds that only a test moves."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_five_failures_in_a_row_open_it_and_one_success_closes_it(clock: Clock) -> None:
    breaker = Breaker(clock)
    for _ in range(4):
        breaker.failed()
    assert breaker.state is CircuitState.CLOSED
    breaker.failed()
    assert (breaker.state, breaker.passes(), breaker.opens_in) == (CircuitState.OPEN, False, 5.0)
    clock.seconds += 5
    assert (breaker.state, breaker.passes()) == (CircuitState.HALF_OPEN, True)
    breaker.enter()
    assert not breaker.passes()
    breaker.succeeded()
    assert (breaker.state, breaker.error_rate) == (CircuitState.CLOSED, None)


def test_each_failed_try_leaves_it_open_for_twice_as_long_up_to_two_minutes(clock: Clock) -> None:
    breaker = Breaker(clock)
    for _ in range(5):
        breaker.failed()
    waits = []
    for _ in range(7):
        waits.append(breaker.opens_in)
        clock.seconds += breaker.opens_in
        breaker.enter()
        breaker.failed()
    assert waits == [5, 10, 20, 40, 80, 120, 120]


def test_more_than_half_of_the_last_minute_opens_it(clock: Clock) -> None:
    breaker = Breaker(clock)
    for _ in range(4):
        breaker.succeeded()
        breaker.failed()
    breaker.succeeded()
    breaker.failed()
    assert (breaker.state, breaker.error_rate) == (CircuitState.CLOSED, 0.5)
    breaker.failed()
    assert breaker.state is CircuitState.OPEN


def test_old_failures_are_forgotten(clock: Clock) -> None:
    breaker = Breaker(clock)
    for _ in range(6):
        breaker.succeeded()
        breaker.failed()
        clock.seconds += 30
    assert (breaker.state, breaker.error_rate) == (CircuitState.CLOSED, 0.5)
    clock.seconds += 61
    assert breaker.error_rate is None


def test_a_try_that_was_cancelled_lets_the_next_one_pass(clock: Clock) -> None:
    breaker = Breaker(clock)
    breaker.open(1)
    clock.seconds += 1
    breaker.enter()
    breaker.leave()
    assert breaker.passes()


def test_nothing_is_limited_until_the_provider_says_so(clock: Clock) -> None:
    pace = Pace(None, clock)
    for _ in range(100):
        assert pace.wait() == 0
        pace.take()
    pace.limited(7)
    assert (pace.per_minute, pace.wait()) == (50.0, 7.0)
    for _ in range(30):
        pace.answered()
    assert pace.per_minute is None


def test_a_configured_limit_is_kept_halved_and_found_again(clock: Clock) -> None:
    pace = Pace(60, clock)
    for _ in range(10):
        assert pace.wait() == 0
        pace.take()
    assert pace.wait() == 1.0
    clock.seconds += 1
    assert pace.wait() == 0
    pace.take()
    pace.limited(None)
    assert (pace.per_minute, pace.wait()) == (30, 2.0)
    for _ in range(100):
        pace.answered()
    assert pace.per_minute == 60


def test_a_limit_never_falls_to_nothing(clock: Clock) -> None:
    pace = Pace(10, clock)
    for _ in range(20):
        pace.limited(None)
    assert (pace.per_minute, pace.wait() <= 60) == (1.0, True)
