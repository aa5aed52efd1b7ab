"""People, the ties between them, and what is known about them."""

from domain.people.kinds import (
    AccountKind,
    ContactType,
    DuplicateEvidence,
    FactKind,
    FactSource,
    NextBestActionKind,
    RecordKind,
    RelationshipKind,
)
from domain.people.store import PersonStore

__all__ = [
    "AccountKind",
    "ContactType",
    "DuplicateEvidence",
    "FactKind",
    "FactSource",
    "NextBestActionKind",
    "PersonStore",
    "RecordKind",
    "RelationshipKind",
]
