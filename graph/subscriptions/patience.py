"""Waiting for a database that is not there: what is followed is not lost meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from domain.errors import Unavailable

T = TypeVar("T")

FIRST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 2.0


async def patiently(read: Callable[[], Awaitable[T]]) -> T:
    """Read, and again for as long as the database does not answer."""
    pause = FIRST_PAUSE
    while True:
        try:
            return await read()
        except Unavailable:
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
