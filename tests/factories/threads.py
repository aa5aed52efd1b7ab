"""Threads, their messages and the provider settings."""

from datetime import datetime
from uuid import UUID

from asyncpg import Connection, Record

from domain.values import new_id
from tests.factories.access import Tenant
from tests.factories.rows import insert


async def thread(owner: "Connection[Record]", of: Tenant, *, address: str = "+971501234567", **values: object) -> UUID:
    """Make a WhatsApp thread that nobody is assigned to and that is linked to nobody."""
    thread_id = new_id()
    await insert(owner, "threads", of.id, id=thread_id, address=address, **{"channel": "WHATSAPP", **values})
    return thread_id


async def message(
    owner: "Connection[Record]", of: Tenant, *, thread_id: UUID, sent_at: datetime, **values: object
) -> UUID:
    """Make an inbound text."""
    message_id = new_id()
    values = {"direction": "INBOUND", "kind": "TEXT", "text": "Is it still free?", **values}
    await insert(owner, "thread_messages", of.id, id=message_id, thread_id=thread_id, sent_at=sent_at, **values)
    return message_id


async def provider(owner: "Connection[Record]", of: Tenant, *, channel: str = "WHATSAPP") -> None:
    """Let the mock provider deliver on a channel."""
    await insert(owner, "provider_settings", of.id, channel=channel, provider="MOCK")


async def read(owner: "Connection[Record]", of: Tenant, **values: object) -> None:
    """Make a read marker of a user."""
    await insert(owner, "thread_reads", of.id, **values)
