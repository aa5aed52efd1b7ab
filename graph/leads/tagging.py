"""How clients let a model look for tags of a lead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain.proposals import LeadTag
from graph.context import Info
from graph.declaration import link, paid, payload, root
from graph.inputs import argument, key_of, once, unpacked
from graph.mutations import mutation
from resolvers import leads as resolve

if TYPE_CHECKING:
    from graph.jobs import InferenceJob


@strawberry.input(description="A lead that a model should find tags for.")
class LeadTagInput:
    """A lead."""

    lead_id: strawberry.ID = argument("Which lead.", of="leads")
    idempotency_key: str | None = once()


@payload("The job in which a model is asked.")
class LeadTagPayload:
    """The answer of leadTag."""

    job: InferenceJob = link("The job. What it finds is proposed, but for the tags that the settings allow at once.")


@root
class LeadTagMutation:
    """The mutation that asks for tags."""

    @mutation("Let a model look for tags in what was said with a lead. Its job ends with a proposal, or with none.")
    async def lead_tag(self, info: Info, input: LeadTagInput) -> LeadTagPayload:
        """Ask for tags."""
        job = await resolve.lead_tag(info.context, unpacked(input, LeadTag), key_of(input.idempotency_key))
        return paid(LeadTagPayload, job=job)
