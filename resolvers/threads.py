"""The edge of the thread use cases."""

from __future__ import annotations

from uuid import UUID

from domain import threads
from domain.access import Permission
from resolvers.context import Context
from resolvers.guard import allow
from resolvers.performing import perform


@allow(Permission.THREAD_WRITE)
async def thread_open(context: Context, command: threads.ThreadOpen, idempotency_key: str | None) -> UUID:
    """Begin a conversation, or find the one there is."""
    return await perform(context, threads.open_thread, command, idempotency_key)


@allow(Permission.THREAD_WRITE)
async def message_send(context: Context, command: threads.MessageSend, idempotency_key: str | None) -> UUID:
    """Send a text."""
    return await perform(context, threads.sender(context.messengers), command, idempotency_key)


@allow(Permission.THREAD_WRITE)
async def thread_link_person(context: Context, command: threads.ThreadLinkPerson) -> UUID:
    """Say whose conversation it is."""
    return await perform(context, threads.link_person, command)


@allow(Permission.THREAD_READ)
async def thread_mark_read(context: Context, command: threads.ThreadMarkRead) -> UUID:
    """Move the caller's read marker."""
    return await perform(context, threads.mark_read, command)
