"""The three statements of the resolver path: rows by id, a page per parent key, a value on its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.reading import conditions, cursors, printing
from db.reading.source import Link, Source, Value
from db.reading.writer import Alias, Writer
from domain.errors import Invalid
from domain.reading import Page, Request, Selected

LARGEST_PAGE: Final = 100
DEFAULT_PAGE: Final = 20


@dataclass(frozen=True, slots=True)
class Range:
    """A validated page: how many rows, from which end, between which positions, in which order."""

    size: int
    backwards: bool
    sort: cursors.Sort
    key: cursors.CursorKey
    after: cursors.Position | None
    before: cursors.Position | None


def page_range(source: Source, page: Page, key: cursors.CursorKey, tenant_id: UUID) -> Range:
    """Check a page against its source; raises Invalid naming the argument, what was asked and what is allowed."""
    if page.first is not None and page.last is not None:
        raise Invalid("Give either `first` or `last`, not both.", field="last")
    name, size = ("last", page.last) if page.last is not None else ("first", page.first)
    size = DEFAULT_PAGE if size is None else size
    if not 0 <= size <= LARGEST_PAGE:
        raise Invalid(f"`{name}` is from 0 to {LARGEST_PAGE}; {size} was asked for.", field=name)
    order, descending = source.default_order
    if page.order is not None:
        order, descending = page.order.field, page.order.descending
    sort = cursors.Sort(source.noun, order, source.orders[order], descending)
    after, before = (
        cursors.read(key, tenant_id, sort, cursor, field) if cursor is not None else None
        for cursor, field in ((page.after, "after"), (page.before, "before"))
    )
    return Range(size, page.last is not None, sort, key, after, before)


def by_ids(w: Writer, source: Source, ids: Sequence[UUID], fields: Sequence[Selected]) -> str:
    """Write the statement that answers one JSON text (or NULL) per id, in the order of `ids`."""
    t = w.alias(source.table)
    keys = f"unnest({w.bind(list(ids), 'uuid[]')}) with ordinality k(key, i)"
    if source.forwards is not None:
        keys = f"(select k.i, {heirs(w, source, keys)}) k"
    where = conditions.visible(w, source, t, f"{t.id} = k.key")
    return (
        f"select c.row from {keys} left join lateral ("
        f"select {printing.row(w, source, t, fields)} as row from {source.table.name} {t.name} where {where} limit 1"
        f") c on true order by k.i"
    )


def heirs(w: Writer, source: Source, keys: str) -> str:
    """Write what follows `select`: for each `k.key` of `keys`, the id of the row that took its place, or itself.

    Under row-level security PostgreSQL takes COALESCE for something that might leak, and would not look its result up
    in an index; it trusts CASE.
    """
    f = w.alias(source.table)
    heir = getattr(f, str(source.forwards))
    return (
        f"case when {heir} is null then k.key else {heir} end as key from {keys}"
        f" left join {source.table.name} {f.name} on {f.tenant_id} = {w.tenant} and {f.id} = k.key"
    )


class Pages:
    """The statement that answers (rows, has more, cursors, total) per parent key."""

    def __init__(self, w: Writer, source: Source, link: Link | None, request: Request, extent: Range) -> None:
        """Write with `w`; without a link it is a root connection."""
        self._w = w
        self._source = source
        self._link = link
        self._request = request
        self._extent = extent

    def write(self, keys: Sequence[str]) -> str:
        """Write it for these keys, answered in their order."""
        page = self._request.page
        bound = self._w.bind(list(keys), "text[]") if self._link is not None else "array['']"
        total = self._total() if page.counted else "null::bigint"
        if not page.rows:
            return f"select {total} as total from unnest({bound}) with ordinality k(key, i) order by k.i"
        return (
            f"select c.rows, c.more, c.cursors, {total} as total from unnest({bound}) with ordinality k(key, i)"
            f" left join lateral ({self._page()}) c on true order by k.i"
        )

    def _page(self) -> str:
        w, source, extent = self._w, self._source, self._extent
        inner, outer, row = w.alias(source.table), w.alias(), w.alias(source.table)
        direction = "desc" if extent.sort.descending is not extent.backwards else "asc"
        where = " and ".join([self._members(inner), *_keyset(w, extent, inner)])
        size = w.bind(extent.size, "bigint")
        ordered = f"{extent.sort.ordering.sql(inner)} {direction}, {inner.id} {direction}"
        if self._link is not None and self._link.sort is not None and self._request.page.whole:
            ordered = self._link.sort(w, inner, f"k.key::{self._link.key_type}")
        sort = f"order by {row.name}.n {'desc' if extent.backwards else 'asc'}"
        within = f"filter (where {row.name}.n <= {size})"
        printed = printing.row(w, source, row, self._request.fields)
        made = "null::text[]"
        if self._request.page.cursors:
            made = f"array_agg({cursors.write(w, extent.key, extent.sort, row)} {sort}) {within}"
        return (
            f"select concat('[', string_agg({printed}, ',' {sort}) {within}, ']') as rows,"
            f" count({row.name}.n) > {size} as more, {made} as cursors"
            f" from (select {outer.name}.*, row_number() over () as n from (select {inner.name}.*"
            f" from {source.table.name} {inner.name} where {where}"
            f" order by {ordered} limit {size} + 1) {outer.name}) {row.name}"
        )

    def _total(self) -> str:
        t = self._w.alias(self._source.table)
        return f"(select count(*) from {self._source.table.name} {t.name} where {self._members(t)})"

    def _members(self, t: Alias) -> str:
        """Write which rows belong to the connection at all, whatever page of it is asked for."""
        w, source, link = self._w, self._source, self._link
        filter = dict(self._request.page.filter)
        if link is None:
            return conditions.matching(w, source, t, filter)
        below = link.below(w, t, f"k.key::{link.key_type}")
        where = link.where(w, t) if link.where is not None else None
        return conditions.visible(w, source, t, below, where, *conditions.filtered(w, source, t, filter))


def free_value(w: Writer, value: Value, selected: Selected) -> str:
    """Write the statement that answers a value on its own as one JSON text."""
    return f"select {printing.free_value(w, value, selected)} as row"


def _keyset(w: Writer, extent: Range, t: Alias) -> list[str]:
    found = []
    for position, onwards in ((extent.after, True), (extent.before, False)):
        if position is None:
            continue
        sign = "<" if extent.sort.descending is onwards else ">"
        value = f"{w.bind(position.value, 'text')}::{extent.sort.ordering.sql_type}"
        found.append(f"({extent.sort.ordering.sql(t)}, {t.id}) {sign} ({value}, {w.bind(position.id, 'uuid')})")
    return found
