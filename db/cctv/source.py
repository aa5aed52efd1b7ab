"""How camera events are read. Seniors see all of them, a junior those that are evidence of sessions they may see."""

from __future__ import annotations

from db.cctv.tables import cctv_events
from db.perception.sessions import PERCEPTION_SESSIONS
from db.reading.fields import enum, integer, number, text, time, value
from db.reading.source import Filter, Link, Ordering, source
from db.reading.writer import Alias, Writer
from domain.cctv import FLOORS


def _witnessed(w: Writer, t: Alias) -> str | None:
    if not w.junior:
        return None
    session = w.alias("perception_sessions")
    return (
        f"exists (select from perception_sessions {session.name} where {session.tenant_id} = {w.tenant}"
        f" and {session.id} = {t.session_id} and ({PERCEPTION_SESSIONS.visible(w, session)}))"
    )


def _level(t: Alias) -> str:
    """Write the level of a score, by the rule that `domain.cctv` has."""
    highest_first = sorted(FLOORS, key=lambda level: -FLOORS[level])
    cases = " ".join(f"when {t.risk_score} >= {FLOORS[level]} then '{level.name}'" for level in highest_first)
    return f"case {cases} end"


CCTV_EVENTS = source(
    "cctv_events",
    cctv_events,
    prefix="cctvevent",
    visible=_witnessed,
    default_order=("CREATED_AT", True),
    columns={
        "at": time("at"),
        "camera": text("camera"),
        "summary": text("summary", null=True),
        "profile": value(
            {
                "visitor_kind": text("profile_visitor_kind", null=True),
                "vehicle": text("profile_vehicle", null=True),
                "confidence": number("profile_confidence"),
                "model": text("profile_model"),
                "prompt_version": text("profile_prompt_version"),
            },
            null=lambda t: f"{t.profiled_at} is null",
        ),
        "risk": value(
            {
                "score": integer("risk_score"),
                "level": enum(_level),
                "summary": text("risk_summary"),
                "reasoning": text("risk_reasoning"),
                "source": enum(lambda _t: "'MODEL'"),
            },
            null=lambda t: f"{t.assessed_at} is null",
        ),
    },
    links={"session": Link("perception_sessions", local="session_id")},
    orders={"CREATED_AT": Ordering(lambda t: t.at, "timestamptz")},
    filters={
        "cameras": Filter("text[]", lambda _w, t, sent: f"{t.camera} = any({sent})"),
        "from_": Filter("timestamptz", lambda _w, t, sent: f"{t.at} >= {sent}"),
        "to": Filter("timestamptz", lambda _w, t, sent: f"{t.at} < {sent}"),
    },
)
