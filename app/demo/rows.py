"""The rows of a seed, table by table: which columns it fills, and the batch that collects them."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

Row = tuple[object, ...]

_QD: Final = tuple(
    f"{source}_qd_{part}"
    for source in ("rules", "model", "imported")
    for part in ("at", "score", "engagement", "valence", "attention", "confidence", "kind")
)

# In the order of loading: a row comes after what it refers to.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "tenants": (
        "id", "name", "time_zone", "currency", "high_value_amount", "high_value_currency", "created_at", "updated_at",
    ),
    "tenant_heads": ("event_sequence", "audit_sequence", "audit_hash"),
    "system_actors": ("id", "name", "display_name", "created_at"),
    "users": ("id", "full_name", "email", "role", "status", "last_seen_at", "created_at", "updated_at"),
    "sign_ins": ("user_id", "email_normalised", "password_hash", "updated_at"),
    "teams": ("id", "name", "created_at"),
    "team_members": ("team_id", "user_id", "created_at"),
    "provider_settings": ("channel", "provider", "updated_at"),
    "tags": ("id", "name", "description", "created_at"),
    "projects": ("id", "name", "city", "country", "developer_name", "property_count", "created_at", "updated_at"),
    "properties": (
        "id", "listing_key", "project_id", "standard_status", "property_type", "property_sub_type",
        "list_price_amount", "list_price_currency", "bedrooms_total", "bathrooms_total_integer", "living_area",
        "living_area_units", "unparsed_address", "city", "state_or_province", "country", "latitude", "longitude",
        "public_remarks", "year_built", "development_status", "original_entry_timestamp", "status_change_timestamp",
        "price_change_timestamp", "off_plan", "handover_on", "permit_number", "service_charge_per_area_amount",
        "service_charge_per_area_currency", "carpet_area", "archived_at", "created_at", "updated_at",
    ),
    "property_media": (
        "id", "property_id", "category", "object_key", "content_type", "bytes", "width", "height", "order",
        "created_at",
    ),
    "households": ("id", "name", "created_at", "updated_at"),
    "accounts": ("id", "name", "kind", "city", "created_at", "updated_at"),
    "people": (
        "id", "full_name", "name_key", "primary_phone_e164", "primary_phone_country", "primary_phone_raw",
        "primary_email", "primary_email_normalised", "city", "contact_type", "household_id", "created_at", "updated_at",
        "last_contacted_at", "next_best_action_kind", "next_best_action_title", "next_best_action_reason",
        "next_best_action_due_at", "next_best_action_computed_at", *_QD,
    ),
    "person_accounts": ("person_id", "account_id", "title", "created_at"),
    "relationships": ("id", "person_id", "other_id", "kind", "created_at"),
    "leads": (
        "id", "person_id", "assignee_id", "stage", "source", "qualification", "tags", "budget_amount",
        "budget_currency", "lost_reason", "stage_changed_at", "created_at", "updated_at",
    ),
    "lead_shares": ("lead_id", "user_id", "created_at"),
    "stage_changes": ("id", "lead_id", "from_stage", "to_stage", "at", "by_noun", "by_id", "note", "lost_reason"),
    "property_interests": (
        "id", "person_id", "lead_id", "property_id", "project_id", "level", "configuration", "created_at", "updated_at",
    ),
    "opportunities": (
        "id", "lead_id", "person_id", "property_id", "stage", "amount_amount", "amount_currency", "probability",
        "expected_close_on", "approved_by_id", "approved_at", "created_at", "updated_at",
    ),
    "threads": ("id", "channel", "address", "person_id", "assignee_id", "last_message_at", "created_at"),
    "thread_messages": (
        "id", "thread_id", "direction", "kind", "text", "sent_at", "delivery_state", "author_noun", "author_id",
        "provider_message_id", "created_at",
    ),
    "thread_reads": ("thread_id", "user_id", "last_read_message_id", "unread_count", "updated_at"),
    "interactions": (
        "id", "kind", "person_id", "direction", "summary", "occurred_at", "author_noun", "author_id",
        "thread_message_id", "duration_seconds", "email_subject", "email_body", "property_id", "text", "created_at",
    ),
    "transcript_segments": ("id", "interaction_id", "speaker", "text", "start_ms", "created_at"),
    "objections": ("id", "interaction_id", "kind", "text", "resolved", "created_at"),
    "facts": (
        "id", "person_id", "interaction_id", "kind", "text", "quote", "confidence", "source", "amount_amount",
        "amount_currency", "extracted_at", "dismissed_at", "created_at", "updated_at",
    ),
    "tasks": (
        "id", "title", "due_at", "priority", "status", "assignee_id", "person_id", "lead_id", "created_by_noun",
        "created_by_id", "created_at", "updated_at", "completed_at",
    ),
    "consents": (
        "id", "subject_kind", "person_id", "purpose", "modality", "notice_version", "method", "granted_at",
        "expires_at", "withdrawn_at", "recorded_by_id", "created_at",
    ),
    "qd_scores": (
        "id", "person_id", "at", "kind", "source", "score", "engagement", "valence", "attention", "confidence",
        "session_id",
    ),
    "videos": ("id", "title", "object_key", "content_type", "duration_ms", "created_at", "updated_at"),
    "scenes": ("id", "video_id", "title", "start_ms", "end_ms"),
    "perception_sessions": (
        "id", "status", "surface", "person_id", "consent_id", "video_id", "started_by_noun", "started_by_id",
        "started_at", "ended_at", "last_sequence", "packet_count", "final_qd_at", "final_qd_score",
        "final_qd_engagement", "final_qd_valence", "final_qd_attention", "final_qd_confidence", "peak_score",
        "peak_scene_id", "measured",
    ),
    "cctv_events": (
        "id", "kind", "camera", "at", "detections", "session_id", "sent_by_noun", "sent_by_id", "summary",
        "profiled_at", "profile_visitor_kind", "profile_vehicle", "profile_confidence", "profile_model",
        "profile_prompt_version", "assessed_at", "risk_score", "risk_summary", "risk_reasoning", "risk_model",
        "risk_prompt_version", "created_at",
    ),
    "visitor_scores": (
        "session_id", "id", "at", "kind", "source", "score", "engagement", "valence", "attention", "confidence",
    ),
    "erasures": (
        "id", "consent_id", "person_id", "scope", "status", "requested_by_noun", "requested_by_id", "requested_at",
        "finished_at",
    ),
    "erasure_receipts": ("erasure_id", "store", "erased_rows", "erased_at", "proof_hash"),
    "notifications": (
        "id", "user_id", "kind", "rule", "title", "at", "subject_noun", "subject_id", "read_at",
    ),
    "jobs": (
        "id", "kind", "status", "task", "priority", "attempt", "max_attempts", "turn_at", "requested_by_noun",
        "requested_by_id", "subject_noun", "subject_id", "payload", "payload_hash", "model", "submitted_count",
        "completed_count", "failed_count", "error_code", "error_message", "error_retryable", "created_at",
        "started_at", "finished_at",
    ),
    "proposals": (
        "id", "kind", "status", "subject_noun", "subject_id", "changes", "reason", "evidence", "source_kind", "job_id",
        "model", "prompt_version", "created_at", "decided_at", "decided_by_noun", "decided_by_id", "comment",
    ),
    "canvases": ("id", "title", "owner_id", "head_id", "forked_from_id", "archived_at", "created_at", "updated_at"),
    "canvas_revisions": (
        "id", "canvas_id", "number", "kind", "message", "author_noun", "author_id", "tree_hash", "hash", "changes",
        "created_at",
    ),
    "canvas_revision_parents": ("revision_id", "position", "parent_id"),
    "canvas_components": (
        "id", "canvas_id", "key", "kind", "title", "order_key", "x", "y", "width", "height", "visualization",
        "source_document_id", "source_variables", "data_digest", "created_at",
    ),
    "canvas_placements": ("canvas_id", "component_key", "from_number", "until_number", "component_id"),
    "canvas_shares": ("canvas_id", "user_id", "access", "created_at"),
    "merge_requests": (
        "id", "source_id", "target_id", "title", "author_noun", "author_id", "status", "base_id", "source_head_id",
        "target_head_id", "conflicts", "resolutions", "merged_revision_id", "created_at", "updated_at",
    ),
    "merge_request_reviews": (
        "id", "merge_request_id", "decision", "comment", "author_noun", "author_id", "at", "source_head_id",
    ),
    "audit_entries": (
        "id", "sequence", "at", "action", "actor_noun", "actor_id", "subject_noun", "subject_id", "changed_fields",
        "previous_hash", "hash",
    ),
    "events": (
        "sequence", "id", "at", "kind", "actor_noun", "actor_id", "subject_noun", "subject_id", "person_id", "payload",
    ),
    "activity_entries": (
        "id", "kind", "at", "actor_noun", "actor_id", "subject_noun", "subject_id", "person_id", "summary", "sequence",
    ),
}  # fmt: skip

_KNOWN: Final = {table: frozenset(columns) for table, columns in COLUMNS.items()}


class Batch:
    """Rows of one tenant that are loaded together."""

    def __init__(self, tenant_id: UUID) -> None:
        self.tenant_id = tenant_id
        self.rows: dict[str, list[Row]] = {table: [] for table in COLUMNS}

    def add(self, table: str, **values: object) -> None:
        """Add one row. Columns left out are null."""
        if not _KNOWN[table].issuperset(values):
            raise KeyError(f"{table} has no {sorted(values.keys() - _KNOWN[table])}")
        self.rows[table].append((self.tenant_id, *map(values.get, COLUMNS[table])))

    def column_names(self, table: str) -> tuple[str, ...]:
        return ("tenant_id", *COLUMNS[table])
