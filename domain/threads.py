"""Conversations with one address over one channel, and their messages."""

from enum import Enum


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
