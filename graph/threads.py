"""Threads as clients see them: conversations with one address, their messages, and who has read how far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain import threads as domain
from domain.access import Permission
from domain.events import EventChange
from domain.interactions import Direction
from domain.threads import MESSAGE_EVENTS, Channel, DeliveryState, MessageKind
from graph.connections import Connection
from graph.context import Info
from graph.declaration import Node, by_id, column, connection, link, noun, paid, payload, reference, root
from graph.enums import described
from graph.inputs import argument, key_of, once, optional, unpacked
from graph.mutations import mutation
from graph.scalars import DateTime, EventCursor
from graph.subscriptions.declaration import Only, event, stream
from resolvers import threads as resolve

if TYPE_CHECKING:
    from graph.access import Actor, User
    from graph.people import Person

described(Channel, "What carries a conversation.", WHATSAPP="WhatsApp.", SMS="Text messages.")
described(
    MessageKind,
    "What a message holds.",
    TEXT="Words.",
    IMAGE="A picture.",
    VOICE="A recording.",
    DOCUMENT="A file.",
    SYSTEM="What the channel itself says, such as a changed number.",
)
described(
    DeliveryState,
    "How far an outbound message has got.",
    QUEUED="Waiting to be handed to the provider.",
    SENT="The provider has taken it.",
    DELIVERED="It is on the other's device.",
    READ="They have read it.",
    FAILED="It will not arrive.",
)
described(EventChange, "What an event says of its subject.", CREATED="It is new.", UPDATED="It was changed.")


@strawberry.input(description="Which threads; every entry narrows the list.")
class ThreadFilter:
    """The filter of thread lists."""

    unread: bool | None = optional("With unread messages of yours, or without.")
    linked: bool | None = optional("Linked to a person, or not.")
    search: str | None = optional("Part of the person's name, or of an address that you may see.", longest=100)


@noun(
    "threads",
    prefix="thread",
    description="A conversation with one address over one channel.",
    filter=ThreadFilter,
    orders={"CREATED_AT": "When it was opened.", "LAST_MESSAGE_AT": "When its newest message was sent."},
)
class Thread(Node):
    """A thread."""

    channel: Channel = column("What carries it.")
    address: str | None = column("The phone number at the other end, in E.164; null where it is masked.")
    restricted_fields: list[str] = column("Which of its fields you may not see.")
    last_message_at: DateTime = column("When its newest message was sent; before there is one, when it was opened.")
    unread_count: int = column("How many inbound messages you have not read; kept when messages come and are read.")
    created_at: DateTime = column("When it was opened.")
    person: Person | None = link("Whose conversation it is, if that is known.")
    assignee: User | None = link("Who answers.")
    messages: Connection[ThreadMessage] = connection("Its messages, oldest first: `last` gives the newest, forwards.")


@noun("thread_messages", prefix="threadmessage", description="A message of a conversation.")
class ThreadMessage(Node):
    """A message."""

    direction: Direction = column("Who wrote it.")
    kind: MessageKind = column("What it holds.")
    text: str | None = column("Its words; null where it has none.")
    sent_at: DateTime = column("When it was sent.")
    delivery_state: DeliveryState | None = column("How far it has got; null for an inbound message.")
    created_at: DateTime = column("When it was stored here.")
    author: Actor | None = reference("Who of us wrote it; null for an inbound message.")
    thread: Thread = link("Its conversation.")


@event("thread_message_events", description="A message that is new, or whose delivery state has changed.")
class ThreadMessageEvent:
    """What threadMessages answers for each event."""

    cursor: EventCursor = column("The position of this event: follow from it, and nothing is missed or told twice.")
    change: EventChange = column("Whether the message is new.")
    thread_message: ThreadMessage = link("The message, as it is now.")


@root
class ThreadSubscription:
    """Subscriptions to threads."""

    thread_messages: ThreadMessageEvent = stream(
        "Messages of the conversations you may see, or of one of them.",
        Permission.THREAD_READ,
        kinds=MESSAGE_EVENTS,
        only=(Only("thread_id", of="threads", entries=("threadId",), description="Only of this conversation."),),
    )


@root
class ThreadQuery:
    """Root fields that read threads."""

    thread: Thread | None = by_id("One thread, or null.", Permission.THREAD_READ)
    threads: Connection[Thread] = connection(
        "The threads you may see, newest first: those that you or your team answer, and those of your own people.",
        Permission.THREAD_READ,
    )


@strawberry.input(description="A conversation to begin; with an address, a person, or both.")
class ThreadOpenInput:
    """A new conversation."""

    channel: Channel = argument("What carries it.")
    address: str | None = optional("A phone number; without a country code it is one of the tenant's.", longest=100)
    person_id: strawberry.ID | None = optional(
        "One of your own people; without an address, at their phone number.", of="people"
    )
    idempotency_key: str | None = once()


@strawberry.input(description="A text to send.")
class MessageSendInput:
    """A message."""

    thread_id: strawberry.ID = argument("To which conversation.", of="threads")
    text: str = argument("What to say: at most 4096 characters over WhatsApp, 1600 by SMS.")
    idempotency_key: str | None = once()


@strawberry.input(description="Whose conversation it is.")
class ThreadLinkPersonInput:
    """A link."""

    thread_id: strawberry.ID = argument("Which conversation.", of="threads")
    person_id: strawberry.ID = argument("One of your own people.", of="people")


@strawberry.input(description="How far you have read.")
class ThreadMarkReadInput:
    """A read marker."""

    thread_id: strawberry.ID = argument("Which conversation.", of="threads")
    up_to_message_id: strawberry.ID = argument("The last message that you have read.", of="thread_messages")


@payload("The conversation that the address has.")
class ThreadOpenPayload:
    """The answer of threadOpen."""

    thread: Thread = link("The new thread, or the one there was.")


@payload("The message that was sent.")
class MessageSendPayload:
    """The answer of messageSend."""

    thread_message: ThreadMessage = link("The message, as the provider took it.")


@payload("The conversation that was linked.")
class ThreadLinkPersonPayload:
    """The answer of threadLinkPerson."""

    thread: Thread = link("The thread, as it is now.")


@payload("The conversation that was read.")
class ThreadMarkReadPayload:
    """The answer of threadMarkRead."""

    thread: Thread = link("The thread, with what is left unread.")


@root
class ThreadMutation:
    """Mutations of threads."""

    @mutation("Begin a conversation. An address has one thread on each channel: the one there is, is answered.")
    async def thread_open(self, info: Info, input: ThreadOpenInput) -> ThreadOpenPayload:
        """Open a thread."""
        opened = await resolve.thread_open(
            info.context, unpacked(input, domain.ThreadOpen), key_of(input.idempotency_key)
        )
        return paid(ThreadOpenPayload, thread=opened)

    @mutation("Send a text through the tenant's provider; without one, nothing is written and the problem says so.")
    async def message_send(self, info: Info, input: MessageSendInput) -> MessageSendPayload:
        """Send a message."""
        sent = await resolve.message_send(
            info.context, unpacked(input, domain.MessageSend), key_of(input.idempotency_key)
        )
        return paid(MessageSendPayload, thread_message=sent)

    @mutation("Say whose conversation it is; its messages join that person's timeline.")
    async def thread_link_person(self, info: Info, input: ThreadLinkPersonInput) -> ThreadLinkPersonPayload:
        """Link a thread."""
        linked = await resolve.thread_link_person(info.context, unpacked(input, domain.ThreadLinkPerson))
        return paid(ThreadLinkPersonPayload, thread=linked)

    @mutation("Move your read marker up to a message; it never moves back.")
    async def thread_mark_read(self, info: Info, input: ThreadMarkReadInput) -> ThreadMarkReadPayload:
        """Mark a thread read."""
        read = await resolve.thread_mark_read(info.context, unpacked(input, domain.ThreadMarkRead))
        return paid(ThreadMarkReadPayload, thread=read)
