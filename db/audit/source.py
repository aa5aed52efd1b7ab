"""How the audit trail, the activity feed and the tenant's place in its events are read."""

from __future__ import annotations

from db.audit.tables import activity_entries, audit_entries
from db.reading.events import event, position
from db.reading.fields import decimal, enum, text, texts, time, value
from db.reading.source import Filter, Link, Ordering, Predicate, Reference, source
from db.reading.writer import Alias, Writer
from db.visibility import any_of, own_person
from domain.audit import ACTIVITY_NOUNS


def _by_member(w: Writer, t: Alias) -> str | None:
    return None if w.unrestricted else f"{t.actor_noun} = 'users' and {t.actor_id} = any({w.members})"


def _trail(w: Writer, t: Alias) -> str | None:
    return "false" if w.junior else _by_member(w, t)


def _is(name: str) -> Filter:
    """Compare a reference with `noun:uuid`; both halves, so that the index serves."""
    return Filter(
        "text",
        lambda _w, t, sent: (
            f"{t.column(name + '_noun')} = split_part({sent}, ':', 1)"
            f" and {t.column(name + '_id')} = split_part({sent}, ':', 2)::uuid"
        ),
    )


AUDIT_ENTRIES = source(
    "audit_entries",
    audit_entries,
    prefix="audit",
    visible=_trail,
    default_order=("SEQUENCE", True),
    columns={
        "sequence": decimal(lambda t: f"{t.sequence}::text"),
        "at": time("at"),
        "action": enum("action"),
        "changed_fields": texts("changed_fields"),
        "hash": enum(lambda t: f"encode({t.hash}, 'hex')"),
    },
    links={"actor": Reference("actor_noun", "actor_id"), "subject": Reference("subject_noun", "subject_id")},
    orders={"SEQUENCE": Ordering(lambda t: t.sequence, "bigint")},
    filters={
        "subject_id": _is("subject"),
        "actor_id": _is("actor"),
        "from_": Filter("timestamptz", lambda _w, t, sent: f"{t.at} >= {sent}"),
        "to": Filter("timestamptz", lambda _w, t, sent: f"{t.at} < {sent}"),
    },
)

_seen: Predicate = any_of(own_person("person_id"), _by_member)

ACTIVITY_ENTRIES = source(
    "activity_entries",
    activity_entries,
    prefix="activity",
    visible=_seen,
    default_order=("CREATED_AT", True),
    columns={"kind": enum("kind"), "at": time("at"), "summary": text("summary")},
    links={
        "actor": Reference("actor_noun", "actor_id"),
        "subject": Reference("subject_noun", "subject_id", ACTIVITY_NOUNS),
    },
    orders={"CREATED_AT": Ordering(lambda t: t.at, "timestamptz")},
)


def _position(w: Writer, _t: Alias, _arguments: object) -> str:
    head = w.alias("tenant_heads")
    cursor = position(w, head.event_sequence)
    return f"select {cursor} as value from tenant_heads {head.name} where {head.tenant_id} = {w.tenant}"


EVENT_CURSOR = value({"value": text("value")}, rows=_position)
"""The tenant's position in its event sequence: a leaf, so a value with the one field `value`."""


def _entry(w: Writer, t: Alias) -> str:
    entry = w.alias("activity_entries")
    return (
        f"(select {entry.id} from activity_entries {entry.name} where {entry.tenant_id} = {w.tenant}"
        f" and {entry.sequence} = {t.sequence} limit 1)"
    )


ACTIVITY_EVENTS = event({"entry": Link("activity_entries", _entry)})
