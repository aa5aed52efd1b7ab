"""Objects as files under one folder: the default store. Files are read and written in threads."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from domain.assets import is_object_key
from domain.errors import Unavailable
from domain.values import new_id

PIECE: Final = 256 * 1024


class DiskStore:
    """The port `ObjectStore` over a folder."""

    def __init__(self, folder: Path) -> None:
        """Keep objects under `folder`, which is made when it is needed."""
        self._folder = folder

    def check(self) -> None:
        """Need nothing but the folder."""

    async def put(self, key: str, content: bytes, content_type: str) -> None:  # noqa: ARG002 -- the type is in the key.
        """Store an object: whole, or not at all, also where the machine loses power."""
        try:
            await asyncio.to_thread(_write, self._path(key), content)
        except OSError as error:
            raise Unavailable(f"The asset folder cannot be written: {error.strerror}.") from error

    async def size(self, key: str) -> int | None:
        """Return how many bytes an object has; None where there is none."""
        path = self._path(key)
        return await asyncio.to_thread(lambda: path.stat().st_size if path.is_file() else None)

    async def read(self, key: str, first: int, last: int) -> AsyncIterator[bytes]:
        """Yield the bytes `first` to `last` in pieces."""
        file = await asyncio.to_thread(self._path(key).open, "rb")
        try:
            await asyncio.to_thread(file.seek, first)
            left = last - first + 1
            while left > 0 and (piece := await asyncio.to_thread(file.read, min(PIECE, left))):
                left -= len(piece)
                yield piece
        finally:
            await asyncio.to_thread(file.close)

    async def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""
        try:
            await asyncio.to_thread(_remove, self._path(key))
        except OSError as error:
            raise Unavailable(f"The asset folder cannot be written: {error.strerror}.") from error

    def _path(self, key: str) -> Path:
        # No key names a file outside the folder: it has no empty, dotted or absolute part.
        if not is_object_key(key):
            raise ValueError("This is no key of an object.")
        return self._folder / key


def _write(path: Path, content: bytes) -> None:
    """Write beside the name and then take it: the bytes reach the disk before the name does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{new_id()}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove(path: Path) -> None:
    """Remove a file, and what is left of it where a process was killed while it wrote."""
    path.unlink(missing_ok=True)
    for part in path.parent.glob(f"{path.name}.*.part"):
        part.unlink(missing_ok=True)
