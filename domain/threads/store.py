"""What is kept of a conversation, the commands that change it, and the ports that keep it and send its messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.access import Actor
from domain.interactions import Direction
from domain.threads.kinds import Channel, DeliveryState, MessageKind, MessageProvider


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
