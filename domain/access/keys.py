"""API keys: programs that act as a role, and send nothing but the operations that an administrator gave them."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from domain.access.roles import Caller, Role
from domain.audit import AuditAction, Change
from domain.errors import Conflict, Invalid, NotAllowed, Unauthenticated
from domain.values import new_id

if TYPE_CHECKING:
    from domain.unit import Unit

KEY_MARK: Final = "vk_"
"""How every API key begins, so that scanners of source code can tell one."""
SHOWN: Final = len(KEY_MARK) + 8
"""How many characters of a key are kept to tell it by."""
SECRET_BYTES: Final = 32
LONGEST_OVERLAP: Final = timedelta(days=30)
MOST_OPERATIONS: Final = 250
USE_RECORDED_EVERY: Final = timedelta(minutes=1)


class ApiKeyRefused(Unauthenticated):
    """The API key is unknown, expired or revoked."""


class OperationNotBound(NotAllowed):
    """The API key is not bound to this operation."""


class ApiKeyRevoked(Conflict):
    """The API key is revoked, and stays so."""


class SecretShownOnce(Conflict):
    """The key was made before, and its secret was shown then. Rotate it for another."""


@dataclass(frozen=True, slots=True)
class ApiKeyCreate:
    """A key for a program. It sends these persisted operations, and sees what its role sees."""

    display_name: str
    role: Role
    operation_ids: list[UUID]
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ApiKeyRotate:
    """A key that gets another secret; the one it has stays good for the overlap."""

    api_key_id: UUID
    overlap_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class ApiKeyRevoke:
    """A key that ends at once."""

    api_key_id: UUID


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as its rules see it."""

    id: UUID
    role: Role
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class ApiKeyStanding:
    """What a shown key is at this moment, and until when that secret can be good."""

    tenant_id: UUID
    id: UUID
    role: Role
    operations: frozenset[str]
    good_until: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key's id and the secret that is shown once."""

    id: UUID
    secret: str


class ApiKeyStore(Protocol):
    """API keys of the unit's tenant."""

    async def add(self, key_id: UUID, command: ApiKeyCreate, prefix: str, hashed: bytes, now: datetime) -> None:
        """Store a key and its operations; raises NotFound naming `operationIds` for one that is not registered."""

    async def get_for_update(self, key_id: UUID) -> ApiKey:
        """Return a key and lock it; raises NotFound naming `apiKeyId`."""

    async def rotate(self, key_id: UUID, prefix: str, hashed: bytes, old_until: datetime) -> None:
        """Replace a key's secret; the one before it is good until a moment, any older one no more."""

    async def revoke(self, key_id: UUID, now: datetime) -> None:
        """Store that a key has ended."""


class ApiKeys(Protocol):
    """Look-ups of keys that come before there is a caller."""

    async def key_of(self, hashed: bytes, now: datetime) -> ApiKeyStanding | None:
        """Return whose secret has this hash, if the key is good now."""

    async def used(self, tenant_id: UUID, key_id: UUID, now: datetime) -> None:
        """Store that a key was used."""


def new_secret() -> str:
    """Return a secret that nobody can guess."""
    return KEY_MARK + secrets.token_urlsafe(SECRET_BYTES)


def secret_hash(secret: str) -> bytes:
    """Return what is stored of a secret: it is random, so one round of SHA-256 is enough."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def caller_of_key(standing: ApiKeyStanding) -> Caller:
    """Return a good key as a caller: it has no members, so it sees what its role sees and nothing as its own."""
    return Caller(
        tenant_id=standing.tenant_id,
        user_id=None,
        role=standing.role,
        members=(),
        api_key_id=standing.id,
        operations=standing.operations,
    )


async def create_key(unit: Unit, command: ApiKeyCreate, issued: IssuedKey) -> UUID:
    """Store a key under the id and the secret that were issued; raises Invalid or NotFound."""
    if not command.display_name.strip():
        raise Invalid("A key has a name.", field="displayName")
    if not 1 <= len(set(command.operation_ids)) <= MOST_OPERATIONS:
        raise Invalid(f"A key is bound to 1 to {MOST_OPERATIONS} operations.", field="operationIds")
    if command.expires_at is not None and command.expires_at <= unit.now:
        raise Invalid("A key expires in the future.", field="expiresAt")
    await unit.api_keys.add(issued.id, command, issued.secret[:SHOWN], secret_hash(issued.secret), unit.now)
    expiry = ("expiresAt",) if command.expires_at is not None else ()
    _record(unit, AuditAction.CREATE, "ApiKeyCreated", issued.id, ("displayName", "role", "operations", *expiry))
    return issued.id


async def rotate_key(unit: Unit, command: ApiKeyRotate) -> IssuedKey:
    """Give a key another secret; raises NotFound, Invalid or ApiKeyRevoked."""
    overlap = timedelta(seconds=min(command.overlap_seconds or 0, 2**31))
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        most = int(LONGEST_OVERLAP.total_seconds())
        raise Invalid(f"An overlap is from 0 to {most} seconds.", field="overlapSeconds")
    found = await unit.api_keys.get_for_update(command.api_key_id)
    if found.revoked_at is not None:
        raise ApiKeyRevoked(field="apiKeyId")
    issued = IssuedKey(found.id, new_secret())
    await unit.api_keys.rotate(found.id, issued.secret[:SHOWN], secret_hash(issued.secret), unit.now + overlap)
    _record(unit, AuditAction.UPDATE, "ApiKeyRotated", found.id, ("secret",))
    return issued


async def revoke_key(unit: Unit, command: ApiKeyRevoke) -> UUID:
    """End a key with all its secrets. Asked again, it stays as it is; raises NotFound."""
    found = await unit.api_keys.get_for_update(command.api_key_id)
    if found.revoked_at is None:
        await unit.api_keys.revoke(found.id, unit.now)
        _record(unit, AuditAction.WITHDRAW, "ApiKeyRevoked", found.id, ("revokedAt",))
    return found.id


def issue() -> IssuedKey:
    """Return an id and a secret for a key to be made."""
    return IssuedKey(new_id(), new_secret())


def _record(unit: Unit, action: AuditAction, event: str, key_id: UUID, fields: tuple[str, ...]) -> None:
    unit.record(Change(action=action, event=event, noun="api_keys", id=key_id, fields=fields))
