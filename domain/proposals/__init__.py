"""Proposals: changes that a model, an import or a mission suggests and a person decides."""

from domain.proposals.kinds import ProposalDecision, ProposalKind, ProposalSourceKind, ProposalStatus
from domain.proposals.store import Evidence, FieldChange, Origin, Proposal, ProposalDecide, ProposalStore
from domain.proposals.tagging import LeadTag, LeadTagger, request
from domain.proposals.use_cases import (
    OverdueProposals,
    ProposalDecided,
    ProposalOvertaken,
    decide,
    expire_left,
    expire_overtaken,
    propose,
    replace_pending,
)

__all__ = [
    "Evidence",
    "FieldChange",
    "LeadTag",
    "LeadTagger",
    "Origin",
    "OverdueProposals",
    "Proposal",
    "ProposalDecide",
    "ProposalDecided",
    "ProposalDecision",
    "ProposalKind",
    "ProposalOvertaken",
    "ProposalSourceKind",
    "ProposalStatus",
    "ProposalStore",
    "decide",
    "expire_left",
    "expire_overtaken",
    "propose",
    "replace_pending",
    "request",
]
