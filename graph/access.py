"""Access as clients see it: the viewer, the team, actors, sign-in."""

from __future__ import annotations

from typing import Annotated

import strawberry

from domain import access as domain
from domain.access import Permission, Role, UserStatus
from domain.access.operations import OperationKind
from graph.connections import Connection
from graph.context import Info
from graph.declaration import Node, column, connection, interface, link, noun, of_caller, paid, payload, root
from graph.enums import described
from graph.inputs import argument, unpacked
from graph.mutations import mutation
from graph.problems import Problems
from graph.scalars import URL, DateTime
from resolvers import access as resolve

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
    INTERACTION_WRITE="Log calls, visits, e-mails and notes.",
    TASK_WRITE="Add, change and complete tasks.",
    THREAD_READ="Read conversations.",
    THREAD_WRITE="Write in conversations.",
    TEAM_READ="Read the team.",
    AUDIT_READ="Read the audit trail.",
    PROPOSAL_DECIDE="Decide on proposals.",
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


@noun("api_keys", prefix="apikey", description="A program that acts with a key of its own.")
class ApiKey(Actor):
    """An API key."""


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

    viewer: User | None = of_caller("You; null before you sign in.", "user_id")
    users: Connection[User] = connection("The team, by name.", Permission.TEAM_READ)
    persisted_operations: Connection[PersistedOperation] = connection(
        "Documents that clients may send by id, the newest first.", Permission.SETTINGS_WRITE
    )


@strawberry.input(description="Who signs in.")
class LoginInput:
    """Credentials."""

    email: str = argument("E-mail address, in whatever capitals.", longest=254)
    password: str = argument("Password.", longest=1000)


@strawberry.input(description="A session that goes on.")
class SessionRefreshInput:
    """A refresh token."""

    refresh_token: str = argument(
        "The latest refresh token. It works once; a second use ends the session.", longest=200
    )


@strawberry.input(description="A session that ends.")
class SessionRevokeInput:
    """A refresh token."""

    refresh_token: str = argument("A refresh token of the session.", longest=200)


@payload("A session was opened.")
class LoginPayload:
    """The answer of login."""

    access_token: str = column("Send it as `Authorization: Bearer …`.")
    refresh_token: str = column("Gets the next access token, once. Keep it secret.")
    access_token_expires_at: DateTime = column("When to refresh at the latest.")
    viewer: User = link("Who signed in.")


@payload("A session goes on.")
class SessionRefreshPayload:
    """The answer of sessionRefresh."""

    access_token: str = column("The next access token.")
    refresh_token: str = column("The next refresh token; the one you sent is spent.")
    access_token_expires_at: DateTime = column("When to refresh at the latest.")


@payload("A session has ended, with all its tokens.")
class SessionRevokePayload:
    """The answer of sessionRevoke."""

    viewer: User = link("Who signed out.")


LoginResult = Annotated[LoginPayload | Problems, strawberry.union("LoginResult", description="What login answers.")]
SessionRefreshResult = Annotated[
    SessionRefreshPayload | Problems,
    strawberry.union("SessionRefreshResult", description="What sessionRefresh answers."),
]
SessionRevokeResult = Annotated[
    SessionRevokePayload | Problems,
    strawberry.union("SessionRevokeResult", description="What sessionRevoke answers."),
]


@root
class AccessMutation:
    """Mutations of access."""

    @mutation("Sign in. The answer never says which part was wrong; too many failures have to wait.")
    async def login(self, info: Info, input: LoginInput) -> LoginResult:
        """Sign in."""
        opened = await resolve.login(info.context, unpacked(input, domain.Login))
        return paid(
            LoginPayload,
            access_token=opened.access_token,
            refresh_token=opened.refresh_token,
            access_token_expires_at=opened.access_token_expires_at,
            viewer=opened.caller.user_id,
        )

    @mutation("Exchange a refresh token for new tokens.")
    async def session_refresh(self, info: Info, input: SessionRefreshInput) -> SessionRefreshResult:
        """Go on."""
        refreshed = await resolve.session_refresh(info.context, unpacked(input, domain.SessionRefresh))
        return paid(
            SessionRefreshPayload,
            access_token=refreshed.access_token,
            refresh_token=refreshed.refresh_token,
            access_token_expires_at=refreshed.access_token_expires_at,
        )

    @mutation("Sign out: the refresh tokens of the session and the access tokens made from them end.")
    async def session_revoke(self, info: Info, input: SessionRevokeInput) -> SessionRevokeResult:
        """Sign out."""
        left = await resolve.session_revoke(info.context, unpacked(input, domain.SessionRevoke))
        return paid(SessionRevokePayload, viewer=left.user_id)
