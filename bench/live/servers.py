"""The servers that are followed: ours, two that people could pick instead, and one that only sends."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.documents import Question
from bench.live.place import Lively
from bench.peers import node
from bench.places import OPERATIONS, PEERS, POOL
from bench.servers import GENEROUS, STATED, Kind, environment_of_libpq

CROWDED: Final = {"VELOCITY_CONNECTIONS_PER_CALLER": "10000", "VELOCITY_SUBSCRIPTIONS_PER_CALLER": "10000"}
"""Sockets and subscriptions are counted for each caller as always; here one caller may have as many as are opened."""
VELOCITY: Final = str(Path(sys.executable).parent / "velocity")


@dataclass(frozen=True, slots=True)
class Following:
    """A server, and how one subscribes to what happens there."""

    kind: Kind
    payload: dict[str, object]
    signed_in: bool = False
    tells: bool = True
    """Whether what it sends says of what."""


def velocity(place: Lively, name: str = "velocity") -> Kind:
    """Return the product as it is served."""
    environment = GENEROUS | CROWDED | {"VELOCITY_DATA_DIR": str(place.settings.data_dir)}
    return Kind(name, "Velocity", (VELOCITY, "serve"), Question.body, STATED, environment)


def writer(place: Lively) -> Kind:
    """Return a second process of the product, which takes the writes: what it costs is not what is measured."""
    return velocity(place, "writer")


def followed(place: Lively) -> list[Following]:
    """Return everybody who tells of the same events."""
    text = (OPERATIONS / "CrmActivity.graphql").read_text(encoding="utf-8")
    asked: dict[str, object] = {"query": text}
    libpq = environment_of_libpq(place) | {"POOL": str(POOL), "NODE_ENV": "production"}
    mercurius = (str(node()), str(PEERS / "following.mjs"))
    strawberry = (sys.executable, "-m", "bench.plain.following")
    sender = (sys.executable, "-m", "bench.live.sender")
    dsn = {"DSN": place.addresses.owner}
    return [
        Following(velocity(place), {"documentId": "CrmActivity"}, signed_in=True),
        Following(Kind("mercurius", "Mercurius", mercurius, Question.body, "none", libpq), asked),
        Following(Kind("strawberry", "Strawberry", strawberry, Question.body, "none", dsn), asked),
        Following(Kind("sender", "the limit", sender, Question.body, "none", dsn), asked, tells=False),
    ]
