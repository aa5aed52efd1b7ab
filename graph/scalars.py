"""The scalars of the schema. Answered values are text that PostgreSQL printed, so printing is mostly passing on."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Final, NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

# The database driver takes Python's first and last moment for minus infinity and infinity, and so with days.
INFINITE: Final = {dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)}
INFINITE_DAYS: Final = {dt.date.min, dt.date.max}

DateTime = dt.datetime
Date = dt.date
EventCursor = NewType("EventCursor", str)
URL = NewType("URL", str)
JSON = NewType("JSON", object)
BlendShapes = NewType("BlendShapes", object)
FaceLandmarks = NewType("FaceLandmarks", object)


def parse_time(value: object) -> dt.datetime:
    """Read RFC 3339; raises GraphQLError, which graphql-core reports with the value's place."""
    if not isinstance(value, str) or _RFC_3339.fullmatch(value) is None:
        raise GraphQLError("A DateTime is RFC 3339 with an offset, such as 2026-11-20T10:00:00Z.")
    try:
        moment = dt.datetime.fromisoformat(value).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise GraphQLError("There is no such moment.") from None
    if moment in INFINITE:
        raise GraphQLError("A DateTime lies after the first moment of year 1 and before the last of year 9999.")
    return moment


def parse_date(value: object) -> dt.date:
    """Read an ISO 8601 calendar date; raises GraphQLError."""
    try:
        if not isinstance(value, str) or _DATE.fullmatch(value) is None:
            raise GraphQLError("A Date is a calendar date, such as 2026-11-20.")
        day = dt.date.fromisoformat(value)
    except ValueError:
        raise GraphQLError("There is no such day.") from None
    if day in INFINITE_DAYS:
        raise GraphQLError("A Date lies after the first day of year 1 and before the last of year 9999.")
    return day


def print_time(value: Any) -> str:
    """Print a time as PostgreSQL does: no trailing zeros, `+00:00`."""
    if isinstance(value, str):
        return value
    text: str = value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    moment, _, offset = text.partition("+")
    return f"{moment.rstrip('0').rstrip('.')}+{offset}"


def _print_date(value: Any) -> str:
    return value if isinstance(value, str) else value.isoformat()


def _measured(value: Any) -> Any:
    """Take whatever was sent: a refusal here would repeat it. Whoever scores it says what is wrong with it."""
    return tuple(value) if isinstance(value, list) else value


def _same(value: Any) -> Any:
    return value


SCALARS: dict[object, ScalarDefinition] = {
    dt.datetime: strawberry.scalar(
        name="DateTime", description="RFC 3339, UTC.", serialize=print_time, parse_value=parse_time
    ),
    dt.date: strawberry.scalar(
        name="Date", description="A calendar date, ISO 8601.", serialize=_print_date,
        parse_value=parse_date,
    ),
    EventCursor: strawberry.scalar(
        name="EventCursor", description="A position in the tenant's event sequence; opaque. Not a page cursor.",
        serialize=str, parse_value=str,
    ),
    URL: strawberry.scalar(name="URL", description="An absolute or same-origin URL.", serialize=str, parse_value=str),
    BlendShapes: strawberry.scalar(
        name="BlendShapes",
        description="MediaPipe's 52 blend shapes, 0 to 1: an object of names and numbers, or an array in their order.",
        serialize=_same, parse_value=_measured,
    ),
    FaceLandmarks: strawberry.scalar(
        name="FaceLandmarks",
        description="478, 468 or 68 points `[x, y, z]`; x and y are shares of the picture's sides.",
        serialize=_same, parse_value=_measured,
    ),
    JSON: strawberry.scalar(name="JSON", description="Any JSON value.", serialize=_same, parse_value=_same),
}  # fmt: skip
