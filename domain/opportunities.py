"""Opportunities: a lead that has become a deal."""

from enum import Enum


class OpportunityStage(Enum):
    """Where a deal stands."""

    OPEN = "OPEN"
    OFFER = "OFFER"
    BOOKED = "BOOKED"
    CONTRACT = "CONTRACT"
    WON = "WON"
    LOST = "LOST"
