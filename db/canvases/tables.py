"""The tables of canvases: their revisions, the versions of their components, and what people do with them.

A revision and a version of a component are written once. Which versions a revision has is not copied for each revision:
a placement says from which revision on a canvas has a version, and until which, so a revision that changes one
component of 500 writes one placement and ends one. What a canvas has now are the placements that have not ended.
"""

from typing import Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from db.tables import (
    belongs_to,
    belongs_to_tenant,
    created_at,
    enum_text,
    flag,
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
from domain.access import Role
from domain.canvases import CanvasAccess, ComponentKind, MergeRequestStatus, ReviewDecision, RevisionKind

NOT_ENDED: Final = 2_147_483_647
"""`until_number` of a placement that the head has: no revision has this number."""


def sha256(name: str, *, nullable: bool = False) -> Column[object]:
    """A SHA-256."""
    return Column(
        name, LargeBinary, CheckConstraint(f"octet_length({name}) = 32", name=f"{name}_sha256"), nullable=nullable
    )


# The head is written after the canvas that it belongs to, in the same unit.
canvases = tenant_table(
    "canvases",
    prose("title", 200, least=1),
    reference("owner_id"),
    reference("head_id"),
    reference("forked_from_id", nullable=True),
    moment("archived_at", nullable=True),
    created_at(),
    updated_at(),
    belongs_to("owner_id", "users"),
    belongs_to("forked_from_id", "canvases"),
    ForeignKeyConstraint(
        ["tenant_id", "head_id"],
        ["canvas_revisions.tenant_id", "canvas_revisions.id"],
        name="fk_canvases_tenant_id_head_id",
        deferrable=True,
        initially="DEFERRED",
        use_alter=True,
    ),
    ordered_by("created_at"),
    ordered_by("updated_at"),
    ordered_by("owner_id", "created_at"),
    ordered_by("forked_from_id"),
)

canvas_revisions = tenant_table(
    "canvas_revisions",
    reference("canvas_id"),
    whole("number", least=1, nullable=False),
    enum_text("kind", RevisionKind),
    prose("message", 2000, nullable=True),
    *pointer("author"),
    sha256("tree_hash"),
    sha256("hash"),
    # What it changed against its first parent: [{kind, component_key, path}].
    Column("changes", JSON, nullable=False),
    moment("created_at"),
    belongs_to("canvas_id", "canvases"),
    UniqueConstraint("tenant_id", "canvas_id", "number"),
    # A cursor's index: the id only breaks ties that there are none of.
    ordered_by("canvas_id", "number"),
)

canvas_revision_parents = tenant_link_table(
    "canvas_revision_parents",
    reference("revision_id"),
    whole("position", nullable=False),
    reference("parent_id"),
    belongs_to("revision_id", "canvas_revisions"),
    belongs_to("parent_id", "canvas_revisions"),
    Index(None, "tenant_id", "parent_id"),
    key=("revision_id", "position"),
)

# What a component's document answered its author, by its digest, and in whose scope. It stands beside the history,
# whose hashes cover the digest: an erasure takes rows and salt away and leaves every hash as it was.
canvas_data = tenant_link_table(
    "canvas_data",
    sha256("digest"),
    *pointer("author", nullable=False),
    enum_text("author_role", Role),
    Column("author_members", ARRAY(Uuid), nullable=False),
    moment("as_of"),
    Column("columns", JSON, nullable=False),
    Column("rows", JSON(none_as_null=True), nullable=True),
    flag("truncated"),
    Column("salt", LargeBinary, nullable=True),
    moment("erased_at", nullable=True),
    CheckConstraint(
        "(rows IS NULL) = (erased_at IS NOT NULL) AND (salt IS NULL) = (erased_at IS NOT NULL)",
        name="rows_unless_erased",
    ),
    belongs_to_tenant(),
    key=("digest",),
)

# Whom kept rows are about: people, and sessions, of which it may turn out later whose they were.
canvas_data_subjects = tenant_link_table(
    "canvas_data_subjects",
    sha256("digest"),
    *pointer("subject", nullable=False),
    ForeignKeyConstraint(["tenant_id", "digest"], ["canvas_data.tenant_id", "canvas_data.digest"]),
    Index("ix_canvas_data_subjects_of_subject", "tenant_id", "subject_noun", "subject_id", "digest"),
    key=("digest", "subject_noun", "subject_id"),
)

canvas_components = tenant_table(
    "canvas_components",
    reference("canvas_id"),
    prose("key", 64, least=1),
    enum_text("kind", ComponentKind),
    prose("title", 200, nullable=True),
    # Compared as its bytes, which is how the domain compares it.
    Column(
        "order_key",
        Text(collation="C"),
        CheckConstraint("char_length(order_key) BETWEEN 1 AND 200", name="order_key_length"),
        nullable=False,
    ),
    *(Column(name, Integer, nullable=False) for name in ("x", "y", "width", "height")),
    Column("visualization", JSON(none_as_null=True), nullable=True),
    # Where its rows come from: an operation, so far.
    prose("source_document_id", 200, nullable=True),
    Column("source_variables", JSON(none_as_null=True), nullable=True),
    sha256("data_digest", nullable=True),
    moment("created_at"),
    CheckConstraint("(source_document_id IS NULL) = (source_variables IS NULL)", name="source_whole"),
    CheckConstraint("source_document_id IS NOT NULL OR data_digest IS NULL", name="data_of_a_source"),
    belongs_to("canvas_id", "canvases"),
    ForeignKeyConstraint(["tenant_id", "data_digest"], ["canvas_data.tenant_id", "canvas_data.digest"]),
    Index(None, "tenant_id", "data_digest"),
)

canvas_placements = tenant_link_table(
    "canvas_placements",
    reference("canvas_id"),
    prose("component_key", 64, least=1),
    whole("from_number", least=1, nullable=False),
    whole("until_number", least=2, nullable=False, default=NOT_ENDED),
    reference("component_id"),
    CheckConstraint("from_number < until_number", name="ends_after_it_begins"),
    belongs_to("canvas_id", "canvases"),
    belongs_to("component_id", "canvas_components"),
    # The versions of revision n are those with until_number > n and from_number <= n: of the head, exactly its own.
    Index("ix_canvas_placements_of_revision", "tenant_id", "canvas_id", "until_number", "from_number", "component_id"),
    Index(None, "tenant_id", "component_id", "canvas_id"),
    key=("canvas_id", "component_key", "from_number"),
)

canvas_shares = tenant_link_table(
    "canvas_shares",
    reference("canvas_id"),
    reference("user_id"),
    enum_text("access", CanvasAccess),
    created_at(),
    belongs_to("canvas_id", "canvases"),
    belongs_to("user_id", "users"),
    Index(None, "tenant_id", "user_id", "canvas_id"),
    key=("canvas_id", "user_id"),
)

# `base_id` and `conflicts` are between `source_head_id` and `target_head_id`; both are found anew when a head moves.
merge_requests = tenant_table(
    "merge_requests",
    reference("source_id"),
    reference("target_id"),
    prose("title", 200, least=1),
    *pointer("author"),
    enum_text("status", MergeRequestStatus),
    reference("base_id"),
    reference("source_head_id"),
    reference("target_head_id"),
    Column("conflicts", JSON, nullable=False, server_default=sql("'[]'::json")),
    Column("resolutions", JSON, nullable=False, server_default=sql("'[]'::json")),
    reference("merged_revision_id", nullable=True),
    created_at(),
    updated_at(),
    CheckConstraint("source_id <> target_id", name="between_two"),
    CheckConstraint("(status = 'MERGED') = (merged_revision_id IS NOT NULL)", name="revision_if_merged"),
    belongs_to("source_id", "canvases"),
    belongs_to("target_id", "canvases"),
    belongs_to("base_id", "canvas_revisions"),
    belongs_to("source_head_id", "canvas_revisions"),
    belongs_to("target_head_id", "canvas_revisions"),
    belongs_to("merged_revision_id", "canvas_revisions"),
    ordered_by("created_at"),
    ordered_by("source_id", "created_at"),
    ordered_by("target_id", "created_at"),
    Index(None, "tenant_id", "base_id"),
    Index(
        "uq_merge_requests_open",
        "tenant_id",
        "source_id",
        "target_id",
        unique=True,
        postgresql_where=sql("status IN ('OPEN', 'APPROVED')"),
    ),
)

merge_request_reviews = tenant_table(
    "merge_request_reviews",
    reference("merge_request_id"),
    enum_text("decision", ReviewDecision),
    prose("comment", 10_000, nullable=True),
    *pointer("author"),
    moment("at"),
    # What was reviewed.
    reference("source_head_id"),
    belongs_to("merge_request_id", "merge_requests"),
    belongs_to("source_head_id", "canvas_revisions"),
    ordered_by("merge_request_id", "at"),
)
