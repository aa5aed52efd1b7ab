"""How leads are written."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from db.leads.source import LEADS
from db.leads.tables import leads, stage_changes
from domain.access import Actor
from domain.leads import Lead, LeadCreate, LeadMove, LeadStage
from domain.values import Money, new_id

if TYPE_CHECKING:
    from db.unit import SqlUnit


class SqlLeads:
    """The lead store of one unit."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit

    async def get_for_update(self, lead_id: UUID) -> Lead:
        """Return a lead that the caller may see and lock its row; raises NotFound."""
        row = await self._unit.visible_row(LEADS, lead_id)
        return Lead(row["id"], row["person_id"], row["assignee_id"], LeadStage[row["stage"]])

    async def add(self, lead_id: UUID, command: LeadCreate, now: datetime) -> None:
        """Store a new lead and the first entry of its history."""
        await self._unit.add(
            leads, id=lead_id, person_id=command.person_id, assignee_id=command.assignee_id,
            stage=LeadStage.NEW.name, source=command.source.name, stage_changed_at=now, created_at=now, updated_at=now,
            **money("budget", command.budget),
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


def money(name: str, value: Money | None) -> dict[str, object]:
    """Return the two columns of an amount."""
    return {f"{name}_amount": value and value.amount, f"{name}_currency": value and value.currency}
