"""The tables of inference: what a tenant has switched of a provider, the items of inference jobs, and what all share.

Limits and circuits are of the installation's providers: those rows are no tenant's.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    Uuid,
)

from db.tables import (
    belongs_to,
    belongs_to_tenant,
    created_at,
    enum_text,
    flag,
    metadata,
    moment,
    number,
    ordered_by,
    prose,
    reference,
    tenant_table,
    updated_at,
    whole,
)
from domain.inference import CircuitState, ProviderKind
from domain.jobs import JobStatus

# Which providers there are says the settings file; a row is what a tenant sees of one, and has switched: null is what
# the file says. The id follows from the name, so it is the same for every tenant.
inference_providers = tenant_table(
    "inference_providers",
    prose("name", 40, least=1),
    enum_text("kind", ProviderKind),
    Column("enabled", Boolean),
    Column("priority", Integer, CheckConstraint("priority BETWEEN 0 AND 1000", name="priority_known")),
    prose("model", 200, least=1, nullable=True),
    updated_at(),
    belongs_to_tenant(),
    UniqueConstraint("tenant_id", "name"),
)

# `messages` is a list of {role, content}. An item is QUEUED until it is known what becomes of it; while its job has
# ended without, it is what the job is.
inference_items = tenant_table(
    "inference_items",
    reference("job_id"),
    whole("number", nullable=False),
    prose("request_id", 200, least=1),
    Column("messages", JSON, nullable=False),
    enum_text("status", JobStatus),
    whole("attempt", nullable=False, default=0),
    reference("provider_id", nullable=True),
    prose("model", 200, least=1, nullable=True),
    prose("output_text", 1_000_000, nullable=True),
    Column("output_json", JSON(none_as_null=True)),
    flag("repaired"),
    prose("prompt_version", 100, least=1, nullable=True),
    prose("prompt_hash", 64, least=64, nullable=True),
    whole("prompt_tokens"),
    whole("completion_tokens"),
    prose("error_code", 60, least=1, nullable=True),
    prose("error_message", 2000, least=1, nullable=True),
    Column("error_retryable", Boolean),
    created_at(),
    moment("finished_at", nullable=True),
    CheckConstraint("status IN ('QUEUED', 'SUCCEEDED', 'FAILED')", name="status_of_an_item"),
    CheckConstraint("(status = 'QUEUED') = (finished_at IS NULL)", name="finished_at_if_finished"),
    CheckConstraint("(status = 'SUCCEEDED') = (output_text IS NOT NULL)", name="output_if_succeeded"),
    CheckConstraint("(status = 'FAILED') = (error_code IS NOT NULL)", name="error_if_failed"),
    CheckConstraint(
        "(error_code IS NULL) = (error_message IS NULL) AND (error_code IS NULL) = (error_retryable IS NULL)",
        name="error_whole",
    ),
    CheckConstraint("(prompt_version IS NULL) = (prompt_hash IS NULL)", name="prompt_whole"),
    CheckConstraint("(prompt_tokens IS NULL) = (completion_tokens IS NULL)", name="usage_whole"),
    belongs_to("job_id", "jobs"),
    belongs_to("provider_id", "inference_providers"),
    UniqueConstraint("tenant_id", "job_id", "request_id"),
    ordered_by("job_id", "number"),
)

# How often a provider may be asked, by all processes together (domain.inference.pacing). `per_minute` is null unless
# the provider has set a limit itself, which was `found` first. `recent` counts requests of about the last minute.
provider_paces = Table(
    "provider_paces",
    metadata,
    prose("provider", 40, least=1),
    number("per_minute", least=0),
    number("found", least=0),
    number("tokens", nullable=False),
    number("recent", least=0, nullable=False),
    moment("counted_at"),
    moment("slowed_at", nullable=True),
    moment("blocked_until", nullable=True),
    CheckConstraint("(per_minute IS NULL) = (found IS NULL)", name="limit_whole"),
    PrimaryKeyConstraint("provider"),
)

# What each process sees of a provider (domain.inference.sightings), as it told last.
provider_sightings = Table(
    "provider_sightings",
    metadata,
    Column("process", Uuid, nullable=False),
    prose("provider", 40, least=1),
    moment("told_at"),
    enum_text("circuit", CircuitState),
    moment("opens_at", nullable=True),
    number("latency_ms", least=0),
    whole("answered", nullable=False),
    whole("failed", nullable=False),
    whole("in_flight", nullable=False),
    whole("waiting", nullable=False),
    PrimaryKeyConstraint("process", "provider"),
    Index("ix_provider_sightings_told_at", "told_at"),
)
