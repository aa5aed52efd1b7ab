"""How leads are written."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast
from uuid import UUID

from sqlalchemy import RowMapping, literal_column, select
from sqlalchemy.dialects.postgresql import insert

from db.leads.source import LEADS
from db.leads.tables import leads, property_interests, stage_changes
from db.people.owned import heir
from db.people.tables import tags
from db.reading.writer import Writer
from db.tables import money_values
from db.visibility import own_person
from domain.access import Actor, UserStatus
from domain.leads import (
    Client,
    Described,
    InterestKept,
    Lead,
    LeadCreate,
    LeadMove,
    LeadQualification,
    LeadSource,
    LeadStage,
    LeadUpdate,
    PropertyInterestSet,
)
from domain.values import UNSET, Money, new_id

if TYPE_CHECKING:
    from db.unit import SqlUnit


class SqlLeads:
    """The lead store of one unit."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit

    async def get_for_update(self, lead_id: UUID) -> Lead:
        """Return a lead that the caller may see and lock its row; raises NotFound."""
        return _lead(await self._unit.visible_row(LEADS, lead_id))

    async def described(self, lead_id: UUID) -> Described:
        """Return what is known of a lead that the caller may see; nothing is locked. Raises NotFound."""
        row = await self._unit.visible_row(LEADS, lead_id, lock=False)
        names = await self._unit.connection.execute(
            select(tags.c.name).where(tags.c.tenant_id == self._unit.caller.tenant_id).order_by(tags.c.name)
        )
        qualification, amount = row["qualification"], row["budget_amount"]
        return Described(
            _lead(row),
            LeadSource[row["source"]],
            None if qualification is None else LeadQualification[qualification],
            None if amount is None else Money(amount, row["budget_currency"]),
            tuple(names.scalars()),
        )

    async def client(self, person_id: UUID, field: str) -> Client:
        """Return a person, or who absorbed them, and lock the row; raises NotFound naming `field`."""
        found = await heir(self._unit, person_id, field)
        w = Writer(self._unit.caller)
        p, lead = w.alias("people"), w.alias("leads")
        # A statement of its own: whoever waited for the lock sees the leads that were opened meanwhile.
        result = await self._unit.connection.exec_driver_sql(
            f"select {own_person()(w, p) or 'true'} as own,"
            f" exists (select from leads {lead.name} where {lead.tenant_id} = {w.tenant} and {lead.person_id} = {p.id})"
            f" as followed from people {p.name} where {p.tenant_id} = {w.tenant} and {p.id} = {w.bind(found, 'uuid')}",
            tuple(w.values),
        )
        row = result.one()
        return Client(found, row.own, row.followed)

    async def is_active(self, user_id: UUID, field: str) -> bool:
        """Whether a user can work; raises NotFound naming `field`."""
        status = await self._unit.exists("users", user_id, field, column="status")
        return status == UserStatus.ACTIVE.name

    async def project_of(self, property_id: UUID, field: str) -> UUID | None:
        """Return the project that a property belongs to; raises NotFound naming `field`."""
        return cast("UUID | None", await self._unit.exists("properties", property_id, field, column="project_id"))

    async def add(self, lead_id: UUID, command: LeadCreate, now: datetime) -> None:
        """Store a new lead and the first entry of its history."""
        await self._unit.add(
            leads, id=lead_id, person_id=command.person_id, assignee_id=command.assignee_id,
            stage=LeadStage.NEW.name, source=command.source.name, stage_changed_at=now, created_at=now, updated_at=now,
            **money_values("budget", command.budget),
        )  # fmt: skip
        await self._unit.add(
            stage_changes, id=new_id(), lead_id=lead_id, to_stage=LeadStage.NEW.name, at=now,
            by_noun=self._unit.caller.actor.noun, by_id=self._unit.caller.actor.id,
        )  # fmt: skip

    async def set_stage(self, lead: Lead, command: LeadMove, actor: Actor, now: datetime) -> None:
        """Store a lead's new stage and the entry of its history."""
        reason = command.lost_reason.name if command.lost_reason else None
        await self._unit.change(
            leads, lead.id, stage=command.to_stage.name, lost_reason=reason, stage_changed_at=now, updated_at=now
        )
        await self._unit.add(
            stage_changes, id=new_id(), lead_id=lead.id, from_stage=lead.stage.name, to_stage=command.to_stage.name,
            at=now, by_noun=actor.noun, by_id=actor.id, note=command.note, lost_reason=reason,
        )  # fmt: skip

    async def set_details(self, command: LeadUpdate, now: datetime) -> None:
        """Store what a command gives."""
        given: dict[str, object] = {"updated_at": now}
        for name in ("source", "qualification"):
            member = getattr(command, name)
            if member is not UNSET:
                given[name] = member and member.name
        if command.tags is not UNSET:
            given["tags"] = command.tags
        if command.budget is None or isinstance(command.budget, Money):
            given |= money_values("budget", command.budget)
        await self._unit.change(leads, command.lead_id, **given)

    async def set_assignee(self, lead_id: UUID, assignee_id: UUID | None, now: datetime) -> None:
        """Store who works on a lead."""
        await self._unit.change(leads, lead_id, assignee_id=assignee_id, updated_at=now)

    async def keep_interest(self, command: PropertyInterestSet, now: datetime) -> InterestKept:
        """Store an interest; one of the same person in the same lead and thing takes the new level."""
        told = {} if command.configuration is UNSET else {"configuration": command.configuration}
        row = {
            "tenant_id": self._unit.caller.tenant_id, "id": new_id(), "person_id": command.person_id,
            "lead_id": command.lead_id, "property_id": command.property_id, "project_id": command.project_id,
            "created_at": now,
        }  # fmt: skip
        changed = {"level": command.level.name, "updated_at": now, **told}
        kept = await self._unit.connection.execute(
            insert(property_interests)
            .values(**row, **changed)
            .on_conflict_do_update(constraint="uq_property_interests_once", set_=changed)
            .returning(property_interests.c.id, literal_column("xmax = 0"))
        )
        interest_id, created = kept.one()
        return InterestKept(interest_id, created)


def _lead(row: RowMapping) -> Lead:
    return Lead(row["id"], row["person_id"], row["assignee_id"], LeadStage[row["stage"]], tuple(row["tags"]))
