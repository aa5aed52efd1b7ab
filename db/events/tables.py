"""How events are stored: a gapless, commit-ordered sequence per tenant, and the head row that gives it out."""

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, LargeBinary, UniqueConstraint
from sqlalchemy import text as sql

from db.tables import (
    belongs_to_tenant,
    found_by,
    identifier,
    moment,
    pointer,
    prose,
    reference,
    tenant_link_table,
)

# A unit locks its tenant's row, so that numbers are given out in the order in which units commit. Dead versions of the
# few rows pile up quickly: the migration sets a low fill factor and eager vacuuming.
tenant_heads = tenant_link_table(
    "tenant_heads",
    Column(
        "event_sequence",
        BigInteger,
        CheckConstraint("event_sequence >= 0", name="event_sequence_least"),
        nullable=False,
        server_default=sql("0"),
    ),
    Column(
        "audit_sequence",
        BigInteger,
        CheckConstraint("audit_sequence >= 0", name="audit_sequence_least"),
        nullable=False,
        server_default=sql("0"),
    ),
    Column(
        "audit_hash",
        LargeBinary,
        CheckConstraint("octet_length(audit_hash) = 32", name="audit_hash_sha256"),
        nullable=False,
        # What the first entry's hash covers.
        server_default=sql("decode(repeat('00', 32), 'hex')"),
    ),
    belongs_to_tenant(),
    key=(),
)

events = tenant_link_table(
    "events",
    Column("sequence", BigInteger, CheckConstraint("sequence > 0", name="sequence_positive"), nullable=False),
    identifier(),
    moment("at"),
    prose("kind", 60, least=1),
    *pointer("actor"),
    *pointer("subject"),
    reference("person_id", nullable=True),
    Column("payload", JSON, nullable=False),
    belongs_to_tenant(),
    UniqueConstraint("tenant_id", "id"),
    found_by("at"),
    key=("sequence",),
)
