"""The pipeline as clients see it: every stage with its leads, counted and summed."""

from __future__ import annotations

from domain.access import Permission
from domain.leads import LeadStage
from graph.connections import Connection
from graph.declaration import Argument, column, connection, root, root_value, value
from graph.leads.types import Lead, LeadFilter
from graph.values import Money


@value("pipeline_stage", description="A stage of the pipeline and the leads that stand in it.")
class PipelineStage:
    """A column of the board."""

    stage: LeadStage = column("Which stage.")
    lead_count: int = column("How many leads stand in it.")
    budget_totals: list[Money] = column("What they would spend: one sum for each currency, by its code.")
    leads: Connection[Lead] = connection(
        "The leads themselves. Their cursors are those of `leads` filtered to this stage.", inherits=("filter",)
    )


@value("pipeline", description="Every lead that you may see and that fits the filter, by its stage.")
class Pipeline:
    """The board."""

    stages: list[PipelineStage] = column("All stages in the order of the pipeline, empty ones too.")


@root
class PipelineQuery:
    """The root field of the board."""

    pipeline: Pipeline = root_value(
        "The leads you may see, by stage.",
        Permission.LEAD_READ,
        Argument("filter", LeadFilter | None, "Only leads that fit all of these."),
    )
