"""The viewer, the team, actors and what they may send."""

from __future__ import annotations

from domain.access import Permission, Role, UserStatus
from domain.access.operations import OperationKind
from graph.connections import Connection
from graph.declaration import Node, column, connection, interface, link, links, noun, of_caller, root
from graph.enums import described
from graph.scalars import URL, DateTime

described(
    Role,
    "What a caller may see and do, strongest first.",
    ADMIN="Runs the system.",
    SALES_DIRECTOR="Sees everything but settings; approves.",
    SENIOR_BROKER="Leads a team.",
    JUNIOR_BROKER="Works on own leads.",
)
described(
    UserStatus,
    "Where a user's account stands.",
    INVITED="Has not accepted yet, and cannot sign in.",
    ACTIVE="Can sign in.",
    SUSPENDED="Can no longer sign in.",
)
described(
    Permission,
    "What a role may do; which rows it may do it to is decided by ownership.",
    PERSON_READ="Read people.",
    PERSON_WRITE="Add and change people.",
    PERSON_MERGE="Merge two people who are the same.",
    LEAD_READ="Read leads.",
    LEAD_WRITE="Open, change and move leads.",
    LEAD_ASSIGN="Give leads to others.",
    OPPORTUNITY_WRITE="Add and change opportunities.",
    OPPORTUNITY_APPROVE="Approve opportunities of high value.",
    PROPERTY_READ="Read properties and projects.",
    PROPERTY_WRITE="Add, change and archive properties.",
    PERCEPTION_READ="See consents, sessions and videos.",
    PERCEPTION_WRITE="Record consents and run sessions.",
    VIDEO_WRITE="Give videos their scenes.",
    CCTV_WRITE="Send what cameras saw.",
    INTERACTION_WRITE="Log calls, visits, e-mails and notes.",
    TASK_WRITE="Add, change and complete tasks.",
    THREAD_READ="Read conversations.",
    THREAD_WRITE="Write in conversations.",
    CANVAS_READ="See canvases.",
    CANVAS_WRITE="Make, change and merge canvases.",
    JOB_READ="See work for models and machines.",
    JOB_WRITE="Give models and machines work, and cancel it.",
    TEAM_READ="Read the team.",
    AUDIT_READ="Read the audit trail.",
    PROPOSAL_DECIDE="Decide on proposals.",
    FLEET_READ="See the machines and what they work on.",
    FLEET_MODE_SET="Set what the machines work on.",
    SETTINGS_WRITE="Change settings.",
)


described(
    OperationKind,
    "What an operation does.",
    QUERY="It reads.",
    MUTATION="It changes something.",
    SUBSCRIPTION="It goes on telling what happens.",
)


@interface("Somebody or something that acts.")
class Actor(Node):
    """An actor."""

    display_name: str = column("What to call it.")


@noun("tenants", prefix="tenant", description="A company that works here; no company sees another's rows.")
class Tenant(Node):
    """A tenant."""

    name: str = column("Its name.")
    time_zone: str = column("Where its days begin, as an IANA name.")
    currency: str = column("What it counts in, ISO 4217.")


@noun("users", prefix="user", description="A member of the team.", orders={"CREATED_AT": "When they joined."})
class User(Actor):
    """A user."""

    full_name: str = column("Full name.")
    email: str | None = column("E-mail address; of yourself and of those you lead.")
    role: Role = column("Their role.")
    status: UserStatus = column("Whether they can sign in.")
    last_seen_at: DateTime | None = column("When they last signed in or refreshed; of yourself and of those you lead.")
    avatar_url: URL | None = column("Their picture, at an address that expires.")
    permissions: list[Permission] = column("What their role may do.")
    restricted_fields: list[str] = column("Fields that are null because you may not see them.")
    tenant: Tenant = link("Where they work.")


@noun("system_actors", prefix="system", description="A part of the system that acts by itself.")
class SystemActor(Actor):
    """The system, or a part of it."""


@noun(
    "api_keys",
    prefix="apikey",
    description="A program that acts with a key of its own: as a role, and by registered documents only.",
    orders={"CREATED_AT": "When it was made."},
)
class ApiKey(Actor):
    """An API key."""

    prefix: str = column("How its secret begins, to tell it by.")
    role: Role = column("What it acts as. It reads no team, audit trail or settings, whatever its role.")
    operations: list[PersistedOperation] = links("What it may send, the newest first.")
    created_at: DateTime = column("When it was made.")
    last_used_at: DateTime | None = column("When it was last used, to the minute; null for never.")
    expires_at: DateTime | None = column("When it ends by itself; null for never.")
    revoked_at: DateTime | None = column("When it was ended; null while it is good.")


@noun(
    "persisted_operations",
    prefix="operation",
    description="A registered document: clients send its id instead of its text.",
    orders={"CREATED_AT": "When it was registered."},
)
class PersistedOperation(Node):
    """A persisted operation."""

    document_id: str = column("What a client sends as `documentId`: `sha256:` and the hash of the exact text.")
    name: str = column("The operation's name, which names its newest version as `documentId` too.")
    kind: OperationKind = column("What it does.")
    registered_at: DateTime = column("When it was registered.")


@root
class AccessQuery:
    """Root fields about access."""

    viewer: User | None = of_caller("You; null before you sign in.")
    users: Connection[User] = connection("The team, by name.", Permission.TEAM_READ)
    api_keys: Connection[ApiKey] = connection("API keys, the newest first.", Permission.SETTINGS_WRITE)
    persisted_operations: Connection[PersistedOperation] = connection(
        "Documents that clients may send by id, the newest first.", Permission.SETTINGS_WRITE
    )
