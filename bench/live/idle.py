"""What a subscriber costs in memory who is told nothing: five thousand of them, each on a socket of its own."""

from __future__ import annotations

import asyncio
from typing import Final

from bench.live.fan_out import Crowd, everybody_follows
from bench.live.place import Lively
from bench.live.servers import Following
from bench.live.writing import Writer
from bench.servers import Server

IDLE: Final = 5_000
SETTLED: Final = 3.0
"""Seconds after which nothing of the opening goes on any more."""


async def measured(place: Lively, server: Server, following: Following, writing: Server) -> float:
    """Return the kilobytes of resident memory that each takes once all have been told one event."""
    writes, crowd = Writer(), Crowd()
    await writes.open(writing.port, place.token)
    try:
        before, _ = server.memory()
        await crowd.follow(server.port, IDLE, following, [place.token if following.signed_in else None])
        await everybody_follows(crowd, writes, following)
        await asyncio.sleep(SETTLED)
        after, _ = server.memory()
    finally:
        crowd.close()
        writes.close()
    return (after - before) * 1000 / IDLE
