"""How sessions and QD scores are written; scores many at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import null

from db import erasing
from db.perception import refining
from db.perception.ingesting import ARRAYS, MEASURED, given_of, seen, watching
from db.perception.tables import perception_sessions, visitor_scores
from domain import qd
from domain.perception import (
    Batch,
    FaceForm,
    Ingested,
    Outcome,
    QdSource,
    RefinedBy,
    Score,
    Scored,
    Session,
    Watched,
)
from domain.values import new_id

if TYPE_CHECKING:
    from db.unit import SqlUnit

COLUMNS: Final = {
    "id": "uuid[]",
    "person_id": "uuid[]",
    "session_id": "uuid[]",
    "at": "timestamptz[]",
    "kind": "text[]",
    "source": "text[]",
    "score": "float8[]",
    "engagement": "float8[]",
    "valence": "float8[]",
    "attention": "float8[]",
    "confidence": "float8[]",
}
KEPT: Final = ("at", "score", "engagement", "valence", "attention", "confidence", "kind")
"""What a person keeps of the newest score of each source."""


class SqlPerception:
    """The perception store of one unit."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit

    async def add_scores(self, scores: Sequence[Score]) -> None:
        """Store scores, and keep the newest of each source with its person, and what to do next because of it."""
        if not scores:
            return
        tenant = self._unit.caller.tenant_id
        connection = self._unit.connection
        # Two batches about the same people must not wait for each other in a circle.
        scored = list({score.person_id for score in scores})
        await connection.exec_driver_sql(
            "select from people where tenant_id = $1 and id = any($2::uuid[]) order by id for no key update",
            (tenant, scored),
        )
        rows = ", ".join(f"${number}::{type_}" for number, type_ in enumerate(COLUMNS.values(), start=2))
        await connection.exec_driver_sql(
            f"insert into qd_scores (tenant_id, {', '.join(COLUMNS)}) select $1::uuid, * from unnest({rows})",
            (tenant, *_transposed(scores)),
        )
        for source in QdSource:
            newest = _newest(scores, source)
            if newest:
                await connection.exec_driver_sql(_keep(source), (tenant, *_transposed(newest)))
        await self._unit.people.touch(*scored)

    async def keep_newest(self, person_id: UUID) -> None:
        """Keep with a person the newest of the scores that are left."""
        for source in QdSource:
            prefix = f"{source.name.lower()}_qd"
            columns, newest = (", ".join(f"{head}{each}" for each in KEPT) for head in (f"{prefix}_", "s."))
            await self._unit.connection.exec_driver_sql(
                f"update people p set ({columns}) = (select {newest} from qd_scores s where s.tenant_id = p.tenant_id"
                " and s.person_id = p.id and s.source = $3 order by s.at desc, s.id desc limit 1)"
                " where p.tenant_id = $1 and p.id = $2",
                (self._unit.caller.tenant_id, person_id, source.name),
            )

    async def add_session(self, session: Session) -> None:
        """Store a session that begins."""
        await self._unit.add(
            perception_sessions, id=session.id, status=session.status.name, surface=session.surface.name,
            person_id=session.person_id, consent_id=session.consent.id, video_id=session.video_id,
            started_by_noun=session.started_by.noun, started_by_id=session.started_by.id,
            started_at=session.started_at,
        )  # fmt: skip

    async def session_for_update(self, session_id: UUID) -> Session:
        """Return a session that the caller may see, with its consent, and lock it; raises NotFound."""
        return (await self.watched(session_id)).session

    async def watched(self, session_id: UUID, before: int | None = None) -> Watched:  # noqa: ARG002 -- it is locked.
        """Return a session, locked, with its consent, its memory and the scenes of its video, in one statement.

        Whoever waits for the lock sees that the session was stopped meanwhile, because that is written in its row.
        """
        statement, values = watching(self._unit.caller, session_id, lock=True)
        result = await self._unit.connection.exec_driver_sql(statement, values)
        return seen(result.mappings().one_or_none()).watched()

    async def batch(self, session_id: UUID, sequence: int) -> Ingested | None:
        """Return what a batch was answered, None where it was never accepted."""
        result = await self._unit.connection.exec_driver_sql(
            "select b.accepted_count, s.last_sequence, b.face_form, b.qd_at, b.qd_score, b.qd_attention, b.qd_valence,"
            " b.qd_engagement, b.qd_confidence from perception_batches b join perception_sessions s"
            " on s.tenant_id = b.tenant_id and s.id = b.session_id"
            " where b.tenant_id = $1 and b.session_id = $2 and b.sequence = $3",
            (self._unit.caller.tenant_id, session_id, sequence),
        )
        row = result.one_or_none()
        if row is None:
            return None
        form = None if row.face_form is None else FaceForm[row.face_form]
        reading = qd.Reading(
            row.qd_at, None, row.qd_score, row.qd_attention, row.qd_valence, row.qd_engagement, row.qd_confidence,
            face=form is not None,
        )  # fmt: skip
        return Ingested(row.accepted_count, duplicate=True, last_sequence=row.last_sequence, reading=reading, form=form)

    async def ingest(self, batch: Batch) -> None:
        """Store the scores of a batch, what it was answered, and how far its session is, in one statement."""
        given, person_id = given_of(self._unit.caller.tenant_id, batch), batch.session.person_id
        await self._unit.connection.exec_driver_sql(
            _INGEST_VISITOR if person_id is None else _INGEST_PERSON,
            given if person_id is None else (*given, person_id),
        )

    async def finish(self, session: Session, outcome: Outcome) -> None:
        """Store that a session has ended, and forget what scoring needed."""
        reading = outcome.reading
        final = {} if reading is None else {f"final_qd_{name}": getattr(reading, name) for name in KEPT[:-1]}
        await self._unit.change(
            perception_sessions, session.id, status=session.status.name, ended_at=session.ended_at, memory=null(),
            peak_score=outcome.peak_score, peak_scene_id=outcome.peak_scene_id, **final,
        )  # fmt: skip
        if reading is not None:
            await self._keep_of_visitor(session, reading)

    async def scored(self, session_id: UUID) -> Scored:
        """Return a session, locked, with what the rules came to; raises NotFound."""
        session = await self.session_for_update(session_id)
        return await refining.scored(self._unit.connection, self._unit.caller.tenant_id, session)

    async def hold_off_erasures(self) -> None:
        """Let no erasure begin until the unit ends."""
        await erasing.hold_off(self._unit.connection, self._unit.caller.tenant_id)

    async def refine(self, session: Session, reading: qd.Reading, by: RefinedBy) -> None:
        """Store what a model made of a session, and what it was asked with."""
        parts = {name: getattr(reading, name) for name in KEPT[:-1]}
        await self._unit.change(
            perception_sessions, session.id, **{f"refined_qd_{name}": value for name, value in parts.items()},
            refined_model=by.model, refined_prompt_version=by.prompt_version, refined_prompt_hash=by.prompt_hash,
        )  # fmt: skip
        await self._keep_of_visitor(session, reading)

    async def _keep_of_visitor(self, session: Session, reading: qd.Reading) -> None:
        """Store a score of a session among the visitor's, as long as nobody knows who that is."""
        if session.person_id is None:
            parts = {name: getattr(reading, name) for name in KEPT[:-1]}
            await self._unit.add(
                visitor_scores, session_id=session.id, id=new_id(), kind=reading.kind.name,
                source=reading.source.name, **parts,
            )  # fmt: skip

    async def stop(self, consent_ids: Sequence[UUID], now: datetime) -> list[UUID]:
        """Stop every running session that rests on these consents; return which."""
        result = await self._unit.connection.exec_driver_sql(
            "update perception_sessions set status = 'STOPPED', ended_at = $3, memory = null where tenant_id = $1"
            " and consent_id = any($2::uuid[]) and status = 'RUNNING' returning id",
            (self._unit.caller.tenant_id, list(consent_ids), now),
        )
        return sorted(result.scalars())

    async def began_before(self, consent_id: UUID, moment: datetime) -> bool:
        """Whether a session of a consent that began before a moment still keeps what was measured."""
        result = await self._unit.connection.exec_driver_sql(
            "select exists (select from perception_sessions where tenant_id = $1 and consent_id = $2 and measured"
            " and started_at <= $3)",
            (self._unit.caller.tenant_id, consent_id, moment),
        )
        return bool(result.scalar_one())

    async def heard_since(self, session: Session, moment: datetime) -> bool:
        """Whether a session has begun, or a batch of it has come, after a moment."""
        result = await self._unit.connection.exec_driver_sql(
            "select at > $4 from perception_batches where tenant_id = $1 and session_id = $2 and sequence = $3",
            (self._unit.caller.tenant_id, session.id, session.last_sequence, moment),
        )
        return session.started_at > moment or bool(result.scalar())

    async def match(self, session: Session, person_id: UUID) -> None:
        """Store who the visitor of a session was: the session, its scores and its consent become the person's."""
        given = (self._unit.caller.tenant_id, session.id, person_id)
        columns = ", ".join(COLUMNS).replace("person_id", "$3::uuid")
        await self._unit.connection.exec_driver_sql(
            "update perception_sessions set person_id = $3 where tenant_id = $1 and id = $2", given
        )
        await self._unit.connection.exec_driver_sql(
            "update consents set person_id = $3 where tenant_id = $1 and person_id is null and id ="
            " (select consent_id from perception_sessions where tenant_id = $1 and id = $2)",
            given,
        )
        await self._unit.connection.exec_driver_sql(
            "with moved as (delete from visitor_scores where tenant_id = $1 and session_id = $2 returning *)"
            f" insert into qd_scores (tenant_id, {', '.join(COLUMNS)}) select tenant_id, {columns} from moved",
            given,
        )


_FIRST_ARRAY: Final = 16
_UNNESTED: Final = ", ".join(f"${number}::{kind}" for number, kind in enumerate(ARRAYS.values(), start=_FIRST_ARRAY))
_OWNER: Final = f"${_FIRST_ARRAY + len(ARRAYS)}::uuid"


def _ingest(stored: str) -> str:
    """Write the statement that stores a batch; `stored` adds the scores, and what a person keeps of them."""
    parts = ", ".join(f"qd_{name}" for name in MEASURED)
    return (
        f"with {stored}, answered as (insert into perception_batches (tenant_id, id, session_id, sequence, at,"
        f" accepted_count, scene_id, {parts}, face_form) values ($1::uuid, $3::uuid, $2::uuid, $4::integer,"
        " $5::timestamptz, $6::integer, $7::uuid, $8::timestamptz, $9::float8, $10::float8, $11::float8, $12::float8,"
        " $13::float8, $15::text))"
        " update perception_sessions set last_sequence = $4::integer, packet_count = packet_count + $6::integer,"
        " memory = $14::text::json, measured = true where tenant_id = $1::uuid and id = $2::uuid"
    )


_INGEST_VISITOR: Final = _ingest(
    f"scored as (insert into visitor_scores (tenant_id, session_id, kind, source, {', '.join(ARRAYS)})"
    f" select $1::uuid, $2::uuid, 'LIVE', 'RULES', * from unnest({_UNNESTED}))"
)
_INGEST_PERSON: Final = _ingest(
    f"given as (select * from unnest({_UNNESTED}) as g({', '.join(ARRAYS)})),"
    f" scored as (insert into qd_scores (tenant_id, person_id, session_id, kind, source, {', '.join(ARRAYS)})"
    f" select $1::uuid, {_OWNER}, $2::uuid, 'LIVE', 'RULES', * from given),"
    f" kept as (update people p set {', '.join(f'rules_qd_{name} = g.{name}' for name in MEASURED)},"
    " rules_qd_kind = 'LIVE' from (select * from given order by at desc, id desc limit 1) g"
    f" where p.tenant_id = $1::uuid and p.id = {_OWNER} and coalesce(p.rules_qd_at <= g.at, true))"
)


def _transposed(scores: Sequence[Score]) -> list[list[object]]:
    rows = [
        (
            s.id, s.person_id, s.session_id, s.at, s.kind.name, s.source.name,
            s.score, s.engagement, s.valence, s.attention, s.confidence,
        )
        for s in scores
    ]  # fmt: skip
    return [list(column) for column in zip(*rows, strict=True)]


def _newest(scores: Sequence[Score], source: QdSource) -> list[Score]:
    newest = {s.person_id: s for s in sorted(scores, key=lambda s: (s.at, s.id)) if s.source is source}
    return list(newest.values())


def _keep(source: QdSource) -> str:
    prefix = f"{source.name.lower()}_qd"
    rows = ", ".join(f"${number}::{type_}" for number, type_ in enumerate(COLUMNS.values(), start=2))
    columns = ", ".join(f"{prefix}_{column} = s.{column}" for column in KEPT)
    return (
        f"update people p set {columns} from unnest({rows}) as s({', '.join(COLUMNS)})"
        f" where p.tenant_id = $1::uuid and p.id = s.person_id and coalesce(p.{prefix}_at <= s.at, true)"
    )
