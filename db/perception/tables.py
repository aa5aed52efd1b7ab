"""The tables of perception: QD scores over time, the sessions they come from, consents, and erasures."""

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)

from db.tables import (
    belongs_to,
    belongs_to_tenant,
    created_at,
    enum_text,
    flag,
    found_by,
    identifier,
    metadata,
    moment,
    number,
    ordered_by,
    pointer,
    prose,
    reference,
    tenant_id,
    tenant_link_table,
    tenant_table,
    whole,
)
from domain.perception import (
    LONGEST_EVIDENCE,
    ConsentMethod,
    ConsentPurpose,
    ErasureScope,
    ErasureStatus,
    FaceForm,
    Modality,
    QdKind,
    QdSource,
    SessionStatus,
    SubjectKind,
    SurfaceKind,
)

# Partitioned by month. The key begins with what a series asks for, so a person's curve is one range of the key.
# There is no index by time alone: it would tempt the planner to read everybody's month for one person's curve.
qd_scores = Table(
    "qd_scores",
    metadata,
    tenant_id(),
    identifier(),
    reference("person_id"),
    reference("session_id", nullable=True),
    moment("at"),
    enum_text("kind", QdKind),
    enum_text("source", QdSource),
    number("score", least=1, most=100, nullable=False),
    number("engagement", least=0, most=1),
    number("valence", least=-1, most=1),
    number("attention", least=0, most=1),
    number("confidence", least=0, most=1),
    belongs_to("person_id", "people"),
    PrimaryKeyConstraint("tenant_id", "person_id", "at", "id"),
    postgresql_partition_by="RANGE (at)",
)

# What the scores of each whole hour (UTC) sum up to; triggers keep it (functions.sql). No foreign key to people: the
# scores have one, and a row is here only while its scores are.
qd_rollups = tenant_link_table(
    "qd_rollups",
    reference("person_id"),
    enum_text("source", QdSource),
    enum_text("kind", QdKind),
    moment("hour"),
    number("low", least=1, most=100, nullable=False),
    number("high", least=1, most=100, nullable=False),
    number("total", least=0, nullable=False),
    Column("scores", Integer, CheckConstraint("scores >= 0", name="scores_counted"), nullable=False),
    key=("person_id", "source", "kind", "hour"),
)

# Append-only but for `withdrawn_at`, and for `person_id` where a visitor gets a name: a renewed consent is a new row.
# The status follows from the times. `recorded_by_id` is a user or an API key, and so no foreign key.
consents = tenant_table(
    "consents",
    enum_text("subject_kind", SubjectKind),
    reference("person_id", nullable=True),
    enum_text("purpose", ConsentPurpose),
    enum_text("modality", Modality),
    prose("notice_version", 50, least=1),
    enum_text("method", ConsentMethod, nullable=True),
    prose("evidence", LONGEST_EVIDENCE, least=1, nullable=True),
    prose("jurisdiction", 6, least=2, nullable=True),
    moment("granted_at"),
    moment("expires_at", nullable=True),
    moment("withdrawn_at", nullable=True),
    reference("recorded_by_id", nullable=True),
    created_at(),
    CheckConstraint("subject_kind <> 'PERSON' OR person_id IS NOT NULL", name="person_if_person"),
    CheckConstraint("expires_at > granted_at", name="expires_after_grant"),
    CheckConstraint("withdrawn_at >= granted_at", name="withdrawn_after_grant"),
    belongs_to_tenant(),
    belongs_to("person_id", "people"),
    ordered_by("created_at"),
    ordered_by("person_id", "created_at"),
)


def measured(name: str, *, nullable: bool = True) -> tuple[Column[object], ...]:
    """The parts of one score; where there may be none, all of them are null."""
    return (
        moment(f"{name}_at", nullable=nullable),
        number(f"{name}_score", least=1, most=100, nullable=nullable),
        number(f"{name}_engagement", least=0, most=1, nullable=nullable),
        number(f"{name}_valence", least=-1, most=1, nullable=nullable),
        number(f"{name}_attention", least=0, most=1, nullable=nullable),
        number(f"{name}_confidence", least=0, most=1, nullable=nullable),
    )


# `memory` is what scoring remembers between two batches: it goes when the session ends. `measured` says whether
# anything that was measured is kept here or rests on this session; an erasure and nothing else makes it false.
# `peak_scene_id` may outlive its scene.
perception_sessions = tenant_table(
    "perception_sessions",
    enum_text("status", SessionStatus),
    enum_text("surface", SurfaceKind),
    reference("person_id", nullable=True),
    reference("consent_id"),
    reference("video_id", nullable=True),
    *pointer("started_by", nullable=False),
    moment("started_at"),
    moment("ended_at", nullable=True),
    whole("last_sequence", nullable=False, default=0),
    whole("packet_count", nullable=False, default=0),
    Column("memory", JSON),
    *measured("final_qd"),
    *measured("refined_qd"),
    prose("refined_model", 200, least=1, nullable=True),
    prose("refined_prompt_version", 100, least=1, nullable=True),
    prose("refined_prompt_hash", 64, least=64, nullable=True),
    number("peak_score", least=1, most=100),
    reference("peak_scene_id", nullable=True),
    flag("measured"),
    CheckConstraint("(status = 'RUNNING') = (ended_at IS NULL)", name="ended_at_if_ended"),
    CheckConstraint("status = 'RUNNING' OR memory IS NULL", name="memory_while_running"),
    CheckConstraint(
        "(refined_prompt_version IS NULL) = (refined_prompt_hash IS NULL)"
        " AND (refined_model IS NULL) = (refined_prompt_hash IS NULL)",
        name="refined_by_whole",
    ),
    belongs_to("person_id", "people"),
    belongs_to("consent_id", "consents"),
    belongs_to("video_id", "videos"),
    ordered_by("started_at"),
    ordered_by("person_id", "started_at"),
    found_by("consent_id"),
    # The sweep looks in whatever tenant for what is kept too long.
    Index("ix_perception_sessions_started_at", "started_at", postgresql_where="measured"),
    # And for sessions that nobody ended.
    Index("ix_perception_sessions_running", "started_at", postgresql_where="status = 'RUNNING'"),
)

# One row for each accepted batch: what it was answered, and what its event leads to. `face_form` is null where no face
# was seen at its end.
perception_batches = tenant_table(
    "perception_batches",
    reference("session_id"),
    whole("sequence", least=1, nullable=False),
    moment("at"),
    whole("accepted_count", nullable=False),
    reference("scene_id", nullable=True),
    *measured("qd", nullable=False),
    enum_text("face_form", FaceForm, nullable=True),
    belongs_to("session_id", "perception_sessions"),
    UniqueConstraint("tenant_id", "session_id", "sequence"),
)

# Scores of visitors without a name, until a session is matched.
visitor_scores = tenant_link_table(
    "visitor_scores",
    reference("session_id"),
    moment("at"),
    identifier(),
    enum_text("kind", QdKind),
    enum_text("source", QdSource),
    number("score", least=1, most=100, nullable=False),
    number("engagement", least=0, most=1),
    number("valence", least=-1, most=1),
    number("attention", least=0, most=1),
    number("confidence", least=0, most=1),
    belongs_to("session_id", "perception_sessions"),
    key=("session_id", "at", "id"),
)

erasures = tenant_table(
    "erasures",
    reference("consent_id"),
    reference("person_id", nullable=True),
    enum_text("scope", ErasureScope),
    enum_text("status", ErasureStatus),
    *pointer("requested_by", nullable=False),
    moment("requested_at"),
    moment("finished_at", nullable=True),
    CheckConstraint("(status = 'DONE') = (finished_at IS NOT NULL)", name="finished_at_if_done"),
    belongs_to("consent_id", "consents"),
    belongs_to("person_id", "people"),
    ordered_by("requested_at"),
    found_by("consent_id", "requested_at"),
    found_by("person_id"),
    # The sweep goes on, in whatever tenant, with what was ordered and not finished.
    Index("ix_erasures_requested_at", "requested_at", postgresql_where="status <> 'DONE'"),
)

erasure_receipts = tenant_link_table(
    "erasure_receipts",
    reference("erasure_id"),
    prose("store", 60, least=1),
    whole("erased_rows", nullable=False),
    moment("erased_at"),
    Column(
        "proof_hash",
        LargeBinary,
        CheckConstraint("octet_length(proof_hash) = 32", name="proof_hash_is_sha256"),
        nullable=False,
    ),
    belongs_to("erasure_id", "erasures"),
    key=("erasure_id", "store"),
)
