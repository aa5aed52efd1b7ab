"""How users, teams and the other actors are read."""

from __future__ import annotations

from db.access.tables import system_actors, users
from db.reading.fields import enum, text, time
from db.reading.source import Ordering, source
from db.reading.writer import Alias, Writer
from db.visibility import everyone


def _self_or_member(w: Writer, t: Alias) -> str | None:
    return None if w.unrestricted else f"{t.id} = any({w.members})"


USERS = source(
    "users",
    users,
    prefix="user",
    visible=everyone,
    listed=_self_or_member,
    default_order=("FULL_NAME", False),
    columns={
        "display_name": text("full_name"),
        "full_name": text("full_name"),
        "email": text("email", null=True, mask=_self_or_member),
        "role": enum("role"),
        "status": enum("status"),
        "last_seen_at": time("last_seen_at", null=True, mask=_self_or_member),
    },
    orders={
        "FULL_NAME": Ordering(lambda t: t.full_name, "text"),
        "CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz"),
    },
)

SYSTEM_ACTORS = source(
    "system_actors",
    system_actors,
    prefix="system",
    visible=everyone,
    default_order=("CREATED_AT", True),
    columns={"display_name": text("display_name")},
    orders={"CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz")},
)
