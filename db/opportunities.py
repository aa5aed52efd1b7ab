"""How opportunities are stored, read and written."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import Column, Date, text

from db.reading.fields import date, enum, number, time
from db.reading.fields import money as money_field
from db.reading.source import Filter, Link, Ordering, source
from db.reading.writer import Alias, Writer
from db.tables import (
    belongs_to,
    created_at,
    enum_text,
    moment,
    money,
    money_values,
    ordered_by,
    reference,
    tenant_table,
    updated_at,
)
from db.tables import number as number_column
from db.visibility import through_lead
from domain.opportunities import Approval, Opportunity, OpportunityStage
from domain.values import Money

if TYPE_CHECKING:
    from db.unit import SqlUnit

opportunities = tenant_table(
    "opportunities",
    reference("lead_id"),
    reference("person_id"),
    reference("property_id", nullable=True),
    enum_text("stage", OpportunityStage),
    *money("amount"),
    number_column("probability", least=0, most=1),
    Column("expected_close_on", Date),
    reference("approved_by_id", nullable=True),
    moment("approved_at", nullable=True),
    created_at(),
    updated_at(),
    belongs_to("lead_id", "leads"),
    belongs_to("person_id", "people"),
    belongs_to("property_id", "properties"),
    belongs_to("approved_by_id", "users"),
    ordered_by("created_at"),
    ordered_by("stage", "created_at"),
    ordered_by("lead_id", "created_at"),
    ordered_by("person_id", "created_at"),
    ordered_by("property_id", "created_at"),
)


def _assigned_to(w: Writer, t: Alias, value: str) -> str:
    lead = w.alias("leads")
    return (
        f"exists (select from leads {lead.name} where {lead.tenant_id} = {w.tenant}"
        f" and {lead.id} = {t.lead_id} and {lead.assignee_id} = any({value}))"
    )


OPPORTUNITIES: Final = source(
    "opportunities",
    opportunities,
    prefix="opportunity",
    visible=through_lead("lead_id"),
    default_order=("CREATED_AT", True),
    columns={
        "stage": enum("stage"),
        "amount": money_field("amount", null=True),
        "probability": number("probability", null=True),
        "expected_close_on": date("expected_close_on", null=True),
        "approved_at": time("approved_at", null=True),
        "created_at": time("created_at"),
        "updated_at": time("updated_at"),
    },
    links={
        "lead": Link("leads", local="lead_id"),
        "person": Link("people", local="person_id"),
        "property": Link("properties", local="property_id"),
        "approved_by": Link("users", local="approved_by_id"),
    },
    orders={"CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz")},
    filters={
        "stages": Filter("text[]", lambda _w, t, value: f"{t.stage} = any({value})"),
        "assignee_ids": Filter("uuid[]", _assigned_to),
    },
)


class SqlOpportunities:
    """The opportunity store of one unit."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit

    async def get_for_update(self, opportunity_id: UUID) -> Opportunity:
        """Return a deal that the caller may see and lock its row; raises NotFound."""
        row = await self._unit.visible_row(OPPORTUNITIES, opportunity_id)
        amount, approved_by_id = row["amount_amount"], row["approved_by_id"]
        return Opportunity(
            id=row["id"],
            lead_id=row["lead_id"],
            person_id=row["person_id"],
            property_id=row["property_id"],
            stage=OpportunityStage[row["stage"]],
            amount=None if amount is None else Money(amount, row["amount_currency"]),
            probability=row["probability"],
            expected_close_on=row["expected_close_on"],
            approval=None if approved_by_id is None else Approval(approved_by_id, row["approved_at"]),
        )

    async def high_value(self) -> Money | None:
        """Return the amount above which the tenant wants approval; None where it wants none."""
        found = await self._unit.connection.execute(
            text("select high_value_amount, high_value_currency from tenants where tenant_id = :tenant"),
            {"tenant": self._unit.caller.tenant_id},
        )
        amount, currency = found.one()
        return None if amount is None else Money(amount, currency)

    async def add(self, opportunity: Opportunity, now: datetime) -> None:
        """Store a new deal; raises NotFound for a property that does not exist."""
        await self._unit.add(
            opportunities, id=opportunity.id, lead_id=opportunity.lead_id, person_id=opportunity.person_id,
            property_id=opportunity.property_id, created_at=now, **_told(opportunity, now),
        )  # fmt: skip

    async def save(self, opportunity: Opportunity, now: datetime) -> None:
        """Store a deal as it is now."""
        await self._unit.change(opportunities, opportunity.id, **_told(opportunity, now))


def _told(opportunity: Opportunity, now: datetime) -> dict[str, object]:
    approval = opportunity.approval
    return {
        "stage": opportunity.stage.name,
        "probability": opportunity.probability,
        "expected_close_on": opportunity.expected_close_on,
        "approved_by_id": approval and approval.by_id,
        "approved_at": approval and approval.at,
        "updated_at": now,
        **money_values("amount", opportunity.amount),
    }
