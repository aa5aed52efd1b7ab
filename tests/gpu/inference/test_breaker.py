"""Circuits, by a clock that tests turn."""

from dataclasses import dataclass

import pytest

from domain.inference import CircuitState
from gpu.inference.breaker import Breaker


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
    assert (breaker.state, breaker.outcomes) == (CircuitState.CLOSED, (0, 0))


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
    assert (breaker.state, breaker.outcomes) == (CircuitState.CLOSED, (5, 5))
    breaker.failed()
    assert breaker.state is CircuitState.OPEN


def test_old_failures_are_forgotten(clock: Clock) -> None:
    breaker = Breaker(clock)
    for _ in range(6):
        breaker.succeeded()
        breaker.failed()
        clock.seconds += 30
    assert (breaker.state, breaker.outcomes) == (CircuitState.CLOSED, (2, 2))
    clock.seconds += 61
    assert breaker.outcomes == (0, 0)


def test_a_try_that_was_cancelled_lets_the_next_one_pass(clock: Clock) -> None:
    breaker = Breaker(clock)
    breaker.open(1)
    clock.seconds += 1
    breaker.enter()
    breaker.leave()
    assert breaker.passes()
