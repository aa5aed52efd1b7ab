"""The tables of jobs: one row per job, whatever its kind, and the slots that running jobs lease."""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    func,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY

from db.tables import (
    belongs_to_tenant,
    created_at,
    enum_text,
    flag,
    metadata,
    moment,
    ordered_by,
    pointer,
    prose,
    reference,
    tenant_table,
    whole,
)
from domain.jobs import InferenceTask, JobKind, JobStatus, RenderWorkflow, RoomType, SlotKind

# Every kind in one table: a list of jobs is one index scan. `payload` is what the handler needs and no client sees.
# `turn_at` is the place in the queue (domain.jobs.turn_at); a job that begins again later has `not_before` besides.
# `prompt` is what a render worker is told. Version and hash are of the prompt that a model was asked with: the one that
# wrote those words, or that gave the job's answer.
# `provider_id`, `photo_id` and `render_worker_id` are of those who know providers, assets and render workers.
jobs = tenant_table(
    "jobs",
    enum_text("kind", JobKind),
    enum_text("status", JobStatus),
    enum_text("task", InferenceTask, nullable=True),
    Column(
        "priority", Integer, CheckConstraint("priority BETWEEN -100 AND 100", name="priority_known"), nullable=False
    ),
    whole("attempt", nullable=False, default=0),
    whole("max_attempts", least=1, nullable=False),
    moment("turn_at"),
    moment("not_before", nullable=True),
    moment("deadline_at", nullable=True),
    enum_text("slot_kind", SlotKind, nullable=True),
    Column("lease_token", Uuid),
    moment("leased_until", nullable=True),
    prose("worker_name", 200, least=1, nullable=True),
    moment("cancel_requested_at", nullable=True),
    *pointer("requested_by", nullable=False),
    *pointer("subject"),
    prose("key", 200, least=1, nullable=True),
    Column("payload", JSON, nullable=False),
    Column(
        "payload_hash",
        Text,
        CheckConstraint("payload_hash ~ '^[0-9a-f]{64}$'", name="payload_hash_is_sha256"),
        nullable=False,
    ),
    reference("provider_id", nullable=True),
    prose("model", 200, least=1, nullable=True),
    whole("submitted_count", nullable=False, default=0),
    whole("completed_count", nullable=False, default=0),
    whole("failed_count", nullable=False, default=0),
    enum_text("workflow", RenderWorkflow, nullable=True),
    enum_text("room_type", RoomType, nullable=True),
    Column("keywords", ARRAY(Text), nullable=False, server_default=sql("'{}'::text[]")),
    prose("prompt", 10_000, nullable=True),
    prose("prompt_version", 100, nullable=True),
    prose("prompt_hash", 64, nullable=True),
    reference("photo_id", nullable=True),
    reference("render_worker_id", nullable=True),
    whole("progress_value"),
    whole("progress_max", least=1),
    prose("progress_step", 200, nullable=True),
    prose("error_code", 60, least=1, nullable=True),
    prose("error_message", 2000, least=1, nullable=True),
    Column("error_retryable", Boolean),
    created_at(),
    moment("started_at", nullable=True),
    moment("finished_at", nullable=True),
    CheckConstraint("(kind = 'INFERENCE') = (task IS NOT NULL)", name="task_if_inference"),
    CheckConstraint("(kind = 'RENDER') = (workflow IS NOT NULL)", name="workflow_if_render"),
    CheckConstraint("(status IN ('QUEUED', 'RUNNING')) = (finished_at IS NULL)", name="finished_at_if_finished"),
    CheckConstraint("(status = 'RUNNING') = (lease_token IS NOT NULL)", name="leased_while_running"),
    CheckConstraint("(lease_token IS NULL) = (leased_until IS NULL)", name="lease_whole"),
    CheckConstraint("(progress_value IS NULL) = (progress_max IS NULL)", name="progress_whole"),
    CheckConstraint("(prompt_version IS NULL) = (prompt_hash IS NULL)", name="prompt_known_whole"),
    CheckConstraint(
        "(error_code IS NULL) = (error_message IS NULL) AND (error_code IS NULL) = (error_retryable IS NULL)",
        name="error_whole",
    ),
    belongs_to_tenant(),
    # Most jobs have no key.
    Index("uq_jobs_tenant_id_key", "tenant_id", "key", unique=True, postgresql_where="key IS NOT NULL"),
    ordered_by("created_at"),
    ordered_by("requested_by_id", "created_at"),
    # Workers look in whatever tenant for what waits unheard, for expired leases and for deadlines that have passed.
    Index("ix_jobs_turn_at", "turn_at", "id", postgresql_where="status = 'QUEUED'"),
    Index("ix_jobs_leased_until", "leased_until", postgresql_where="status = 'RUNNING'"),
    Index("ix_jobs_finished_at", "finished_at", postgresql_where="finished_at IS NOT NULL"),
    Index("ix_jobs_deadline_at", "deadline_at", postgresql_where="status = 'QUEUED' AND deadline_at IS NOT NULL"),
)

# Machines belong to the installation, so their slots are no tenant's. `resource` is what a provider or a render worker
# is known by. A closed slot is leased to nobody anew. Who knows a resource declares it again and again.
slots = Table(
    "slots",
    metadata,
    enum_text("kind", SlotKind),
    prose("resource", 200, least=1),
    whole("number", least=1, nullable=False),
    flag("open", default=True),
    Column("job_tenant_id", Uuid),
    Column("job_id", Uuid),
    Column("lease_token", Uuid),
    moment("leased_at", nullable=True),
    Column("declared_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint(
        "(job_id IS NULL) = (lease_token IS NULL) AND (job_id IS NULL) = (leased_at IS NULL)"
        " AND (job_id IS NULL) = (job_tenant_id IS NULL)",
        name="lease_whole",
    ),
    PrimaryKeyConstraint("kind", "resource", "number"),
    Index("ix_slots_job_id", "job_id", postgresql_where="job_id IS NOT NULL"),
)
