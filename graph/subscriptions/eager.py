"""Running a coroutine until it first waits: only what has to wait becomes a task, which is most of a frame's price."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any


def eagerly(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
    """Run a coroutine until it waits, and the rest as a task; return the task, or None where there was no rest.

    The first part runs outside a task of its own, so it must not use what belongs to one, such as `asyncio.timeout`.
    """
    try:
        waited = coroutine.send(None)
    except StopIteration:
        return None
    return asyncio.get_running_loop().create_task(_rest(coroutine, waited))


async def _rest(coroutine: Coroutine[Any, Any, None], waited: Any) -> None:
    await _Going(coroutine, waited)


class _Going:
    """A coroutine that has begun, and waits for something already."""

    def __init__(self, coroutine: Coroutine[Any, Any, None], waited: Any) -> None:
        self._coroutine = coroutine
        self._waited = waited

    def __await__(self) -> Generator[Any, Any, None]:
        return _go_on(self._coroutine, self._waited)


def _go_on(coroutine: Coroutine[Any, Any, None], waited: Any) -> Generator[Any, Any, None]:
    try:
        while True:
            try:
                sent = yield waited
            except BaseException as error:  # noqa: BLE001 -- a cancellation is passed on like every other error.
                waited = coroutine.throw(error)
            else:
                waited = coroutine.send(sent)
    except StopIteration:
        return
