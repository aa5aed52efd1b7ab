"""QD (Qualification Desire): packets of a face that is watching, and the scorer that turns them into readings.

`parsed` checks what a client sent; `advance` scores it; `final` sums a session up. Nothing here knows who is watching.
docs/qd.md explains every term.
"""

from domain.qd.names import BLEND_SHAPES, READ
from domain.qd.packets import MOST_PACKETS, MOST_PER_SECOND, FaceForm, Packet, RawPacket, parsed
from domain.qd.scores import QdKind, QdSource, Reading
from domain.qd.scoring import advance, final
from domain.qd.state import START, QdState, restored, stored

__all__ = [
    "BLEND_SHAPES",
    "MOST_PACKETS",
    "MOST_PER_SECOND",
    "READ",
    "START",
    "FaceForm",
    "Packet",
    "QdKind",
    "QdSource",
    "QdState",
    "RawPacket",
    "Reading",
    "advance",
    "final",
    "parsed",
    "restored",
    "stored",
]
