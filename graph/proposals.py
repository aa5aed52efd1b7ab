"""Proposals as clients see them: what would change, on what evidence, and how a person decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain import proposals as domain
from domain.access import Permission
from domain.proposals import ProposalDecision, ProposalKind, ProposalSourceKind, ProposalStatus
from graph.connections import Connection
from graph.context import Info
from graph.declaration import Node, column, connection, link, noun, paid, payload, reference, root, value
from graph.enums import described
from graph.inputs import argument, optional, unpacked
from graph.mutations import mutation
from graph.scalars import JSON, DateTime
from resolvers import proposals as resolve

if TYPE_CHECKING:
    from graph.access import Actor
    from graph.interactions import Interaction
    from graph.jobs import Job

described(
    ProposalKind,
    "What a proposal would change.",
    LEAD_TAG="The tags of a lead.",
    FACT="What is known about a person.",
    IMPORT="A person's details, or a new person, from imported data.",
    MATCH="Two people would become one, or a visitor without a name would be a person.",
)
described(
    ProposalStatus,
    "Whether a proposal is decided.",
    PENDING="It waits for a decision.",
    APPROVED="It was approved, and the change was made.",
    REJECTED="It was rejected.",
    EXPIRED="Nobody decided in time, or what it would change has changed meanwhile.",
)
described(
    ProposalDecision,
    "What is decided.",
    APPROVE="Make the change.",
    REJECT="Change nothing.",
)
described(
    ProposalSourceKind,
    "Where a proposal comes from.",
    MODEL="A model.",
    IMPORT="Imported data.",
    MISSION="A mission.",
    RULES="A rule of ours.",
)


@value("field_changes", description="What one field has, and what it would have.")
class FieldChange:
    """A change of a field."""

    field: str = column("The field.")
    before: JSON | None = column("What it had when this was proposed; approval is refused once it has something else.")
    after: JSON | None = column("What it would have.")


@value("evidence", description="Words that a proposal rests on.")
class Evidence:
    """A quote."""

    text: str = column("The words, as they were said, written or imported.")
    interaction: Interaction | None = link("Where they were said, if it was in an interaction.")


@value("proposal_sources", description="Who proposes something.")
class ProposalSource:
    """A source."""

    kind: ProposalSourceKind = column("What it is.")
    job: Job | None = link("The job in which a model was asked, if you may see it.")
    model: str | None = column("Which model.")
    prompt_version: str | None = column("Which version of which prompt the model was asked with.")


@strawberry.input(description="Which proposals; every entry narrows the list.")
class ProposalFilter:
    """The filter of the queue."""

    status: ProposalStatus | None = optional("Is in this state.")
    kind: ProposalKind | None = optional("Is of this kind.")


@noun(
    "proposals",
    prefix="proposal",
    description="A change that a model, an import or a mission suggests. Nothing changes until a person approves it.",
    filter=ProposalFilter,
    orders={"CREATED_AT": "When it was proposed."},
)
class Proposal(Node):
    """A proposal."""

    kind: ProposalKind = column("What it would change.")
    status: ProposalStatus = column("Whether it is decided.")
    subject: Node | None = reference("The lead or the person that it is about; null where it would make a person.")
    changes: list[FieldChange] = column("What would change.")
    reason: str | None = column("Why.")
    evidence: list[Evidence] = column("What it rests on.")
    source: ProposalSource = column("Who proposes it.")
    created_at: DateTime = column("When it was proposed.")
    decided_at: DateTime | None = column("When it was decided, or expired.")
    decided_by: Actor | None = reference("Who decided.")


@root
class ProposalQuery:
    """Root fields that read proposals."""

    proposals: Connection[Proposal] = connection(
        "What is proposed about leads and people of yours, newest first.", Permission.LEAD_READ
    )


@strawberry.input(description="A decision.")
class ProposalDecideInput:
    """A decision about a proposal."""

    proposal_id: strawberry.ID = argument("About which proposal.", of="proposals")
    decision: ProposalDecision = argument("What is decided.")
    comment: str | None = optional("Why.", longest=2000)


@payload("The proposal that was decided.")
class ProposalDecidePayload:
    """The answer of proposalDecide."""

    proposal: Proposal = link("It, as it is now.")


@root
class ProposalMutation:
    """Mutations of proposals."""

    @mutation("Approve a proposal, which makes its change at once, or reject it. It is decided once.")
    async def proposal_decide(self, info: Info, input: ProposalDecideInput) -> ProposalDecidePayload:
        """Decide a proposal."""
        proposal = await resolve.proposal_decide(info.context, unpacked(input, domain.ProposalDecide))
        return paid(ProposalDecidePayload, proposal=proposal)
