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
"""Kept by themselves too: whose a visitor's session was may turn out later."""
CAMERA_EVENTS: Final = "cctv_events"
"""Of these, the sessions that they are evidence of are kept."""


def _of(noun: str, column: str = "person_id") -> str:
    return f"select {column} as person_id from {noun} where tenant_id = :tenant and id = any(:{noun})"


def _through(above: str, noun: str, column: str) -> str:
    return (
        f"select a.person_id from {noun} n join {above} a on a.tenant_id = n.tenant_id and a.id = n.{column}"
        f" where n.tenant_id = :tenant and n.id = any(:{noun})"
    )


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
        "inference_items", "inference_providers", "jobs",
        "merge_request_reviews", "merge_requests", "notifications", "persisted_operations", "projects", "properties",
        "property_media", "scenes", "system_actors", "tenants", "uploads", "users", "videos",
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
    sessions = f" union select '{SESSIONS}', unnest(:{SESSIONS})" if SESSIONS in found else ""
    if CAMERA_EVENTS in found:
        sessions += (
            f" union select '{SESSIONS}', session_id from {CAMERA_EVENTS}"
            f" where tenant_id = :tenant and id = any(:{CAMERA_EVENTS}) and session_id is not null"
        )
    statement = text(
        "insert into canvas_data_subjects (tenant_id, digest, subject_noun, subject_id)"
        " select :tenant, :digest, about.noun, about.id"
        f" from (select 'people' as noun, person_id as id from ({people}) behind where person_id is not null"
        f"{sessions}) about"
    ).bindparams(bindparam("tenant", type_=Uuid), *(bindparam(noun, type_=ARRAY(Uuid)) for noun in found))
    await connection.execute(statement, {"tenant": tenant_id, "digest": bytes.fromhex(rows.digest), **found})
