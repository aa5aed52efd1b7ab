"""How tenants, users and the other actors are read."""

from __future__ import annotations

import json

from db.access.tables import api_keys, persisted_operations, system_actors, tenants, users
from db.reading.fields import document, enum, text, time
from db.reading.signing import asset_address
from db.reading.source import Computed, Link, Ordering, Through, source
from db.reading.writer import Alias, Writer
from db.visibility import everyone
from domain.access import PERMISSIONS, Permission


def _self_or_member(w: Writer, t: Alias) -> str | None:
    return None if w.unrestricted else f"{t.id} = any({w.members})"


def _permissions(t: Alias) -> str:
    lists = {
        role.name: json.dumps([each.name for each in Permission if each in held], separators=(",", ":"))
        for role, held in PERMISSIONS.items()
    }
    cases = " ".join(f"when '{role}' then '{listed}'" for role, listed in lists.items())
    return f"case {t.role} {cases} end"


def _avatar(w: Writer, t: Alias) -> str:
    return f"case when {t.avatar_key} is not null then {asset_address(w, t.avatar_key)} end"


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
        "avatar_url": text(Computed(_avatar), null=True),
        "permissions": document(_permissions),
    },
    links={"tenant": Link("tenants", local="tenant_id")},
    orders={
        "FULL_NAME": Ordering(lambda t: t.full_name, "text"),
        "CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz"),
    },
)

TENANTS = source(
    "tenants",
    tenants,
    prefix="tenant",
    visible=everyone,
    default_order=("CREATED_AT", True),
    columns={
        "name": text(lambda t: t.column("name")),
        "time_zone": text("time_zone"),
        "currency": enum("currency"),
    },
    orders={"CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz")},
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

API_KEYS = source(
    "api_keys",
    api_keys,
    prefix="apikey",
    visible=everyone,
    default_order=("CREATED_AT", True),
    columns={
        "display_name": text("display_name"),
        "prefix": text("prefix"),
        "role": enum("role"),
        "created_at": time("created_at"),
        "last_used_at": time("last_used_at", null=True),
        "expires_at": time("expires_at", null=True),
        "revoked_at": time("revoked_at", null=True),
    },
    links={
        "operations": Link(
            "persisted_operations", remote=Through("api_key_operations", "api_key_id", "persisted_operation_id")
        ),
    },
    orders={"CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz")},
)

PERSISTED_OPERATIONS = source(
    "persisted_operations",
    persisted_operations,
    prefix="operation",
    visible=everyone,
    default_order=("CREATED_AT", True),
    columns={
        "document_id": enum("document_id"),
        "name": text(lambda t: t.column("name")),
        "kind": enum("kind"),
        "registered_at": time("registered_at"),
    },
    orders={"CREATED_AT": Ordering(lambda t: t.registered_at, "timestamptz")},
)
