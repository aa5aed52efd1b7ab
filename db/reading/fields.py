"""The vocabulary of a source's columns: what a noun file is written with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from db.reading.source import Choice, Column, Computed, Expression, Link, Predicate, Print, Rows, Value
from db.reading.writer import Alias, Writer


def _expression(column: str | Expression | Computed) -> Callable[[Writer, Alias], str]:
    if isinstance(column, str):
        return lambda _w, t: t.column(column)
    if isinstance(column, Computed):
        return column.sql
    return lambda _w, t: column(t)


def text(column: str | Expression | Computed, *, null: bool = False, mask: Predicate | None = None) -> Column:
    """Text, escaped as JSON."""
    return Column(_expression(column), Print.TEXT, null, mask)


def time(column: str | Expression | Computed, *, null: bool = False, mask: Predicate | None = None) -> Column:
    """A timestamp with time zone: RFC 3339 in UTC, as PostgreSQL prints it."""
    return Column(_expression(column), Print.TEXT, null, mask)


def date(column: str | Expression | Computed, *, null: bool = False, mask: Predicate | None = None) -> Column:
    """A calendar date."""
    return Column(_expression(column), Print.TEXT, null, mask)


def enum(column: str | Expression | Computed, *, null: bool = False, mask: Predicate | None = None) -> Column:
    """An enum's name."""
    return Column(_expression(column), Print.QUOTED, null, mask)


def decimal(column: str | Expression | Computed, *, null: bool = False, mask: Predicate | None = None) -> Column:
    """A numeric printed as a string, with the column's scale."""
    return Column(_expression(column), Print.QUOTED, null, mask)


def integer(column: str | Expression | Computed, *, null: bool = False, mask: Predicate | None = None) -> Column:
    """An integer of at most 32 bits."""
    return Column(_expression(column), Print.BARE, null, mask)


def number(column: str | Expression | Computed, *, null: bool = False, mask: Predicate | None = None) -> Column:
    """A double precision; CHECKs keep NaN and infinity out, which are not JSON."""
    return Column(_expression(column), Print.BARE, null, mask)


def boolean(column: str | Expression | Computed, *, null: bool = False, mask: Predicate | None = None) -> Column:
    """A boolean, as `true` or `false`: `concat` alone would print `t`."""
    inner = _expression(column)
    return Column(lambda w, t: f"({inner(w, t)})::text", Print.BARE, null, mask)


def document(column: str | Expression | Computed, *, null: bool = False, mask: Predicate | None = None) -> Column:
    """A json column."""
    return Column(_expression(column), Print.JSON, null, mask)


def texts(column: str | Expression | Computed, *, mask: Predicate | None = None) -> Column:
    """A text[] as a list of strings, never NULL."""
    inner = _expression(column)
    return Column(lambda w, t: f"array_to_json({inner(w, t)})", Print.JSON, null=mask is not None, mask=mask)


def money(prefix: str, *, null: bool = False, mask: Predicate | None = None) -> Value:
    """`<prefix>_amount` and `<prefix>_currency` as Money."""
    return value(
        {"amount": decimal(f"{prefix}_amount"), "currency": enum(f"{prefix}_currency")},
        null=(lambda t: f"{getattr(t, prefix + '_amount')} is null") if null else None,
        mask=mask,
    )


def value(
    fields: Mapping[str, Column | Value | Choice | Link],
    *,
    null: Expression | None = None,
    rows: Rows | None = None,
    many: bool = False,
    mask: Predicate | None = None,
) -> Value:
    """An object read from the row, or from `rows`. A subquery's columns carry the names of the fields."""
    return Value(fields, null, rows, many, mask)


def choice(by: Callable[[Mapping[str, object]], Value], *, mask: Predicate | None = None) -> Choice:
    """A value whose columns the field's arguments choose: `source: RULES` reads `rules_qd_…`."""
    return Choice(by, mask)
