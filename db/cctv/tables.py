"""The table of camera events."""

from sqlalchemy import JSON, CheckConstraint, Column, LargeBinary

from db.tables import (
    belongs_to,
    belongs_to_tenant,
    created_at,
    enum_text,
    found_by,
    moment,
    number,
    ordered_by,
    pointer,
    prose,
    reference,
    tenant_table,
    whole,
)
from domain.cctv import LONGEST_CAMERA, MOST_SCORE, TOKEN_BYTES, CctvEventKind

# `plate` is a keyed hash. What a model made of an event is there as a whole or not at all: `profiled_at` and
# `assessed_at` say which.
cctv_events = tenant_table(
    "cctv_events",
    enum_text("kind", CctvEventKind),
    prose("camera", LONGEST_CAMERA, least=1),
    moment("at"),
    Column("detections", JSON, nullable=False),
    Column(
        "plate",
        LargeBinary,
        CheckConstraint(f"octet_length(plate) = {TOKEN_BYTES}", name="plate_is_a_token"),
        nullable=True,
    ),
    reference("session_id", nullable=True),
    *pointer("sent_by", nullable=False),
    prose("summary", 1_000, least=1, nullable=True),
    moment("profiled_at", nullable=True),
    prose("profile_visitor_kind", 100, least=1, nullable=True),
    prose("profile_vehicle", 200, least=1, nullable=True),
    number("profile_confidence", least=0, most=1),
    prose("profile_model", 200, least=1, nullable=True),
    prose("profile_prompt_version", 100, least=1, nullable=True),
    prose("profile_prompt_hash", 100, least=1, nullable=True),
    moment("assessed_at", nullable=True),
    whole("risk_score"),
    prose("risk_summary", 1_000, least=1, nullable=True),
    prose("risk_reasoning", 4_000, least=1, nullable=True),
    prose("risk_model", 200, least=1, nullable=True),
    prose("risk_prompt_version", 100, least=1, nullable=True),
    prose("risk_prompt_hash", 100, least=1, nullable=True),
    created_at(),
    CheckConstraint(
        "(profiled_at IS NULL) = (profile_confidence IS NULL) AND (profiled_at IS NULL) = (profile_model IS NULL)"
        " AND (profiled_at IS NULL) = (profile_prompt_version IS NULL)",
        name="profile_whole",
    ),
    CheckConstraint(
        "(assessed_at IS NULL) = (risk_score IS NULL) AND (assessed_at IS NULL) = (risk_summary IS NULL)"
        " AND (assessed_at IS NULL) = (risk_reasoning IS NULL)",
        name="risk_whole",
    ),
    CheckConstraint(f"risk_score <= {MOST_SCORE}", name="risk_score_most"),
    belongs_to_tenant(),
    belongs_to("session_id", "perception_sessions"),
    ordered_by("at"),
    ordered_by("session_id", "at"),
    found_by("plate", "at"),
)
