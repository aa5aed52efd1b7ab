"""Scoring a batch of packets, and summing a session up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from domain.qd.packets import Packet
from domain.qd.scores import QdKind, Reading
from domain.qd.state import QdState
from domain.qd.stream import Stream


def advance(state: QdState, packets: Sequence[Packet]) -> tuple[QdState, list[Reading]]:
    """Score the next packets of a session: a reading for each, in their order.

    A packet that is older than the one before it, because a clock was set back, counts as of the same moment; one that
    is much younger as the first after a pause. Either way scoring goes on from where it was.
    """
    stream = Stream(state)
    readings = [stream.take(packet) for packet in packets]
    return stream.state(), readings


def final(state: QdState) -> Reading | None:
    """Return the score of a whole session, each moment weighed by its confidence; None if nothing was ever known."""
    sure, score, attention, valence, engagement = state.sums
    if state.at is None or sure <= 0:
        return None
    return Reading(
        datetime.fromtimestamp(state.at, UTC),
        None,
        score / sure,
        attention / sure,
        valence / sure,
        engagement / sure,
        sure / state.seconds,
        face=state.unseen == 0,
        kind=QdKind.SESSION,
    )
