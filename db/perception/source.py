"""How QD scores are read: a person's series, a session's, and the sentiment scatter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, cast

from db.perception.tables import qd_rollups, qd_scores, visitor_scores
from db.reading.fields import boolean, enum, integer, number, time, value
from db.reading.source import Link, Rows, Value
from db.reading.writer import Alias, Writer
from db.visibility import known_person, own_person
from domain.perception import QdKind, QdSource, Span, bucket_width, buckets, check_scatter

DECIMALS: Final = 4
"""Means are rounded: a sum of doubles depends in its last digits on the order in which they were read."""

SCATTERED: Final = ("person_id", "engagement", "valence", "qd_score", "interaction_count")
"""What a point of the scatter is made of."""


def qd_series() -> Value:
    """A value of a person's row: their scores in equal buckets that begin at `from`, empty ones left out."""
    return _of_buckets(_series)


def session_series() -> Value:
    """A value of a session's row: its scores, whether its visitor has a name or not."""
    return _of_buckets(_session)


def _of_buckets(rows: Rows) -> Value:
    points = value(
        {"at": time("at"), "score": number("score"), "low": number("low"), "high": number("high")},
        rows=lambda _w, t, _arguments: (
            f"select at, score, low, high from unnest({t.ats}, {t.scores}, {t.lows}, {t.highs})"
            f" as p(at, score, low, high)"
        ),
        many=True,
    )
    return value(
        {
            "source": enum("source"),
            "points": points,
            "min": number("min", null=True),
            "max": number("max", null=True),
            "mean": number("mean", null=True),
            "count": integer("count"),
        },
        rows=rows,
    )


def _series(w: Writer, t: Alias, arguments: Mapping[str, object]) -> str:
    """Scores of parts of hours, and what whole hours sum up to: from both the buckets, and from them the whole."""
    from_, to = cast("datetime", arguments["from"]), cast("datetime", arguments["to"])
    cut = buckets(from_, to, cast("int", arguments["points"]))
    read = [_scores(w, t, span, arguments) for span in cut.parts]
    if cut.hours is not None:
        read.append(_hours(w, t, cut.hours, arguments))
    return _bucketed(w, read, cut.width, cut.start, arguments)


def _session(w: Writer, t: Alias, arguments: Mapping[str, object]) -> str:
    """Scores of one session, which is short: no hours are summed up. Its row was seen, and so are its scores."""
    from_, to = cast("datetime", arguments["from"]), cast("datetime", arguments["to"])
    width = bucket_width(from_, to, cast("int", arguments["points"]))
    read = []
    for table, owner in ((qd_scores, "person_id"), (visitor_scores, "session_id")):
        s = w.alias(table)
        mine = f"{s.person_id} = {t.person_id}" if owner == "person_id" else "true"
        conditions = [
            f"{s.tenant_id} = {w.tenant}", mine, f"{s.session_id} = {t.id}",
            f"{s.source} = {w.bind(asked_source(arguments).name, 'text')}", *_spanned(w, s.at, (from_, to)),
        ]  # fmt: skip
        read.append(
            f"select {s.at} as at, {s.score} as low, {s.score} as high, {s.score} as total, 1 as scores"
            f" from {table.name} {s.name} where {' and '.join(conditions)}"
        )
    return _bucketed(w, read, width, from_, arguments)


def _bucketed(w: Writer, read: Sequence[str], wide: timedelta, begin: datetime, arguments: Mapping[str, object]) -> str:
    """Write the buckets of what `read` selects, and from them the whole."""
    from_ = cast("datetime", arguments["from"])
    width, start = w.bind(wide, "interval"), w.bind(begin, "timestamptz")
    binned = (
        f"select date_bin({width}, at, {start}) as at, min(low) as low, max(high) as high, sum(total) as total,"
        f" sum(scores) as scores from ({' union all '.join(read)}) r group by 1"
    )
    ats = f"greatest(at, {w.bind(from_, 'timestamptz')})"
    return (
        f"select {w.bind(asked_source(arguments).name, 'text')} as source, min(low) as min, max(high) as max,"
        f" {_rounded('sum(total) / sum(scores)')} as mean, coalesce(sum(scores), 0) as count,"
        f" array_agg({ats} order by at) as ats, array_agg({_rounded('total / scores')} order by at) as scores,"
        f" array_agg(low order by at) as lows, array_agg(high order by at) as highs from ({binned}) b"
    )


def _scores(w: Writer, t: Alias, span: Span, arguments: Mapping[str, object]) -> str:
    """Read one range of the key of a person's scores."""
    s = w.alias(qd_scores)
    conditions = _asked(w, t, s, arguments) + _spanned(w, s.at, span)
    if arguments.get("kinds") is not None:
        conditions += _of_kinds(w, s, arguments)
    return (
        f"select {s.at} as at, {s.score} as low, {s.score} as high, {s.score} as total, 1 as scores"
        f" from qd_scores {s.name} where {' and '.join(conditions)}"
    )


def _hours(w: Writer, t: Alias, span: Span, arguments: Mapping[str, object]) -> str:
    """Read one range of the key of a person's hours for each kind, which are named even where all are asked for."""
    r = w.alias(qd_rollups)
    conditions = _asked(w, t, r, arguments) + _of_kinds(w, r, arguments) + _spanned(w, r.hour, span)
    return (
        f"select {r.hour} as at, {r.low} as low, {r.high} as high, {r.total} as total, {r.scores} as scores"
        f" from qd_rollups {r.name} where {' and '.join(conditions)}"
    )


def _asked(w: Writer, t: Alias, s: Alias, arguments: Mapping[str, object]) -> list[str]:
    known = known_person()(w, t)
    return [
        f"{s.tenant_id} = {w.tenant}",
        f"{s.person_id} = {t.id}",
        f"{s.source} = {w.bind(asked_source(arguments).name, 'text')}",
        *([f"({known})"] if known is not None else []),
    ]


def _spanned(w: Writer, at: str, span: Span) -> list[str]:
    begin, end = span
    return [f"{at} >= {w.bind(begin, 'timestamptz')}", f"{at} < {w.bind(end, 'timestamptz')}"]


def _of_kinds(w: Writer, s: Alias, arguments: Mapping[str, object]) -> list[str]:
    kinds = cast("tuple[QdKind, ...] | None", arguments.get("kinds"))
    names = [kind.name for kind in (QdKind if kinds is None else kinds)]
    return [f"{s.kind} = any({w.bind(names, 'text[]')})"]


def asked_source(arguments: Mapping[str, object]) -> QdSource:
    """Return the source that a field asks for; null asks for what leaving it out does."""
    return cast("QdSource | None", arguments["source"]) or QdSource.RULES


def _rounded(expression: str) -> str:
    return f"round(({expression})::numeric, {DECIMALS})::double precision"


def _range(w: Writer, t: Alias, column: str, arguments: Mapping[str, object]) -> str:
    at = getattr(t, column)
    from_, to = (w.bind(arguments[name], "timestamptz") for name in ("from", "to"))
    return f"{at} >= {from_} and {at} < {to}"


def _counted(w: Writer, arguments: Mapping[str, object]) -> str:
    """How many interactions that the caller sees each person had in the range."""
    i = w.alias("interactions")
    own = own_person("person_id")(w, i)
    return (
        f"select {i.person_id} as person_id, count(*) as interaction_count from interactions {i.name}"
        f" where {i.tenant_id} = {w.tenant} and {_range(w, i, 'occurred_at', arguments)}"
        f" and {i.person_id} is not null{f' and ({own})' if own else ''} group by 1"
    )


def _scattered(w: Writer, arguments: Mapping[str, object]) -> str:
    """The people who had an interaction or a score in the range, most interactions first, one more than asked for.

    Whether there is a score follows from the person's newest one, but for people whose newest came after the range:
    they are looked up one by one. (`exists` instead of `limit 1` would be hashed, and read everybody's scores.)
    """
    p, s = w.alias("people"), w.alias(qd_scores)
    from_, to = (w.bind(arguments[name], "timestamptz") for name in ("from", "to"))
    known = known_person()(w, p)
    scored = (
        f"{p.rules_qd_at} >= {from_} and ({p.rules_qd_at} < {to} or (select true from qd_scores {s.name}"
        f" where {s.tenant_id} = {w.tenant} and {s.person_id} = {p.id} and {_range(w, s, 'at', arguments)}"
        f" and {s.source} = 'RULES' limit 1))"
    )
    return (
        f"select {p.id} as person_id, coalesce(c.interaction_count, 0) as interaction_count from people {p.name}"
        f" left join ({_counted(w, arguments)}) c on c.person_id = {p.id}"
        f" where {p.tenant_id} = {w.tenant} and {p.merged_into_id} is null{f' and ({known})' if known else ''}"
        f" and (c.interaction_count is not null or {scored})"
        f" order by interaction_count desc, person_id limit {w.bind(arguments['first'], 'bigint')} + 1"
    )


def _scatter(w: Writer, _t: Alias, arguments: Mapping[str, object]) -> str:
    check_scatter(
        cast("datetime", arguments["from"]), cast("datetime", arguments["to"]), cast("int", arguments["first"])
    )
    s = w.alias(qd_scores)
    means = ", ".join(
        f"{_rounded(f'avg({getattr(s, column)})')} as {name}"
        for column, name in (("engagement", "engagement"), ("valence", "valence"), ("score", "qd_score"))
    )
    chosen = (
        f"select m.*, c.interaction_count, c.person_id from ({_scattered(w, arguments)}) c cross join lateral"
        f" (select {means} from qd_scores {s.name} where {s.tenant_id} = {w.tenant} and {s.person_id} = c.person_id"
        f" and {_range(w, s, 'at', arguments)} and {s.source} = 'RULES') m"
    )
    arrays = ", ".join(f"array_agg({name} order by interaction_count desc, person_id) as {name}s" for name in SCATTERED)
    return f"select count(*) > {w.bind(arguments['first'], 'bigint')} as truncated, {arrays} from ({chosen}) x"


def _scatter_points(w: Writer, t: Alias, arguments: Mapping[str, object]) -> str:
    names, arrays = ", ".join(SCATTERED), ", ".join(getattr(t, f"{name}s") for name in SCATTERED)
    first = w.bind(arguments["first"], "bigint")
    return f"select {names} from unnest({arrays}) as p({names}) limit {first}"


SENTIMENT_POINTS = value(
    {
        "person": Link("people", local="person_id"),
        "engagement": number("engagement", null=True),
        "valence": number("valence", null=True),
        "qd_score": number("qd_score", null=True),
        "interaction_count": integer("interaction_count"),
    },
    rows=_scatter_points,
    many=True,
)
SENTIMENT_SCATTER = value({"points": SENTIMENT_POINTS, "truncated": boolean("truncated")}, rows=_scatter)
