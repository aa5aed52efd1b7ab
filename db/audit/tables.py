"""How the audit chain and the activity feed are stored: written by the unit that did the thing, never changed."""

from sqlalchemy import BigInteger, CheckConstraint, Column, LargeBinary, Text, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY

from db.tables import (
    belongs_to,
    belongs_to_tenant,
    enum_text,
    moment,
    ordered_by,
    pointer,
    prose,
    reference,
    tenant_table,
)
from domain.audit import AuditAction, CrmActivityKind

# Each entry's hash covers the one before it, so a changed or missing row is found. A trigger refuses changes.
audit_entries = tenant_table(
    "audit_entries",
    Column("sequence", BigInteger, CheckConstraint("sequence > 0", name="sequence_positive"), nullable=False),
    moment("at"),
    enum_text("action", AuditAction),
    *pointer("actor"),
    *pointer("subject"),
    Column("changed_fields", ARRAY(Text), nullable=False, server_default=sql("'{}'::text[]")),
    Column("previous_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    CheckConstraint("octet_length(previous_hash) = 32 AND octet_length(hash) = 32", name="hash_sha256"),
    belongs_to_tenant(),
    UniqueConstraint("tenant_id", "sequence"),
    ordered_by("at"),
    ordered_by("subject_noun", "subject_id", "sequence"),
    ordered_by("actor_noun", "actor_id", "sequence"),
)

# `sequence` is the event that told of it. One event may tell of several things.
activity_entries = tenant_table(
    "activity_entries",
    enum_text("kind", CrmActivityKind),
    moment("at"),
    *pointer("actor"),
    *pointer("subject"),
    reference("person_id", nullable=True),
    prose("summary", 500, least=1),
    Column("sequence", BigInteger, nullable=False),
    belongs_to_tenant(),
    belongs_to("person_id", "people"),
    ordered_by("at"),
    ordered_by("person_id", "at"),
    ordered_by("sequence"),
)
