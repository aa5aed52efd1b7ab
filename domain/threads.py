"""Conversations with one address over one channel, their messages, and who has read how far."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from domain.access import Actor
from domain.audit import AuditAction, Change, CrmActivityKind
from domain.errors import Conflict, Invalid, NotAllowed, Unavailable
from domain.interactions import Direction
from domain.people.phones import home_region, parsed_phone
from domain.values import new_id

if TYPE_CHECKING:
    from domain.unit import Unit

MESSAGE_EVENTS: Final = {"MessageSent": "CREATED", "MessageReceived": "CREATED", "MessageUpdated": "UPDATED"}


class Channel(Enum):
    """What carries a conversation."""

    WHATSAPP = "WHATSAPP"
    SMS = "SMS"


class MessageKind(Enum):
    """What a message holds."""

    TEXT = "TEXT"
    IMAGE = "IMAGE"
    VOICE = "VOICE"
    DOCUMENT = "DOCUMENT"
    SYSTEM = "SYSTEM"


class DeliveryState(Enum):
    """How far an outbound message has got."""

    QUEUED = "QUEUED"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    READ = "READ"
    FAILED = "FAILED"


class MessageProvider(Enum):
    """Who delivers a tenant's messages."""

    MOCK = "MOCK"


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation, as far as its rules need to know it. `address` is a phone number in E.164."""

    id: UUID
    channel: Channel
    address: str
    person_id: UUID | None
    assignee_id: UUID | None


@dataclass(frozen=True, slots=True)
class Kept:
    """The one thread of an address: whether the caller may see it, and whether it was made just now."""

    thread: Thread
    visible: bool
    created: bool


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a thread."""

    id: UUID
    thread_id: UUID
    direction: Direction
    kind: MessageKind
    text: str | None
    sent_at: datetime
    author: Actor | None = None
    delivery_state: DeliveryState | None = None
    provider_message_id: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a conversation: later is greater."""

    sent_at: datetime
    message_id: UUID


@dataclass(frozen=True, slots=True)
class ReadMarker:
    """How far somebody has read, and how many inbound messages they have not."""

    position: Position | None = None
    unread: int = 0


@dataclass(frozen=True, slots=True)
class ThreadOpen:
    """A conversation to begin: with an address, or with a person at their phone number."""

    channel: Channel
    address: str | None = None
    person_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class MessageSend:
    """A text to send."""

    thread_id: UUID
    text: str


@dataclass(frozen=True, slots=True)
class MessageReceive:
    """A message that a provider brought."""

    channel: Channel
    address: str
    kind: MessageKind
    text: str | None
    sent_at: datetime
    provider_message_id: str


@dataclass(frozen=True, slots=True)
class ThreadLinkPerson:
    """Whose conversation it is."""

    thread_id: UUID
    person_id: UUID


@dataclass(frozen=True, slots=True)
class ThreadMarkRead:
    """How far the caller has read."""

    thread_id: UUID
    up_to_message_id: UUID


class ThreadStore(Protocol):
    """Threads of the unit's tenant that its caller may see."""

    async def get_for_update(self, thread_id: UUID) -> Thread:
        """Return a thread and lock its row; raises NotFound."""

    async def keep(self, thread: Thread, last_message_at: datetime, now: datetime) -> Kept:
        """Store a new thread, unless its address has one on its channel; lock and return the one there is."""

    async def link(self, thread: Thread, person_id: UUID) -> None:
        """Store whose conversation it is; its messages join that person's interactions."""

    async def own_person_with_phone(self, address: str) -> UUID | None:
        """Return the only person with this phone number, if they are the caller's own; None otherwise."""

    async def provider(self, channel: Channel) -> MessageProvider | None:
        """Return who delivers the tenant's messages on a channel."""

    async def add_message(self, message: Message, now: datetime) -> bool:
        """Store a message; False where its provider has brought it before."""

    async def add_interaction(self, interaction_id: UUID, message: Message, person_id: UUID, now: datetime) -> None:
        """Store the interaction that a message is with a person."""

    async def raise_unread(self, thread_id: UUID, now: datetime) -> None:
        """Count one more unread message for every active user who may see the thread.

        Somebody who comes to see it later begins with nothing unread.
        """

    async def position(self, thread_id: UUID, message_id: UUID) -> Position:
        """Return the place of a message; raises NotFound naming `upToMessageId` for one of another thread."""

    async def marker(self, thread_id: UUID) -> ReadMarker:
        """Return how far the caller has read."""

    async def unread_after(self, thread_id: UUID, position: Position) -> int:
        """Count the inbound messages after a place."""

    async def set_marker(self, thread_id: UUID, marker: ReadMarker, now: datetime) -> None:
        """Store how far the caller has read."""


class Messenger(Protocol):
    """Hands messages to whoever delivers them."""

    async def send(self, channel: Channel, address: str, message: Message) -> str:
        """Hand over one message and return the id that the provider gave it; raises Unavailable."""


Messengers = Mapping[MessageProvider, Messenger]


class NoProvider(Unavailable):
    """No messaging provider is configured."""


class AddressTaken(Conflict):
    """A conversation with this address exists that you may not see."""


LONGEST_TEXT: Final = {Channel.WHATSAPP: 4096, Channel.SMS: 1600}
"""How many characters a channel carries in one message."""


def check_text(channel: Channel, text: str) -> None:
    """Refuse a text that its channel does not carry; raises Invalid."""
    longest = LONGEST_TEXT[channel]
    if not text.strip():
        raise Invalid("A message says something.", field="text")
    if len(text) > longest:
        raise Invalid(
            f"A {channel.name} message has at most {longest} characters; {len(text)} were sent.", field="text"
        )


async def open_thread(unit: Unit, command: ThreadOpen) -> UUID:
    """Begin a conversation, or return the one that the address has.

    Without an address the person's phone number is used, and so the person must be the caller's own. A new thread is
    the caller's, and it is linked to the person who is named, or to the only person with that number if that person is
    the caller's own: whose number it is otherwise, it does not tell.
    """
    region = home_region(await unit.people.tenant_currency())
    if command.address is not None:
        address = parsed_phone(command.address, region, "address").e164
    else:
        address = await _number_of(unit, command)
    # The thread comes before its person, as in every unit that locks both.
    kept = await unit.threads.keep(
        Thread(new_id(), command.channel, address, None, unit.caller.user_id), unit.now, unit.now
    )
    person_id = None if command.person_id is None else await unit.people.owned(command.person_id)
    if kept.created:
        return (await _linked_first(unit, kept.thread, person_id)).id
    # Whoever owns the person at this number may have the conversation that nobody has claimed for anybody.
    if not kept.visible and (
        kept.thread.person_id is not None or person_id is None or await unit.people.own_phone(person_id) != address
    ):
        raise AddressTaken(field="address")
    if person_id is not None and kept.thread.person_id is not None and kept.thread.person_id != person_id:
        raise Conflict("This address belongs to a conversation with somebody else.", field="personId")
    if person_id is not None and kept.thread.person_id is None:
        await _link(unit, kept.thread, person_id)
    return kept.thread.id


def sender(messengers: Messengers) -> Callable[[Unit, MessageSend], Awaitable[UUID]]:
    """Return the use case that sends through these providers.

    It asks the provider within the unit, so a unit that fails afterwards has sent nothing only if the provider keeps
    nothing, as the mock does. A provider with a network gets a job that the unit writes instead.
    """

    async def send(unit: Unit, command: MessageSend) -> UUID:
        """Send a text: the message, the interaction with its person, audit and events, once the provider took it."""
        thread = await unit.threads.get_for_update(command.thread_id)
        check_text(thread.channel, command.text)
        provider = await unit.threads.provider(thread.channel)
        if provider is None or provider not in messengers:
            raise NoProvider(
                f"No messaging provider is configured for {thread.channel.name}. An administrator can choose one."
            )
        draft = Message(
            new_id(), thread.id, Direction.OUTBOUND, MessageKind.TEXT, command.text, unit.now, unit.caller.actor
        )
        given = await messengers[provider].send(thread.channel, thread.address, draft)
        await _add(unit, thread, replace(draft, delivery_state=DeliveryState.SENT, provider_message_id=given))
        return draft.id

    return send


async def receive(unit: Unit, command: MessageReceive) -> UUID | None:
    """Take in a message that a provider brought; None where it has brought it before.

    An address without a thread gets one that nobody is assigned to, linked to the only person with that number.
    """
    address = parsed_phone(command.address, None, "address").e164
    wanted = Thread(new_id(), command.channel, address, None, None)
    kept = await unit.threads.keep(wanted, command.sent_at, unit.now)
    thread = await _linked_first(unit, kept.thread, None) if kept.created else kept.thread
    message = Message(
        new_id(), thread.id, Direction.INBOUND, command.kind, command.text, command.sent_at,
        provider_message_id=command.provider_message_id,
    )  # fmt: skip
    if not await _add(unit, thread, message):
        return None
    await unit.threads.raise_unread(thread.id, unit.now)
    return message.id


async def link_person(unit: Unit, command: ThreadLinkPerson) -> UUID:
    """Say whose conversation it is: one of the caller's own people. Said again, it changes nothing.

    A conversation that is somebody's already is taken from one of the caller's own people only; raises NotAllowed.
    """
    thread = await unit.threads.get_for_update(command.thread_id)
    person_id = await unit.people.owned(command.person_id)
    if person_id != thread.person_id:
        if thread.person_id is not None and not await unit.people.is_own(thread.person_id):
            raise NotAllowed("This conversation is with a person who is not yours.", field="threadId")
        await _link(unit, thread, person_id)
    return thread.id


async def mark_read(unit: Unit, command: ThreadMarkRead) -> UUID:
    """Move the caller's read marker up to a message, never back, and count again what lies after it."""
    thread = await unit.threads.get_for_update(command.thread_id)
    asked = await unit.threads.position(thread.id, command.up_to_message_id)
    held = await unit.threads.marker(thread.id)
    furthest = asked if held.position is None else max(held.position, asked)
    marker = ReadMarker(furthest, await unit.threads.unread_after(thread.id, furthest))
    if marker != held:
        await unit.threads.set_marker(thread.id, marker, unit.now)
        unit.record(Change(AuditAction.UPDATE, "ThreadRead", "threads", thread.id, ("unreadCount",), thread.person_id))
    return thread.id


async def _number_of(unit: Unit, command: ThreadOpen) -> str:
    """Return the number of the person who is named."""
    if command.person_id is None:
        raise Invalid("Give an address or a person.", field="address")
    phone = await unit.people.own_phone(command.person_id)
    if phone is None:
        raise Invalid("This person has no phone number.", field="personId")
    return phone


async def _linked_first(unit: Unit, thread: Thread, person_id: UUID | None) -> Thread:
    """Return a new thread linked to this person, or else to the only one with its number if the caller owns them."""
    if person_id is None:
        found = await unit.threads.own_person_with_phone(thread.address)
        person_id = None if found is None else await unit.people.owned(found)
    if person_id is not None:
        await unit.threads.link(thread, person_id)
        thread = replace(thread, person_id=person_id)
    _opened(unit, thread)
    return thread


def _opened(unit: Unit, thread: Thread) -> None:
    fields = ("channel", "address", *(("person",) if thread.person_id else ()))
    unit.record(Change(AuditAction.CREATE, "ThreadOpened", "threads", thread.id, fields, thread.person_id))


async def _link(unit: Unit, thread: Thread, person_id: UUID) -> None:
    await unit.threads.link(thread, person_id)
    await unit.people.touch(person_id, *([thread.person_id] if thread.person_id is not None else ()))
    unit.record(Change(AuditAction.UPDATE, "ThreadLinked", "threads", thread.id, ("person",), person_id))


async def _add(unit: Unit, thread: Thread, message: Message) -> bool:
    if not await unit.threads.add_message(message, unit.now):
        return False
    sent = message.direction is Direction.OUTBOUND
    unit.record(
        Change(
            action=AuditAction.CREATE,
            event="MessageSent" if sent else "MessageReceived",
            noun="thread_messages",
            id=message.id,
            fields=("direction", "kind", "text", "sentAt"),
            person_id=thread.person_id,
            payload=(("threadId", str(thread.id)),),
        )
    )
    if thread.person_id is None:
        return True
    interaction_id = new_id()
    await unit.threads.add_interaction(interaction_id, message, thread.person_id, unit.now)
    await unit.people.touch(thread.person_id)
    unit.record(
        Change(
            action=AuditAction.CREATE,
            event="InteractionLogged",
            noun="interactions",
            id=interaction_id,
            fields=("kind", "occurredAt"),
            person_id=thread.person_id,
            payload=(("kind", "MESSAGE"),),
            activity=CrmActivityKind.INTERACTION_LOGGED,
            summary=f"{thread.channel.name} message {'sent' if sent else 'received'}",
        )
    )
    return True
