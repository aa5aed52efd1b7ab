"""The seeded demo tenant, its users as callers, and ids of rows that a test needs."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from asyncpg import Connection, Record

from db.roles import set_tenant, tenant_ids
from domain.access import Caller, Role
from tests.api import Api

PASSWORD = "a demo password"
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
"""The instant that the demo's dates are counted from, so that it is the same demo in every run."""
SIGN_INS = {
    Role.ADMIN: "admin@saffron.example",
    Role.SALES_DIRECTOR: "director@saffron.example",
    Role.SENIOR_BROKER: "senior@saffron.example",
    Role.JUNIOR_BROKER: "junior@saffron.example",
}
# Rows of the demo junior, or of anybody where a director asks: (prefix, statement).
_OF_TENANT = "tenant_id = (SELECT tenant_id FROM users WHERE id = $1)"
WANTED = {
    "lead": ("lead", "SELECT id FROM leads WHERE assignee_id = $1 ORDER BY created_at LIMIT 1"),
    "open_lead": ("lead", "SELECT id FROM leads WHERE assignee_id = $1 AND stage = 'NEGOTIATION' LIMIT 1"),
    "person": (
        "person",
        """SELECT l.person_id FROM leads l JOIN interactions i ON i.person_id = l.person_id WHERE l.assignee_id = $1
        GROUP BY 1 ORDER BY count(DISTINCT i.kind) DESC, count(*) DESC, 1 LIMIT 1""",
    ),
    "call": (
        "interaction",
        """SELECT i.id FROM interactions i JOIN leads l ON l.person_id = i.person_id WHERE l.assignee_id = $1
        AND i.kind = 'CALL' AND EXISTS (SELECT FROM objections o WHERE o.interaction_id = i.id) LIMIT 1""",
    ),
    "task": ("task", "SELECT id FROM tasks WHERE assignee_id = $1 AND status = 'OPEN' ORDER BY id LIMIT 1"),
    "opportunity": (
        "opportunity",
        """SELECT o.id FROM opportunities o JOIN leads l ON l.id = o.lead_id WHERE l.assignee_id = $1
        AND o.stage = 'OPEN' ORDER BY o.id LIMIT 1""",
    ),
    "fact": (
        "fact",
        "SELECT f.id FROM facts f JOIN leads l ON l.person_id = f.person_id WHERE l.assignee_id = $1 ORDER BY 1",
    ),
    "thread": (
        "thread",
        """SELECT t.id FROM threads t JOIN leads l ON l.person_id = t.person_id WHERE l.assignee_id = $1
        ORDER BY t.last_message_at DESC LIMIT 1""",
    ),
    "message": (
        "threadmessage",
        """SELECT m.id FROM thread_messages m JOIN threads t ON t.id = m.thread_id
        JOIN leads l ON l.person_id = t.person_id WHERE l.assignee_id = $1
        ORDER BY t.last_message_at DESC, m.sent_at DESC LIMIT 1""",
    ),
    "property": (
        "property",
        """SELECT i.property_id FROM property_interests i JOIN leads l ON l.id = i.lead_id
        WHERE l.assignee_id = $1 AND i.property_id IS NOT NULL ORDER BY 1 LIMIT 1""",
    ),
    "showroom_consent": (
        "consent",
        """SELECT c.id FROM consents c JOIN leads l ON l.person_id = c.person_id WHERE l.assignee_id = $1
        AND c.purpose = 'SHOWROOM_ENGAGEMENT' AND c.withdrawn_at IS NULL AND c.expires_at > now()
        ORDER BY c.id LIMIT 1""",
    ),
    "erasure": ("erasure", f"SELECT id FROM erasures WHERE {_OF_TENANT} ORDER BY id LIMIT 1"),
    "session": (
        "session",
        """SELECT id FROM perception_sessions WHERE started_by_id = $1 AND person_id IS NULL AND status = 'COMPLETED'
        ORDER BY id LIMIT 1""",
    ),
    "visitor_consent": (
        "consent",
        """SELECT id FROM consents WHERE recorded_by_id = $1 AND subject_kind = 'VISITOR' AND withdrawn_at IS NULL
        ORDER BY id LIMIT 1""",
    ),
    "video": ("video", f"SELECT id FROM videos WHERE {_OF_TENANT} ORDER BY id LIMIT 1"),
    "notification": ("notification", "SELECT id FROM notifications WHERE user_id = $1 ORDER BY id LIMIT 1"),
    "duplicated": ("person", f"SELECT person_id FROM person_duplicates WHERE {_OF_TENANT} LIMIT 1"),
    "duplicate": (
        "person",
        f"SELECT other_id FROM person_duplicates WHERE {_OF_TENANT} ORDER BY person_id LIMIT 1",
    ),
    "audited": ("lead", f"SELECT subject_id FROM audit_entries WHERE subject_noun = 'leads' AND {_OF_TENANT} LIMIT 1"),
    "junior": ("user", "SELECT $1::uuid"),
    "broker": (
        "user",
        f"""SELECT id FROM users WHERE id <> $1 AND role = 'JUNIOR_BROKER' AND status = 'ACTIVE' AND {_OF_TENANT}
        ORDER BY id LIMIT 1""",
    ),
    "pictured": ("property", f"SELECT property_id FROM property_media WHERE {_OF_TENANT} ORDER BY id LIMIT 1"),
    "medium": ("propertymedia", f"SELECT id FROM property_media WHERE {_OF_TENANT} ORDER BY id LIMIT 1"),
    "canvas": (
        "canvas",
        f"SELECT id FROM canvases WHERE title = 'Sales floor' AND forked_from_id IS NULL AND {_OF_TENANT}",
    ),
    "canvas_head": (
        "canvasrevision",
        f"SELECT head_id FROM canvases WHERE title = 'Sales floor' AND forked_from_id IS NULL AND {_OF_TENANT}",
    ),
    "canvas_before": (
        "canvasrevision",
        f"SELECT id FROM canvas_revisions WHERE message = 'The first board' AND {_OF_TENANT}",
    ),
    "fork": ("canvas", f"SELECT id FROM canvases WHERE owner_id = $1 AND {_OF_TENANT} ORDER BY id LIMIT 1"),
    "fork_head": ("canvasrevision", f"SELECT head_id FROM canvases WHERE owner_id = $1 AND {_OF_TENANT} ORDER BY id"),
    "merge_request": ("mergerequest", f"SELECT id FROM merge_requests WHERE {_OF_TENANT} ORDER BY id LIMIT 1"),
    "proposal": (
        "proposal",
        f"""SELECT id FROM proposals WHERE status = 'PENDING' AND kind = 'LEAD_TAG' AND {_OF_TENANT}
        ORDER BY id LIMIT 1""",
    ),
    "project": ("project", f"SELECT id FROM projects WHERE {_OF_TENANT} ORDER BY id LIMIT 1"),
}


@dataclass(slots=True)
class Demo:
    """The demo tenant as tests use it."""

    tenant_id: UUID
    api: Api
    owner: "Connection[Record]"
    callers: dict[Role, Caller]

    def caller(self, role: Role) -> Caller:
        """Return the demo user of a role."""
        return self.callers[role]

    async def ids(self, /, **wanted: Any) -> dict[str, Any]:
        """Return variables: names of WANTED rows become global ids, anything else stays."""
        await set_tenant(self.owner, self.tenant_id)
        junior = self.callers[Role.JUNIOR_BROKER].as_user()
        found: dict[str, Any] = {}
        for name, value in wanted.items():
            if isinstance(value, list):
                found[name] = [await self._id(each, junior) for each in value]
            else:
                found[name] = await self._id(value, junior)
        return found

    async def _id(self, value: Any, junior: UUID) -> Any:
        if not isinstance(value, str) or value not in WANTED:
            return value
        prefix, statement = WANTED[value]
        row_id = await self.owner.fetchval(statement, junior)
        assert row_id is not None, f"The demo has no {value}."
        return f"{prefix}_{row_id}"


async def tenant_of(owner: "Connection[Record]", email: str) -> UUID:
    """Return the tenant in which an address signs in."""
    for tenant_id in await tenant_ids(owner):
        await set_tenant(owner, tenant_id)
        if await owner.fetchval("SELECT TRUE FROM users WHERE email = $1 AND tenant_id = $2", email, tenant_id):
            return tenant_id
    raise LookupError(email)


async def find_callers(owner: "Connection[Record]", tenant_id: UUID) -> dict[Role, Caller]:
    """Return the demo's sign-ins as callers; a senior's members are the teams'."""
    await set_tenant(owner, tenant_id)
    found = {}
    for role, email in SIGN_INS.items():
        user = await owner.fetchval("SELECT id FROM users WHERE email = $1 AND tenant_id = $2", email, tenant_id)
        members = await owner.fetch(
            "SELECT DISTINCT b.user_id FROM team_members a JOIN team_members b ON b.team_id = a.team_id"
            " AND b.tenant_id = a.tenant_id WHERE a.user_id = $1 AND a.tenant_id = $2",
            user,
            tenant_id,
        )
        team = {user, *(row[0] for row in members)} if role is Role.SENIOR_BROKER else {user}
        found[role] = Caller(tenant_id, user, role, tuple(sorted(team)))
    return found
