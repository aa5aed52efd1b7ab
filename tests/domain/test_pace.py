"""How many packets a session may have in a second, however they are cut into batches."""

import json
from datetime import timedelta

import pytest

from domain.errors import Invalid
from domain.perception import pace
from domain.qd import Packet
from tests.faces import START_AT


def burst(second: float, count: int) -> list[Packet]:
    return [Packet(START_AT + timedelta(seconds=second, milliseconds=number)) for number in range(count)]


def again(before: pace.Pace) -> pace.Pace:
    return pace.restored(json.loads(json.dumps(pace.stored(before))))


def test_sixty_packets_a_second_over_many_batches_are_accepted() -> None:
    kept = pace.NO_PACE
    for second in range(3):
        for part in range(6):
            kept = pace.keep(again(kept), burst(second + part / 10, 10))
    assert kept.packets == 60


@pytest.mark.parametrize(("sizes", "refused"), [((60, 1), 0), ((1,) * 61, 0), ((30, 40), 30)])
def test_one_more_is_refused_with_its_place(sizes: tuple[int, ...], refused: int) -> None:
    kept, sent = pace.NO_PACE, 0
    for size in sizes[:-1]:
        kept = pace.keep(again(kept), burst(sent / 1000, size))
        sent += size
    with pytest.raises(Invalid) as refusal:
        pace.keep(again(kept), burst(sent / 1000, sizes[-1]))
    assert refusal.value.field == f"packets.{refused}.at"


def test_a_clock_that_was_set_back_counts_anew() -> None:
    kept = pace.keep(pace.NO_PACE, burst(10, 60))

    assert pace.keep(kept, burst(5, 60)).packets == 60
    assert pace.restored(None) == pace.NO_PACE
