"""How one root field is tried by everybody: a small world, four callers, and what each of them must be answered."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from string import Template
from typing import Any
from uuid import UUID

from asyncpg import Connection, Record

from db.roles import set_tenant
from domain.access import Caller, Role, token_hash
from domain.values import new_id
from tests.api import Answer, Api
from tests.factories import (
    access,
    assets,
    canvases,
    cctv,
    inference,
    interactions,
    jobs,
    leads,
    people,
    perception,
    properties,
    proposals,
    tasks,
    threads,
)
from tests.factories.access import Tenant
from tests.factories.rows import insert

JUNIOR, SENIOR, DIRECTOR, ADMIN = Role.JUNIOR_BROKER, Role.SENIOR_BROKER, Role.SALES_DIRECTOR, Role.ADMIN
NOW = datetime.now(UTC)
PASSWORD = "correct horse battery"
SCENES = b"title,start_ms,end_ms\nThe arrival,0,1000\n"


class Sees(Enum):
    """What a caller is answered."""

    SIGN_IN = "the operation's error UNAUTHENTICATED"
    REFUSED = "NOT_ALLOWED, as a problem or as an error, because of the role"
    NOT_YOURS = "NOT_ALLOWED, because of whose row it is"
    HIDDEN = "what a missing row would give: null, no rows, or NOT_FOUND"
    OTHER = "an answer without what the line holds"
    SHOWN = "an answer with what the line holds, or a payload"
    UNTRIED = "nothing: no role is too low"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One root field of the table. `$name` in a text is an id or a word of the world."""

    field: str
    text: str
    """Its arguments and what is selected."""
    holds: str = ""
    """What the answer shows only to those who may see it; of a mutation, the end of its payload's name."""
    mutation: bool = False
    role: Role | None = JUNIOR
    """Who is allowed: by default the junior, who owns the world's rows; None for somebody who has not signed in."""
    wrong: str | None = None
    """What the three others send instead, where no caller but a secret decides."""
    anonymous: Sees = Sees.SIGN_IN
    stranger: Sees = Sees.HIDDEN
    """The admin of another tenant."""
    low: Sees = Sees.HIDDEN
    """REFUSED is tried by the junior who owns the rows, anything else by one who owns none."""


def row(name: str, *, low: Sees = Sees.HIDDEN) -> Line:
    """A root field that finds a row of its own name by id."""
    return Line(field=name, text=f'(id: "${name}") {{ id }}', holds=f"${name}", low=low)


def page(name: str, of: str, *, low: Sees = Sees.HIDDEN, stranger: Sees = Sees.HIDDEN, role: Role = JUNIOR) -> Line:
    """A root connection that has the row `of` in it."""
    text = " { edges { node { id } } totalCount }"
    return Line(field=name, text=text, holds=f"${of}", low=low, stranger=stranger, role=role)


def change(
    name: str, input: str, *, low: Sees = Sees.HIDDEN, stranger: Sees = Sees.HIDDEN, role: Role = JUNIOR
) -> Line:
    """A mutation."""
    return Line(field=name, text=sent(input), holds="Payload", mutation=True, low=low, stranger=stranger, role=role)


def secret(name: str, input: str, wrong: str) -> Line:
    """A mutation that anybody may try, and that only a secret opens."""
    refused = Sees.REFUSED
    return Line(
        field=name, text=sent(input), holds="Payload", mutation=True, role=None, wrong=sent(wrong), anonymous=refused,
        stranger=refused, low=refused,
    )  # fmt: skip


def sent(input: str) -> str:
    """The arguments of a mutation, and what is read of its answer."""
    return f"(input: {{ {input} }}) {{ __typename ... on Problem {{ code message }} }}"


@dataclass(slots=True)
class World:
    """A tenant in which the junior owns one row of everything, and another tenant beside it."""

    tenant: Tenant
    other: Tenant
    words: dict[str, str] = field(default_factory=dict)

    @property
    def outsider(self) -> Caller:
        """A junior who owns nothing."""
        return self.tenant.outside


async def world(owner: "Connection[Record]", tenant: Tenant, other: Tenant) -> World:
    """Fill the tenant."""
    junior = tenant.users[JUNIOR]
    person = await people.person(owner, tenant, full_name="Asha Rao", city="Mumbai")
    twin = await people.person(owner, tenant, full_name="Asha Rao")
    lead = await people.lead(owner, tenant, person_id=person, assignee_id=junior)
    lost = {"source": "REFERRAL", "stage": "LOST", "lost_reason": "OTHER"}
    await people.lead(owner, tenant, person_id=twin, assignee_id=junior, **lost)
    project = await properties.project(owner, tenant)
    home = await properties.property_(owner, tenant)
    thread = await threads.thread(owner, tenant, person_id=person, assignee_id=junior)
    await threads.provider(owner, tenant)
    senior = tenant.users[SENIOR]
    pdf = {"purpose": "PROPERTY_MEDIA", "content_type": "application/pdf"}
    made: dict[str, UUID] = {
        "person": person,
        "twin": twin,
        "lead": lead,
        "project": project,
        "property": home,
        "thread": thread,
        "message": await threads.message(owner, tenant, thread_id=thread, sent_at=NOW),
        "opportunity": await leads.opportunity(owner, tenant, lead_id=lead, person_id=person),
        "call": await interactions.interaction(owner, tenant, person_id=person, occurred_at=NOW - timedelta(hours=1)),
        "task": await tasks.task(owner, tenant, assignee_id=junior, person_id=person, lead_id=lead),
        "job": await jobs.job(owner, tenant, requested_by=junior),
        "inferenceProvider": await inference.provider(owner, tenant),
        "render": await jobs.job(owner, tenant, requested_by=junior, kind="RENDER", status="FAILED"),
        "proposal": await proposals.proposal(owner, tenant, lead_id=lead),
        "fact": await _fact(owner, tenant, person),
        "avatar": await assets.upload(owner, tenant, user_id=junior),
        "brochure": await assets.upload(owner, tenant, user_id=senior, **pdf),
        "roomPhoto": await assets.upload(owner, tenant, user_id=junior, purpose="ROOM_PHOTO"),
        "medium": await properties.medium(owner, tenant, property_id=home, order=0),
        "key": await access.api_key(owner, tenant),
        "operation": await access.operation(owner, tenant, name="Who", text="query Who { viewer { id } }"),
        **await _showroom(owner, tenant),
        **await _history(owner, tenant, person=person, lead=lead),
    }
    made |= await _canvases(owner, tenant, junior)
    words = {name: f"{PREFIXES.get(name, name)}_{row_id}" for name, row_id in made.items()}
    words |= {role.name.partition("_")[0].lower(): f"user_{user}" for role, user in tenant.users.items()}
    words |= await _secrets(owner, tenant, junior)
    words["now"] = NOW.isoformat()
    words |= {"from": (NOW - timedelta(days=2)).isoformat(), "to": (NOW + timedelta(days=1)).isoformat()}
    return World(tenant, other, words)


PREFIXES = {
    "avatar": "upload", "scenes": "upload", "brochure": "upload", "roomPhoto": "upload",
    "medium": "propertymedia", "key": "apikey",
    "fork": "canvas", "first": "canvasrevision", "canvasRevision": "canvasrevision", "mergeRequest": "mergerequest",
    "twin": "person", "render": "job", "call": "interaction", "message": "threadmessage",
    "cctvEvent": "cctvevent",
    "inferenceProvider": "inferenceprovider",
}  # fmt: skip


async def _fact(owner: "Connection[Record]", tenant: Tenant, person: UUID) -> UUID:
    fact = new_id()
    await insert(
        owner, "facts", tenant.id, id=fact, person_id=person, kind="PREFERENCE", text="Wants a sea view.",
        confidence=0.9, source="MODEL", extracted_at=NOW,
    )  # fmt: skip
    return fact


async def _showroom(owner: "Connection[Record]", tenant: Tenant) -> dict[str, UUID]:
    """Let the junior receive a visitor, and the senior send the scenes of a video, which lie where uploads do."""
    junior = tenant.users[JUNIOR]
    consent = await perception.consent(
        owner, tenant, granted_at=NOW - timedelta(hours=1), subject_kind="VISITOR", recorded_by_id=junior
    )
    erasure = new_id()
    await insert(
        owner, "erasures", tenant.id, id=erasure, consent_id=consent, scope="CONSENT", status="PENDING",
        requested_by_noun="users", requested_by_id=junior, requested_at=NOW,
    )  # fmt: skip
    session = await perception.session(owner, tenant, consent_id=consent, started_by_id=junior)
    return {
        "cctvEvent": await cctv.event(owner, tenant, session_id=session),
        "consent": consent,
        "erasure": erasure,
        "session": session,
        "video": await perception.video(owner, tenant),
        "scenes": await assets.upload(
            owner,
            tenant,
            user_id=tenant.users[SENIOR],
            purpose="SCENE_MAP",
            content_type="text/csv",
            bytes=len(SCENES),
            stored_bytes=len(SCENES),
            width=None,
            height=None,
            object_key=f"uploads/{tenant.id}/scenes.csv",
        ),
        "notification": await perception.notification(owner, tenant, user_id=junior),
    }


async def _canvases(owner: "Connection[Record]", tenant: Tenant, junior: UUID) -> dict[str, UUID]:
    """A board with two revisions and two forks of it, all the junior's own; of one is asked to merge it."""
    board = await canvases.canvas(owner, tenant, owner_id=junior)
    first = board.head_id
    await canvases.follow(owner, tenant, board, author_id=junior)
    await canvases.share(owner, tenant, canvas_id=board.id, user_id=tenant.users[Role.SALES_DIRECTOR], access="VIEW")
    asked, fork = [await canvases.canvas(owner, tenant, owner_id=junior, parents=(board.head_id,)) for _ in range(2)]
    for mark, each in enumerate((asked, fork), start=2):
        await canvases.follow(owner, tenant, each, author_id=junior, mark=mark)
    request = await canvases.merge_request(owner, tenant, source=asked, target=board, author_id=tenant.users[SENIOR])
    return {
        "canvas": board.id, "fork": fork.id, "first": first, "canvasRevision": board.head_id, "mergeRequest": request
    }  # fmt: skip


async def _history(owner: "Connection[Record]", tenant: Tenant, *, person: UUID, lead: UUID) -> dict[str, UUID]:
    audit, activity = new_id(), new_id()
    common = {"at": NOW, "subject_noun": "leads", "subject_id": lead, "sequence": 1}
    junior, admin = ({"actor_noun": "users", "actor_id": tenant.users[role]} for role in (JUNIOR, ADMIN))
    await insert(
        owner, "audit_entries", tenant.id, id=audit, action="CREATE", previous_hash=bytes(32), hash=bytes(32),
        **common, **junior,
    )  # fmt: skip
    await insert(
        owner, "activity_entries", tenant.id, id=activity, kind="LEAD_CREATED", summary="New lead", person_id=person,
        **common, **admin,
    )  # fmt: skip
    await owner.execute("UPDATE tenant_heads SET audit_sequence = 1 WHERE tenant_id = $1", tenant.id)
    return {"audit": audit, "activity": activity}


async def _secrets(owner: "Connection[Record]", tenant: Tenant, user_id: UUID) -> dict[str, str]:
    email, token, session = f"{user_id.hex}@test.example", f"token-{tenant.id}", new_id()
    await access.password(owner, tenant, user_id, email=email, secret=PASSWORD)
    await insert(owner, "sessions", tenant.id, id=session, user_id=user_id)
    await insert(
        owner, "refresh_tokens", tenant.id, id=new_id(), session_id=session, token_hash=token_hash(token),
        expires_at=NOW + timedelta(days=1),
    )  # fmt: skip
    return {"email": email, "password": PASSWORD, "token": token}


async def digest(owner: "Connection[Record]", tenant: Tenant) -> str:
    """One value for all rows of a tenant: the same only if nothing was added, changed or removed."""
    await set_tenant(owner, tenant.id)
    tables = await owner.fetch(
        "SELECT DISTINCT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " WHERE a.attname = 'tenant_id' AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        " AND c.relnamespace = 'public'::regnamespace"
    )
    assert len(tables) > 40
    parts = " UNION ALL ".join(
        f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) AS part FROM \"{table['relname']}\" t"
        f" WHERE tenant_id = '{tenant.id}'"
        for table in tables
    )
    whole: str = await owner.fetchval(f"SELECT string_agg(coalesce(part, '-'), ' ' ORDER BY part) FROM ({parts}) p")
    return whole


async def tried(api: Api, world: World, line: Line, *, caller: Caller | None, wrong: bool = False) -> Answer:
    """What a caller is answered."""
    text = line.wrong if wrong and line.wrong is not None else line.text
    kind = "mutation" if line.mutation else "query"
    document = f"{kind} {{ {line.field}{Template(text).substitute(world.words)} }}"
    return await api.run(document, role=None, caller=caller)


def seen(line: Line, world: World, answer: Answer) -> Sees:
    """What an answer amounts to; fails for one that is nothing that a caller should be answered."""
    if "errors" in answer:
        [code] = {error["extensions"]["code"] for error in answer["errors"]}
        return {"UNAUTHENTICATED": Sees.SIGN_IN, "NOT_ALLOWED": Sees.REFUSED, "NOT_FOUND": Sees.HIDDEN}[code]
    data: Any = answer["data"][line.field]
    if line.mutation:
        if data["__typename"].endswith(line.holds):
            return Sees.SHOWN
        return {"NOT_ALLOWED": Sees.REFUSED, "NOT_FOUND": Sees.HIDDEN}[data["code"]]
    if data in (None, [None], {"edges": [], "totalCount": 0}):
        return Sees.HIDDEN
    return Sees.SHOWN if Template(line.holds).substitute(world.words) in json.dumps(data) else Sees.OTHER
