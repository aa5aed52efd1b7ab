"""How interactions, and what calls add to them, are read. The kinds share one table: a timeline is one index scan."""

from __future__ import annotations

from db.interactions.tables import interactions, objections, transcript_segments
from db.reading.fields import boolean, enum, integer, text, time
from db.reading.source import Filter, Link, Ordering, Reference, source
from db.reading.writer import Alias, Writer
from db.visibility import any_of, own_person


def _of_own_thread(w: Writer, t: Alias) -> str | None:
    """Before a thread is linked to a person, its messages are seen by whoever the thread is assigned to."""
    if w.unrestricted:
        return None
    message, thread = w.alias("thread_messages"), w.alias("threads")
    return (
        f"{t.person_id} is null and exists (select from thread_messages {message.name} join threads {thread.name}"
        f" on {thread.tenant_id} = {message.tenant_id} and {thread.id} = {message.thread_id}"
        f" where {message.tenant_id} = {w.tenant} and {message.id} = {t.thread_message_id}"
        f" and {thread.assignee_id} = any({w.members}))"
    )


visible = any_of(own_person("person_id"), _of_own_thread)


def _through_call(w: Writer, t: Alias) -> str | None:
    """Show what belongs to an interaction to those who see it."""
    if w.unrestricted:
        return None
    call = w.alias(interactions)
    return (
        f"exists (select from interactions {call.name} where {call.tenant_id} = {w.tenant}"
        f" and {call.id} = {t.interaction_id} and ({visible(w, call)}))"
    )


INTERACTIONS = source(
    "interactions",
    interactions,
    prefix="interaction",
    visible=visible,
    default_order=("OCCURRED_AT", True),
    columns={
        "kind": enum("kind"),
        "direction": enum("direction", null=True),
        "summary": text("summary", null=True),
        "occurred_at": time("occurred_at"),
        "created_at": time("created_at"),
        "duration_seconds": integer("duration_seconds", null=True),
        "email_subject": text("email_subject", null=True),
        "email_body": text("email_body", null=True),
        # A note has text, a CHECK says; of the other kinds nobody can ask for it.
        "text": text(lambda t: f"coalesce({t.text}, '')"),
    },
    links={
        "person": Link("people", local="person_id"),
        "author": Reference("author_noun", "author_id"),
        "thread_message": Link("thread_messages", local="thread_message_id"),
        "property": Link("properties", local="property_id"),
        "transcript_segments": Link("transcript_segments", remote="interaction_id"),
        "objections": Link("objections", remote="interaction_id"),
    },
    orders={
        "OCCURRED_AT": Ordering(lambda t: t.occurred_at, "timestamptz"),
        "CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz"),
    },
    filters={"kinds": Filter("text[]", lambda _w, t, value: f"{t.kind} = any({value})")},
)

TRANSCRIPT_SEGMENTS = source(
    "transcript_segments",
    transcript_segments,
    prefix="segment",
    visible=_through_call,
    default_order=("START", False),
    columns={
        "speaker": text("speaker"),
        "text": text("text"),
        "start_ms": integer("start_ms"),
    },
    orders={
        "START": Ordering(lambda t: t.start_ms, "integer"),
        "CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz"),
    },
)

OBJECTIONS = source(
    "objections",
    objections,
    prefix="objection",
    visible=_through_call,
    default_order=("CREATED_AT", False),
    columns={
        "kind": enum("kind"),
        "text": text("text"),
        "resolved": boolean("resolved"),
        "created_at": time("created_at"),
    },
    orders={"CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz")},
)
