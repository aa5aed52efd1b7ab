"""The hand-written statements by name, and DataLoaders that batch them within one request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import fields
from functools import cache
from typing import Any, Final, TypeVar
from uuid import UUID

from asyncpg import Pool, Record
from strawberry.dataloader import DataLoader

from bench.places import PEERS

T = TypeVar("T")
Key = TypeVar("Key")
Make = Callable[[Record], T]


def _statements() -> dict[str, str]:
    _, *sections = (PEERS / "statements.sql").read_text().split("-- name: ")
    return dict(section.split("\n", 1) for section in sections)


STATEMENTS: Final = _statements()


@cache
def made(cls: Callable[..., T], *columns: str) -> Callable[[Record], T]:
    """Return what makes an object of a row: of these columns, or of all that the class has."""
    names = columns or tuple(field.name for field in fields(cls) if field.init)  # type: ignore[arg-type]  # Strawberry's types are dataclasses.
    return lambda row: cls(**{name: row[name] for name in names})


class Rows:
    """Runs statements, and keeps the loaders of one request."""

    def __init__(self, pool: Pool[Record]) -> None:
        self._pool = pool
        self._loaders: dict[object, DataLoader[Any, Any]] = {}

    async def fetch(self, name: str, *values: object) -> list[Record]:
        found: list[Record] = await self._pool.fetch(STATEMENTS[name], *values)
        return found

    async def one(self, name: str, make: Make[T], key: UUID | None, *, column: str = "id") -> T | None:
        """Return the row behind a key, which is read together with the others that are asked for now."""
        if key is None:
            return None

        async def load(keys: list[UUID]) -> list[T | None]:
            found = {row[column]: make(row) for row in await self.fetch(name, keys)}
            return [found.get(each) for each in keys]

        return await self._loaded((name, column), load, key)

    async def many(self, name: str, make: Make[T], column: str, key: object, *values: object) -> list[T]:
        """Return the rows that belong to a key, read together with those of other keys."""

        async def load(keys: list[object]) -> list[list[T]]:
            groups: dict[object, list[T]] = defaultdict(list)
            for row in await self.fetch(name, keys, *values):
                groups[row[column]].append(make(row))
            return [groups[each] for each in keys]

        return await self._loaded((name, values), load, key)

    async def _loaded(self, which: object, load: Callable[[list[Key]], Awaitable[list[T]]], key: Key) -> T:
        loader: DataLoader[Key, T] | None = self._loaders.get(which)
        if loader is None:
            loader = self._loaders[which] = DataLoader(load_fn=load)
        return await loader.load(key)
