"""What a batch of packets needs of its session, and what is written of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

import orjson
from asyncpg import Record
from sqlalchemy import RowMapping

from db.perception.sessions import PERCEPTION_SESSIONS
from db.perception.tables import perception_sessions
from db.reading.conditions import visible
from db.reading.writer import Writer
from domain.access import Actor, Caller
from domain.errors import NotFound
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


def watching(caller: Caller, session_id: UUID, *, lock: bool) -> tuple[str, tuple[object, ...]]:
    """Write what reads a session that a caller may see, with its consent, its memory and its video's scenes."""
    w = Writer(caller)
    s, c, scene, v = w.alias(perception_sessions), w.alias("consents"), w.alias("scenes"), w.alias("videos")
    picked = ", ".join(f"{getattr(s, name)} as {name}" for name in _PICKED)
    seen = visible(w, PERCEPTION_SESSIONS, s, f"{s.id} = {w.bind(session_id, 'uuid')}")
    statement = (
        f"select {picked}, {s.memory}::text as memory, {c.subject_kind}, {c.person_id} as consented_id,"
        f" {c.purpose}, {c.modality}, {c.granted_at}, {c.expires_at}, {c.withdrawn_at},"
        f" (select {v.updated_at} from videos {v.name} where {v.tenant_id} = {w.tenant} and {v.id} = {s.video_id})"
        " as video_at,"
        f" array(select ({scene.id}, {scene.start_ms}, {scene.end_ms}) from scenes {scene.name}"
        f" where {scene.tenant_id} = {w.tenant} and {scene.video_id} = {s.video_id} order by {scene.start_ms})"
        f" as scenes from perception_sessions {s.name} join consents {c.name}"
        f" on {c.tenant_id} = {s.tenant_id} and {c.id} = {s.consent_id} where {seen}"
    )
    return f"{statement} for update of {s.name}" if lock else statement, tuple(w.values)


@dataclass(frozen=True, slots=True)
class Seen:
    """A session as it was read or left, its memory as text."""

    session: Session
    memory: str | None
    scenes: tuple[Scene, ...]
    video_at: datetime | None
    """When the video was last changed, and its scenes with it."""

    def watched(self) -> Watched:
        """Return what a batch needs of it."""
        memory = orjson.loads(self.memory) if self.memory is not None else {}
        return Watched(self.session, memory, self.scenes)

    def after(self, batch: Batch) -> Seen:
        """Return the session as a batch has left it."""
        session = replace(self.session, last_sequence=batch.sequence)
        return replace(self, session=session, memory=orjson.dumps(batch.memory).decode())


def seen(row: Row | None) -> Seen:
    """Return what was read; raises NotFound where there is no such session."""
    if row is None:
        raise NotFound(field="sessionId")
    return Seen(_session(row), row["memory"], tuple(Scene(*each) for each in row["scenes"]), row["video_at"])


def given_of(tenant_id: UUID, batch: Batch) -> tuple[object, ...]:
    """Return what the statement that stores a batch takes, without the person."""
    return (tenant_id, *columns_of(batch), *readings_of(batch))


def columns_of(batch: Batch) -> tuple[object, ...]:
    """Return what is stored of a batch, one value for each column: its session first, its memory last but one."""
    reading, form = batch.answer.reading, batch.answer.form
    return (
        batch.session.id, batch.id, batch.sequence, batch.at, batch.answer.accepted_count, batch.scene_id,
        *(getattr(reading, name) for name in MEASURED), orjson.dumps(batch.memory).decode(),
        None if form is None else form.name,
    )  # fmt: skip


def readings_of(batch: Batch) -> list[list[object]]:
    """Return what is stored of a batch's readings, one list for each column."""
    readings = batch.readings
    ids: list[object] = [*new_ids(len(readings))]
    return [ids, *([getattr(reading, name) for reading in readings] for name in MEASURED)]
