"""Opportunities as clients see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain import opportunities as domain
from domain.access import Permission
from domain.opportunities import OpportunityStage
from graph.connections import Connection
from graph.context import Info
from graph.declaration import Node, by_id, column, connection, link, noun, paid, payload, root
from graph.enums import described
from graph.inputs import MoneyInput, argument, key_of, once, optional, unpacked
from graph.mutations import mutation
from graph.scalars import Date, DateTime
from graph.values import Money
from resolvers import opportunities as resolve

if TYPE_CHECKING:
    from graph.access import User
    from graph.leads import Lead
    from graph.people import Person
    from graph.properties import Property

described(
    OpportunityStage,
    "Where a deal stands.",
    OPEN="Being worked on.",
    OFFER="An offer was made.",
    BOOKED="The unit is reserved and a token was paid.",
    CONTRACT="The contract is being signed.",
    WON="Signed.",
    LOST="It came to nothing.",
)


@strawberry.input(description="Which deals; every entry narrows the list.")
class OpportunityFilter:
    """The filter of lists of deals."""

    stages: list[OpportunityStage] | None = optional("Stands in one of these stages.")
    assignee_ids: list[strawberry.ID] | None = optional("Its lead is assigned to one of these users.", of="users")


@noun(
    "opportunities",
    prefix="opportunity",
    description="A lead that has become a deal.",
    filter=OpportunityFilter,
    orders={"CREATED_AT": "When it was opened."},
)
class Opportunity(Node):
    """A deal."""

    stage: OpportunityStage = column("Where it stands.")
    amount: Money | None = column("What it is worth.")
    probability: float | None = column("How likely it is, 0 to 1. A won deal has 1 and a lost one 0 unless told else.")
    expected_close_on: Date | None = column("When it should close.")
    approved_at: DateTime | None = column("When somebody approved that it was won, if it needed that.")
    created_at: DateTime = column("When it was opened.")
    updated_at: DateTime = column("When it last changed.")
    approved_by: User | None = link("Who approved that it was won, if it needed that.")
    lead: Lead | None = link("The lead that it came of.")
    person: Person = link("Who buys.")
    property: Property | None = link("What they buy.")


@root
class OpportunityQuery:
    """Root fields that read deals."""

    opportunity: Opportunity | None = by_id("One deal, or null.", Permission.LEAD_READ)
    opportunities: Connection[Opportunity] = connection(
        "The deals of the leads you may see, newest first.", Permission.LEAD_READ
    )


@strawberry.input(description="What opens a deal.")
class OpportunityCreateInput:
    """A new deal."""

    lead_id: strawberry.ID = argument("Whose lead it comes of.", of="leads")
    property_id: strawberry.ID | None = optional("What they buy.", of="properties")
    amount: MoneyInput | None = optional("What it is worth.")
    probability: float | None = optional("How likely it is, 0 to 1.")
    expected_close_on: Date | None = optional("When it should close.")
    idempotency_key: str | None = once()


@strawberry.input(description="How a deal goes on; what is left out stays.")
class OpportunityUpdateInput:
    """An update."""

    opportunity_id: strawberry.ID = argument("Which deal.", of="opportunities")
    stage: OpportunityStage | None = optional(
        "Where it stands now; not null. WON above the tenant's threshold, or in another currency, needs approval."
    )
    amount: MoneyInput | None = optional("What it is worth; null takes it away.")
    probability: float | None = optional("How likely it is, 0 to 1; null takes it away.")
    expected_close_on: Date | None = optional("When it should close; null takes it away.")


@payload("The deal that was opened.")
class OpportunityCreatePayload:
    """The answer of opportunityCreate."""

    opportunity: Opportunity = link("The new deal.")


@payload("The deal that went on.")
class OpportunityUpdatePayload:
    """The answer of opportunityUpdate."""

    opportunity: Opportunity = link("The deal, as it is now.")


@root
class OpportunityMutation:
    """Mutations of deals."""

    @mutation("Open a deal for a lead.")
    async def opportunity_create(self, info: Info, input: OpportunityCreateInput) -> OpportunityCreatePayload:
        """Open a deal."""
        opportunity = await resolve.opportunity_create(
            info.context, unpacked(input, domain.OpportunityCreate), key_of(input.idempotency_key)
        )
        return paid(OpportunityCreatePayload, opportunity=opportunity)

    @mutation("Let a deal go on, or close it; a large one needs approval to be won.")
    async def opportunity_update(self, info: Info, input: OpportunityUpdateInput) -> OpportunityUpdatePayload:
        """Update a deal."""
        opportunity = await resolve.opportunity_update(info.context, unpacked(input, domain.OpportunityUpdate))
        return paid(OpportunityUpdatePayload, opportunity=opportunity)
