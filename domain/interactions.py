"""Interactions: messages, calls, e-mails, visits and notes."""

from enum import Enum


class InteractionKind(Enum):
    """How the business and a person met."""

    MESSAGE = "MESSAGE"
    CALL = "CALL"
    EMAIL = "EMAIL"
    VISIT = "VISIT"
    NOTE = "NOTE"


class Direction(Enum):
    """Who spoke: INBOUND came from the person."""

    INBOUND = "INBOUND"
    OUTBOUND = "OUTBOUND"


class ObjectionKind(Enum):
    """What holds a buyer back."""

    PRICE = "PRICE"
    LOCATION = "LOCATION"
    TIMING = "TIMING"
    TRUST = "TRUST"
    LAYOUT = "LAYOUT"
    FINANCE = "FINANCE"
    OTHER = "OTHER"
