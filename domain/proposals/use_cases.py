"""What is done with proposals: made, decided once by a person, and expired where nobody does or it is too late."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from domain.access import Actor
from domain.audit import AuditAction, Change
from domain.errors import Conflict, Invalid
from domain.proposals.kinds import ProposalDecision, ProposalStatus
from domain.proposals.store import Proposal, ProposalDecide
from domain.proposals.wanted import wanted

if TYPE_CHECKING:
    from domain.access import Caller
    from domain.unit import Unit, Units

LONGEST_COMMENT: Final = 2000
OVERTAKEN: Final = "What it would change has changed meanwhile."
REPLACED: Final = "A newer proposal has taken its place."
LEFT: Final = "Nobody decided."


class ProposalDecided(Conflict):
    """Somebody decided this proposal already, or its time is over."""


class ProposalOvertaken(Conflict):
    """What it would change has changed meanwhile: nothing was done, and the proposal has expired."""


class OverdueProposals(Protocol):
    """Finds proposals of all tenants."""

    def proposals(self, before: datetime) -> AsyncIterator[tuple[Caller, UUID]]:
        """Yield proposals that wait since before a moment, each with who acts; a hundred at a time."""


async def propose(unit: Unit, proposal: Proposal) -> UUID:
    """Let a change wait for a person. Raises Invalid where a proposal does not say what would change."""
    wanted(proposal)
    await unit.proposals.add(proposal)
    unit.record(
        Change(
            AuditAction.CREATE, "ProposalMade", "proposals", proposal.id, ("changes",),
            payload=(("kind", proposal.kind.name),),
        )
    )  # fmt: skip
    return proposal.id


async def decide(unit: Unit, command: ProposalDecide) -> UUID:
    """Decide a proposal: approving makes the change in the same unit, rejecting keeps why.

    Raises NotAUser, NotFound, Invalid, ProposalDecided, ProposalOvertaken, and what the change itself is refused for.
    """
    unit.caller.as_user()
    comment = " ".join((command.comment or "").split()) or None
    if comment is not None and len(comment) > LONGEST_COMMENT:
        raise Invalid(f"A comment has at most {LONGEST_COMMENT} characters.", field="comment")
    proposal = await unit.proposals.get_for_update(command.proposal_id)
    if proposal.status is not ProposalStatus.PENDING:
        raise ProposalDecided(field="proposalId")
    status = ProposalStatus.REJECTED
    if command.decision is ProposalDecision.APPROVE:
        status, change = ProposalStatus.APPROVED, wanted(proposal)
        if not await change.holds(unit):
            raise ProposalOvertaken(field="proposalId")
        proposal = replace(proposal, subject=await change.carry_out(unit) or proposal.subject)
    await _end(unit, replace(proposal, status=status), unit.caller.actor, comment)
    return proposal.id


async def expire_overtaken(unit: Unit, proposal_id: UUID) -> bool:
    """Let a proposal expire that was refused as overtaken; return whether it was so. It is looked at again, locked."""
    proposal = await unit.proposals.get_for_update(proposal_id)
    if proposal.status is not ProposalStatus.PENDING or await wanted(proposal).holds(unit):
        return False
    await _end(unit, replace(proposal, status=ProposalStatus.EXPIRED), None, OVERTAKEN)
    return True


async def replace_pending(unit: Unit, waiting: Iterable[Proposal]) -> None:
    """Let proposals expire for a newer one of their kind about their subject: only one of them could be approved."""
    for older in waiting:
        await _end(unit, replace(older, status=ProposalStatus.EXPIRED), None, REPLACED)


async def expire_left(units: Units, overdue: OverdueProposals, before: datetime) -> int:
    """Let proposals expire that nobody has decided since before a moment; return how many."""
    expired = 0
    async for caller, proposal_id in overdue.proposals(before):
        async with units.write(caller) as unit:
            proposal = await unit.proposals.get_for_update(proposal_id)
            if proposal.status is ProposalStatus.PENDING:
                await _end(unit, replace(proposal, status=ProposalStatus.EXPIRED), None, LEFT)
                expired += 1
    return expired


async def _end(unit: Unit, proposal: Proposal, by: Actor | None, comment: str | None) -> None:
    await unit.proposals.end(proposal, by, comment, unit.now)
    fields = ("status",) if comment is None else ("status", "comment")
    payload = (("kind", proposal.kind.name), ("status", proposal.status.name))
    decided = proposal.status is not ProposalStatus.EXPIRED
    action, event = (AuditAction.DECIDE, "ProposalDecided") if decided else (AuditAction.UPDATE, "ProposalExpired")
    unit.record(Change(action, event, "proposals", proposal.id, fields, payload=payload))
