"""The tables of leads: the leads, who shares them, how they moved, and what their people looked at."""

from sqlalchemy import CheckConstraint, Column, Computed, SmallInteger, Text, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY

from db.tables import (
    belongs_to,
    created_at,
    enum_text,
    found_by,
    hundredths,
    moment,
    money,
    ordered_by,
    pointer,
    prose,
    reference,
    tenant_link_table,
    tenant_table,
    updated_at,
)
from domain.leads import InterestLevel, LeadLostReason, LeadQualification, LeadSource, LeadStage

_stage_positions = " ".join(f"WHEN '{stage.name}' THEN {position}" for position, stage in enumerate(LeadStage))

leads = tenant_table(
    "leads",
    reference("person_id"),
    reference("assignee_id", nullable=True),
    enum_text("stage", LeadStage),
    # The pipeline's own order, which is not the alphabet's.
    Column(
        "stage_position", SmallInteger, Computed(f"CASE stage {_stage_positions} END", persisted=True), nullable=False
    ),
    enum_text("source", LeadSource),
    enum_text("qualification", LeadQualification, nullable=True),
    Column(
        "tags",
        ARRAY(Text),
        CheckConstraint("cardinality(tags) <= 50 AND array_position(tags, NULL) IS NULL", name="tags_few"),
        nullable=False,
        server_default=sql("'{}'::text[]"),
    ),
    *money("budget"),
    hundredths("budget"),
    enum_text("lost_reason", LeadLostReason, nullable=True),
    moment("stage_changed_at"),
    created_at(),
    updated_at(),
    CheckConstraint("(stage = 'LOST') = (lost_reason IS NOT NULL)", name="lost_reason_if_lost"),
    belongs_to("person_id", "people"),
    belongs_to("assignee_id", "users"),
    ordered_by("created_at"),
    ordered_by("updated_at"),
    ordered_by("stage", "created_at"),
    ordered_by("stage_position"),
    ordered_by("budget_hundredths"),
    ordered_by("assignee_id", "created_at"),
    ordered_by("person_id", "created_at"),
    found_by("person_id", "assignee_id"),
    # The pipeline counts and sums every lead that the caller may see.
    found_by("stage", "assignee_id", "id", holding=("budget_amount", "budget_currency")),
)

lead_shares = tenant_link_table(
    "lead_shares",
    reference("lead_id"),
    reference("user_id"),
    created_at(),
    belongs_to("lead_id", "leads"),
    belongs_to("user_id", "users"),
    found_by("user_id", "lead_id"),
    key=("lead_id", "user_id"),
)

stage_changes = tenant_table(
    "stage_changes",
    reference("lead_id"),
    enum_text("from_stage", LeadStage, nullable=True),
    enum_text("to_stage", LeadStage),
    moment("at"),
    *pointer("by"),
    prose("note", 2000, nullable=True),
    enum_text("lost_reason", LeadLostReason, nullable=True),
    belongs_to("lead_id", "leads"),
    ordered_by("lead_id", "at"),
)

# One row per person, lead and thing: setting an interest again changes its level.
property_interests = tenant_table(
    "property_interests",
    reference("person_id"),
    reference("lead_id", nullable=True),
    reference("property_id", nullable=True),
    reference("project_id", nullable=True),
    enum_text("level", InterestLevel),
    prose("configuration", 200, nullable=True),
    created_at(),
    updated_at(),
    CheckConstraint("property_id IS NOT NULL OR project_id IS NOT NULL", name="interest_in_something"),
    belongs_to("person_id", "people"),
    belongs_to("lead_id", "leads"),
    belongs_to("property_id", "properties"),
    belongs_to("project_id", "projects"),
    UniqueConstraint(
        "tenant_id",
        "person_id",
        "lead_id",
        "property_id",
        "project_id",
        name="uq_property_interests_once",
        postgresql_nulls_not_distinct=True,
    ),
    ordered_by("created_at"),
    ordered_by("person_id", "created_at"),
    ordered_by("lead_id", "created_at"),
    ordered_by("property_id", "created_at"),
    ordered_by("project_id", "created_at"),
)
