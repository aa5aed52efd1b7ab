"""The tables of interactions: one row per meeting of the business and a person, and what calls add to it."""

from sqlalchemy import CheckConstraint, UniqueConstraint

from db.tables import (
    belongs_to,
    created_at,
    enum_text,
    flag,
    found_by,
    moment,
    ordered_by,
    pointer,
    prose,
    reference,
    tenant_table,
    whole,
)
from domain.interactions import Direction, InteractionKind, ObjectionKind

# Every kind in one table, so that a timeline is one index scan. `person_id` is null until a thread is linked.
interactions = tenant_table(
    "interactions",
    enum_text("kind", InteractionKind),
    reference("person_id", nullable=True),
    enum_text("direction", Direction, nullable=True),
    prose("summary", 2000, nullable=True),
    moment("occurred_at"),
    *pointer("author"),
    reference("thread_message_id", nullable=True),
    whole("duration_seconds"),
    prose("email_subject", 500, nullable=True),
    prose("email_body", 100_000, nullable=True),
    reference("property_id", nullable=True),
    prose("text", 10_000, nullable=True),
    created_at(),
    CheckConstraint("(kind = 'NOTE') = (text IS NOT NULL)", name="text_if_note"),
    CheckConstraint("kind = 'MESSAGE' OR thread_message_id IS NULL", name="thread_message_only_of_message"),
    CheckConstraint("kind = 'CALL' OR duration_seconds IS NULL", name="duration_only_of_call"),
    CheckConstraint("kind = 'EMAIL' OR (email_subject IS NULL AND email_body IS NULL)", name="email_only_of_email"),
    CheckConstraint("kind = 'VISIT' OR property_id IS NULL", name="property_only_of_visit"),
    belongs_to("person_id", "people"),
    belongs_to("thread_message_id", "thread_messages"),
    belongs_to("property_id", "properties"),
    UniqueConstraint("tenant_id", "thread_message_id"),
    ordered_by("occurred_at"),
    ordered_by("person_id", "occurred_at"),
    ordered_by("person_id", "created_at"),
    ordered_by("person_id", "kind", "occurred_at"),
    found_by("property_id"),
)

transcript_segments = tenant_table(
    "transcript_segments",
    reference("interaction_id"),
    prose("speaker", 100, least=1),
    prose("text", 10_000, least=1),
    whole("start_ms", nullable=False),
    created_at(),
    belongs_to("interaction_id", "interactions"),
    ordered_by("interaction_id", "start_ms"),
    ordered_by("interaction_id", "created_at"),
)

objections = tenant_table(
    "objections",
    reference("interaction_id"),
    enum_text("kind", ObjectionKind),
    prose("text", 2000, least=1),
    flag("resolved"),
    created_at(),
    belongs_to("interaction_id", "interactions"),
    ordered_by("interaction_id", "created_at"),
)
