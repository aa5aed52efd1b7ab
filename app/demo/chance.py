"""Reproducible chance: generators seeded by what they are for, and the ids that they make."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeVar
from uuid import UUID

from asyncpg.pgproto import pgproto

T = TypeVar("T")

_LOW_BITS = (1 << 62) - 1


def generator(*parts: object) -> Random:
    """Return a generator that gives the same numbers for the same parts on every machine."""
    return Random("/".join(str(part) for part in parts))


def identifier(random: Random, at: datetime) -> UUID:
    """Return a UUIDv7 of the moment `at`."""
    return identifier_at(random, int(at.timestamp() * 1000))


def identifier_at(random: Random, milliseconds: int) -> UUID:
    """Return a UUIDv7 of a moment given in milliseconds since 1970."""
    bits = random.getrandbits(74)
    value = milliseconds << 80 | 0x7 << 76 | (bits >> 62) << 64 | 0b10 << 62 | bits & _LOW_BITS
    # The driver's UUID is a uuid.UUID that is made and sent several times faster, and a seed makes 400 000 of them.
    return pgproto.UUID(value.to_bytes(16))


def pick(random: Random, choices: Sequence[T]) -> T:
    """Return one of `choices`. Faster than `Random.choice`, which this is called too often for."""
    return choices[int(random.random() * len(choices))]


def weighted(random: Random, choices: Sequence[tuple[T, float]]) -> T:
    """Return one of `choices`, each given with its weight."""
    left = random.random() * sum(weight for _, weight in choices)
    for choice, weight in choices:
        left -= weight
        if left < 0:
            return choice
    return choices[-1][0]


def likely(random: Random, probability: float) -> bool:
    """Return whether something of that probability happens."""
    return random.random() < probability


def between(random: Random, low: float, high: float) -> float:
    """Return a number from `low` up to `high`."""
    return low + (high - low) * random.random()


def whole(random: Random, low: int, high: int) -> int:
    """Return an integer from `low` to `high`, both included."""
    return low + int(random.random() * (high - low + 1))


def days(count: float) -> timedelta:
    return timedelta(days=count)


def at_local_hour(day: datetime, hour: float, offset: timedelta) -> datetime:
    """Return the moment, UTC, when a clock `offset` ahead shows `hour` on the local day of `day`."""
    local = day + offset
    midnight = datetime(local.year, local.month, local.day, tzinfo=UTC)
    return midnight + timedelta(hours=hour) - offset
