"""How threads and their messages are read.

A broker sees the threads that are assigned to one of their members, and those of their own people. What nobody is
assigned to and nobody is linked to is nobody's own: directors and administrators see it, and link it. An address is a
contact detail: it is shown for own people, to the assignee, and where no person is linked.
"""

from __future__ import annotations

from db.reading.conditions import contains
from db.reading.events import event
from db.reading.fields import enum, integer, text, time
from db.reading.source import Computed, Filter, Link, Ordering, Predicate, Reference, source
from db.reading.writer import Alias, Writer
from db.threads.tables import thread_messages, thread_reads, threads
from db.visibility import any_of, assigned, own_person
from domain.threads import MESSAGE_EVENTS

visible: Predicate = any_of(assigned(), own_person("person_id"))


def _unlinked_or_viewers(w: Writer, t: Alias) -> str | None:
    return None if w.unrestricted else f"{t.person_id} is null or {t.assignee_id} = {w.viewer}"


shows_address: Predicate = any_of(_unlinked_or_viewers, own_person("person_id"))


def _of_visible_thread(w: Writer, t: Alias) -> str | None:
    thread = w.alias(threads)
    rule = visible(w, thread)
    if rule is None:
        return None
    return (
        f"exists (select from threads {thread.name} where {thread.tenant_id} = {w.tenant}"
        f" and {thread.id} = {t.thread_id} and ({rule}))"
    )


def _unread(w: Writer, t: Alias) -> str:
    read = w.alias(thread_reads)
    return (
        f"coalesce((select {read.unread_count} from thread_reads {read.name} where {read.tenant_id} = {w.tenant}"
        f" and {read.user_id} = {w.viewer} and {read.thread_id} = {t.id}), 0)"
    )


def _found(w: Writer, t: Alias, words: str) -> str:
    person = w.alias("people")
    named = (
        f"exists (select from people {person.name} where {person.tenant_id} = {w.tenant}"
        f" and {person.id} = {t.person_id} and {contains(person.search_name, words)})"
    )
    shown = shows_address(w, t)
    addressed = contains(t.address, words)
    return f"({named} or {addressed if shown is None else f'(({shown}) and {addressed})'})"


THREADS = source(
    "threads",
    threads,
    prefix="thread",
    visible=visible,
    default_order=("CREATED_AT", True),
    columns={
        "channel": enum("channel"),
        "address": text("address", mask=shows_address),
        "last_message_at": time("last_message_at"),
        "unread_count": integer(Computed(_unread)),
        "created_at": time("created_at"),
    },
    links={
        "person": Link("people", local="person_id"),
        "assignee": Link("users", local="assignee_id"),
        "messages": Link("thread_messages", remote="thread_id"),
    },
    orders={
        "CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz"),
        "LAST_MESSAGE_AT": Ordering(lambda t: t.last_message_at, "timestamptz"),
    },
    filters={
        "unread": Filter("boolean", lambda w, t, value: f"({_unread(w, t)} > 0) = {value}"),
        "linked": Filter("boolean", lambda _w, t, value: f"({t.person_id} is not null) = {value}"),
        "search": Filter("text", _found),
    },
)

THREAD_MESSAGES = source(
    "thread_messages",
    thread_messages,
    prefix="threadmessage",
    visible=_of_visible_thread,
    default_order=("SENT_AT", False),
    columns={
        "direction": enum("direction"),
        "kind": enum("kind"),
        "text": text("text", null=True),
        "sent_at": time("sent_at"),
        "delivery_state": enum("delivery_state", null=True),
        "created_at": time("created_at"),
    },
    links={
        "author": Reference("author_noun", "author_id"),
        "thread": Link("threads", local="thread_id"),
    },
    orders={"SENT_AT": Ordering(lambda t: t.sent_at, "timestamptz")},
)

_CHANGES = " ".join(f"when '{kind}' then '{change}'" for kind, change in MESSAGE_EVENTS.items())

THREAD_MESSAGE_EVENTS = event(
    {"change": enum(lambda t: f"case {t.kind} {_CHANGES} end"), "thread_message": Link("thread_messages", "subject_id")}
)
