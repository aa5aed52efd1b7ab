"""The tables of assets: uploads until they are in use, and files that are nodes of the graph."""

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, UniqueConstraint

from db.tables import (
    belongs_to_tenant,
    created_at,
    enum_text,
    found_by,
    moment,
    ordered_by,
    pointer,
    prose,
    tenant_table,
    whole,
)
from domain.assets import LONGEST_KEY, OBJECT_KEY, UploadPurpose, UploadState

# `bytes` is what was announced, `stored_bytes` what is kept: a picture loses its metadata. `digest` is of what came.
uploads = tenant_table(
    "uploads",
    enum_text("purpose", UploadPurpose),
    prose("content_type", 100, least=1),
    whole("bytes", least=1, nullable=False),
    prose("object_key", LONGEST_KEY, least=1),
    enum_text("state", UploadState),
    Column("digest", LargeBinary, CheckConstraint("octet_length(digest) = 32", name="digest_is_sha256")),
    whole("stored_bytes", least=1),
    whole("width", least=1),
    whole("height", least=1),
    *pointer("created_by", nullable=False),
    created_at(),
    moment("expires_at"),
    moment("stored_at", nullable=True),
    moment("consumed_at", nullable=True),
    CheckConstraint(f"object_key ~ '{OBJECT_KEY}'", name="object_key_stands_in_addresses"),
    CheckConstraint("(state = 'ANNOUNCED') = (stored_at IS NULL)", name="stored_whole"),
    CheckConstraint("(state = 'ANNOUNCED') = (stored_bytes IS NULL)", name="stored_bytes_whole"),
    CheckConstraint("(state = 'CONSUMED') = (consumed_at IS NOT NULL)", name="consumed_whole"),
    belongs_to_tenant(),
    UniqueConstraint("tenant_id", "object_key"),
    found_by("created_by_id", "state"),
    # The sweep looks for what has expired in whatever tenant.
    Index("ix_uploads_expires_at", "expires_at", postgresql_where="state <> 'CONSUMED'"),
)

# Files that have a place of their own in the graph. Whoever asked for one sees it: `created_by`.
assets = tenant_table(
    "assets",
    prose("object_key", LONGEST_KEY, least=1),
    prose("thumbnail_key", LONGEST_KEY, least=1, nullable=True),
    prose("content_type", 100, least=1),
    whole("bytes", least=1, nullable=False),
    whole("width", least=1),
    whole("height", least=1),
    *pointer("created_by", nullable=False),
    created_at(),
    CheckConstraint(f"object_key ~ '{OBJECT_KEY}'", name="object_key_stands_in_addresses"),
    CheckConstraint(f"thumbnail_key ~ '{OBJECT_KEY}'", name="thumbnail_key_stands_in_addresses"),
    belongs_to_tenant(),
    UniqueConstraint("tenant_id", "object_key"),
    ordered_by("created_at"),
)
