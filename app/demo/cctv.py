"""What the demo's cameras saw: who arrived before the visits of passers-by, who else came, and batches of detections.

No plate is made up: the demo's rows are the same everywhere, and a plate's token is made with an installation's secret.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from app.demo.chance import between, days, generator, identifier, likely, pick, whole
from app.demo.world import World
from domain.cctv import CctvEventKind, RiskLevel, level_of

_MODEL: Final = "qwen2.5-32b-instruct"
_PROFILER, _ANALYZER = "1", "1"
_EVENTS: Final = 60
_DETECTIONS: Final = 16
_DAYS: Final = 21.0
_WAITING: Final = 2
"""How many of the newest wait for their job."""
_ARRIVALS: Final = ("Gate", "Visitor parking")
_ELSEWHERE: Final = ("Lobby", "Service entrance")
_MAKES: Final = ("Toyota", "Hyundai", "Maruti", "Kia", "BMW", "Mercedes")
_COLOURS: Final = ("white", "silver", "black", "blue", "grey")
_VISITORS: Final = ("individual", "couple", "family", "group", "staff", "delivery")


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A session of a visitor without a name, and when it began."""

    session_id: UUID
    started_at: datetime


# What a batch holds, what a model says of it, and the score it may have.
_SCENES: Final = (
    (("person", "person", "car"), "Two people walk from a car to the lobby.", "Everyday arrival in daylight.", 4, 20),
    (("person", "backpack"), "One person waits beside the service entrance.", "Waiting is unusual there.", 32, 52),
    (
        ("person", "person", "car"),
        "Two people try the doors of parked cars.",
        "Several doors were tried one after the other; nobody unlocked one.",
        64,
        80,
    ),
    (
        ("person", "knife"),
        "A person holds what looks like a knife in the lobby.",
        "A weapon was detected with high confidence in a place where visitors wait.",
        88,
        96,
    ),
)


def write_cctv(world: World, slug: str, witnessed: Sequence[Witnessed]) -> None:
    """Add the events of the last weeks."""
    random = generator(slug, "cctv")
    for each in witnessed:
        at = each.started_at - timedelta(minutes=between(random, 4, 20))
        _vehicle(world, random, at, "Gate", visitor="individual", session_id=each.session_id)
    taken = [each.started_at for each in witnessed]
    for number in range(_EVENTS):
        at = world.now - days(_DAYS * number / _EVENTS + between(random, 0.02, 0.2))
        camera = pick(random, _ARRIVALS + _ELSEWHERE)
        if any(at - timedelta(hours=1) < moment < at + timedelta(hours=1) for moment in taken):
            camera = pick(random, _ELSEWHERE)
        _vehicle(world, random, at, camera, visitor=pick(random, _VISITORS), waits=number < _WAITING)
    for number in range(_DETECTIONS):
        at = world.now - days(_DAYS * number / _DETECTIONS + between(random, 0.05, 0.5))
        _batch(world, random, at, _SCENES[number % len(_SCENES)], waits=number == 0)


def _vehicle(
    world: World, random: Random, at: datetime, camera: str, *, visitor: str, session_id: UUID | None = None,
    waits: bool = False,
) -> None:  # fmt: skip
    """Add one vehicle that a camera saw, with what a model made of it."""
    colour, make = pick(random, _COLOURS), pick(random, _MAKES)
    sure, known = round(between(random, 0.72, 0.98), 2), likely(random, 0.85)
    profile: dict[str, object] = {} if waits else {
        "summary": f"A {colour} {make} came to the {camera.lower()}.",
        "profiled_at": at + timedelta(seconds=4),
        "profile_visitor_kind": visitor if known else None,
        "profile_vehicle": f"{colour} {make}",
        "profile_confidence": round(sure * (0.9 if known else 0.6), 2),
        "profile_model": _MODEL,
        "profile_prompt_version": _PROFILER,
    }  # fmt: skip
    seen = {"label": "car", "confidence": sure, "attributes": {"colour": colour, "make": make}}
    arrives = camera in _ARRIVALS
    kind = CctvEventKind.ARRIVAL if arrives else CctvEventKind.SIGHTING
    _add(world, random, at, kind=kind.name, camera=camera, seen=[seen], session_id=session_id, **profile)


def _batch(
    world: World, random: Random, at: datetime, scene: tuple[tuple[str, ...], str, str, int, int], *, waits: bool
) -> None:
    """Add a batch of detections, with its risk."""
    labels, summary, reasoning, low, high = scene
    score = whole(random, low, high)
    if level_of(low) is not level_of(high):
        raise ValueError("A scene of the demo has one level.")
    risk: dict[str, object] = {} if waits else {
        "summary": summary,
        "assessed_at": at + timedelta(seconds=6),
        "risk_score": score,
        "risk_summary": summary,
        "risk_reasoning": reasoning,
        "risk_model": _MODEL,
        "risk_prompt_version": _ANALYZER,
    }  # fmt: skip
    seen = [
        {
            "label": label, "confidence": round(between(random, 0.6, 0.97), 2),
            "at": (at - timedelta(seconds=len(labels) - place)).isoformat(),
        }
        for place, label in enumerate(labels)
    ]  # fmt: skip
    camera = "Lobby" if level_of(score) is RiskLevel.CRITICAL else pick(random, _ARRIVALS + _ELSEWHERE)
    _add(world, random, at, kind=CctvEventKind.DETECTIONS.name, camera=camera, seen=seen, **risk)


def _add(world: World, random: Random, at: datetime, *, seen: list[dict[str, object]], **values: object) -> None:
    world.batch.add(
        "cctv_events", id=identifier(random, at), at=at, detections=json.dumps(seen), sent_by_noun="system_actors",
        sent_by_id=world.firm.robot, created_at=at + timedelta(seconds=1), **values,
    )  # fmt: skip
