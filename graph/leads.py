"""Leads as clients see them: the board, the pipeline and every step along it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain import leads as domain
from domain.access import Permission
from domain.leads import InterestLevel, LeadLostReason, LeadQualification, LeadSource, LeadStage
from graph.connections import Connection
from graph.context import Info
from graph.declaration import Node, by_id, column, connection, link, noun, paid, payload, reference, root
from graph.enums import described
from graph.inputs import MoneyInput, argument, optional, unpacked
from graph.mutations import mutation
from graph.problems import Problems
from graph.scalars import DateTime
from graph.values import Money
from resolvers import leads as resolve

if TYPE_CHECKING:
    from graph.access import Actor, User
    from graph.people import Person
    from graph.properties import Project, Property
    from graph.tasks import Task

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


@strawberry.input(description="What opens a lead.")
class LeadCreateInput:
    """A new lead."""

    person_id: strawberry.ID = argument("Whose it is.", of="people")
    source: LeadSource = argument("How it came in.")
    budget: MoneyInput | None = optional("What they want to spend.")
    assignee_id: strawberry.ID | None = optional("Who works on it; you, if left out.", of="users")
    idempotency_key: str | None = optional("Same key and input: same answer, one effect.", longest=200)


@strawberry.input(description="A step along the pipeline, back, or out of it.")
class LeadMoveInput:
    """A move."""

    lead_id: strawberry.ID = argument("Which lead.", of="leads")
    to_stage: LeadStage = argument("Where it goes.")
    expected_stage: LeadStage | None = optional("Where you believe it stands; refused when somebody moved it first.")
    lost_reason: LeadLostReason | None = optional("Why it is lost; needed for LOST, refused otherwise.")
    note: str | None = optional("What to remember about it.", longest=2000)


@payload("The lead that was opened.")
class LeadCreatePayload:
    """The answer of leadCreate."""

    lead: Lead = link("The new lead.")


@payload("The lead that was moved.")
class LeadMovePayload:
    """The answer of leadMove."""

    lead: Lead = link("The lead, as it is now.")


LeadCreateResult = Annotated[
    LeadCreatePayload | Problems, strawberry.union("LeadCreateResult", description="What leadCreate answers.")
]
LeadMoveResult = Annotated[
    LeadMovePayload | Problems, strawberry.union("LeadMoveResult", description="What leadMove answers.")
]


@root
class LeadMutation:
    """Mutations of leads."""

    @mutation("Open a lead for a person.")
    async def lead_create(self, info: Info, input: LeadCreateInput) -> LeadCreateResult:
        """Open a lead."""
        lead = await resolve.lead_create(
            info.context, unpacked(input, domain.LeadCreate), input.idempotency_key or None
        )
        return paid(LeadCreatePayload, lead=lead)

    @mutation("Move a lead forward, back or out; the stage rules decide.")
    async def lead_move(self, info: Info, input: LeadMoveInput) -> LeadMoveResult:
        """Move a lead."""
        return paid(LeadMovePayload, lead=await resolve.lead_move(info.context, unpacked(input, domain.LeadMove)))
