"""The tables of threads: conversations with one address, their messages, and who has read how far."""

from sqlalchemy import CheckConstraint, Column, DateTime, Index, UniqueConstraint, func
from sqlalchemy import text as sql

from db.tables import (
    belongs_to,
    belongs_to_tenant,
    created_at,
    enum_text,
    moment,
    ordered_by,
    pointer,
    prose,
    reference,
    tenant_link_table,
    tenant_table,
    updated_at,
    whole,
)
from domain.interactions import Direction
from domain.threads import Channel, DeliveryState, MessageKind, MessageProvider

# `last_message_at` starts as `created_at`: an order needs a value in every row.
threads = tenant_table(
    "threads",
    enum_text("channel", Channel),
    prose("address", 100, least=1),
    reference("person_id", nullable=True),
    reference("assignee_id", nullable=True),
    Column("last_message_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    created_at(),
    belongs_to_tenant(),
    belongs_to("person_id", "people"),
    belongs_to("assignee_id", "users"),
    UniqueConstraint("tenant_id", "channel", "address"),
    ordered_by("created_at"),
    ordered_by("last_message_at"),
    ordered_by("person_id", "last_message_at"),
    ordered_by("person_id", "created_at"),
    ordered_by("assignee_id", "last_message_at"),
)

thread_messages = tenant_table(
    "thread_messages",
    reference("thread_id"),
    enum_text("direction", Direction),
    enum_text("kind", MessageKind),
    prose("text", 10_000, nullable=True),
    moment("sent_at"),
    enum_text("delivery_state", DeliveryState, nullable=True),
    *pointer("author"),
    prose("provider_message_id", 255, nullable=True),
    created_at(),
    CheckConstraint("kind <> 'TEXT' OR text IS NOT NULL", name="text_if_text"),
    CheckConstraint("direction = 'OUTBOUND' OR delivery_state IS NULL", name="delivery_only_of_outbound"),
    belongs_to("thread_id", "threads"),
    # A provider repeats itself: the same message delivered twice is one row.
    UniqueConstraint("tenant_id", "thread_id", "provider_message_id"),
    ordered_by("thread_id", "sent_at"),
)

thread_reads = tenant_link_table(
    "thread_reads",
    reference("thread_id"),
    reference("user_id"),
    reference("last_read_message_id", nullable=True),
    whole("unread_count", nullable=False, default=0),
    updated_at(),
    belongs_to("thread_id", "threads"),
    belongs_to("user_id", "users"),
    belongs_to("last_read_message_id", "thread_messages"),
    Index(
        "ix_thread_reads_unread",
        "tenant_id",
        "user_id",
        "thread_id",
        postgresql_where=sql("unread_count > 0"),
    ),
    key=("thread_id", "user_id"),
)

# Which provider delivers a tenant's messages on a channel. Without a row, sending is refused.
provider_settings = tenant_link_table(
    "provider_settings",
    enum_text("channel", Channel),
    enum_text("provider", MessageProvider),
    updated_at(),
    belongs_to_tenant(),
    key=("channel",),
)
