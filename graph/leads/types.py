"""Leads, their history and their people's interests, as clients read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain.access import Permission
from domain.leads import InterestLevel, LeadLostReason, LeadQualification, LeadSource, LeadStage
from graph.connections import Connection
from graph.declaration import Node, by_id, column, connection, link, noun, reference, root
from graph.inputs import optional
from graph.scalars import DateTime
from graph.values import Money

if TYPE_CHECKING:
    from graph.access import Actor, User
    from graph.opportunities import Opportunity
    from graph.people import Person
    from graph.properties import Project, Property
    from graph.tasks import Task


@strawberry.input(description="Which leads; every entry narrows the list.")
class LeadFilter:
    """The filter of lead lists."""

    search: str | None = optional("Part of the person's name.", longest=100)
    updated_after: DateTime | None = optional("Changed after this moment.")
    tags: list[str] | None = optional("Bears all of these tags.", longest=100)
    stages: list[LeadStage] | None = optional("Stands in one of these stages.")
    assignee_ids: list[strawberry.ID] | None = optional("Assigned to one of these users.", of="users")
    sources: list[LeadSource] | None = optional("Came in one of these ways.")


@noun(
    "leads",
    prefix="lead",
    description="A wish to buy, followed through the pipeline.",
    filter=LeadFilter,
    orders={
        "CREATED_AT": "When it came in.",
        "STAGE": "How far it has come.",
        "BUDGET": "What they want to spend; none sorts lowest.",
    },
)
class Lead(Node):
    """A lead."""

    stage: LeadStage = column("Where it stands in the pipeline.")
    source: LeadSource = column("How it came in.")
    qualification: LeadQualification | None = column("How promising it is.")
    tags: list[str] = column("Labels set by people or approved proposals.")
    budget: Money | None = column("What the family wants to spend.")
    lost_reason: LeadLostReason | None = column("Why it was lost, if it was.")
    stage_changed_at: DateTime = column("When it came to its stage.")
    created_at: DateTime = column("When it came in.")
    updated_at: DateTime = column("When it last changed.")
    person: Person = link("Whose it is.")
    assignee: User | None = link("Who works on it.")
    next_task: Task | None = link("The open task that is due first.")
    stage_history: Connection[StageChange] = connection("Its way through the pipeline, newest first.")
    property_interests: Connection[PropertyInterest] = connection("What they looked at.")
    opportunities: Connection[Opportunity] = connection("The deals that came of it.")
    tasks: Connection[Task] = connection("What is to be done for it.")


@noun(
    "stage_changes",
    prefix="stagechange",
    description="A step of a lead along the pipeline.",
    orders={"CREATED_AT": "When it happened."},
)
class StageChange(Node):
    """An entry of a lead's history."""

    from_stage: LeadStage | None = column("Where it stood; null when it came in.")
    to_stage: LeadStage = column("Where it went.")
    at: DateTime = column("When it happened.")
    note: str | None = column("What was said about it.")
    lost_reason: LeadLostReason | None = column("Why it was lost, if it was.")
    by: Actor | None = reference("Who moved it.")


@noun(
    "property_interests",
    prefix="propertyinterest",
    description="What a person wants: a property, or a project as a whole.",
    orders={"CREATED_AT": "When it was noted."},
)
class PropertyInterest(Node):
    """An interest."""

    level: InterestLevel = column("How much they want it.")
    configuration: str | None = column("Which layout they want, such as 4 BHK.")
    created_at: DateTime = column("When it was noted.")
    property: Property | None = link("The property.")
    project: Project | None = link("The project.")
    lead: Lead | None = link("The lead it came up in, if you may see it.")
    person: Person = link("Whose interest it is.")


@root
class LeadQuery:
    """Root fields that read leads."""

    lead: Lead | None = by_id("One lead, or null.", Permission.LEAD_READ)
    leads: Connection[Lead] = connection("The leads you may see, newest first.", Permission.LEAD_READ)
