"""How proposals are stored."""

from sqlalchemy import JSON, CheckConstraint, Column

from db.tables import (
    belongs_to_tenant,
    created_at,
    enum_text,
    found_by,
    moment,
    ordered_by,
    pointer,
    prose,
    reference,
    tenant_table,
)
from domain.proposals import ProposalKind, ProposalSourceKind, ProposalStatus

# `changes` is a list of {field, before, after}, `evidence` a list of {text, interaction_id}.
proposals = tenant_table(
    "proposals",
    enum_text("kind", ProposalKind),
    enum_text("status", ProposalStatus),
    *pointer("subject"),
    Column("changes", JSON, nullable=False),
    prose("reason", 2000, nullable=True),
    Column("evidence", JSON, nullable=False),
    enum_text("source_kind", ProposalSourceKind),
    reference("job_id", nullable=True),
    prose("model", 200, nullable=True),
    prose("prompt_version", 100, nullable=True),
    created_at(),
    moment("decided_at", nullable=True),
    *pointer("decided_by"),
    prose("comment", 2000, nullable=True),
    CheckConstraint("(status IN ('APPROVED', 'REJECTED')) = (decided_by_id IS NOT NULL)", name="decided_by_if_decided"),
    CheckConstraint("(status = 'PENDING') = (decided_at IS NULL)", name="decided_at_if_decided"),
    belongs_to_tenant(),
    ordered_by("created_at"),
    ordered_by("status", "created_at"),
    ordered_by("kind", "status", "created_at"),
    found_by("subject_noun", "subject_id"),
)
