"""The words of conversations: what carries them, what a message holds, and what is told of it."""

from __future__ import annotations

from enum import Enum
from typing import Final

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
