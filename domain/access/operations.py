"""Persisted operations: documents that a tenant has registered, so that clients send an id instead of a text."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol
from uuid import UUID


class OperationKind(Enum):
    """What an operation does."""

    QUERY = "QUERY"
    MUTATION = "MUTATION"
    SUBSCRIPTION = "SUBSCRIPTION"


@dataclass(frozen=True, slots=True)
class PersistedOperation:
    """One registered document. `alias` is the id that its client's tools gave it, where that is another."""

    document_id: str
    name: str
    kind: OperationKind
    text: str
    alias: str | None = None


class Registered(Protocol):
    """Reads what tenants have registered."""

    async def of(self, tenant_id: UUID) -> Sequence[PersistedOperation]:
        """Return a tenant's documents, oldest first."""


def sha256_id(text: str) -> str:
    """Return the id that every document has: the hash of its exact text."""
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"
