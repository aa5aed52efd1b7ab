"""The audit chain and the activity feed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Final
from uuid import UUID

if TYPE_CHECKING:
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


ACTIVITY_EVENTS: Final = frozenset(
    {"PersonCreated", "LeadCreated", "LeadMoved", "InteractionLogged", "TaskCompleted", "PersonMerged"}
)
"""The events that may tell of an activity: whoever follows the feed looks at no other."""
ACTIVITY_NOUNS: Final = frozenset({"people", "leads", "interactions", "tasks"})
"""What an activity may be about."""

GENESIS: Final = bytes(32)
"""The hash before a tenant's first entry."""

_SEQUENCE: Final = '"sequence":'
_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a unit did: it becomes an audit entry and an event, and may show in the activity feed.

    `fields` are names, never values: the chain must outlive an erasure, so nothing personal goes into it. `payload` is
    what subscribers get before they read the row: ids, numbers, enum names and hashes only. What is not `audited` is
    told as an event and leaves no entry: the steps by which a machine gets on with what somebody asked for, but not
    what came of it.
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
    audited: bool = True

    def __post_init__(self) -> None:
        """Refuse an activity that nobody who follows the feed would hear of."""
        if self.activity is not None and self.event not in ACTIVITY_EVENTS:
            raise ValueError(f"{self.event} is not among ACTIVITY_EVENTS.")
        if self.activity is not None and self.noun not in ACTIVITY_NOUNS:
            raise ValueError(f"{self.noun} is not among ACTIVITY_NOUNS.")


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
        before, after = self.around_sequence()
        return hashlib.sha256(previous + f"{before}{self.sequence}{after}".encode()).digest()

    def around_sequence(self) -> tuple[str, str]:
        """Return this entry as canonical JSON, in two parts: what comes before its sequence, and what comes after."""
        content = {
            "tenant_id": str(self.tenant_id),
            "sequence": None,
            "id": str(self.id),
            "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "action": self.action,
            "actor": None if self.actor is None else f"{self.actor.noun}:{self.actor.id}",
            "subject": None if self.subject is None else f"{self.subject.noun}:{self.subject.id}",
            "changed_fields": list(self.changed_fields),
        }
        text = _CANONICAL.encode(content)
        # Quotes within a value are escaped, so this stands there once.
        before, _, after = text.partition(f"{_SEQUENCE}null")
        return before + _SEQUENCE, after


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """A place where a tenant's chain does not hold, and why."""

    tenant_id: UUID
    sequence: int
    reason: str


class ChainCheck:
    """Walks one tenant's chain in the order of its sequence and says where it does not hold.

    After a fault it goes on from what is stored, so that one changed row is one fault and not a thousand.
    """

    def __init__(self, tenant_id: UUID) -> None:
        """Begin before the first entry."""
        self._tenant_id = tenant_id
        self._sequence = 0
        self._hash = GENESIS

    def follow(self, entry: Entry, previous: bytes, stored: bytes) -> Iterator[BrokenLink]:
        """Check the next entry, with the two hashes that are stored beside it."""
        expected = self._sequence + 1
        if entry.sequence != expected:
            several = f"Entries {expected} to {entry.sequence - 1} are missing."
            one = f"Entry {expected} is missing."
            yield BrokenLink(self._tenant_id, expected, one if entry.sequence == expected + 1 else several)
        elif previous != self._hash:
            yield BrokenLink(self._tenant_id, entry.sequence, "It does not follow the entry before it.")
        if entry.hash_after(previous) != stored:
            yield BrokenLink(self._tenant_id, entry.sequence, "It was changed after it was written.")
        self._sequence, self._hash = entry.sequence, stored

    def end(self, sequence: int, last: bytes) -> Iterator[BrokenLink]:
        """Check that the chain ends where the tenant's head says."""
        if self._sequence != sequence:
            yield BrokenLink(
                self._tenant_id, self._sequence + 1, f"The chain ends at {self._sequence}; its head says {sequence}."
            )
        elif self._hash != last:
            yield BrokenLink(self._tenant_id, sequence, "The last entry is not the one that the head names.")
