"""A connection inside a compiled statement: its page, its edges, its page information and its total."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from db.reading import conditions, cursors
from db.reading.pieces import Pieces, literal
from db.reading.source import Link, Source
from db.reading.statements import Range
from db.reading.template import Scope, Slot
from db.reading.writer import Alias
from domain.answers import Entry, Listed, Shape

if TYPE_CHECKING:
    from db.reading.compiler import Compiler

TRUE: Final = literal("true")
FALSE: Final = literal("false")


class PageWriter:
    """Writes one connection or list. Without a link it stands at the root."""

    def __init__(self, compiler: Compiler, source: Source, link: Link | None, parent: Alias | None) -> None:
        """Write rows of `source` that belong to the parent row by `link`."""
        self.compiler = compiler
        self.w = compiler.w
        self.source = source
        self._link = link
        self._parent = parent

    def list(self, shape: Shape, most: int) -> str:
        """Write a list of rows in the source's own order."""
        order, descending = self.source.default_order
        w, t = self.w, self.w.alias(self.source.table)
        inner = w.alias(self.source.table)
        self.belongs(t)
        direction = "desc" if descending else "asc"
        ordered = f"{self.source.orders[order].sql(inner)} {direction}, {inner.id} {direction}"
        if self._link is not None and self._link.sort is not None and self._parent is not None:
            ordered = self._link.sort(w, inner, getattr(self._parent, self._link.key))
        w.read(inner)
        rows = self.numbered(inner, self.members(inner, {}), ordered, str(most))
        scope = Scope()
        printed = self.compiler.row(self.source, t, shape, scope)
        listed = f"concat('[', string_agg({printed}, ',' order by {t.name}.n), ']')"
        return f"select {listed} as j from ({rows}) {t.name}{scope}"

    def page(self, part: Listed, extent: Range, filters: tuple[str, ...]) -> str:
        """Write the subquery that answers the connection as `j`, one row always."""
        filter = {name: Slot(f"page {part.page} filter {name}") for name in filters}
        return _Page(self, part, extent, filter).write()

    def numbered(self, inner: Alias, where: str, ordered: str, limit: str, *, counted: bool = False) -> str:
        """Write the first rows of an order with their number `n`, and with `total`, how many were read."""
        outer = self.w.alias()
        total = ", count(*) over () as total" if counted else ""
        return (
            f"select {outer.name}.*, row_number() over () as n{total} from (select {inner.name}.*"
            f" from {self.source.table.name} {inner.name} where {where} order by {ordered} limit {limit}) {outer.name}"
        )

    def members(self, t: Alias, filter: dict[str, Slot]) -> str:
        """Write which rows belong to the connection, whatever page of it is asked for."""
        w, source, link = self.w, self.source, self._link
        if link is None or self._parent is None:
            return conditions.matching(w, source, t, filter)
        self.belongs(t)
        below = link.below(w, t, getattr(self._parent, link.key))
        where = link.where(w, t) if link.where is not None else None
        return conditions.visible(w, source, t, below, where, *conditions.filtered(w, source, t, filter))

    def belongs(self, t: Alias) -> None:
        """Note that what is known of the parent holds for rows `t` too."""
        if self._link is not None and self._parent is not None and isinstance(self._link.remote, str):
            self.w.equate(getattr(self._parent, self._link.key), t.column(self._link.remote))


class _Page:
    """One connection being written."""

    def __init__(self, writer: PageWriter, part: Listed, extent: Range, filter: dict[str, Slot]) -> None:
        self._rows_of = writer
        self._w = writer.w
        self._source = writer.source
        self._part = part
        self._extent = extent
        self._filter = filter
        self._slot = f"page {part.page}"
        self._row = self._w.alias(self._source.table)
        self._size = ""
        self._scope = Scope()
        self._aggregated = False
        self._counted = False

    def write(self) -> str:
        """Write the entries; a page is read only if an entry needs one."""
        self._rows_of.belongs(self._row)
        self._size = self._w.bind(Slot(f"{self._slot} size"), "bigint") if self._reads_rows() else ""
        pieces = Pieces().text("{")
        for number, entry in enumerate(self._part.entries):
            with self._w.within(entry.key):
                pieces.text(f'{"," if number else ""}"{entry.key}":').sql(self._entry(entry))
        printed = str(pieces.text("}"))
        if not self._aggregated:
            return f"select {printed} as j"
        return f"select {printed} as j from ({self._rows()}) {self._row.name}{self._scope}"

    def _reads_rows(self) -> bool:
        names = {inner.name for entry in self._part.entries if entry.name == "page_info" for inner in entry.parts}
        asked = "has_previous_page" if self._extent.backwards else "has_next_page"
        edges = any(entry.name == "edges" for entry in self._part.entries)
        return edges or bool(names & {asked, "start_cursor", "end_cursor"})

    def _rows(self) -> str:
        w, extent = self._w, self._extent
        inner = w.alias(self._source.table)
        w.read(inner)
        direction = "desc" if extent.sort.descending is not extent.backwards else "asc"
        where = " and ".join([self._members(inner), *self._keyset(inner)])
        ordered = f"{extent.sort.ordering.sql(inner)} {direction}, {inner.id} {direction}"
        return self._rows_of.numbered(inner, where, ordered, f"{self._size} + 1", counted=self._counted)

    def _members(self, t: Alias) -> str:
        return self._rows_of.members(t, self._filter)

    def _keyset(self, t: Alias) -> list[str]:
        extent, found = self._extent, []
        for name, position, onwards in (("after", extent.after, True), ("before", extent.before, False)):
            if position is None:
                continue
            sign = "<" if extent.sort.descending is onwards else ">"
            value = f"{self._w.bind(Slot(f'{self._slot} {name} value'), 'text')}::{extent.sort.ordering.sql_type}"
            row_id = self._w.bind(Slot(f"{self._slot} {name} id"), "uuid")
            found.append(f"({extent.sort.ordering.sql(t)}, {t.id}) {sign} ({value}, {row_id})")
        return found

    def _entry(self, entry: Entry) -> str:
        match entry.name:
            case "__typename":
                return literal(f'"{self._part.type_names["connection"]}"')
            case "edges":
                return self._edges(entry)
            case "page_info":
                return self._page_info(entry)
            case "total_count":
                t = self._w.alias(self._source.table)
                self._w.read(t)
                return f"(select count(*) from {self._source.table.name} {t.name} where {self._members(t)})::text"
            case _:
                raise TypeError(f"A connection has no {entry.name}.")

    def _edges(self, entry: Entry) -> str:
        self._aggregated = True
        pieces = Pieces().text("{")
        for number, inner in enumerate(entry.parts):
            with self._w.within(inner.key):
                pieces.text(f'{"," if number else ""}"{inner.key}":').sql(self._edge(inner))
        printed = str(pieces.text("}"))
        direction = "desc" if self._extent.backwards else "asc"
        within = f"filter (where {self._row.name}.n <= {self._size})"
        return f"concat('[', string_agg({printed}, ',' order by {self._row.name}.n {direction}) {within}, ']')"

    def _edge(self, inner: Entry) -> str:
        if inner.name == "__typename":
            return literal(f'"{self._part.type_names["edge"]}"')
        if inner.name == "cursor":
            return f"""concat('"', {self._cursor()}, '"')"""
        if inner.shape is None:
            raise TypeError(f"An edge has no {inner.name}.")
        return self._rows_of.compiler.row(self._source, self._row, inner.shape, self._scope)

    def _page_info(self, entry: Entry) -> str:
        pieces = Pieces().text("{")
        for number, inner in enumerate(entry.parts):
            pieces.text(f'{"," if number else ""}"{inner.key}":').sql(self._info(inner.name))
        return str(pieces.text("}"))

    def _info(self, name: str) -> str:
        backwards = self._extent.backwards
        match name:
            case "__typename":
                return literal('"PageInfo"')
            case "has_next_page" if backwards:
                return FALSE if self._extent.before is None else TRUE
            case "has_previous_page" if not backwards:
                return FALSE if self._extent.after is None else TRUE
            case "has_next_page" | "has_previous_page":
                self._aggregated = True
                return f"case when count({self._row.name}.n) > {self._size} then 'true' else 'false' end"
            case "start_cursor" | "end_cursor":
                return self._edge_cursor(first=(name == "start_cursor") is not backwards)
            case _:
                raise TypeError(f"The page information has no {name}.")

    def _edge_cursor(self, *, first: bool) -> str:
        """Write the cursor of the first or the last row that was read; only that row's is computed."""
        self._aggregated = self._counted = True
        n = f"{self._row.name}.n"
        which = "1" if first else f"least({self._row.name}.total, {self._size})"
        found = f"max({self._cursor()}) filter (where {n} = {which} and {n} <= {self._size})"
        return f"""coalesce('"' || {found} || '"', 'null')"""

    def _cursor(self) -> str:
        return cursors.write(self._w, self._extent.key, self._extent.sort, self._row)
