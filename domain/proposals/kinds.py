"""The words that proposals are described with."""

from enum import Enum


class ProposalKind(Enum):
    """What a proposal would change."""

    LEAD_TAG = "LEAD_TAG"
    FACT = "FACT"
    IMPORT = "IMPORT"
    MATCH = "MATCH"


class ProposalStatus(Enum):
    """Whether a proposal is decided."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


class ProposalDecision(Enum):
    """What was decided."""

    APPROVE = "APPROVE"
    REJECT = "REJECT"


class ProposalSourceKind(Enum):
    """Where a proposal comes from."""

    MODEL = "MODEL"
    IMPORT = "IMPORT"
    MISSION = "MISSION"
    RULES = "RULES"
