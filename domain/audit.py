"""The audit chain and the activity feed."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Final
from uuid import UUID

from domain.access import Actor


class AuditAction(Enum):
    """What was done to a subject."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    ARCHIVE = "ARCHIVE"
    DELETE = "DELETE"
    MERGE = "MERGE"
    DECIDE = "DECIDE"
    GRANT = "GRANT"
    WITHDRAW = "WITHDRAW"
    SIGN_IN = "SIGN_IN"
    SIGN_OUT = "SIGN_OUT"


class CrmActivityKind(Enum):
    """What the activity feed tells."""

    PERSON_CREATED = "PERSON_CREATED"
    LEAD_CREATED = "LEAD_CREATED"
    LEAD_ADVANCED = "LEAD_ADVANCED"
    INTERACTION_LOGGED = "INTERACTION_LOGGED"
    TASK_COMPLETED = "TASK_COMPLETED"
    PERSON_MERGED = "PERSON_MERGED"


GENESIS: Final = bytes(32)
"""The hash before a tenant's first entry."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a unit did: it becomes an audit entry and an event, and may show in the activity feed.

    `fields` are names, never values: the chain must outlive an erasure, so nothing personal goes into it. `payload` is
    what subscribers get before they read the row: ids and enum names only.
    """

    action: AuditAction
    event: str
    noun: str
    id: UUID
    fields: tuple[str, ...] = ()
    person_id: UUID | None = None
    payload: tuple[tuple[str, str], ...] = ()
    activity: CrmActivityKind | None = None
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of a tenant's audit chain."""

    tenant_id: UUID
    sequence: int
    id: UUID
    at: datetime
    action: str
    actor: Actor | None
    subject: Actor | None
    changed_fields: tuple[str, ...]

    def hash_after(self, previous: bytes) -> bytes:
        """Return SHA-256 over the previous hash and this entry as canonical JSON (sorted keys, no spaces)."""
        content = {
            "tenant_id": str(self.tenant_id),
            "sequence": self.sequence,
            "id": str(self.id),
            "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "action": self.action,
            "actor": None if self.actor is None else f"{self.actor.noun}:{self.actor.id}",
            "subject": None if self.subject is None else f"{self.subject.noun}:{self.subject.id}",
            "changed_fields": list(self.changed_fields),
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(previous + text.encode()).digest()
