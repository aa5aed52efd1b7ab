"""Which rows of a source a caller sees, and which of them a filter leaves: for lists, counts and sums alike."""

from __future__ import annotations

from collections.abc import Mapping

from db.reading.source import Source
from db.reading.writer import Alias, Writer


def visible(w: Writer, source: Source, t: Alias, *extra: str | None) -> str:
    """Write that row `t` is the caller's to see and fits every condition of `extra`; None is no condition."""
    conditions = [f"{t.tenant_id} = {w.tenant}", *extra, source.visible(w, t)]
    return " and ".join(f"({condition})" for condition in conditions if condition is not None)


def filtered(w: Writer, source: Source, t: Alias, filter: Mapping[str, object]) -> list[str]:
    """Write one condition for each entry of a filter, its values bound."""
    declared = source.filters
    return [declared[name].sql(w, t, w.bind(value, declared[name].sql_type)) for name, value in filter.items()]


def matching(w: Writer, source: Source, t: Alias, filter: Mapping[str, object]) -> str:
    """Write that row `t` is in the root connection of `source` under a filter.

    A value that counts or sums says with this which rows it stands for, so that it agrees with the list.
    """
    listed = source.listed(w, t) if source.listed is not None else None
    return visible(w, source, t, listed, *filtered(w, source, t, filter))


def contains(column: str, value: str) -> str:
    """Write that a column in lower case holds a text somewhere, in any case: every character stands for itself."""
    return f"strpos({column}, lower({value})) > 0"
