"""The audit trail, the activity feed and the tenant's place in its events, as clients see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain.access import Permission
from domain.audit import ACTIVITY_EVENTS, AuditAction, CrmActivityKind
from graph.connections import Connection
from graph.declaration import Node, column, connection, link, noun, reference, root, root_value
from graph.enums import described
from graph.inputs import ANY, optional
from graph.scalars import DateTime, EventCursor
from graph.subscriptions.declaration import event, stream

if TYPE_CHECKING:
    from graph.access import Actor

described(
    AuditAction,
    "What was done to a subject.",
    CREATE="It was made.",
    UPDATE="It was changed.",
    ARCHIVE="It was put away, and is kept.",
    DELETE="It was removed.",
    MERGE="It absorbed another.",
    DECIDE="It was approved or rejected.",
    GRANT="Something was allowed.",
    WITHDRAW="What was allowed was taken back.",
    SIGN_IN="A session was opened.",
    SIGN_OUT="A session was ended.",
)
described(
    CrmActivityKind,
    "What the activity feed tells.",
    PERSON_CREATED="Somebody new is known.",
    LEAD_CREATED="A lead came in.",
    LEAD_ADVANCED="A lead moved along the pipeline, or out of it.",
    INTERACTION_LOGGED="Somebody was in touch.",
    TASK_COMPLETED="Something was done.",
    PERSON_MERGED="Two people turned out to be one.",
)


@strawberry.input(description="Which entries; every entry of the filter narrows the list.")
class AuditEntryFilter:
    """The filter of the audit trail."""

    subject_id: strawberry.ID | None = optional("Was done to this.", of=ANY)
    actor_id: strawberry.ID | None = optional("Was done by this actor.", of=ANY)
    from_: DateTime | None = optional("At or after this moment.", name="from")
    to: DateTime | None = optional("Before this moment.")


@noun(
    "audit_entries",
    prefix="audit",
    description="One link of the audit chain: each hash covers the entry and the hash before it.",
    filter=AuditEntryFilter,
)
class AuditEntry(Node):
    """An entry."""

    sequence: str = column("Its number in the tenant's chain, without gaps.")
    at: DateTime = column("When it was done.")
    action: AuditAction = column("What was done.")
    changed_fields: list[str] = column("Which fields were changed; never their values.")
    hash: str = column("SHA-256 in hex, over the hash before and this entry.")
    actor: Actor | None = reference("Who did it.")
    subject: Node | None = reference("What it was done to; null when you may not see it.")


@noun(
    "activity_entries",
    prefix="activity",
    description="Something that happened with the people you work with.",
    orders={"CREATED_AT": "When it happened."},
)
class ActivityEntry(Node):
    """An entry of the feed."""

    kind: CrmActivityKind = column("What happened.")
    at: DateTime = column("When it happened.")
    summary: str = column("One sentence without names.")
    actor: Actor | None = reference("Who did it.")
    subject: Node | None = reference("What it happened to; null when you may not see it.")


@event("activity_events", description="Something new in the activity feed.")
class CrmActivityEvent:
    """What crmActivity answers for each event."""

    cursor: EventCursor = column("The position of this event: follow from it, and nothing is missed or told twice.")
    entry: ActivityEntry = link("The entry.")


@root
class AuditSubscription:
    """Subscriptions about what was done."""

    crm_activity: CrmActivityEvent = stream(
        "What happens with people and leads of yours.", Permission.PERSON_READ, kinds=ACTIVITY_EVENTS
    )


@root
class AuditQuery:
    """Root fields about what was done."""

    event_cursor: EventCursor = root_value("The tenant's event position at this answer's snapshot.", None)
    audit_entries: Connection[AuditEntry] = connection(
        "What was done, newest first; a senior sees what their team did.", Permission.AUDIT_READ
    )
    activity: Connection[ActivityEntry] = connection(
        "What happened with people and leads of yours, newest first.", Permission.PERSON_READ
    )
