"""Opportunities: a lead that has become a deal, and who may close a large one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from domain.access import PERMISSIONS, Caller, Permission, Role
from domain.audit import AuditAction, Change
from domain.errors import Conflict, Invalid, NotAllowed
from domain.leads import LeadStage
from domain.values import UNSET, Money, Unset, given, new_id

if TYPE_CHECKING:
    from domain.unit import Unit


class OpportunityStage(Enum):
    """Where a deal stands."""

    OPEN = "OPEN"
    OFFER = "OFFER"
    BOOKED = "BOOKED"
    CONTRACT = "CONTRACT"
    WON = "WON"
    LOST = "LOST"


CLOSED_STAGES: Final = (OpportunityStage.WON, OpportunityStage.LOST)


@dataclass(frozen=True, slots=True)
class Approval:
    """Who allowed a large deal to be won, and when."""

    by_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Opportunity:
    """A deal."""

    id: UUID
    lead_id: UUID
    person_id: UUID
    property_id: UUID | None
    stage: OpportunityStage
    amount: Money | None
    probability: float | None
    expected_close_on: date | None
    approval: Approval | None


@dataclass(frozen=True, slots=True)
class OpportunityCreate:
    """What opens a deal."""

    lead_id: UUID
    property_id: UUID | None = None
    amount: Money | None = None
    probability: float | None = None
    expected_close_on: date | None = None


@dataclass(frozen=True, slots=True)
class OpportunityUpdate:
    """How a deal goes on; what is UNSET stays."""

    opportunity_id: UUID
    stage: OpportunityStage | Unset | None = UNSET
    amount: Money | Unset | None = UNSET
    probability: float | Unset | None = UNSET
    expected_close_on: date | Unset | None = UNSET


class OpportunityStore(Protocol):
    """Deals of the unit's tenant that its caller may see."""

    async def get_for_update(self, opportunity_id: UUID) -> Opportunity:
        """Return a deal and lock its row; raises NotFound."""

    async def high_value(self) -> Money | None:
        """Return the amount above which the tenant wants approval; None where it wants none."""

    async def add(self, opportunity: Opportunity, now: datetime) -> None:
        """Store a new deal; raises NotFound for a property that does not exist."""

    async def save(self, opportunity: Opportunity, now: datetime) -> None:
        """Store a deal as it is now."""


class DealClosed(Conflict):
    """A closed deal is reopened before it is closed differently."""


class LeadIsLost(Conflict):
    """A lost lead is reopened before it becomes a deal."""


class ApprovalNeeded(NotAllowed):
    """A deal of this size is closed by somebody who may approve it."""


def check_stage(old: OpportunityStage, new: OpportunityStage) -> None:
    """Decide a step. An open deal goes to any stage, because deals are also noted after the fact; a closed one goes
    back to an open stage only. Raises DealClosed.
    """
    if old is not new and old in CLOSED_STAGES and new in CLOSED_STAGES:
        raise DealClosed(f"A {old.name} deal is reopened before it is {new.name}.", field="stage")


def needs_approval(amount: Money, high_value: Money | None) -> bool:
    """Whether winning a deal of this amount is for approvers.

    An amount in another currency than the tenant's threshold is not converted: it needs approval whatever its size.
    """
    if high_value is None:
        return False
    return amount.currency != high_value.currency or amount.amount > high_value.amount


def approvers() -> tuple[Role, ...]:
    """Return the roles that may approve, weakest first."""
    return tuple(role for role in reversed(Role) if Permission.OPPORTUNITY_APPROVE in PERMISSIONS[role])


def check_win(
    caller: Caller, old: Opportunity, new: Opportunity, high_value: Money | None, now: datetime
) -> Approval | None:
    """Decide who may win a deal, change what was won, or take a won deal back; return the approval it has then.

    Raises Invalid for a won deal without an amount, and ApprovalNeeded.
    """
    won, was_won = new.stage is OpportunityStage.WON, old.stage is OpportunityStage.WON
    if won and new.amount is None:
        raise Invalid("A deal is won for an amount.", field="amount")
    if (old.stage, old.amount) == (new.stage, new.amount):
        return old.approval
    large = won and new.amount is not None and needs_approval(new.amount, high_value)
    was_large = was_won and old.amount is not None and needs_approval(old.amount, high_value)
    if (large or was_large) and not caller.may(Permission.OPPORTUNITY_APPROVE):
        raise ApprovalNeeded(_approval_text(high_value), field="amount" if won and was_won else "stage")
    return Approval(caller.as_user(), now) if large else None


def check_probability(probability: float | None) -> None:
    """Refuse what is no probability; raises Invalid."""
    if probability is not None and not 0 <= probability <= 1:
        raise Invalid("A probability is from 0 to 1.", field="probability")


async def create(unit: Unit, command: OpportunityCreate) -> UUID:
    """Open a deal for a lead; raises NotFound, LeadIsLost or Invalid."""
    check_probability(command.probability)
    lead = await unit.leads.get_for_update(command.lead_id)
    if lead.stage is LeadStage.LOST:
        raise LeadIsLost(field="leadId")
    opportunity = Opportunity(
        new_id(), lead.id, lead.person_id, command.property_id, OpportunityStage.OPEN, command.amount,
        command.probability, command.expected_close_on, None,
    )  # fmt: skip
    await unit.opportunities.add(opportunity, unit.now)
    optional = ("property_id", "amount", "probability", "expected_close_on")
    told = tuple(name.removesuffix("_id") for name in optional if getattr(command, name) is not None)
    await unit.people.touch(lead.person_id)
    unit.record(_changed(opportunity, AuditAction.CREATE, "OpportunityCreated", ("lead", "stage", *told)))
    return opportunity.id


async def update(unit: Unit, command: OpportunityUpdate) -> UUID:
    """Let a deal go on. What is given as it was changes nothing.

    Raises NotFound, Invalid, DealClosed or ApprovalNeeded.
    """
    if command.stage is None:
        raise Invalid("A deal always has a stage.", field="stage")
    old = await unit.opportunities.get_for_update(command.opportunity_id)
    stage = given(command.stage, old.stage)
    check_stage(old.stage, stage)
    new = replace(
        old,
        stage=stage,
        amount=given(command.amount, old.amount),
        probability=given(command.probability, _probability_in(old, stage)),
        expected_close_on=given(command.expected_close_on, old.expected_close_on),
    )
    check_probability(new.probability)
    new = replace(new, approval=check_win(unit.caller, old, new, await unit.opportunities.high_value(), unit.now))
    names = ("stage", "amount", "probability", "expected_close_on", "approval")
    fields = tuple(name for name in names if getattr(old, name) != getattr(new, name))
    if fields:
        await unit.opportunities.save(new, unit.now)
        await unit.people.touch(new.person_id)
        unit.record(_changed(new, AuditAction.UPDATE, "OpportunityUpdated", fields))
    return new.id


def _probability_in(old: Opportunity, stage: OpportunityStage) -> float | None:
    """A deal that closes is certain, and one that is reopened is open again."""
    if stage is old.stage:
        return old.probability
    if stage in CLOSED_STAGES:
        return 1.0 if stage is OpportunityStage.WON else 0.0
    return None if old.stage in CLOSED_STAGES else old.probability


def _approval_text(high_value: Money | None) -> str:
    who = " or ".join(role.name for role in approvers())
    size = "" if high_value is None else f" above {high_value.amount} {high_value.currency}, or in another currency,"
    return f"A deal{size} needs the approval of a {who}."


def _changed(opportunity: Opportunity, action: AuditAction, event: str, fields: tuple[str, ...]) -> Change:
    return Change(
        action, event, "opportunities", opportunity.id, fields, opportunity.person_id,
        (("stage", opportunity.stage.name),),
    )  # fmt: skip
