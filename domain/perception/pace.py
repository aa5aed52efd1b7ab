"""How many packets a session has in one second of their clock. `qd.parsed` looks at one batch, this at all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from domain.errors import Invalid
from domain.qd import MOST_PER_SECOND, Packet


@dataclass(frozen=True, slots=True)
class Pace:
    """The second of the last packet, since 1970, and how many packets lay in it without another between them."""

    second: int = 0
    packets: int = 0


NO_PACE: Final = Pace()


def keep(pace: Pace, packets: Sequence[Packet]) -> Pace:
    """Return the pace after some packets; raises Invalid for one too many. A clock that was set back counts anew."""
    second, counted = pace.second, pace.packets
    for number, packet in enumerate(packets):
        now = int(packet.at.timestamp())
        second, counted = now, counted + 1 if now == second else 1
        if counted > MOST_PER_SECOND:
            raise Invalid(f"There are at most {MOST_PER_SECOND} packets a second.", field=f"packets.{number}.at")
    return Pace(second, counted)


def stored(pace: Pace) -> list[int]:
    """Return a pace as JSON."""
    return [pace.second, pace.packets]


def restored(value: object) -> Pace:
    """Return what `stored` wrote."""
    match value:
        case [int() as second, int() as packets]:
            return Pace(second, packets)
        case _:
            return NO_PACE
