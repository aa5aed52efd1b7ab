"""How a batch of packets is read and written by a unit, and by one that is two statements without a transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NoReturn, TypeAlias
from uuid import UUID

import orjson
from asyncpg import Record
from sqlalchemy import RowMapping

from db.perception.sessions import PERCEPTION_SESSIONS
from db.perception.tables import perception_sessions
from db.reading.conditions import visible
from db.reading.writer import Writer
from domain import qd
from domain.access import Actor, Caller
from domain.errors import Contended, NotFound
from domain.perception import (
    Batch,
    Consent,
    ConsentPurpose,
    Modality,
    Scene,
    Session,
    SessionStatus,
    SubjectKind,
    SurfaceKind,
    Watched,
)
from domain.values import new_ids

Row: TypeAlias = "RowMapping | Record"

_PICKED: Final = (
    "id", "status", "surface", "person_id", "consent_id", "video_id", "started_by_noun", "started_by_id", "started_at",
    "last_sequence", "ended_at",
)  # fmt: skip


def _session(row: Row) -> Session:
    consent = Consent(
        id=row["consent_id"],
        subject_kind=SubjectKind[row["subject_kind"]],
        person_id=row["consented_id"],
        purpose=ConsentPurpose[row["purpose"]],
        modality=Modality[row["modality"]],
        granted_at=row["granted_at"],
        expires_at=row["expires_at"],
        withdrawn_at=row["withdrawn_at"],
    )
    return Session(
        id=row["id"],
        status=SessionStatus[row["status"]],
        surface=SurfaceKind[row["surface"]],
        consent=consent,
        person_id=row["person_id"],
        video_id=row["video_id"],
        started_by=Actor(row["started_by_noun"], row["started_by_id"]),
        started_at=row["started_at"],
        last_sequence=row["last_sequence"],
        ended_at=row["ended_at"],
    )


MEASURED: Final = ("at", "score", "engagement", "valence", "attention", "confidence")
ARRAYS: Final = {"id": "uuid[]", "at": "timestamptz[]"} | dict.fromkeys(MEASURED[1:], "float8[]")
INGEST: Final = "select ingest_batch(" + ", ".join(f"${number}" for number in range(1, 28)) + ")"
"""Writes a batch with its history, and answers the tenant's last event; null where the session has moved on."""


def watching(caller: Caller, session_id: UUID, *, lock: bool) -> tuple[str, tuple[object, ...]]:
    """Write what reads a session that a caller may see, with its consent, its memory and its video's scenes."""
    w = Writer(caller)
    s, c, scene = w.alias(perception_sessions), w.alias("consents"), w.alias("scenes")
    picked = ", ".join(f"{getattr(s, name)} as {name}" for name in _PICKED)
    seen = visible(w, PERCEPTION_SESSIONS, s, f"{s.id} = {w.bind(session_id, 'uuid')}")
    statement = (
        f"select {picked}, {s.memory}::text as memory, {c.subject_kind}, {c.person_id} as consented_id,"
        f" {c.purpose}, {c.modality}, {c.granted_at}, {c.expires_at}, {c.withdrawn_at},"
        f" array(select ({scene.id}, {scene.start_ms}, {scene.end_ms}) from scenes {scene.name}"
        f" where {scene.tenant_id} = {w.tenant} and {scene.video_id} = {s.video_id} order by {scene.start_ms})"
        f" as scenes from perception_sessions {s.name} join consents {c.name}"
        f" on {c.tenant_id} = {s.tenant_id} and {c.id} = {s.consent_id} where {seen}"
    )
    return f"{statement} for update of {s.name}" if lock else statement, tuple(w.values)


def watched(row: Row | None) -> Watched:
    """Return what was read; raises NotFound where there is no such session."""
    if row is None:
        raise NotFound(field="sessionId")
    memory = orjson.loads(row["memory"]) if row["memory"] is not None else {}
    return Watched(_session(row), memory, tuple(Scene(*each) for each in row["scenes"]))


def given_of(tenant_id: UUID, batch: Batch) -> tuple[object, ...]:
    """Return what the statement that stores a batch takes, without the person."""
    reading, form = batch.answer.reading, batch.answer.form
    return (
        tenant_id, batch.session.id, batch.id, batch.sequence, batch.at, batch.answer.accepted_count, batch.scene_id,
        *(getattr(reading, name) for name in MEASURED), orjson.dumps(batch.memory).decode(),
        None if form is None else form.name, *_columns_of(batch.readings),
    )  # fmt: skip


def _columns_of(readings: Sequence[qd.Reading]) -> list[list[object]]:
    ids: list[object] = [*new_ids(len(readings))]
    return [ids, *([getattr(reading, name) for reading in readings] for name in MEASURED)]


class BriefPerception:
    """Reads a session without a lock, and keeps the batch that was made of it until the unit ends."""

    def __init__(self, caller: Caller, fetch: Callable[..., Awaitable[list[Record]]]) -> None:
        """Read as `caller`, by `fetch`."""
        self.kept: Batch | None = None
        self._caller = caller
        self._fetch = fetch

    def __getattr__(self, _name: str) -> NoReturn:
        """Leave everything else to a unit with a transaction."""
        raise Contended

    async def watched(self, session_id: UUID) -> Watched:
        """Return a session as it is now; raises NotFound."""
        statement, values = watching(self._caller, session_id, lock=False)
        rows = await self._fetch(self._caller.tenant_id, statement, *values)
        return watched(rows[0] if rows else None)

    async def ingest(self, batch: Batch) -> None:
        """Keep a batch."""
        self.kept = batch
