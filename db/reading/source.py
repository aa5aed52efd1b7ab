"""What a noun says about its storage: columns, values, links, orders, filters and who sees which row.

An expression is a function of the aliased row: `lambda t: t.full_name`. A plain string names a column.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from sqlalchemy import Table

from db.reading.writer import Alias, Writer

Expression = Callable[[Alias], str]


@dataclass(frozen=True, slots=True)
class Computed:
    """An expression that needs the statement being written: its caller, another table's alias, a key."""

    sql: Callable[[Writer, Alias], str]


Predicate = Callable[[Writer, Alias], str | None]
"""A condition on a row for a caller; None where the caller needs none."""
Rows = Callable[[Writer, Alias, Mapping[str, object]], str]
"""A subquery for a parent row and the field's arguments."""


class Print(Enum):
    """How PostgreSQL prints a leaf as JSON; both executions use the same rule."""

    QUOTED = "QUOTED"
    """Characters that need no escaping: uuid, enum, decimal."""
    TEXT = "TEXT"
    """Text, times and dates, escaped by `to_json`."""
    BARE = "BARE"
    """Integers, floats, booleans."""
    JSON = "JSON"
    """A json or text[] column, printed as it is."""


@dataclass(frozen=True, slots=True)
class Column:
    """A leaf."""

    sql: Callable[[Writer, Alias], str]
    print: Print
    null: bool = False
    mask: Predicate | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """An object or list without an id: read from the row itself, or from `rows` (a subquery)."""

    fields: Mapping[str, Column | Value | Choice | Link]
    null: Expression | None = None
    rows: Rows | None = None
    many: bool = False
    mask: Predicate | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A value whose columns depend on the field's arguments."""

    by: Callable[[Mapping[str, object]], Value]
    mask: Predicate | None = None


Entry = Column | Value | Choice


@dataclass(frozen=True, slots=True)
class Through:
    """A table between two sources: its column `here` holds this row's key, its column `there` the other row's id."""

    table: str
    here: str
    there: str


@dataclass(frozen=True, slots=True)
class Link:
    """To another source: by a key in this row (`local`), or by a column there that holds this row's key (`remote`).

    Where many rows belong to many, `remote` is the table between them, or writes the condition on a row there and this
    row's key. A list holds `most` rows at most, in the order of `sort` where it has one of its own.
    """

    target: str
    local: str | Callable[[Writer, Alias], str] | None = None
    remote: str | Through | Callable[[Writer, Alias, str], str] | None = None
    key: str = "id"
    key_type: str = "uuid"
    where: Predicate | None = None
    mask: Predicate | None = None
    most: int = 100
    sort: Callable[[Writer, Alias, str], str] | None = None

    def below(self, w: Writer, t: Alias, key: str) -> str:
        """Write that row `t` of the target belongs to the parent whose key the expression `key` yields."""
        if callable(self.remote):
            return self.remote(w, t, key)
        if not isinstance(self.remote, Through):
            return f"{getattr(t, str(self.remote))} = {key}"
        between = w.alias(self.remote.table)
        return (
            f"exists (select from {self.remote.table} {between.name} where {between.tenant_id} = {w.tenant}"
            f" and {getattr(between, self.remote.here)} = {key} and {getattr(between, self.remote.there)} = {t.id})"
        )


@dataclass(frozen=True, slots=True)
class Reference:
    """To a row of one of several sources, named in the row: `<name>_noun` and `<name>_id`."""

    noun: str
    id: str
    nouns: frozenset[str] | None = None
    """The only sources that rows name, where they are fewer than the field's type has."""


@dataclass(frozen=True, slots=True)
class Ordering:
    """A sort key; never NULL, or the keyset would skip rows."""

    sql: Expression
    sql_type: str


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on a value of the declared SQL type."""

    sql_type: str
    sql: Callable[[Writer, Alias, str], str]


@dataclass(frozen=True, slots=True)
class Source:
    """One noun as `db` knows it."""

    noun: str
    table: Table
    prefix: str
    visible: Predicate
    fields: Mapping[str, Entry]
    links: Mapping[str, Link | Reference]
    orders: Mapping[str, Ordering]
    filters: Mapping[str, Filter]
    default_order: tuple[str, bool]
    listed: Predicate | None = None
    forwards: str | None = None
    proves: Mapping[str, str] = field(default_factory=dict)
    """What a row that the caller sees shows by itself: rules, and the column that names the row each holds for."""
    restricted: Mapping[str, Predicate] = field(default_factory=dict)


class Catalogue:
    """Every source and every free-standing value, by name."""

    def __init__(self) -> None:
        """Start empty; `db.sources` fills it."""
        self.sources: dict[str, Source] = {}
        self.values: dict[str, Value] = {}
        self.events: Table | None = None
        """Where the events are that subscriptions answer."""

    def add(self, *sources: Source) -> None:
        """Register sources."""
        for source in sources:
            if source.noun in self.sources:
                raise ValueError(f"Source {source.noun!r} is declared twice.")
            self.sources[source.noun] = source


def source(
    noun: str,
    table: Table,
    /,
    *,
    prefix: str,
    visible: Predicate,
    default_order: tuple[str, bool],
    columns: Mapping[str, Entry],
    links: Mapping[str, Link | Reference] | None = None,
    orders: Mapping[str, Ordering] | None = None,
    filters: Mapping[str, Filter] | None = None,
    listed: Predicate | None = None,
    forwards: str | None = None,
    proves: Mapping[str, str] | None = None,
) -> Source:
    """Declare a source. `default_order` is (order field, descending).

    `listed` narrows the root connection only; `forwards` names the column that leads from an absorbed row to its heir.
    """
    links = links or {}
    restricted = {
        name: entry.mask
        for name, entry in {**columns, **links}.items()
        if not isinstance(entry, Reference) and entry.mask is not None
    }
    return Source(
        noun, table, prefix, visible, columns, links, orders or {}, filters or {}, default_order, listed, forwards,
        proves or {}, restricted,
    )  # fmt: skip
