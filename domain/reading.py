"""What a read is, without GraphQL and without SQL: declarations, selections, pages and the port that answers them.

`graph` turns a document into selections, `db` turns selections into statements. Neither knows the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol
from uuid import UUID

from domain.access import Caller


class FieldKind(Enum):
    """How a declared field is answered."""

    COLUMN = "COLUMN"
    VALUE = "VALUE"
    LINK = "LINK"
    CONNECTION = "CONNECTION"
    LIST = "LIST"
    REFERENCE = "REFERENCE"
    STREAM = "STREAM"


@dataclass(frozen=True, slots=True)
class FieldDeclaration:
    """One field of a noun or of a value, as the schema promises it."""

    name: str
    kind: FieldKind
    nullable: bool
    target: str | None = None
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Declaration:
    """A noun (rows with an id) or a value (an object without one) that the schema shows."""

    name: str
    prefix: str | None
    fields: tuple[FieldDeclaration, ...]
    filters: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Selected:
    """One selected field: its arguments, and for a value what is selected inside it."""

    name: str
    arguments: tuple[tuple[str, object], ...] = ()
    fields: tuple[Selected, ...] = ()

    @property
    def key(self) -> str:
        """Where the answer stands in a row: two calls with different arguments are two entries."""
        return row_key(self.name, dict(self.arguments))


def client_name(name: str) -> str:
    """Return a field's name as clients see it: `list_price` is `listPrice`."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def row_key(name: str, arguments: Mapping[str, object]) -> str:
    """Return the entry of a row that holds `name` called with `arguments`."""
    if not arguments:
        return name
    return name + ":" + ",".join(f"{key}={_plain(arguments[key])}" for key in sorted(arguments))


def _plain(value: object) -> str:
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, (list, tuple)):
        return "[" + " ".join(_plain(item) for item in value) + "]"
    return str(value)


@dataclass(frozen=True, slots=True)
class Order:
    """What a connection is sorted by; the id breaks ties in the same direction."""

    field: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Page:
    """The part of a connection that was asked for, already in domain terms (enum names, uuids, datetimes)."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None
    order: Order | None = None
    filter: tuple[tuple[str, object], ...] = ()
    rows: bool = True
    counted: bool = False
    cursors: bool = False
    whole: bool = False
    """A list without pages: every row, up to what the link holds at most."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to read of a noun; `link` is (parent, field) for pages below a parent, None at the root."""

    noun: str
    fields: tuple[Selected, ...]
    link: tuple[str, str] | None = None
    page: Page = Page()


Row = dict[str, object]
"""One answered row: `id`, the selected fields by `Selected.key`, and `_<link>` with the key of each selected link."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A page of rows in the order asked for; `cursors` is empty unless they were wanted."""

    rows: list[Row] = field(default_factory=list)
    cursors: list[str] = field(default_factory=list)
    has_next: bool = False
    has_previous: bool = False
    total: int | None = None


class Reads(Protocol):
    """Answers reads for a caller: rows that the caller may not see are absent, fields it may not see are null."""

    async def by_ids(self, caller: Caller, request: Request, ids: Sequence[UUID]) -> list[Row | None]:
        """Return the rows with these ids, in their order, None where there is none to see."""

    async def pages(self, caller: Caller, request: Request, keys: Sequence[str]) -> list[Slice]:
        """Return one page per parent key, or one page for the single key "" of a root connection.

        Raises Invalid for a range or a cursor that cannot be answered.
        """

    async def value(
        self, caller: Caller, name: str, arguments: Mapping[str, object], fields: tuple[Selected, ...]
    ) -> Row:
        """Return a value that stands on its own, such as the pipeline."""
