"""The tables of perception: QD scores over time, and the consents that measuring needs."""

from sqlalchemy import CheckConstraint, Column, Integer, PrimaryKeyConstraint, Table

from db.tables import (
    belongs_to,
    belongs_to_tenant,
    created_at,
    enum_text,
    identifier,
    metadata,
    moment,
    number,
    ordered_by,
    prose,
    reference,
    tenant_id,
    tenant_link_table,
    tenant_table,
)
from domain.perception import ConsentPurpose, Modality, QdKind, QdSource, SubjectKind

# Partitioned by month. The key begins with what a series asks for, so a person's curve is one range of the key.
# There is no index by time alone: it would tempt the planner to read everybody's month for one person's curve.
qd_scores = Table(
    "qd_scores",
    metadata,
    tenant_id(),
    identifier(),
    reference("person_id"),
    reference("session_id", nullable=True),
    moment("at"),
    enum_text("kind", QdKind),
    enum_text("source", QdSource),
    number("score", least=1, most=100, nullable=False),
    number("engagement", least=0, most=1),
    number("valence", least=-1, most=1),
    number("attention", least=0, most=1),
    number("confidence", least=0, most=1),
    belongs_to("person_id", "people"),
    PrimaryKeyConstraint("tenant_id", "person_id", "at", "id"),
    postgresql_partition_by="RANGE (at)",
)

# What the scores of each whole hour (UTC) sum up to; triggers keep it (functions.sql). No foreign key to people: the
# scores have one, and a row is here only while its scores are.
qd_rollups = tenant_link_table(
    "qd_rollups",
    reference("person_id"),
    enum_text("source", QdSource),
    enum_text("kind", QdKind),
    moment("hour"),
    number("low", least=1, most=100, nullable=False),
    number("high", least=1, most=100, nullable=False),
    number("total", least=0, nullable=False),
    Column("scores", Integer, CheckConstraint("scores >= 0", name="scores_counted"), nullable=False),
    key=("person_id", "source", "kind", "hour"),
)

# Append-only but for `withdrawn_at`: a renewed consent is a new row. The status follows from the times.
consents = tenant_table(
    "consents",
    enum_text("subject_kind", SubjectKind),
    reference("person_id", nullable=True),
    enum_text("purpose", ConsentPurpose),
    enum_text("modality", Modality),
    prose("notice_version", 50, least=1),
    moment("granted_at"),
    moment("expires_at", nullable=True),
    moment("withdrawn_at", nullable=True),
    reference("recorded_by_id", nullable=True),
    created_at(),
    CheckConstraint("subject_kind <> 'PERSON' OR person_id IS NOT NULL", name="person_if_person"),
    CheckConstraint("expires_at > granted_at", name="expires_after_grant"),
    CheckConstraint("withdrawn_at >= granted_at", name="withdrawn_after_grant"),
    belongs_to_tenant(),
    belongs_to("person_id", "people"),
    belongs_to("recorded_by_id", "users"),
    ordered_by("created_at"),
    ordered_by("person_id", "created_at"),
)
