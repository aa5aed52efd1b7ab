"""When a score has risen so far, so fast, that somebody should know: the rule behind QD_SPIKE."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import Final

from domain import qd

RISE: Final = 20.0
"""Points."""
WITHIN: Final = 60.0
"""Seconds."""
SURE: Final = 0.5
"""The confidence that a score needs, where it is low and where it is high."""
WARM_UP: Final = 20.0
"""Seconds after the first score in which nothing counts: everybody begins at the same score."""
QUIET: Final = 300.0
"""Seconds after a spike in which no other is told."""
STEP: Final = 5.0
"""Seconds of which one low is remembered."""

RULE: Final = (
    f"QD rises by {RISE:g} points within {WITHIN:g} seconds, at a confidence of {SURE:g} or more;"
    f" at most once in {QUIET:g} seconds."
)


@dataclass(frozen=True, slots=True)
class Rises:
    """What the rule remembers: since when it watches, until when it is quiet, and the lows of the last minute."""

    since: float | None = None
    quiet_until: float = 0.0
    lows: tuple[tuple[float, float], ...] = ()


NO_RISES: Final = Rises()


def watch(rises: Rises, readings: Iterable[qd.Reading]) -> tuple[Rises, bool]:
    """Return what is remembered after some readings, and whether the score rose so far in them."""
    since, quiet_until, lows, spiked = rises.since, rises.quiet_until, list(rises.lows), False
    lowest = _lowest(lows)
    for reading in readings:
        if reading.confidence < SURE:
            continue
        now = reading.at.timestamp()
        since = now if since is None else since
        if now < since + WARM_UP:
            continue
        while lows and lows[0][0] < now - WITHIN:
            lows.pop(0)
            lowest = _lowest(lows)
        if now >= quiet_until and reading.score >= lowest + RISE:
            spiked, quiet_until, lows, lowest = True, now + QUIET, [], inf
        if lows and now - lows[-1][0] < STEP:
            lows[-1] = (lows[-1][0], min(lows[-1][1], reading.score))
        else:
            lows.append((now, reading.score))
        lowest = min(lowest, reading.score)
    return Rises(since, quiet_until, tuple(lows)), spiked


def _lowest(lows: Iterable[tuple[float, float]]) -> float:
    return min((low for _, low in lows), default=inf)


def stored(rises: Rises) -> dict[str, object]:
    """Return what is remembered as JSON."""
    return {"since": rises.since, "quietUntil": rises.quiet_until, "lows": [list(low) for low in rises.lows]}


def restored(value: object) -> Rises:
    """Return what `stored` wrote."""
    match value:
        case {"since": float() | int() | None as since, "quietUntil": float() | int() as quiet, "lows": list() as lows}:
            return Rises(since, quiet, tuple((at, score) for at, score in lows))
        case _:
            return NO_RISES
