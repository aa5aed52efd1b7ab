"""How opportunities are stored."""

from sqlalchemy import Column, Date

from db.tables import (
    belongs_to,
    created_at,
    enum_text,
    moment,
    money,
    number,
    ordered_by,
    reference,
    tenant_table,
    updated_at,
)
from domain.opportunities import OpportunityStage

opportunities = tenant_table(
    "opportunities",
    reference("lead_id"),
    reference("person_id"),
    reference("property_id", nullable=True),
    enum_text("stage", OpportunityStage),
    *money("amount"),
    number("probability", least=0, most=1),
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
