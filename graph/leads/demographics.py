"""How leads are spread, as clients see it."""

from __future__ import annotations

from domain.access import Permission
from graph.declaration import Argument, column, root, root_value, value
from graph.leads.types import LeadFilter
from graph.values import Money


@value("bucket", description="How many leads have something in common.")
class Bucket:
    """A count."""

    key: str = column("What they have in common.")
    count: int = column("How many they are.")


@value("budget_band", description="How many leads have a budget from `min` to below `max`.")
class BudgetBand:
    """A band of budgets."""

    min: Money | None = column("The least of the band, included; null for the lowest band.")
    max: Money | None = column("The end of the band, excluded; null for the highest band.")
    count: int = column("How many leads have a budget in it.")


@value("lead_demographics", description="How the leads of a filter are spread. What is not selected is not counted.")
class LeadDemographics:
    """The counts."""

    by_source: list[Bucket] = column("By how they came in: every LeadSource.")
    by_qualification: list[Bucket] = column("By how promising they are: every LeadQualification, then UNKNOWN.")
    by_stage: list[Bucket] = column("By where they stand: every LeadStage, in the order of the pipeline.")
    by_city: list[Bucket] = column(
        "By where the person lives, most leads first; people without a city are left out.",
        Argument("first", int, "How many cities: 0 to 100."),
    )
    by_budget_band: list[BudgetBand] = column(
        "By budget, lowest band first; budgets in other currencies are left out.",
        Argument("currency", str, "ISO 4217. INR, AED, SAR and QAR have bands of their own."),
    )


@root
class LeadDemographicsQuery:
    """The root field of the counts."""

    lead_demographics: LeadDemographics = root_value(
        "How the leads you may see are spread.",
        Permission.LEAD_READ,
        Argument("filter", LeadFilter | None, "Only leads that fit all of these."),
    )
