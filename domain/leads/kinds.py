"""The enumerations of leads, in the order in which they are listed."""

from __future__ import annotations

from enum import Enum


class LeadStage(Enum):
    """Where a lead stands, in the order of the pipeline."""

    NEW = "NEW"
    CONTACTED = "CONTACTED"
    QUALIFIED = "QUALIFIED"
    VISIT = "VISIT"
    NEGOTIATION = "NEGOTIATION"
    WON = "WON"
    LOST = "LOST"


class LeadQualification(Enum):
    """How promising a lead is, lowest first."""

    UNQUALIFIED = "UNQUALIFIED"
    COLD = "COLD"
    WARM = "WARM"
    HOT = "HOT"
    WHALE = "WHALE"


class LeadLostReason(Enum):
    """Why a lead was lost."""

    PRICE = "PRICE"
    COMPETITOR = "COMPETITOR"
    TIMING = "TIMING"
    UNREACHABLE = "UNREACHABLE"
    OTHER = "OTHER"


class LeadSource(Enum):
    """How a lead came in."""

    WEBSITE = "WEBSITE"
    REFERRAL = "REFERRAL"
    WALK_IN = "WALK_IN"
    CAMPAIGN = "CAMPAIGN"
    PORTAL = "PORTAL"
    IMPORT = "IMPORT"
    OTHER = "OTHER"


class InterestLevel(Enum):
    """How much somebody wants a property or a project."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
