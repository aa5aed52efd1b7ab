"""Conversations with one address over one channel, their messages, and who has read how far."""

from domain.threads.kinds import MESSAGE_EVENTS, Channel, DeliveryState, MessageKind, MessageProvider
from domain.threads.rules import LONGEST_TEXT, AddressTaken, NoProvider, check_text
from domain.threads.store import (
    Kept,
    Message,
    MessageReceive,
    MessageSend,
    Messenger,
    Messengers,
    Position,
    ReadMarker,
    Thread,
    ThreadLinkPerson,
    ThreadMarkRead,
    ThreadOpen,
    ThreadStore,
)
from domain.threads.use_cases import link_person, mark_read, open_thread, receive, sender

__all__ = [
    "LONGEST_TEXT",
    "MESSAGE_EVENTS",
    "AddressTaken",
    "Channel",
    "DeliveryState",
    "Kept",
    "Message",
    "MessageKind",
    "MessageProvider",
    "MessageReceive",
    "MessageSend",
    "Messenger",
    "Messengers",
    "NoProvider",
    "Position",
    "ReadMarker",
    "Thread",
    "ThreadLinkPerson",
    "ThreadMarkRead",
    "ThreadOpen",
    "ThreadStore",
    "check_text",
    "link_person",
    "mark_read",
    "open_thread",
    "receive",
    "sender",
]
