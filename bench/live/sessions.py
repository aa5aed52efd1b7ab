"""Sessions of visitors, and what cameras send of them: generated faces, whose packets are as the edge agent's."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from app.demo.chance import generator
from app.demo.faces import Face, Scene
from app.perceive.sender import written
from bench.live.asking import OverSocket, body
from domain.qd import MOST_PACKETS, Packet

SECOND: Final = timedelta(seconds=1)
TRACE: Final = 60
"""Seconds of the generated face; what is longer begins anew."""
HERTZ: Final = 10
MOST_HERTZ: Final = 60
CONSENT: Final = {
    "subjectKind": "VISITOR", "purpose": "SHOWROOM_ENGAGEMENT", "modality": "FACE", "noticeVersion": "2026-11",
}  # fmt: skip

_face: Final = Face(generator("bench"), [Scene(start, start + 10, 0.2 + start / 100) for start in range(0, TRACE, 10)])
_shapes: Final = [_face.at(number / HERTZ) for number in range(TRACE * HERTZ)]


async def begun(over: OverSocket, number: int) -> list[str]:
    """Begin so many sessions, each with a consent of its own; return their ids."""
    found = []
    for _ in range(number):
        granted = await over.ask(body("ConsentGrant", input=CONSENT))
        consent = granted["consentGrant"]["consent"]["id"]
        started = await over.ask(body("PerceptionSessionStart", consentId=consent, surface="KIOSK"))
        found.append(started["perceptionSessionStart"]["session"]["id"])
    return found


def packet(at: datetime, number: int) -> dict[str, Any]:
    """Return one packet of a trace at ten hertz, as it is sent."""
    return written(Packet(at, number * 1000 // HERTZ, _shapes[number % len(_shapes)]))


def batch(start: datetime, number: int) -> list[dict[str, Any]]:
    """Return the batch of a number, from 0: as many packets as one may have, as dense as they may lie."""
    first = number * MOST_PACKETS
    return [packet(start + each * SECOND / MOST_HERTZ, each) for each in range(first, first + MOST_PACKETS)]
