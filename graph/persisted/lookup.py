"""From what a client sends (a text, an id, or Apollo's hash) to the document it stands for."""

from __future__ import annotations

import hashlib
import time
from asyncio import Task, create_task, shield
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from domain.access import Caller, OperationNotBound
from domain.access.operations import PersistedOperation, Registered
from graph.refusals import (
    DocumentNotFound,
    DocumentNotTrusted,
    MalformedParameters,
    PersistedQueryNotFound,
    PersistedQueryNotSupported,
)
from graph.shares import Shares

KEPT: Final = 2_000
SHARE: Final = 200
"""How many texts that clients registered by themselves are kept, and how many of one caller's."""
READ_AGAIN_SECONDS: Final = 5
"""How often an unknown id makes a tenant's documents be read again."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client sends, by any transport."""

    query: str | None = None
    document_id: str | None = None
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether nothing was sent that a document could be found by."""
        return self.query is None and self.document_id is None and "persistedQuery" not in self.extensions


@dataclass(frozen=True, slots=True)
class Found:
    """The document that was meant. `remember` is its hash if it is to be kept for its client, once it is valid."""

    text: str
    trusted: PersistedOperation | None = None
    remember: str | None = None


class _Trusted:
    """Registered documents by everything that they can be asked for by."""

    def __init__(self, operations: Iterable[PersistedOperation]) -> None:
        self.by_id: dict[str, PersistedOperation] = {}
        self.by_text: dict[str, PersistedOperation] = {}
        for operation in operations:
            # Of two versions under one name, the newer is meant.
            for key in (operation.document_id, operation.name, operation.alias):
                if key is not None:
                    self.by_id[key] = operation
            self.by_text[operation.text] = operation


@dataclass(slots=True)
class _TenantDocuments:
    """What a tenant has registered, when it was read, and the reading that is under way."""

    trusted: _Trusted
    read_at: float
    reading: Task[_Trusted] | None = None


class Persisted:
    """Finds documents. Nothing is hashed for a registered one: its id is looked up as it was sent."""

    def __init__(
        self,
        shipped: Iterable[PersistedOperation],
        registered: Registered,
        *,
        automatic: bool = True,
        only_registered: bool = False,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        """Know what ships; read the rest by tenant. `only_registered` refuses everything else for everyone."""
        self._shipped = _Trusted(shipped)
        self._registered = registered
        self._automatic = automatic
        self._only_registered = only_registered
        self._stopwatch = stopwatch
        self._tenants: dict[UUID, _TenantDocuments] = {}
        self._automatically: Shares[str, str] = Shares(KEPT, SHARE)

    async def find(self, asked: Asked, caller: Caller | None) -> Found:
        """Return the document that is meant; raises a Refusal, or OperationNotBound for an API key."""
        strict = self._only_registered or (caller is not None and caller.api_key_id is not None)
        if asked.query is not None and asked.document_id is not None:
            raise MalformedParameters("Send either `query` or `documentId`.")
        if "persistedQuery" in asked.extensions:
            found = await self._by_hash(asked, caller, strict=strict)
        elif asked.document_id is not None:
            found = await self._by_id(asked.document_id, caller, strict=strict)
        elif asked.query is None:
            raise MalformedParameters("`query` or `documentId` is missing.")
        else:
            found = Found(asked.query)
            if strict:
                found = Found(asked.query, await self._trusted(asked.query, caller, by_text=True))
        if strict and found.trusted is None:
            raise DocumentNotTrusted
        if caller is not None and caller.api_key_id is not None and not _bound(found, caller):
            raise OperationNotBound
        return found

    def remember(self, found: Found, principal: str) -> None:
        """Keep a valid text that a client registers; when the principal has its share, its own oldest one goes."""
        if found.remember is not None:
            self._automatically.put(found.remember, found.text, principal)

    async def _by_id(self, document_id: str, caller: Caller | None, *, strict: bool) -> Found:
        trusted = await self._trusted(document_id, caller)
        if trusted is not None:
            return Found(trusted.text, trusted)
        text = None if strict else self._automatically.get(document_id.removeprefix("sha256:"))
        if text is None:
            raise DocumentNotFound
        return Found(text)

    async def _by_hash(self, asked: Asked, caller: Caller | None, *, strict: bool) -> Found:
        sent = asked.extensions["persistedQuery"]
        if not isinstance(sent, dict) or not isinstance(sent.get("sha256Hash"), str):
            raise MalformedParameters("`extensions.persistedQuery` is no object with a `sha256Hash`.")
        if sent.get("version") != 1:
            raise MalformedParameters("Unsupported persisted query version")
        digest: str = sent["sha256Hash"]
        trusted = await self._trusted(f"sha256:{digest}", caller)
        known = trusted.text if trusted is not None else self._automatically.get(digest)
        if asked.query is not None and asked.query != known:
            if hashlib.sha256(asked.query.encode("utf-8", "surrogatepass")).hexdigest() != digest:
                raise MalformedParameters("provided sha does not match query")
            known = None
        if trusted is not None:
            return Found(trusted.text, trusted)
        if strict or not self._automatic:
            raise PersistedQueryNotSupported
        if known is not None:
            return Found(known)
        if asked.query is None:
            raise PersistedQueryNotFound
        return Found(asked.query, remember=digest)

    async def _trusted(self, key: str, caller: Caller | None, *, by_text: bool = False) -> PersistedOperation | None:
        found = (self._shipped.by_text if by_text else self._shipped.by_id).get(key)
        if found is not None or caller is None:
            return found
        tenant = self._tenants.get(caller.tenant_id)
        if tenant is not None:
            found = (tenant.trusted.by_text if by_text else tenant.trusted.by_id).get(key)
        if found is None:
            fresh = await self._read_again(caller.tenant_id)
            found = (fresh.by_text if by_text else fresh.by_id).get(key)
        return found

    async def _read_again(self, tenant_id: UUID) -> _Trusted:
        """Read a tenant's documents, unless that was done just now; requests that come meanwhile wait for it."""
        tenant = self._tenants.get(tenant_id)
        if tenant is None:
            tenant = self._tenants[tenant_id] = _TenantDocuments(_Trusted(()), -READ_AGAIN_SECONDS)
        if tenant.reading is None:
            if self._stopwatch() - tenant.read_at < READ_AGAIN_SECONDS:
                return tenant.trusted
            tenant.reading = create_task(self._read(tenant_id, tenant))
        return await shield(tenant.reading)

    async def _read(self, tenant_id: UUID, tenant: _TenantDocuments) -> _Trusted:
        try:
            tenant.trusted = _Trusted(await self._registered.of(tenant_id))
            return tenant.trusted
        finally:
            tenant.read_at, tenant.reading = self._stopwatch(), None


def _bound(found: Found, caller: Caller) -> bool:
    return found.trusted is not None and found.trusted.document_id in caller.operations
