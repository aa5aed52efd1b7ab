"""When a provider is left alone: after failures in a row, or too many of the last ones, for longer each time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from domain.inference import CircuitState

IN_A_ROW: Final = 5
WINDOW_SECONDS: Final = 60.0
LEAST_IN_WINDOW: Final = 10
SHARE: Final = 0.5
FIRST_SECONDS: Final = 5.0
MOST_SECONDS: Final = 120.0

Monotonic = Callable[[], float]


class Breaker:
    """One circuit. Closed, everybody passes; open, nobody; half open, one, on whom it depends how it goes on."""

    def __init__(self, clock: Monotonic) -> None:
        """Start closed; `clock` gives seconds that never go back."""
        self._clock = clock
        self._outcomes: deque[tuple[float, bool]] = deque()
        self._in_a_row = 0
        self._opened = 0
        self._until: float | None = None
        self._probing = False

    @property
    def state(self) -> CircuitState:
        """How it is now."""
        if self._until is None:
            return CircuitState.CLOSED
        return CircuitState.OPEN if self._clock() < self._until else CircuitState.HALF_OPEN

    @property
    def opens_in(self) -> float:
        """Seconds until somebody may pass again."""
        return 0.0 if self._until is None else max(0.0, self._until - self._clock())

    def passes(self) -> bool:
        """Whether a request would pass; it is to be announced by `enter`."""
        return self.state is CircuitState.CLOSED or (self.state is CircuitState.HALF_OPEN and not self._probing)

    def enter(self) -> None:
        """Announce a request; the first one while half open is the one that decides."""
        self._probing = self.state is CircuitState.HALF_OPEN

    def leave(self) -> None:
        """Say that a request ended in a way that tells nothing, such as by being cancelled."""
        self._probing = False

    def succeeded(self) -> None:
        """Note an answer."""
        self._note(failed=False)
        self._in_a_row, self._probing = 0, False
        if self._until is not None and self.state is CircuitState.HALF_OPEN:
            self._until, self._opened = None, 0
            self._outcomes.clear()

    def failed(self) -> None:
        """Note a failure of the provider's own."""
        self._note(failed=True)
        self._in_a_row += 1
        decided = self.state is CircuitState.HALF_OPEN and self._probing
        self._probing = False
        failures = sum(failed for _, failed in self._outcomes)
        often = len(self._outcomes) >= LEAST_IN_WINDOW and failures > SHARE * len(self._outcomes)
        if decided or (self.state is CircuitState.CLOSED and (self._in_a_row >= IN_A_ROW or often)):
            self.open(min(FIRST_SECONDS * 2**self._opened, MOST_SECONDS))

    def open(self, seconds: float) -> None:
        """Let nobody pass for so long."""
        self._opened += 1
        self._until = self._clock() + seconds

    @property
    def outcomes(self) -> tuple[int, int]:
        """How many requests of the last minute were answered, and how many failed."""
        self._forget()
        failures = sum(failed for _, failed in self._outcomes)
        return len(self._outcomes) - failures, failures

    def _note(self, *, failed: bool) -> None:
        self._outcomes.append((self._clock(), failed))
        self._forget()

    def _forget(self) -> None:
        oldest = self._clock() - WINDOW_SECONDS
        while self._outcomes and self._outcomes[0][0] < oldest:
            self._outcomes.popleft()
