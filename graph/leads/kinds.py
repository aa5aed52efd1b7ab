"""The enumerations of leads, described."""

from __future__ import annotations

from domain.leads import InterestLevel, LeadLostReason, LeadQualification, LeadSource, LeadStage
from graph.enums import described

described(
    LeadStage,
    "Where a lead stands, in the order of the pipeline.",
    NEW="Came in, nobody has spoken to them.",
    CONTACTED="Somebody has spoken to them.",
    QUALIFIED="Budget, need and time are known.",
    VISIT="They have seen a property, or are about to.",
    NEGOTIATION="Price and terms are being discussed.",
    WON="They bought.",
    LOST="They will not buy from us.",
)
described(
    LeadQualification,
    "How promising a lead is, lowest first.",
    UNQUALIFIED="Not worth following.",
    COLD="No intention yet.",
    WARM="Interested, without a date.",
    HOT="Ready to decide.",
    WHALE="Ready to decide, and far above the usual budget.",
)
described(
    LeadLostReason,
    "Why a lead was lost.",
    PRICE="Too dear.",
    COMPETITOR="Bought from somebody else.",
    TIMING="Not now.",
    UNREACHABLE="Does not answer.",
    OTHER="Anything else; the note says what.",
)
described(
    LeadSource,
    "How a lead came in.",
    WEBSITE="Through our own site.",
    REFERRAL="Sent by somebody we know.",
    WALK_IN="Came to the showroom.",
    CAMPAIGN="Answered an advertisement.",
    PORTAL="Through a property portal.",
    IMPORT="Taken over from another system.",
    OTHER="Any other way.",
)
described(
    InterestLevel,
    "How much somebody wants a property or a project.",
    LOW="Has heard of it.",
    MEDIUM="Asked about it.",
    HIGH="Wants it.",
)
