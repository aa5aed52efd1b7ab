"""Rows and values as JSON text: one rule per kind of leaf, shared by every execution."""

from __future__ import annotations

from collections.abc import Iterable

from db.reading.pieces import Pieces, literal
from db.reading.source import Choice, Column, Entry, Link, Predicate, Print, Reference, Source, Value
from db.reading.writer import Alias, Writer
from domain.reading import Selected, client_name


def row(w: Writer, source: Source, t: Alias, fields: Iterable[Selected]) -> str:
    """Write one row of `source` as a JSON object: its id, the selected fields, the keys of the selected links."""
    pieces = Pieces().text(f'{{"id":"{source.prefix}_').sql(t.id).text('"')
    for selected in fields:
        if selected.name == "id":
            continue
        if selected.name == "restricted_fields":
            pieces.text(',"restricted_fields":').sql(restricted(w, source, t))
        elif selected.name in source.links:
            pieces.text(f',"_{selected.key}":').sql(link_key(w, source.links[selected.name], t))
        else:
            pieces.text(f',"{_key(selected)}":').sql(entry(w, source.fields[selected.name], t, selected))
    return str(pieces.text("}"))


def entry(w: Writer, declared: Entry | Link, t: Alias, selected: Selected) -> str:
    """Write one leaf, value or (inside a value) link key; never NULL."""
    if isinstance(declared, Link):
        return link_key(w, declared, t)
    mask = declared.mask
    if isinstance(declared, Choice):
        declared = declared.by(dict(selected.arguments))
    if isinstance(declared, Column):
        return masked(w, mask, t, leaf(w, declared, t))
    return masked(w, mask, t, _value(w, declared, t, selected))


def leaf(w: Writer, column: Column, t: Alias) -> str:
    """Write one leaf by its declared kind."""
    expression = column.sql(w, t)
    null = column.null or column.mask is not None
    match column.print:
        case Print.TEXT:
            printed = f"to_json({expression})"
        case Print.QUOTED:
            return f"""coalesce('"' || {expression} || '"', 'null')""" if null else f"""'"' || {expression} || '"'"""
        case _:
            printed = expression
    return f"coalesce(({printed})::text, 'null')" if null else f"({printed})::text"


def link_key(w: Writer, link: Link | Reference, t: Alias) -> str:
    """Write the key by which a link is followed, as a JSON string or null."""
    if isinstance(link, Reference):
        return f"""coalesce('"' || {getattr(t, link.noun)} || ':' || {getattr(t, link.id)} || '"', 'null')"""
    key = link_expression(w, link, t)
    return masked(w, link.mask, t, f"""coalesce('"' || {key} || '"', 'null')""")


def link_expression(w: Writer, link: Link, t: Alias) -> str:
    """Write the key by which a link is followed."""
    if link.local is None:
        return t.column(link.key)
    return link.local(w, t) if callable(link.local) else t.column(link.local)


def restricted(w: Writer, source: Source, t: Alias) -> str:
    """Write the list of the fields that this caller may not see in this row."""
    names_of: dict[Predicate, list[str]] = {}
    for name, mask in source.restricted.items():
        names_of.setdefault(mask, []).append(client_name(name))
    decided = [(decision(w, mask, t), names) for mask, names in names_of.items()]
    groups = [(allowed, names) for allowed, names in decided if allowed is not None]
    if not groups:
        return literal("[]")
    arrays = [
        f"case when {allowed} then array[]::text[] else array[{', '.join(map(literal, sorted(names)))}] end"
        for allowed, names in groups
    ]
    return f"array_to_json({' || '.join(arrays)})"


def free_value(w: Writer, value: Value, selected: Selected) -> str:
    """Write a value that stands on its own, at the root of a statement."""
    return _value(w, value, w.alias(), selected)


def _value(w: Writer, value: Value, t: Alias, selected: Selected) -> str:
    if value.rows is None:
        printed = _object(w, value, t, selected)
        return printed if value.null is None else f"case when {value.null(t)} then 'null' else {printed} end"
    v = w.alias()
    rows = value.rows(w, t, dict(selected.arguments))
    printed = _object(w, value, v, selected)
    if value.many:
        return f"(select concat('[', string_agg({printed}, ','), ']') from ({rows}) {v.name})"
    return f"coalesce((select {printed} from ({rows}) {v.name}), 'null')"


def _object(w: Writer, value: Value, t: Alias, selected: Selected) -> str:
    pieces = Pieces().text("{")
    inherited = dict(selected.arguments)
    for number, inner in enumerate(selected.fields):
        declared = value.fields[inner.name]
        merged = Selected(inner.name, tuple({**inherited, **dict(inner.arguments)}.items()), inner.fields)
        mark = "_" if isinstance(declared, Link) else ""
        pieces.text(f'{"," if number else ""}"{mark}{_key(inner)}":').sql(entry(w, declared, t, merged))
    return str(pieces.text("}"))


def decision(w: Writer, mask: Predicate, t: Alias) -> str | None:
    """Write a mask's rule for a row, or the column in which the statement has decided it already."""
    decided = w.decided.get((mask, t.name))
    return decided if decided is not None else mask(w, t)


def masked(w: Writer, mask: Predicate | None, t: Alias, printed: str) -> str:
    """Write an expression that is null where the mask's rule does not hold."""
    allowed = decision(w, mask, t) if mask is not None else None
    return printed if allowed is None else f"case when {allowed} then {printed} else 'null' end"


def _key(selected: Selected) -> str:
    return selected.key.replace("\\", "\\\\").replace('"', '\\"')
