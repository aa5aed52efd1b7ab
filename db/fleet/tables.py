"""The tables of machines. They belong to the installation, which every tenant shares, so none has a tenant.

The views show them to the read engine, which reads as some tenant: their `tenant_id` is whoever asks.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY

from db.tables import enum_text, flag, identifier, metadata, moment, number, pointer, prose, whole
from domain.fleet import FleetMode, RecoveryAction, Runtime, TelemetrySource, WorkerKind

# `machine` is what a machine tells itself from others by, `reporter` the process that samples it: two on one machine
# take turns only when one of them has stopped.
hosts = Table(
    "hosts",
    metadata,
    identifier(),
    prose("machine", 200, least=1),
    prose("hostname", 255, least=1),
    Column("reporter", Uuid, nullable=False),
    moment("claimed_at"),
    moment("expected_by", nullable=True),
    enum_text("source", TelemetrySource),
    prose("driver", 100, nullable=True),
    prose("problem", 2000, nullable=True),
    moment("sampled_at", nullable=True),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("machine"),
)

gpus = Table(
    "gpus",
    metadata,
    identifier(),
    Column("host_id", Uuid, nullable=False),
    prose("uuid", 100, least=1),
    prose("name", 100, least=1),
    prose("pci", 40, nullable=True),
    whole("position", nullable=False),
    enum_text("source", TelemetrySource),
    moment("sampled_at"),
    number("temperature_c"),
    number("power_watts", least=0),
    number("utilization", least=0, most=100),
    whole("memory_used_mib"),
    whole("memory_total_mib"),
    Column("throttle_reasons", ARRAY(Text), nullable=False),
    Column("ecc_uncorrected", BigInteger, CheckConstraint("ecc_uncorrected >= 0", name="ecc_uncorrected_least")),
    enum_text("recovery", RecoveryAction, nullable=True),
    Column("processes", JSON, nullable=False),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("host_id", "uuid"),
    ForeignKeyConstraint(["host_id"], ["hosts.id"], ondelete="CASCADE"),
)

# One row for each minute: means and the highest of its samples. `source` is part of the key, so that no mean is made of
# what was measured and what was simulated.
gpu_samples = Table(
    "gpu_samples",
    metadata,
    Column("gpu_id", Uuid, nullable=False),
    moment("minute"),
    enum_text("source", TelemetrySource),
    whole("sample_count", least=1, nullable=False),
    number("temperature_c"),
    number("temperature_c_max"),
    number("power_watts", least=0),
    number("utilization", least=0, most=100),
    number("memory_used_mib", least=0),
    whole("memory_used_mib_max"),
    PrimaryKeyConstraint("gpu_id", "minute", "source"),
    ForeignKeyConstraint(["gpu_id"], ["gpus.id"], ondelete="CASCADE"),
    Index("ix_gpu_samples_minute", "minute"),
)

# `entry` names the line of the kernel's log, so that a log that is read again adds nothing.
gpu_xids = Table(
    "gpu_xids",
    metadata,
    identifier(),
    Column("host_id", Uuid, nullable=False),
    prose("pci", 40, least=1),
    whole("code", nullable=False),
    moment("at"),
    enum_text("source", TelemetrySource),
    prose("entry", 300, least=1),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("host_id", "entry"),
    ForeignKeyConstraint(["host_id"], ["hosts.id"], ondelete="CASCADE"),
    Index("ix_gpu_xids_host_id_pci_at", "host_id", "pci", "at"),
)

# What serves slots, as its owners last said: `name` is what its slots call it.
fleet_workers = Table(
    "fleet_workers",
    metadata,
    identifier(),
    enum_text("kind", WorkerKind),
    prose("name", 200, least=1),
    prose("url", 2000, least=1),
    enum_text("runtime", Runtime),
    flag("on_premise"),
    prose("gpu", 100, nullable=True),
    flag("answers", default=True),
    whole("queue_depth", nullable=False, default=0),
    moment("seen_at"),
    moment("expected_by", nullable=True),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("kind", "name"),
)

# Every mode that was ever set; the newest is the one that counts.
fleet_modes = Table(
    "fleet_modes",
    metadata,
    identifier(),
    enum_text("mode", FleetMode),
    moment("since"),
    *pointer("set_by"),
    PrimaryKeyConstraint("id"),
    Index("ix_fleet_modes_since_id", "since", "id"),
)

# Who was asked to free its memory since a mode was set, and what became of it.
fleet_releases = Table(
    "fleet_releases",
    metadata,
    Column("mode_id", Uuid, nullable=False),
    Column("worker_id", Uuid, nullable=False),
    moment("asked_at"),
    whole("used_mib"),
    prose("refusal", 1000, least=1, nullable=True),
    moment("confirmed_at", nullable=True),
    PrimaryKeyConstraint("mode_id", "worker_id"),
    ForeignKeyConstraint(["mode_id"], ["fleet_modes.id"], ondelete="CASCADE"),
    ForeignKeyConstraint(["worker_id"], ["fleet_workers.id"], ondelete="CASCADE"),
)

# Views are no tables that a migration could be compared with.
views = MetaData()

seen_hosts = Table(
    "seen_hosts",
    views,
    Column("tenant_id", Uuid, nullable=False),
    identifier(),
    prose("hostname", 255),
    enum_text("source", TelemetrySource),
    prose("driver", 100, nullable=True),
    prose("problem", 2000, nullable=True),
    moment("sampled_at", nullable=True),
    moment("expected_by", nullable=True),
)

seen_workers = Table(
    "seen_workers",
    views,
    Column("tenant_id", Uuid, nullable=False),
    identifier(),
    enum_text("kind", WorkerKind),
    prose("name", 200),
    prose("url", 2000),
    prose("gpu", 100, nullable=True),
    flag("answers"),
    whole("queue_depth", nullable=False),
    moment("seen_at"),
    moment("expected_by", nullable=True),
)
