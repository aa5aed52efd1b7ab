"""Whom kept rows are about: the people behind the rows that they were read from, found when they are kept."""

from __future__ import annotations

from collections import defaultdict
from typing import Final
from uuid import UUID

from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.canvases import DataRows

SESSIONS: Final = "perception_sessions"
CAMERA_EVENTS: Final = "cctv_events"
JOBS: Final = "jobs"
ITEMS: Final = "inference_items"
THEMSELVES: Final = frozenset({JOBS, ITEMS})
"""Kept by themselves too: what clients ask of models is about whoever is named in it. So are sessions: whose a
visitor's was may turn out later."""


def _of(noun: str, column: str = "person_id") -> str:
    return f"select {column} as person_id from {noun} where tenant_id = :tenant and id = any(:{noun})"


def _through(above: str, noun: str, column: str) -> str:
    return (
        f"select a.person_id from {noun} n join {above} a on a.tenant_id = n.tenant_id and a.id = n.{column}"
        f" where n.tenant_id = :tenant and n.id = any(:{noun})"
    )


def _of_jobs(jobs: str) -> tuple[str, ...]:
    """Write who is behind jobs: the people, leads, sessions and camera events that they are about."""
    job = f"from jobs j where j.tenant_id = :tenant and {jobs} and j.subject_noun ="
    return (
        f"select j.subject_id as person_id {job} 'people'",
        f"select l.person_id from leads l where l.tenant_id = :tenant and l.id in (select j.subject_id {job} 'leads')",
        f"select s.person_id from perception_sessions s where s.tenant_id = :tenant and s.id in ({_sessions_of(jobs)})",
    )


def _sessions_of(jobs: str) -> str:
    """Write the sessions that jobs are about, or that camera events are evidence of which jobs are about."""
    return (
        f"select j.subject_id from jobs j where j.tenant_id = :tenant and {jobs} and j.subject_noun = '{SESSIONS}'"
        f" union select e.session_id from jobs j join {CAMERA_EVENTS} e on e.tenant_id = j.tenant_id"
        f" and e.id = j.subject_id where j.tenant_id = :tenant and {jobs} and j.subject_noun = '{CAMERA_EVENTS}'"
        " and e.session_id is not null"
    )


_THESE_JOBS: Final = f"j.id = any(:{JOBS})"
_JOBS_OF_ITEMS: Final = f"j.id in (select i.job_id from {ITEMS} i where i.tenant_id = :tenant and i.id = any(:{ITEMS}))"

SESSIONS_OF: Final = {
    SESSIONS: f"select unnest(:{SESSIONS})",
    CAMERA_EVENTS: (
        f"select session_id from {CAMERA_EVENTS}"
        f" where tenant_id = :tenant and id = any(:{CAMERA_EVENTS}) and session_id is not null"
    ),
    JOBS: _sessions_of(_THESE_JOBS),
    ITEMS: _sessions_of(_JOBS_OF_ITEMS),
    "proposals": (
        "select v.id from (select substr(n.changes::jsonb -> 0 -> 'after' ->> 'id', length('session_') + 1)::uuid as id"
        " from proposals n where n.tenant_id = :tenant and n.id = any(:proposals) and n.kind = 'MATCH') v"
        " where v.id is not null"
    ),
}
"""Which sessions are behind rows of a noun, as SQL over their ids."""

PEOPLE_OF: Final = {
    "people": (_of("people", "id"),),
    "households": ("select id as person_id from people where tenant_id = :tenant and household_id = any(:households)",),
    "relationships": (_of("relationships"), _of("relationships", "other_id")),
    "proposals": (
        f"{_of('proposals', 'subject_id')} and subject_noun = 'people'",
        f"{_through('leads', 'proposals', 'subject_id')} and n.subject_noun = 'leads'",
    ),
    "tasks": (_of("tasks"), _through("leads", "tasks", "lead_id")),
    "stage_changes": (_through("leads", "stage_changes", "lead_id"),),
    "objections": (_through("interactions", "objections", "interaction_id"),),
    "transcript_segments": (_through("interactions", "transcript_segments", "interaction_id"),),
    CAMERA_EVENTS: (_through(SESSIONS, CAMERA_EVENTS, "session_id"),),
    JOBS: _of_jobs(_THESE_JOBS),
    ITEMS: _of_jobs(_JOBS_OF_ITEMS),
    "thread_messages": (_through("threads", "thread_messages", "thread_id"),),
    **{
        noun: (_of(noun),)
        for noun in (
            "activity_entries", "consents", "erasures", "facts", "interactions", "leads", "opportunities",
            "property_interests", "threads", SESSIONS,
        )
    },
}  # fmt: skip
"""Who is behind rows of a noun, as SQL over their ids."""

ABOUT_NOBODY: Final = frozenset(
    {
        "accounts", "api_keys", "assets", "audit_entries", "canvas_components", "canvas_revisions", "canvases", "hosts",
        "inference_providers", "merge_request_reviews", "merge_requests", "notifications", "persisted_operations",
        "projects", "properties", "property_media", "scenes", "system_actors", "tenants", "uploads", "users", "videos",
        "workers",
    }
)  # fmt: skip
"""Every other noun: what they say of clients, they say by links to the nouns above."""


async def keep_subjects(connection: AsyncConnection, tenant_id: UUID, rows: DataRows) -> None:
    """Store whom new rows are about."""
    found: defaultdict[str, list[UUID]] = defaultdict(list)
    for noun, row_id in rows.subjects:
        if noun in PEOPLE_OF:
            found[noun].append(row_id)
    if not found:
        return
    people = " union ".join(each for noun in sorted(found) for each in PEOPLE_OF[noun])
    others = [f" union select '{noun}', unnest(:{noun})" for noun in sorted(found.keys() & THEMSELVES)]
    others += [
        f" union select '{SESSIONS}', of_{noun}.* from ({SESSIONS_OF[noun]}) of_{noun}"
        for noun in sorted(found.keys() & SESSIONS_OF.keys())
    ]
    statement = text(
        "insert into canvas_data_subjects (tenant_id, digest, subject_noun, subject_id)"
        " select :tenant, :digest, about.noun, about.id"
        f" from (select 'people' as noun, person_id as id from ({people}) behind where person_id is not null"
        f"{''.join(others)}) about"
    ).bindparams(bindparam("tenant", type_=Uuid), *(bindparam(noun, type_=ARRAY(Uuid)) for noun in found))
    await connection.execute(statement, {"tenant": tenant_id, "digest": bytes.fromhex(rows.digest), **found})
