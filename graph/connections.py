"""The Relay connection types; their cursors are keysets made by the database."""

from __future__ import annotations

from typing import Generic, TypeVar

import strawberry

T = TypeVar("T")


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    """Relay's page information."""

    has_next_page: bool = strawberry.field(description="Whether more rows follow the page.")
    has_previous_page: bool = strawberry.field(description="Whether rows come before the page.")
    start_cursor: str | None = strawberry.field(description="The first row's cursor; null for an empty page.")
    end_cursor: str | None = strawberry.field(
        description="The last row's cursor: pass it as `after` for the next page."
    )


@strawberry.type(description="A row in a list.")
class Edge(Generic[T]):
    """A row and its place."""

    cursor: str = strawberry.field(
        description="The place of this row in its order; stays right when rows are inserted."
    )
    node: T = strawberry.field(description="The row.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """A page of rows."""

    edges: list[Edge[T]] = strawberry.field(description="The rows of the page, in order.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")
    total_count: int = strawberry.field(description="How many rows the whole list has; counted only when selected.")
