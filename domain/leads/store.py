"""What is kept of a lead: the records that rules need, the commands that change them, and the port that stores both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.access import Actor
from domain.leads.kinds import InterestLevel, LeadLostReason, LeadQualification, LeadSource, LeadStage
from domain.values import UNSET, Money, Unset


@dataclass(frozen=True, slots=True)
class Lead:
    """A wish to buy, as far as its rules need to know it."""

    id: UUID
    person_id: UUID
    assignee_id: UUID | None
    stage: LeadStage
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Described:
    """A lead as it is told to a model: what is known of it, and the tags that the tenant sorts leads by."""

    lead: Lead
    source: LeadSource
    qualification: LeadQualification | None
    budget: Money | None
    catalogue: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Client:
    """Whose lead it is or will be: `own` to the caller through one of their leads, `followed` by anybody at all."""

    id: UUID
    own: bool
    followed: bool


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


@dataclass(frozen=True, slots=True)
class LeadUpdate:
    """What is known better about a lead; what is UNSET stays."""

    lead_id: UUID
    source: LeadSource | Unset | None = UNSET
    qualification: LeadQualification | Unset | None = UNSET
    tags: list[str] | Unset | None = UNSET
    budget: Money | Unset | None = UNSET


@dataclass(frozen=True, slots=True)
class LeadAssign:
    """Who works on a lead from now on; None is nobody."""

    lead_id: UUID
    assignee_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class PropertyInterestSet:
    """How much a person wants a property, a project, or a property of that project."""

    person_id: UUID
    level: InterestLevel
    lead_id: UUID | None = None
    property_id: UUID | None = None
    project_id: UUID | None = None
    configuration: str | Unset | None = UNSET


@dataclass(frozen=True, slots=True)
class InterestKept:
    """The row that an interest is kept in, and whether it is new."""

    id: UUID
    created: bool


class LeadStore(Protocol):
    """Leads of the unit's tenant that its caller may see."""

    async def get_for_update(self, lead_id: UUID) -> Lead:
        """Return a lead and lock its row; raises NotFound."""

    async def described(self, lead_id: UUID) -> Described:
        """Return what is known of a lead; nothing is locked. Raises NotFound."""

    async def client(self, person_id: UUID, field: str) -> Client:
        """Return a person, or who absorbed them, and lock the row; raises NotFound naming `field`."""

    async def is_active(self, user_id: UUID, field: str) -> bool:
        """Whether a user can work; raises NotFound naming `field`."""

    async def project_of(self, property_id: UUID, field: str) -> UUID | None:
        """Return the project that a property belongs to; raises NotFound naming `field`."""

    async def add(self, lead_id: UUID, command: LeadCreate, now: datetime) -> None:
        """Store a new lead and the first entry of its history."""

    async def set_stage(self, lead: Lead, command: LeadMove, actor: Actor, now: datetime) -> None:
        """Store a lead's new stage and the entry of its history."""

    async def set_details(self, command: LeadUpdate, now: datetime) -> None:
        """Store what a command gives; nothing that it gives is None where a lead always has it."""

    async def set_assignee(self, lead_id: UUID, assignee_id: UUID | None, now: datetime) -> None:
        """Store who works on a lead."""

    async def keep_interest(self, command: PropertyInterestSet, now: datetime) -> InterestKept:
        """Store an interest; one of the same person in the same lead and thing takes the new level.

        Raises NotFound for a project that does not exist.
        """
