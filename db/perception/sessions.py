"""How consents, erasures and sessions are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from db.perception.source import session_series
from db.perception.tables import consents, erasures, perception_batches, perception_sessions
from db.reading.events import event
from db.reading.fields import enum, integer, number, text, time, value
from db.reading.source import Computed, Filter, Link, Ordering, Rows, Value, source
from db.reading.writer import Alias, Writer
from db.visibility import any_of, own_person
from domain.qd import START

_STATUS = Computed(
    lambda _w, t: (
        f"case when {t.withdrawn_at} <= now() then 'WITHDRAWN' when {t.expires_at} <= now() then 'EXPIRED'"
        " else 'ACTIVE' end"
    )
)


def _by(w: Writer, author: str) -> str | None:
    """Write that the caller or one of their members did it; an API key sees what it did itself."""
    return None if w.unrestricted else f"({author} = {w.viewer} or {author} = any({w.members}))"


def _recorded(w: Writer, t: Alias) -> str | None:
    return _by(w, t.recorded_by_id)


def _requested(w: Writer, t: Alias) -> str | None:
    return _by(w, t.requested_by_id)


def _started(w: Writer, t: Alias) -> str | None:
    return _by(w, t.started_by_id)


def _used(w: Writer, t: Alias) -> str | None:
    """Write that a session that the caller or one of their members began rests on consent `t`."""
    session = w.alias("perception_sessions")
    rule = _started(w, session)
    return rule and (
        f"exists (select from perception_sessions {session.name} where {session.tenant_id} = {w.tenant}"
        f" and {session.consent_id} = {t.id} and {rule})"
    )


def _qd(name: str, kind: str, origin: str, rows: Rows | None = None) -> Value:
    """A score that its row holds, or the row that `rows` finds."""
    return value(
        {
            "at": time(f"{name}_at"),
            "score": number(f"{name}_score"),
            "engagement": number(f"{name}_engagement", null=True),
            "valence": number(f"{name}_valence", null=True),
            "attention": number(f"{name}_attention", null=True),
            "confidence": number(f"{name}_confidence", null=True),
            "kind": enum(lambda _t: f"'{kind}'"),
            "source": enum(lambda _t: f"'{origin}'"),
        },
        null=None if rows is not None else lambda t: f"{t.column(name + '_at')} is null",
        rows=rows,
    )


_PARTS: Final = ("at", "score", "engagement", "valence", "attention", "confidence")


def _form(w: Writer, t: Alias) -> str:
    """Write as what session `t` was given its last face."""
    batch = w.alias(perception_batches)
    return (
        f"(select {batch.face_form} from perception_batches {batch.name} where {batch.tenant_id} = {w.tenant}"
        f" and {batch.session_id} = {t.id} and {batch.face_form} is not null order by {batch.sequence} desc limit 1)"
    )


CONSENTS = source(
    "consents",
    consents,
    prefix="consent",
    visible=any_of(own_person("person_id"), _recorded, _used),
    default_order=("CREATED_AT", True),
    columns={
        "subject_kind": enum("subject_kind"),
        "purpose": enum("purpose"),
        "modality": enum("modality"),
        "status": enum(_STATUS),
        "granted_at": time("granted_at"),
        "expires_at": time("expires_at", null=True),
        "withdrawn_at": time("withdrawn_at", null=True),
        "notice_version": text("notice_version"),
        "method": enum("method", null=True),
        "evidence": text("evidence", null=True),
        "jurisdiction": text("jurisdiction", null=True),
    },
    links={"person": Link("people", local="person_id")},
    orders={"CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz")},
    filters={
        "person_id": Filter("uuid", lambda _w, t, sent: f"{t.person_id} = {sent}"),
        "statuses": Filter("text[]", lambda w, t, sent: f"{_STATUS.sql(w, t)} = any({sent})"),
    },
)

ERASURES = source(
    "erasures",
    erasures,
    prefix="erasure",
    visible=any_of(own_person("person_id"), _requested),
    default_order=("CREATED_AT", True),
    columns={
        "status": enum("status"),
        "requested_at": time("requested_at"),
        "finished_at": time("finished_at", null=True),
        "receipts": value(
            {
                "store": text("store"),
                "rows": integer("erased_rows"),
                "erased_at": time("erased_at"),
                "proof_hash": text("proof"),
            },
            rows=lambda w, t, _arguments: (
                "select store, erased_rows, erased_at, encode(proof_hash, 'hex') as proof from erasure_receipts"
                f" where tenant_id = {w.tenant} and erasure_id = {t.id} order by store"
            ),
            many=True,
        ),
    },
    orders={"CREATED_AT": Ordering(lambda t: t.requested_at, "timestamptz")},
)

SUMMARY = value(
    {
        "packet_count": integer("packet_count"),
        "duration_seconds": number(lambda t: f"extract(epoch from {t.ended_at} - {t.started_at})::double precision"),
        "peak_score": number("peak_score", null=True),
        "peak_scene": Link("scenes", local="peak_scene_id"),
    },
    null=lambda t: f"{t.ended_at} is null",
)

PERCEPTION_SESSIONS = source(
    "perception_sessions",
    perception_sessions,
    prefix="session",
    visible=any_of(own_person("person_id"), _started),
    default_order=("CREATED_AT", True),
    columns={
        "status": enum("status"),
        "surface": enum("surface"),
        "started_at": time("started_at"),
        "ended_at": time("ended_at", null=True),
        "last_sequence": integer("last_sequence"),
        "face_form": enum(Computed(_form), null=True),
        "qd_series": session_series(),
        "final_qd": _qd("final_qd", "SESSION", "RULES"),
        "refined_qd": _qd("refined_qd", "SESSION", "MODEL"),
        "summary": SUMMARY,
    },
    links={
        "person": Link("people", local="person_id"),
        "consent": Link("consents", local="consent_id"),
        "cctv_events": Link("cctv_events", remote="session_id"),
        "video": Link("videos", local="video_id"),
    },
    orders={"CREATED_AT": Ordering(lambda t: t.started_at, "timestamptz")},
    filters={
        "statuses": Filter("text[]", lambda _w, t, sent: f"{t.status} = any({sent})"),
        "person_id": Filter("uuid", lambda _w, t, sent: f"{t.person_id} = {sent}"),
        "from_": Filter("timestamptz", lambda _w, t, sent: f"{t.started_at} >= {sent}"),
        "to": Filter("timestamptz", lambda _w, t, sent: f"{t.started_at} < {sent}"),
    },
)


def _told(w: Writer, t: Alias, _arguments: Mapping[str, object]) -> str:
    """Find the score of an event: that of its batch, or of the session's newest where it brought none.

    Before the first batch, and from the moment that the consent has ended, it is what everybody begins with: nothing.
    """
    session, batch, newest = w.alias(perception_sessions), w.alias(perception_batches), w.alias(perception_batches)
    unknown = {"at": t.at, "score": repr(START.score), "confidence": "0"}
    parts = ", ".join(
        f"coalesce({batch.column(f'qd_{name}')}, {unknown.get(name, 'null')}) as qd_{name}" for name in _PARTS
    )
    return (
        f"select {parts} from perception_sessions {session.name} left join perception_batches {batch.name}"
        f" on {batch.tenant_id} = {w.tenant} and {session.status} <> 'STOPPED' and {batch.id} ="
        f" coalesce(({t.payload} ->> 'batch')::uuid, (select {newest.id} from perception_batches {newest.name}"
        f" where {newest.tenant_id} = {w.tenant} and {newest.session_id} = {session.id}"
        f" order by {newest.sequence} desc limit 1))"
        f" where {session.tenant_id} = {w.tenant} and {session.id} = {t.subject_id}"
    )


PERCEPTION_SCORE_EVENTS = event(
    {
        "session": Link("perception_sessions", "subject_id"),
        "scene": Link("scenes", lambda _w, t: f"({t.payload} ->> 'scene')::uuid"),
        "qd": _qd("qd", "LIVE", "RULES", _told),
    }
)
