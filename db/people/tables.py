"""The tables of people: who they are, who belongs to them, and what is known about them."""

from sqlalchemy import CheckConstraint, Column, Computed, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.schema import SchemaItem

from db.tables import (
    belongs_to,
    belongs_to_tenant,
    created_at,
    enum_text,
    found_by,
    moment,
    money,
    number,
    ordered_by,
    prose,
    reference,
    tenant_link_table,
    tenant_table,
    updated_at,
)
from domain.people import (
    AccountKind,
    ContactType,
    DuplicateEvidence,
    FactKind,
    FactSource,
    NextBestActionKind,
    RelationshipKind,
)
from domain.perception import QdKind, QdSource

_evidence = ", ".join(f"'{member.name}'" for member in DuplicateEvidence)


def latest_qd(source: QdSource) -> tuple[SchemaItem, ...]:
    """The newest QD score of one source, kept on the person so that a board reads no series. Null columns: none yet."""
    prefix = f"{source.name.lower()}_qd"
    return (
        moment(f"{prefix}_at", nullable=True),
        number(f"{prefix}_score", least=1, most=100),
        number(f"{prefix}_engagement", least=0, most=1),
        number(f"{prefix}_valence", least=-1, most=1),
        number(f"{prefix}_attention", least=0, most=1),
        number(f"{prefix}_confidence", least=0, most=1),
        enum_text(f"{prefix}_kind", QdKind, nullable=True),
        CheckConstraint(
            f"({prefix}_at IS NULL) = ({prefix}_score IS NULL) AND ({prefix}_at IS NULL) = ({prefix}_kind IS NULL)",
            name=f"{prefix}_whole",
        ),
    )


households = tenant_table(
    "households",
    prose("name", 200, least=1),
    created_at(),
    updated_at(),
    belongs_to_tenant(),
    ordered_by("created_at"),
)

people = tenant_table(
    "people",
    prose("full_name", 200, least=1),
    Column(
        "primary_phone_e164",
        Text,
        CheckConstraint(r"primary_phone_e164 ~ '^\+[1-9][0-9]{4,14}$'", name="primary_phone_e164_form"),
    ),
    Column(
        "primary_phone_country",
        Text,
        CheckConstraint("primary_phone_country ~ '^[A-Z]{2}$'", name="primary_phone_country_form"),
    ),
    prose("primary_phone_raw", 64, nullable=True),
    prose("primary_email", 254, least=3, nullable=True),
    prose("primary_email_normalised", 254, least=3, nullable=True),
    prose("city", 100, nullable=True),
    enum_text("contact_type", ContactType, nullable=True),
    reference("household_id", nullable=True),
    reference("merged_into_id", nullable=True),
    created_at(),
    updated_at(),
    moment("last_contacted_at", nullable=True),
    enum_text("next_best_action_kind", NextBestActionKind, nullable=True),
    prose("next_best_action_title", 200, nullable=True),
    prose("next_best_action_reason", 1000, nullable=True),
    moment("next_best_action_due_at", nullable=True),
    moment("next_best_action_computed_at", nullable=True),
    *latest_qd(QdSource.RULES),
    *latest_qd(QdSource.MODEL),
    *latest_qd(QdSource.IMPORTED),
    # What everybody may search, apart from what only those may search who see contact details.
    Column("search_name", Text, Computed("lower(full_name)", persisted=True), nullable=False),
    Column(
        "search_contact",
        Text,
        Computed(
            "lower(COALESCE(primary_email, '') || ' ' || COALESCE(primary_phone_e164, ''))",
            persisted=True,
        ),
        nullable=False,
    ),
    # What names that may be one have in common (domain.people.names). Empty until it is known: it matches nobody.
    prose("name_key", 200, default=""),
    CheckConstraint(
        "(next_best_action_kind IS NULL) = (next_best_action_title IS NULL)"
        " AND (next_best_action_kind IS NULL) = (next_best_action_reason IS NULL)"
        " AND (next_best_action_kind IS NULL) = (next_best_action_computed_at IS NULL)",
        name="next_best_action_whole",
    ),
    CheckConstraint("merged_into_id <> id", name="merged_into_another"),
    belongs_to_tenant(),
    belongs_to("household_id", "households"),
    belongs_to("merged_into_id", "people"),
    ordered_by("full_name"),
    ordered_by("created_at"),
    ordered_by("updated_at"),
    ordered_by("household_id", "full_name"),
    ordered_by("city", "full_name"),
    found_by("primary_phone_e164"),
    found_by("primary_email_normalised"),
    found_by("name_key"),
    found_by("merged_into_id"),
    # While a name is being typed: LIKE 'prefix%' under any collation.
    Index(
        "ix_people_tenant_id_search_name",
        "tenant_id",
        "search_name",
        "id",
        postgresql_ops={"search_name": "text_pattern_ops"},
    ),
)

accounts = tenant_table(
    "accounts",
    prose("name", 200, least=1),
    enum_text("kind", AccountKind),
    prose("city", 100, nullable=True),
    created_at(),
    updated_at(),
    belongs_to_tenant(),
    ordered_by("name"),
)

person_accounts = tenant_link_table(
    "person_accounts",
    reference("person_id"),
    reference("account_id"),
    prose("title", 100, nullable=True),
    created_at(),
    belongs_to("person_id", "people"),
    belongs_to("account_id", "accounts"),
    found_by("account_id", "person_id"),
    key=("person_id", "account_id"),
)

# Both directions are stored: a PARENT row of one person has a CHILD row of the other.
relationships = tenant_table(
    "relationships",
    reference("person_id"),
    reference("other_id"),
    enum_text("kind", RelationshipKind),
    created_at(),
    CheckConstraint("person_id <> other_id", name="other_is_another"),
    belongs_to("person_id", "people"),
    belongs_to("other_id", "people"),
    UniqueConstraint("tenant_id", "person_id", "other_id", "kind"),
    ordered_by("person_id", "created_at"),
    found_by("other_id"),
)

# Who may be the same as whom, both ways, kept when a person changes. A merge is what ends it.
person_duplicates = tenant_link_table(
    "person_duplicates",
    reference("person_id"),
    reference("other_id"),
    number("score", least=0, most=1, nullable=False),
    # What the names alone say: all that is told to those who may not see how to reach the other.
    number("name_score", least=0, most=1),
    Column(
        "evidence",
        ARRAY(Text),
        CheckConstraint(f"evidence <@ ARRAY[{_evidence}] AND cardinality(evidence) > 0", name="evidence_known"),
        nullable=False,
    ),
    created_at(),
    CheckConstraint("person_id <> other_id", name="other_is_another"),
    CheckConstraint("(name_score IS NOT NULL) = ('NAME' = ANY (evidence))", name="name_score_if_name"),
    belongs_to("person_id", "people"),
    belongs_to("other_id", "people"),
    found_by("other_id"),
    key=("person_id", "other_id"),
)

# `interaction_id` may be null: an imported fact has no interaction. `amount` is what a BUDGET fact says.
facts = tenant_table(
    "facts",
    reference("person_id"),
    reference("interaction_id", nullable=True),
    enum_text("kind", FactKind),
    prose("text", 1000, least=1),
    prose("quote", 2000, nullable=True),
    number("confidence", least=0, most=1, nullable=False),
    enum_text("source", FactSource),
    *money("amount"),
    moment("extracted_at"),
    moment("dismissed_at", nullable=True),
    created_at(),
    updated_at(),
    belongs_to("person_id", "people"),
    belongs_to("interaction_id", "interactions"),
    ordered_by("person_id", "created_at"),
    found_by("interaction_id"),
)

# The catalogue that tags are picked from; a lead carries the names themselves.
tags = tenant_table(
    "tags",
    prose("name", 50, least=1),
    prose("description", 500, nullable=True),
    created_at(),
    belongs_to_tenant(),
    UniqueConstraint("tenant_id", "name"),
)
