"""Leads and their way through the pipeline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from domain.access import Actor, Permission
from domain.audit import AuditAction, Change, CrmActivityKind
from domain.errors import Conflict, Invalid, NotAllowed
from domain.values import Money, new_id

if TYPE_CHECKING:
    from domain.unit import Unit


class LeadStage(Enum):
    """Where a lead stands, in the order of the pipeline."""

    NEW = "NEW"
    CONTACTED = "CONTACTED"
    QUALIFIED = "QUALIFIED"
    VISIT = "VISIT"
    NEGOTIATION = "NEGOTIATION"
    WON = "WON"
    LOST = "LOST"


class LeadQualification(Enum):
    """How promising a lead is, lowest first."""

    UNQUALIFIED = "UNQUALIFIED"
    COLD = "COLD"
    WARM = "WARM"
    HOT = "HOT"
    WHALE = "WHALE"


class LeadLostReason(Enum):
    """Why a lead was lost."""

    PRICE = "PRICE"
    COMPETITOR = "COMPETITOR"
    TIMING = "TIMING"
    UNREACHABLE = "UNREACHABLE"
    OTHER = "OTHER"


class LeadSource(Enum):
    """How a lead came in."""

    WEBSITE = "WEBSITE"
    REFERRAL = "REFERRAL"
    WALK_IN = "WALK_IN"
    CAMPAIGN = "CAMPAIGN"
    PORTAL = "PORTAL"
    IMPORT = "IMPORT"
    OTHER = "OTHER"


class InterestLevel(Enum):
    """How much somebody wants a property or a project."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


@dataclass(frozen=True, slots=True)
class Lead:
    """A wish to buy, as far as its rules need to know it."""

    id: UUID
    person_id: UUID
    assignee_id: UUID | None
    stage: LeadStage


@dataclass(frozen=True, slots=True)
class LeadCreate:
    """What opens a lead."""

    person_id: UUID
    source: LeadSource
    budget: Money | None = None
    assignee_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class LeadMove:
    """A step along the pipeline, back or out of it."""

    lead_id: UUID
    to_stage: LeadStage
    expected_stage: LeadStage | None = None
    lost_reason: LeadLostReason | None = None
    note: str | None = None


class LeadStore(Protocol):
    """Leads of the unit's tenant that its caller may see."""

    async def get_for_update(self, lead_id: UUID) -> Lead:
        """Return a lead and lock its row; raises NotFound."""

    async def add(self, lead_id: UUID, command: LeadCreate, now: datetime) -> None:
        """Store a new lead; raises NotFound for a person or an assignee that does not exist."""

    async def set_stage(self, lead: Lead, command: LeadMove, actor: Actor, now: datetime) -> None:
        """Store a lead's new stage and the entry of its history."""


class StageNotAllowed(Conflict):
    """A lead does not move there from its stage."""


class StageMoved(Conflict):
    """Somebody moved this lead first."""


OPEN_STAGES: Final = (
    LeadStage.NEW,
    LeadStage.CONTACTED,
    LeadStage.QUALIFIED,
    LeadStage.VISIT,
    LeadStage.NEGOTIATION,
)
"""The stages of a lead that is still alive, in order."""


def check_move(lead: Lead, command: LeadMove) -> None:
    """Decide a move. Open leads go to any other open stage, forward or back, and to LOST with a reason; only a
    negotiation is WON; a closed lead is reopened at QUALIFIED or before, and otherwise stays closed.

    Raises StageMoved, StageNotAllowed or Invalid.
    """
    if command.expected_stage is not None and command.expected_stage is not lead.stage:
        raise StageMoved(f"Somebody moved this lead to {lead.stage.name} first.", field="expectedStage")
    if command.to_stage is lead.stage:
        raise StageNotAllowed(f"This lead is already in {lead.stage.name}.", field="toStage")
    if (command.to_stage is LeadStage.LOST) is (command.lost_reason is None):
        raise Invalid("A lead is lost for a reason, and only a lost lead has one.", field="lostReason")
    if command.to_stage is LeadStage.WON and lead.stage is not LeadStage.NEGOTIATION:
        raise StageNotAllowed("A lead is won from NEGOTIATION.", field="toStage")
    reopened = (LeadStage.NEW, LeadStage.CONTACTED, LeadStage.QUALIFIED)
    if lead.stage not in OPEN_STAGES and command.to_stage not in reopened:
        raise StageNotAllowed(f"A {lead.stage.name} lead is reopened at QUALIFIED or before.", field="toStage")


async def create(unit: Unit, command: LeadCreate) -> UUID:
    """Open a lead. It belongs to whoever opens it unless another assignee is named."""
    assignee = command.assignee_id or unit.caller.user_id
    if assignee != unit.caller.user_id and not unit.caller.may(Permission.LEAD_ASSIGN):
        raise NotAllowed("Your role opens leads for itself only.", field="assigneeId")
    lead_id = new_id()
    await unit.leads.add(lead_id, replace(command, assignee_id=assignee), unit.now)
    unit.record(
        Change(
            action=AuditAction.CREATE,
            event="LeadCreated",
            noun="leads",
            id=lead_id,
            fields=("person", "source", "assignee", *(("budget",) if command.budget else ())),
            person_id=command.person_id,
            activity=CrmActivityKind.LEAD_CREATED,
            summary=f"New lead from {command.source.name}",
        )
    )
    return lead_id


async def move(unit: Unit, command: LeadMove) -> UUID:
    """Move a lead and remember by whom."""
    lead = await unit.leads.get_for_update(command.lead_id)
    check_move(lead, command)
    await unit.leads.set_stage(lead, command, unit.caller.actor, unit.now)
    unit.record(
        Change(
            action=AuditAction.UPDATE,
            event="LeadMoved",
            noun="leads",
            id=lead.id,
            fields=("stage",),
            person_id=lead.person_id,
            payload=(("fromStage", lead.stage.name), ("toStage", command.to_stage.name)),
            activity=CrmActivityKind.LEAD_ADVANCED,
            summary=f"Lead moved from {lead.stage.name} to {command.to_stage.name}",
        )
    )
    return lead.id
