"""Erasures: what was measured goes store by store, some rows at a time, and every store gets a receipt.

A receipt says what went, when, and a hash that whoever kept a copy of the ids could check; nothing that was measured.
What models were asked about somebody, and what they made of it, goes too: nothing says afterwards on what it rested.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from domain import jobs
from domain.audit import AuditAction, Change
from domain.perception.kinds import ErasureScope, ErasureStatus

if TYPE_CHECKING:
    from domain.access import Actor
    from domain.unit import Unit

AT_ONCE: Final = 20_000
"""How many rows of each store one unit erases: it holds their locks until it ends."""

NO_PROOF: Final = bytes(32)
"""The hash before a store's first rows."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure and how far it is."""

    id: UUID
    consent_id: UUID
    person_id: UUID | None
    scope: ErasureScope
    requested_at: datetime
    requested_by: Actor
    status: ErasureStatus = ErasureStatus.PENDING
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Erased:
    """What one unit erased from one store; `digest` is the SHA-256 of the rows' ids in order."""

    store: str
    rows: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was erased from one store in all."""

    store: str
    rows: int
    erased_at: datetime
    proof_hash: bytes


@dataclass(frozen=True, slots=True)
class OpenWork:
    """What is not finished about whom an erasure covers; `proposals` are those that wait, each with its kind's name."""

    jobs: Sequence[UUID]
    """Those that end now."""
    batches: Sequence[UUID]
    """Running ones of which some items are about somebody else."""
    proposals: Sequence[tuple[UUID, str]]


def proof(previous: bytes, erasure_id: UUID, erased: Erased, at: datetime) -> bytes:
    """Return SHA-256 over the hash before, and over what was erased as canonical JSON (sorted keys, no spaces)."""
    content = {
        "erasure": str(erasure_id),
        "store": erased.store,
        "rows": erased.rows,
        "ids": erased.digest.hex(),
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(previous + text.encode()).digest()


def receipted(erasure_id: UUID, before: Iterable[Receipt], erased: Iterable[Erased], now: datetime) -> list[Receipt]:
    """Return the receipts of the stores after some more was erased."""
    known = {receipt.store: receipt for receipt in before}
    made = []
    for each in erased:
        last = known.get(each.store)
        if last is not None and each.rows == 0:
            made.append(last)
            continue
        rows, previous = (last.rows, last.proof_hash) if last is not None else (0, NO_PROOF)
        made.append(Receipt(each.store, rows + each.rows, now, proof(previous, erasure_id, each, now)))
    return made


async def run(unit: Unit, erasure_id: UUID, most: int = AT_ONCE) -> bool:
    """Erase some of what an erasure covers; return whether anything may be left.

    One that is done, or at which another unit works, is left alone.
    """
    erasure = await unit.consents.erasure_for_update(erasure_id)
    if erasure is None or erasure.status is ErasureStatus.DONE:
        return False
    await _end_work(unit, erasure)
    erased = await unit.consents.erase(erasure, most)
    receipts = receipted(erasure.id, await unit.consents.receipts(erasure.id), erased, unit.now)
    left = any(each.rows >= most for each in erased)
    if left:
        await unit.consents.save_erasure(replace(erasure, status=ErasureStatus.RUNNING), receipts)
        return True
    done = replace(erasure, status=ErasureStatus.DONE, finished_at=unit.now)
    await unit.consents.save_erasure(done, receipts)
    if erasure.person_id is not None:
        await unit.perception.keep_newest(erasure.person_id)
        await unit.people.touch(erasure.person_id)
    unit.record(Change(AuditAction.DELETE, "ErasureFinished", "erasures", erasure.id, ("status",), erasure.person_id))
    return False


async def _end_work(unit: Unit, erasure: Erasure) -> None:
    """Let nothing go on that would bring back what is erased: workers lose what they hold, and store none of it."""
    found = await unit.consents.open_work(erasure)
    await jobs.revoke(unit, found.jobs)
    await jobs.restart(unit, found.batches)
    for proposal_id, kind in found.proposals:
        payload = (("kind", kind), ("status", "EXPIRED"))
        unit.record(
            Change(AuditAction.UPDATE, "ProposalExpired", "proposals", proposal_id, ("status",), payload=payload)
        )
