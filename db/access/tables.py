"""The tables of access: tenants, users, teams, sessions, keys and system actors."""

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
)

from db.tables import (
    belongs_to,
    belongs_to_tenant,
    created_at,
    enum_text,
    flag,
    found_by,
    metadata,
    moment,
    money,
    ordered_by,
    prose,
    reference,
    tenant_link_table,
    tenant_table,
    updated_at,
)
from domain.access import Role, UserStatus
from domain.access.operations import OperationKind

# A tenant is its own tenant: `id` repeats `tenant_id`, so that it is read like any other row.
tenants = tenant_table(
    "tenants",
    prose("name", 200, least=1),
    prose("time_zone", 64, least=1),
    Column("currency", Text, CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency_code"), nullable=False),
    # A deal won at or above this needs a director's approval.
    *money("high_value"),
    created_at(),
    updated_at(),
    CheckConstraint("id = tenant_id", name="id_is_tenant_id"),
    UniqueConstraint("tenant_id"),
)

users = tenant_table(
    "users",
    prose("full_name", 200, least=1),
    prose("email", 254, least=3),
    enum_text("role", Role),
    enum_text("status", UserStatus),
    prose("avatar_key", 500, nullable=True),
    moment("last_seen_at", nullable=True),
    created_at(),
    updated_at(),
    belongs_to_tenant(),
    ordered_by("full_name"),
    ordered_by("created_at"),
)

# An e-mail address signs in to one installation, not to one tenant, so its uniqueness is the one key without a tenant.
sign_ins = tenant_link_table(
    "sign_ins",
    reference("user_id"),
    prose("email_normalised", 254, least=3),
    prose("password_hash", 500, nullable=True),
    updated_at(),
    belongs_to("user_id", "users"),
    UniqueConstraint("email_normalised"),
    key=("user_id",),
)

teams = tenant_table(
    "teams",
    prose("name", 100, least=1),
    created_at(),
    belongs_to_tenant(),
    UniqueConstraint("tenant_id", "name"),
)

team_members = tenant_link_table(
    "team_members",
    reference("team_id"),
    reference("user_id"),
    created_at(),
    belongs_to("team_id", "teams"),
    belongs_to("user_id", "users"),
    found_by("user_id", "team_id"),
    key=("team_id", "user_id"),
)

# A session is a family of refresh tokens: each is used once, and using one again revokes the family.
sessions = tenant_table(
    "sessions",
    reference("user_id"),
    created_at(),
    moment("last_used_at", nullable=True),
    moment("revoked_at", nullable=True),
    moment("reuse_detected_at", nullable=True),
    belongs_to("user_id", "users"),
    ordered_by("user_id", "created_at"),
)

refresh_tokens = tenant_table(
    "refresh_tokens",
    reference("session_id"),
    Column("token_hash", LargeBinary, nullable=False),
    created_at(),
    moment("expires_at"),
    moment("used_at", nullable=True),
    belongs_to("session_id", "sessions"),
    UniqueConstraint("tenant_id", "token_hash"),
    found_by("session_id", "created_at"),
    # Whoever shows a refresh token has not said which tenant it belongs to.
    Index("ix_refresh_tokens_token_hash", "token_hash"),
)

# Before sign-in there is no tenant: throttling counts hashes of accounts and addresses, and keeps neither.
sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("account_hash", LargeBinary, nullable=False),
    Column("address_hash", LargeBinary, nullable=False),
    flag("succeeded"),
    moment("attempted_at"),
    PrimaryKeyConstraint("id"),
    Index(None, "account_hash", "attempted_at"),
    Index(None, "address_hash", "attempted_at"),
    Index(None, "attempted_at"),
)

# The secret before the last rotation stays good for its overlap. Each is stored as its SHA-256.
api_keys = tenant_table(
    "api_keys",
    prose("display_name", 100, least=1),
    prose("prefix", 20, least=4),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("previous_secret_hash", LargeBinary),
    moment("previous_expires_at", nullable=True),
    enum_text("role", Role),
    created_at(),
    moment("last_used_at", nullable=True),
    moment("expires_at", nullable=True),
    moment("revoked_at", nullable=True),
    reference("created_by_id", nullable=True),
    belongs_to_tenant(),
    belongs_to("created_by_id", "users"),
    ordered_by("created_at"),
    CheckConstraint("(previous_secret_hash IS NULL) = (previous_expires_at IS NULL)", name="previous_whole"),
    UniqueConstraint("tenant_id", "secret_hash"),
    # Whoever shows a key has not said which tenant it belongs to.
    Index("ix_api_keys_secret_hash", "secret_hash"),
    Index("ix_api_keys_previous_secret_hash", "previous_secret_hash"),
)

# Documents that clients may send by their id. `alias` is the id that a client's own tools gave one.
persisted_operations = tenant_table(
    "persisted_operations",
    prose("document_id", 71, least=71),
    prose("name", 200, least=1),
    enum_text("kind", OperationKind),
    prose("text", 100_000, least=1),
    prose("alias", 128, least=1, nullable=True),
    Column("registered_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    belongs_to_tenant(),
    UniqueConstraint("tenant_id", "document_id"),
    ordered_by("registered_at"),
)

# What a key may send.
api_key_operations = tenant_link_table(
    "api_key_operations",
    reference("api_key_id"),
    reference("persisted_operation_id"),
    belongs_to("api_key_id", "api_keys"),
    belongs_to("persisted_operation_id", "persisted_operations"),
    found_by("persisted_operation_id"),
    key=("api_key_id", "persisted_operation_id"),
)

system_actors = tenant_table(
    "system_actors",
    prose("name", 60, least=1),
    prose("display_name", 100, least=1),
    created_at(),
    belongs_to_tenant(),
    UniqueConstraint("tenant_id", "name"),
)

idempotency_keys = tenant_link_table(
    "idempotency_keys",
    reference("actor_id"),
    prose("key", 200, least=1),
    prose("operation", 100, least=1),
    Column("payload_hash", LargeBinary, nullable=False),
    Column("result", JSON, nullable=True),
    created_at(),
    found_by("created_at"),
    key=("actor_id", "key"),
)
