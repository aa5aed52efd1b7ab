"""What clients do with leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain import leads as domain
from domain.leads import InterestLevel, LeadLostReason, LeadQualification, LeadSource, LeadStage
from graph.context import Info
from graph.declaration import link, paid, payload, root
from graph.inputs import MoneyInput, argument, key_of, once, optional, unpacked
from graph.mutations import mutation
from resolvers import leads as resolve

if TYPE_CHECKING:
    from graph.leads.types import Lead, PropertyInterest


@strawberry.input(description="What opens a lead.")
class LeadCreateInput:
    """A new lead."""

    person_id: strawberry.ID = argument(
        "Whose it is. Somebody whom nobody follows yet, or whom you follow.", of="people"
    )
    source: LeadSource = argument("How it came in.")
    budget: MoneyInput | None = optional("What they want to spend.")
    assignee_id: strawberry.ID | None = optional("Who works on it; you, if left out.", of="users")
    idempotency_key: str | None = once()


@strawberry.input(description="A step along the pipeline, back, or out of it.")
class LeadMoveInput:
    """A move."""

    lead_id: strawberry.ID = argument("Which lead.", of="leads")
    to_stage: LeadStage = argument("Where it goes.")
    expected_stage: LeadStage | None = optional("Where you believe it stands; refused when somebody moved it first.")
    lost_reason: LeadLostReason | None = optional("Why it is lost; needed for LOST, refused otherwise.")
    note: str | None = optional("What to remember about it.", longest=2000)


@strawberry.input(description="What is known better about a lead; what is left out stays.")
class LeadUpdateInput:
    """An update."""

    lead_id: strawberry.ID = argument("Which lead.", of="leads")
    source: LeadSource | None = optional("How it came in; not null.")
    qualification: LeadQualification | None = optional("How promising it is; null takes it away.")
    tags: list[str] | None = optional("All its tags, in order, each once: at most 50 of 50 characters.", longest=200)
    budget: MoneyInput | None = optional("What they want to spend; null takes it away.")


@strawberry.input(description="Who works on a lead from now on.")
class LeadAssignInput:
    """An assignment."""

    lead_id: strawberry.ID = argument("Which lead.", of="leads")
    assignee_id: strawberry.ID | None = optional(
        "Who works on it: one of your team; anybody, or nobody (null), for a director.", of="users"
    )


@strawberry.input(
    description="How much a person wants something: a property, a project, or a property of that project."
)
class PropertyInterestSetInput:
    """An interest. Set again for the same person, lead and thing, it changes."""

    person_id: strawberry.ID = argument("Whose interest it is.", of="people")
    lead_id: strawberry.ID | None = optional("The lead it came up in; one of theirs.", of="leads")
    property_id: strawberry.ID | None = optional("The property.", of="properties")
    project_id: strawberry.ID | None = optional("The project.", of="projects")
    configuration: str | None = optional("Which layout they want, such as 4 BHK.", longest=200)
    level: InterestLevel = argument("How much they want it.")


@payload("The lead that was opened.")
class LeadCreatePayload:
    """The answer of leadCreate."""

    lead: Lead = link("The new lead.")


@payload("The lead that was moved.")
class LeadMovePayload:
    """The answer of leadMove."""

    lead: Lead = link("The lead, as it is now.")


@payload("The lead that was updated.")
class LeadUpdatePayload:
    """The answer of leadUpdate."""

    lead: Lead = link("The lead, as it is now.")


@payload("The lead that was assigned.")
class LeadAssignPayload:
    """The answer of leadAssign."""

    lead: Lead = link("The lead, as it is now.")


@payload("The interest that was noted.")
class PropertyInterestSetPayload:
    """The answer of propertyInterestSet."""

    property_interest: PropertyInterest = link("The interest, as it is now.")


@root
class LeadMutation:
    """Mutations of leads."""

    @mutation("Open a lead for a person.")
    async def lead_create(self, info: Info, input: LeadCreateInput) -> LeadCreatePayload:
        """Open a lead."""
        lead = await resolve.lead_create(
            info.context, unpacked(input, domain.LeadCreate), key_of(input.idempotency_key)
        )
        return paid(LeadCreatePayload, lead=lead)

    @mutation("Move a lead forward, back or out; the stage rules decide.")
    async def lead_move(self, info: Info, input: LeadMoveInput) -> LeadMovePayload:
        """Move a lead."""
        return paid(LeadMovePayload, lead=await resolve.lead_move(info.context, unpacked(input, domain.LeadMove)))

    @mutation("Store what is known better about a lead.")
    async def lead_update(self, info: Info, input: LeadUpdateInput) -> LeadUpdatePayload:
        """Update a lead."""
        return paid(LeadUpdatePayload, lead=await resolve.lead_update(info.context, unpacked(input, domain.LeadUpdate)))

    @mutation("Give a lead to somebody of your team; a director gives it to anybody or to nobody.")
    async def lead_assign(self, info: Info, input: LeadAssignInput) -> LeadAssignPayload:
        """Assign a lead."""
        return paid(LeadAssignPayload, lead=await resolve.lead_assign(info.context, unpacked(input, domain.LeadAssign)))

    @mutation("Note how much a person wants a property or a project.")
    async def property_interest_set(self, info: Info, input: PropertyInterestSetInput) -> PropertyInterestSetPayload:
        """Set an interest."""
        interest = await resolve.property_interest_set(info.context, unpacked(input, domain.PropertyInterestSet))
        return paid(PropertyInterestSetPayload, property_interest=interest)
