"""What each process sees of a provider, told to the others: circuits and averages are a process's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.inference.kinds import CircuitState


@dataclass(frozen=True, slots=True)
class Sighting:
    """A provider as one process sees it: its own requests, and what became of those of the last minute."""

    provider: str
    circuit: CircuitState = CircuitState.CLOSED
    opens_in: float = 0.0
    """Seconds for which the circuit stays open."""
    latency_ms: float | None = None
    answered: int = 0
    failed: int = 0
    in_flight: int = 0
    waiting: int = 0

    @property
    def quiet(self) -> bool:
        """Whether there is nothing to tell."""
        return self.circuit is CircuitState.CLOSED and not (
            self.answered or self.failed or self.in_flight or self.waiting
        )

    @property
    def error_rate(self) -> float | None:
        """The share of the last minute's requests that failed; None where there was none."""
        total = self.answered + self.failed
        return self.failed / total if total else None


class Sightings(Protocol):
    """Where processes tell what they see."""

    async def tell(self, seen: Sequence[Sighting]) -> None:
        """Tell what this process sees now, in place of what it told before. Raises Unavailable."""

    async def others(self) -> Sequence[Sighting]:
        """Return what the other processes have told lately. Raises Unavailable."""


def together(own: Sighting, others: Iterable[Sighting]) -> Sighting:
    """Return what all see of a provider: the worst circuit, and averages by how many answers stand behind each."""
    every = [own, *(each for each in others if each.provider == own.provider)]
    timed = [each for each in every if each.latency_ms is not None and each.answered]
    answered = sum(each.answered for each in every)
    latency = own.latency_ms
    if timed:
        weight = sum(each.answered for each in timed)
        latency = sum((each.latency_ms or 0.0) * each.answered for each in timed) / weight
    worst = max(every, key=lambda each: (_WORSE.index(each.circuit), each.opens_in))
    return Sighting(
        provider=own.provider,
        circuit=worst.circuit,
        opens_in=worst.opens_in,
        latency_ms=latency,
        answered=answered,
        failed=sum(each.failed for each in every),
        in_flight=sum(each.in_flight for each in every),
        waiting=sum(each.waiting for each in every),
    )


_WORSE = (CircuitState.CLOSED, CircuitState.HALF_OPEN, CircuitState.OPEN)
