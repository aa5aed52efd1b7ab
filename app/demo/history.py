"""The recent past as the tenant's own history: audit entries chained by hash, events in sequence, the activity feed."""

import heapq
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.demo.chance import generator, identifier
from app.demo.rows import Batch
from domain.access import Actor
from domain.audit import GENESIS, AuditAction, Change, CrmActivityKind, Entry

REACH: Final = timedelta(days=30)
"""How far back the demo's history begins."""

MOST: Final = 2_000
"""A seed of any size keeps the newest so many changes."""


@dataclass(order=True, slots=True)
class Happening:
    """A change with its time and who made it. `number` keeps changes of the same moment in order."""

    at: datetime
    number: int
    actor: Actor = field(compare=False)
    change: Change = field(compare=False)


class Recent:
    """Collects what happened lately, keeping the newest MOST changes only."""

    def __init__(self, now: datetime) -> None:
        self._since = now - REACH
        self._now = now
        self._heap: list[Happening] = []
        self._kept: list[Happening] = []
        self._count = 0

    def note(self, at: datetime, actor: Actor, change: Change, *, always: bool = False) -> None:
        """Remember a change unless it is older than REACH; `always` remembers it however old it is."""
        if at > self._now or (at < self._since and not always):
            return
        self._count += 1
        happening = Happening(at, self._count, actor, change)
        if always:
            self._kept.append(happening)
        elif len(self._heap) < MOST:
            heapq.heappush(self._heap, happening)
        else:
            heapq.heappushpop(self._heap, happening)

    def in_order(self) -> list[Happening]:
        return sorted(self._heap + self._kept)


def write_history(batch: Batch, recent: Recent, seed: str) -> None:
    """Add the audit chain, the events and the activity of the tenant, and the head that they end at."""
    random = generator(seed, "history")
    audit_hash, sequence = GENESIS, 0
    for sequence, happening in enumerate(recent.in_order(), start=1):
        change, actor = happening.change, happening.actor
        entry = Entry(
            batch.tenant_id, sequence, identifier(random, happening.at), happening.at, change.action.name, actor,
            Actor(change.noun, change.id), change.fields,
        )  # fmt: skip
        previous, audit_hash = audit_hash, entry.hash_after(audit_hash)
        common: dict[str, object] = {
            "at": happening.at, "actor_noun": actor.noun, "actor_id": actor.id,
            "subject_noun": change.noun, "subject_id": change.id,
        }  # fmt: skip
        batch.add(
            "audit_entries", id=entry.id, sequence=sequence, action=change.action.name,
            changed_fields=list(change.fields), previous_hash=previous, hash=audit_hash, **common,
        )  # fmt: skip
        batch.add(
            "events", sequence=sequence, id=identifier(random, happening.at), kind=change.event,
            person_id=change.person_id, payload=json.dumps(dict(change.payload)), **common,
        )  # fmt: skip
        if change.activity is not None:
            batch.add(
                "activity_entries", id=identifier(random, happening.at), kind=change.activity.name,
                person_id=change.person_id, summary=change.summary, sequence=sequence, **common,
            )  # fmt: skip
    batch.add("tenant_heads", event_sequence=sequence, audit_sequence=sequence, audit_hash=audit_hash)


def person_created(person_id: UUID) -> Change:
    return Change(
        AuditAction.CREATE, "PersonCreated", "people", person_id, ("fullName", "phone", "email", "city"), person_id,
        activity=CrmActivityKind.PERSON_CREATED, summary="New person",
    )  # fmt: skip


def lead_created(lead_id: UUID, person_id: UUID, source: str) -> Change:
    return Change(
        AuditAction.CREATE, "LeadCreated", "leads", lead_id, ("person", "source", "assignee", "budget"), person_id,
        activity=CrmActivityKind.LEAD_CREATED, summary=f"New lead from {source}",
    )  # fmt: skip


def lead_moved(lead_id: UUID, person_id: UUID, from_stage: str, to_stage: str) -> Change:
    return Change(
        AuditAction.UPDATE, "LeadMoved", "leads", lead_id, ("stage",), person_id,
        (("fromStage", from_stage), ("toStage", to_stage)), CrmActivityKind.LEAD_ADVANCED,
        f"Lead moved from {from_stage} to {to_stage}",
    )  # fmt: skip


def interaction_logged(interaction_id: UUID, person_id: UUID, kind: str) -> Change:
    return Change(
        AuditAction.CREATE, "InteractionLogged", "interactions", interaction_id, ("kind", "occurredAt", "detail"),
        person_id,
        (("kind", kind),), CrmActivityKind.INTERACTION_LOGGED, f"{kind.capitalize()} logged",
    )  # fmt: skip


def task_completed(task_id: UUID, person_id: UUID) -> Change:
    return Change(
        AuditAction.UPDATE, "TaskCompleted", "tasks", task_id, ("status",), person_id,
        (("status", "DONE"),), CrmActivityKind.TASK_COMPLETED, "Task completed",
    )  # fmt: skip


def consent_granted(consent_id: UUID, person_id: UUID, purpose: str) -> Change:
    return Change(
        AuditAction.GRANT, "ConsentGranted", "consents", consent_id, ("purpose", "modality"), person_id,
        (("purpose", purpose),),
    )  # fmt: skip


def proposal_decided(proposal_id: UUID, status: str) -> Change:
    return Change(
        AuditAction.DECIDE, "ProposalDecided", "proposals", proposal_id, ("status",), None, (("status", status),)
    )


def signed_in(user_id: UUID) -> Change:
    return Change(AuditAction.SIGN_IN, "SignedIn", "users", user_id)
