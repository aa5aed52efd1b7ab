"""Who waits for a place in this process, in the order in which they came.

A batch gives a place back after each item and wants it again at once. Without an order it would have it again before
anybody else looks, and a single question would wait for a thousand others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress


class Standing:
    """Somebody in line for a place of one of several resources."""

    def __init__(self, lines: Sequence[list[Standing]]) -> None:
        """Stand behind whoever is there."""
        self._lines = lines
        self._called = asyncio.Event()
        for line in lines:
            line.append(self)

    @property
    def first(self) -> bool:
        """Whether nobody has come before, in one of the lines at least."""
        return any(line[0] is self for line in self._lines)

    def call(self) -> None:
        """Have it look for a place now."""
        self._called.set()

    async def wait(self, seconds: float) -> None:
        """Wait to be called, at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._called.wait()
        self._called.clear()

    def leave(self) -> None:
        """Leave, and call whoever comes next."""
        for line in self._lines:
            line.remove(self)
            if line:
                line[0].call()


class Turns:
    """The lines of one process, one for each resource."""

    def __init__(self) -> None:
        """Begin with nobody in line."""
        self._lines: dict[str, list[Standing]] = {}

    @contextmanager
    def stand(self, resources: Sequence[str]) -> Iterator[Standing]:
        """Stand in line for these resources."""
        standing = Standing([self._lines.setdefault(resource, []) for resource in resources])
        try:
            yield standing
        finally:
            standing.leave()

    def call(self, resource: str | None = None) -> None:
        """Have whoever is first look for a place of a resource; of each, where it is not known what was given back."""
        for name, line in self._lines.items():
            if line and resource in {None, name}:
                line[0].call()

    def standing(self, resource: str) -> int:
        """Return how many are in line for a resource."""
        return len(self._lines.get(resource, []))
