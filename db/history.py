"""What a unit leaves in its tenant's history, as the database's function takes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import orjson

from domain.access import Actor
from domain.audit import Change, Entry
from domain.values import new_id


def history(tenant_id: UUID, actor: Actor, now: datetime, changes: Sequence[Change]) -> str:
    """Return what `write_history` takes for what a unit did, as JSON."""
    return orjson.dumps([_row(tenant_id, actor, now, change) for change in changes]).decode()


def told_of(tenant_id: UUID, actor: Actor, now: datetime, changes: Sequence[Change]) -> str:
    """Return the entries of such JSON, each of which says for itself when it was and who did it."""
    by = {"moment": now.isoformat(), "by_noun": actor.noun, "by_id": str(actor.id)}
    return ",".join(orjson.dumps(_row(tenant_id, actor, now, change) | by).decode() for change in changes)


def _row(tenant_id: UUID, actor: Actor, now: datetime, change: Change) -> dict[str, object]:
    """Return what `write_history` takes for a change. The database alone knows its number."""
    entry = Entry(tenant_id, 0, new_id(), now, change.action.name, actor, Actor(change.noun, change.id), change.fields)
    before, after = entry.around_sequence()
    row: dict[str, object] = {
        "id": str(entry.id), "event_id": str(new_id()), "noun": change.noun, "subject": str(change.id),
        "person": None if change.person_id is None else str(change.person_id), "action": entry.action,
        "fields": change.fields, "before": before, "after": after, "event": change.event,
        "payload": dict(change.payload),
    }  # fmt: skip
    if change.activity is None:
        return row
    return row | {"activity_id": str(new_id()), "activity": change.activity.name, "summary": change.summary}


def told(changes: Sequence[Change]) -> str:
    """Return what `write_events` takes for what a unit tells of without auditing it, as JSON."""
    return orjson.dumps(
        [
            {
                "event_id": str(new_id()), "event": change.event, "noun": change.noun, "subject": str(change.id),
                "person": None if change.person_id is None else str(change.person_id), "payload": dict(change.payload),
            }
            for change in changes
        ]
    ).decode()  # fmt: skip
