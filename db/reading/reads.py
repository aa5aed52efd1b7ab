"""The port `Reads` over PostgreSQL: write a statement, fetch it, parse the JSON it printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

import orjson
from asyncpg import Record

from db.reading import statements
from db.reading.cursors import CursorKey
from db.reading.source import Catalogue, Link
from db.reading.writer import Writer
from domain.access import Caller
from domain.reading import Page, Request, Row, Selected, Slice
from domain.signing import AssetKey, EventKey


class Fetch(Protocol):
    """Runs one statement as one tenant."""

    async def fetch(self, tenant_id: UUID | None, sql: str, *arguments: object) -> list[Record]:
        """Return the rows."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What signs what statements print: cursors, addresses of assets, positions in the event sequence."""

    cursor: CursorKey
    asset: AssetKey
    event: EventKey


class SqlReads:
    """Answers reads with one statement each."""

    def __init__(self, catalogue: Catalogue, pool: Fetch, keys: Keys) -> None:
        """Read the sources of `catalogue` through `pool`."""
        self._catalogue = catalogue
        self._pool = pool
        self._keys = keys

    async def by_ids(self, caller: Caller, request: Request, ids: Sequence[UUID]) -> list[Row | None]:
        """Return the visible rows with these ids, None where there is none."""
        w = Writer(caller, self._keys.asset)
        sql = statements.by_ids(w, self._catalogue.sources[request.noun], ids, request.fields)
        records = await self._pool.fetch(caller.tenant_id, sql, *w.values)
        return [None if record["row"] is None else orjson.loads(record["row"]) for record in records]

    async def pages(self, caller: Caller, request: Request, keys: Sequence[str]) -> list[Slice]:
        """Return one page per key; raises Invalid before anything is sent."""
        source = self._catalogue.sources[request.noun]
        extent = statements.page_range(source, request.page, self._keys.cursor, caller.tenant_id)
        w, link = Writer(caller, self._keys.asset), self._link(request.link)
        if link is not None and request.page.whole:
            extent = replace(extent, size=link.most)
        sql = statements.Pages(w, source, link, request, extent).write(keys)
        records = await self._pool.fetch(caller.tenant_id, sql, *w.values)
        return [_slice(record, request.page, backwards=extent.backwards) for record in records]

    async def value(
        self, caller: Caller, name: str, arguments: Mapping[str, object], fields: tuple[Selected, ...]
    ) -> Row:
        """Return a value that stands on its own."""
        w = Writer(caller, self._keys.asset, self._keys.event)
        selected = Selected(name, tuple(arguments.items()), fields)
        sql = statements.free_value(w, self._catalogue.values[name], selected)
        [record] = await self._pool.fetch(caller.tenant_id, sql, *w.values)
        row: Row = orjson.loads(record["row"])
        return row

    def _link(self, link: tuple[str, str] | None) -> Link | None:
        if link is None:
            return None
        parent, name = link
        declared: object
        if parent in self._catalogue.sources:
            declared = self._catalogue.sources[parent].links[name]
        else:
            declared = self._catalogue.values[parent].fields[name]
        if not isinstance(declared, Link):
            raise TypeError(f"{parent}.{name} is no link.")
        return declared


def _slice(record: Record, page: Page, *, backwards: bool) -> Slice:
    more = bool(record["more"]) if page.rows else False
    return Slice(
        rows=orjson.loads(record["rows"]) if page.rows else [],
        cursors=(record["cursors"] or []) if page.rows else [],
        has_next=page.before is not None if backwards else more,
        has_previous=more if backwards else page.after is not None,
        total=record["total"],
    )
