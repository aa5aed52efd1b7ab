"""Connections, and the small types and inputs of the plain peer."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from enum import Enum
from typing import Generic, TypeVar

import strawberry

from bench.plain.rows import Rows

T = TypeVar("T")
Info = strawberry.Info[Rows, None]


def given(info: Info) -> Rows:
    """Return the loaders of this request."""
    return info.context


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class Edge(Generic[T]):
    node: T


@strawberry.type
class Connection(Generic[T]):
    edges: list[Edge[T]]
    page_info: PageInfo


def page(rows: list[T], first: int, cursor: tuple[str, str] | None = None) -> Connection[T]:
    """Make a connection of rows, of which one more than `first` may have been read."""
    shown = rows[:first]
    end = None
    if cursor is not None and shown:
        order, attribute = cursor
        last = shown[-1]
        position = [order, getattr(last, attribute).isoformat(), str(getattr(last, "id"))]  # noqa: B009 -- a row of any type
        end = base64.b64encode(json.dumps(position).encode()).decode()
    return Connection(
        edges=[Edge(node=row) for row in shown],
        page_info=PageInfo(has_next_page=len(rows) > first, end_cursor=end),
    )


@strawberry.type
class Money:
    amount: str
    currency: str


def money(amount: str | None, currency: str) -> Money | None:
    return None if amount is None else Money(amount=amount, currency=currency)


@strawberry.type
class Phone:
    e164: str


@strawberry.type
class Area:
    value: float
    unit: str


@strawberry.type
class LatestQd:
    score: float
    at: datetime
    kind: str
    source: str


@strawberry.type
class QdPoint:
    at: datetime
    score: float
    low: float
    high: float


@strawberry.type
class QdSeries:
    source: str
    points: list[QdPoint]
    min: float | None
    max: float | None
    mean: float | None
    count: int


@strawberry.type
class NextBestAction:
    kind: str
    title: str
    reason: str
    due_at: datetime | None
    computed_at: datetime


@strawberry.enum
class Direction(Enum):
    ASC = "ASC"
    DESC = "DESC"


@strawberry.enum
class Field(Enum):
    CREATED_AT = "CREATED_AT"
    OCCURRED_AT = "OCCURRED_AT"
    DUE_AT = "DUE_AT"
    LAST_MESSAGE_AT = "LAST_MESSAGE_AT"


@strawberry.enum
class TaskStatus(Enum):
    OPEN = "OPEN"
    DONE = "DONE"


@strawberry.enum
class QdKind(Enum):
    LIVE = "LIVE"
    SESSION = "SESSION"
    PROFILE = "PROFILE"


@strawberry.enum
class QdSource(Enum):
    RULES = "RULES"
    MODEL = "MODEL"
    IMPORTED = "IMPORTED"


@strawberry.input
class LeadOrder:
    field: Field
    direction: Direction


@strawberry.input
class InteractionOrder:
    field: Field
    direction: Direction


@strawberry.input
class TaskOrder:
    field: Field
    direction: Direction


@strawberry.input
class ThreadOrder:
    field: Field
    direction: Direction


@strawberry.input
class PropertyOrder:
    field: Field
    direction: Direction


@strawberry.input
class LeadFilter:
    search: str | None = None


@strawberry.input
class PropertyFilter:
    search: str | None = None


@strawberry.input
class TaskFilter:
    status: TaskStatus | None = None
