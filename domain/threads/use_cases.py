"""What is done with conversations: open them, send and receive, say whose they are, and mark what was read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from domain.audit import AuditAction, Change, CrmActivityKind
from domain.errors import Conflict, Invalid, NotAllowed
from domain.interactions import Direction
from domain.people.phones import home_region, parsed_phone
from domain.threads.kinds import DeliveryState, MessageKind
from domain.threads.rules import AddressTaken, NoProvider, check_text
from domain.threads.store import (
    Message,
    MessageReceive,
    MessageSend,
    Messengers,
    ReadMarker,
    Thread,
    ThreadLinkPerson,
    ThreadMarkRead,
    ThreadOpen,
)
from domain.values import new_id

if TYPE_CHECKING:
    from domain.unit import Unit


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
