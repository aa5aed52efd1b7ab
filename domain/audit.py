"""The audit chain and the activity feed."""

from enum import Enum


class AuditAction(Enum):
    """What was done to a subject."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    ARCHIVE = "ARCHIVE"
    DELETE = "DELETE"
    MERGE = "MERGE"
    DECIDE = "DECIDE"
    GRANT = "GRANT"
    WITHDRAW = "WITHDRAW"
    SIGN_IN = "SIGN_IN"
    SIGN_OUT = "SIGN_OUT"


class CrmActivityKind(Enum):
    """What the activity feed tells."""

    PERSON_CREATED = "PERSON_CREATED"
    LEAD_CREATED = "LEAD_CREATED"
    LEAD_ADVANCED = "LEAD_ADVANCED"
    INTERACTION_LOGGED = "INTERACTION_LOGGED"
    TASK_COMPLETED = "TASK_COMPLETED"
    PERSON_MERGED = "PERSON_MERGED"
