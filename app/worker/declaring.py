"""Says again and again which capacity this process knows of: what nobody says any more goes (`Slots.retire`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog

from app.beside import beside

SECONDS: Final = 60.0
"""How often; slots that nobody has declared for ten minutes go."""

log = structlog.get_logger()


@asynccontextmanager
async def declaring(declare: Callable[[], Awaitable[None]], seconds: float = SECONDS) -> AsyncIterator[None]:
    """Declare now, and every so often for as long as something else is done. Raises what the first time raises."""
    await declare()
    async with beside(_again(declare, seconds)):
        yield


async def _again(declare: Callable[[], Awaitable[None]], seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await declare()
        except Exception as error:  # noqa: BLE001 -- whatever it is, the next time it may not be so.
            log.warning("slots_not_declared", error=type(error).__name__)
