"""Leads as clients see them: the board, the pipeline and every step along it."""

from graph.leads import kinds
from graph.leads.demographics import LeadDemographicsQuery
from graph.leads.mutations import LeadMutation
from graph.leads.pipeline import PipelineQuery
from graph.leads.tagging import LeadTagMutation
from graph.leads.types import Lead, LeadFilter, LeadQuery, PropertyInterest, StageChange

__all__ = [
    "Lead",
    "LeadDemographicsQuery",
    "LeadFilter",
    "LeadMutation",
    "LeadQuery",
    "LeadTagMutation",
    "PipelineQuery",
    "PropertyInterest",
    "StageChange",
    "kinds",
]
