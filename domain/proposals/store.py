"""What is kept of a proposal, and the port that keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.access import Actor
from domain.proposals.kinds import ProposalDecision, ProposalKind, ProposalSourceKind, ProposalStatus


@dataclass(frozen=True, slots=True)
class FieldChange:
    """What one field has and what it would have, as JSON; rows are named by the ids that clients know them by."""

    field: str
    before: object = None
    after: object = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words that a proposal rests on, and the interaction they are from, where they are from one."""

    text: str
    interaction_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Who suggests it: of a model, which one, by which prompt and in which job."""

    kind: ProposalSourceKind
    job_id: UUID | None = None
    model: str | None = None
    prompt_version: str | None = None
    prompt_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that waits for a person, or was decided. Without a subject it would make a new row."""

    id: UUID
    kind: ProposalKind
    subject: Actor | None
    changes: tuple[FieldChange, ...]
    origin: Origin
    created_at: datetime
    status: ProposalStatus = ProposalStatus.PENDING
    reason: str | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class ProposalDecide:
    """What somebody decided, and what they say about it."""

    proposal_id: UUID
    decision: ProposalDecision
    comment: str | None = None


class ProposalStore(Protocol):
    """Proposals about what the unit's caller may see."""

    async def get_for_update(self, proposal_id: UUID) -> Proposal:
        """Return a proposal and lock its row; raises NotFound."""

    async def add(self, proposal: Proposal) -> None:
        """Store a new proposal."""

    async def end(self, proposal: Proposal, by: Actor | None, comment: str | None, now: datetime) -> None:
        """Store how a proposal ended, and its subject, which may be new; nobody decides one that expires."""

    async def pending(self, subject: Actor, kind: ProposalKind) -> list[Proposal]:
        """Return what else of a kind waits about a subject, and lock the rows."""

    async def made_by(self, job_id: UUID) -> bool:
        """Whether a job has made a proposal."""
