"""Who may do what: roles and their permissions, actors and callers."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final
from uuid import UUID

from domain.errors import NotAllowed


class NotAUser(NotAllowed):
    """Only a person can do this, not an API key."""


class Role(Enum):
    """What a caller may see and do, strongest first."""

    ADMIN = "ADMIN"
    SALES_DIRECTOR = "SALES_DIRECTOR"
    SENIOR_BROKER = "SENIOR_BROKER"
    JUNIOR_BROKER = "JUNIOR_BROKER"


class UserStatus(Enum):
    """Where a user's account stands."""

    INVITED = "INVITED"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"


class Permission(Enum):
    """What a role may do. Which rows it may do it to is decided by ownership."""

    PERSON_READ = "PERSON_READ"
    PERSON_WRITE = "PERSON_WRITE"
    PERSON_MERGE = "PERSON_MERGE"
    LEAD_READ = "LEAD_READ"
    LEAD_WRITE = "LEAD_WRITE"
    LEAD_ASSIGN = "LEAD_ASSIGN"
    OPPORTUNITY_WRITE = "OPPORTUNITY_WRITE"
    OPPORTUNITY_APPROVE = "OPPORTUNITY_APPROVE"
    PROPERTY_READ = "PROPERTY_READ"
    PROPERTY_WRITE = "PROPERTY_WRITE"
    PERCEPTION_READ = "PERCEPTION_READ"
    PERCEPTION_WRITE = "PERCEPTION_WRITE"
    VIDEO_WRITE = "VIDEO_WRITE"
    INTERACTION_WRITE = "INTERACTION_WRITE"
    TASK_WRITE = "TASK_WRITE"
    THREAD_READ = "THREAD_READ"
    THREAD_WRITE = "THREAD_WRITE"
    CCTV_WRITE = "CCTV_WRITE"
    CANVAS_READ = "CANVAS_READ"
    CANVAS_WRITE = "CANVAS_WRITE"
    JOB_READ = "JOB_READ"
    JOB_WRITE = "JOB_WRITE"
    TEAM_READ = "TEAM_READ"
    AUDIT_READ = "AUDIT_READ"
    PROPOSAL_DECIDE = "PROPOSAL_DECIDE"
    FLEET_READ = "FLEET_READ"
    FLEET_MODE_SET = "FLEET_MODE_SET"
    SETTINGS_WRITE = "SETTINGS_WRITE"


_JUNIOR: Final = frozenset(
    {
        Permission.PERSON_READ,
        Permission.PERSON_WRITE,
        Permission.LEAD_READ,
        Permission.LEAD_WRITE,
        Permission.OPPORTUNITY_WRITE,
        Permission.PROPERTY_READ,
        Permission.PERCEPTION_READ,
        Permission.PERCEPTION_WRITE,
        Permission.INTERACTION_WRITE,
        Permission.TASK_WRITE,
        Permission.THREAD_READ,
        Permission.THREAD_WRITE,
        Permission.CANVAS_READ,
        Permission.CANVAS_WRITE,
        Permission.JOB_READ,
        Permission.JOB_WRITE,
        Permission.TEAM_READ,
    }
)
_SENIOR: Final = _JUNIOR | {
    Permission.LEAD_ASSIGN,
    Permission.PERSON_MERGE,
    Permission.PROPERTY_WRITE,
    Permission.VIDEO_WRITE,
    Permission.CCTV_WRITE,
    Permission.AUDIT_READ,
    Permission.PROPOSAL_DECIDE,
}
_DIRECTOR: Final = _SENIOR | {Permission.OPPORTUNITY_APPROVE, Permission.FLEET_READ, Permission.FLEET_MODE_SET}

PERMISSIONS: Final = {
    Role.JUNIOR_BROKER: _JUNIOR,
    Role.SENIOR_BROKER: _SENIOR,
    Role.SALES_DIRECTOR: _DIRECTOR,
    Role.ADMIN: frozenset(Permission),
}
"""What each role may do; every rank has what the one below it has."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something: `noun` is `users`, `api_keys` or `system_actors`."""

    noun: str
    id: UUID


NOT_FOR_KEYS: Final = frozenset(
    {
        Permission.TEAM_READ,
        Permission.AUDIT_READ,
        Permission.FLEET_READ,
        Permission.FLEET_MODE_SET,
        Permission.SETTINGS_WRITE,
    }
)
"""What no API key may do, whatever its role: team, audit trail, machines and settings are for people."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking: a user, or an API key or the system itself, which have no `user_id`.

    `members` are the users whose leads count as the caller's own: self, and a senior's teams; a key has none.
    `operations` are the document ids (`sha256:…`) that a key may send.
    """

    tenant_id: UUID
    user_id: UUID | None
    role: Role
    members: tuple[UUID, ...]
    session_id: UUID | None = None
    api_key_id: UUID | None = None
    system_actor_id: UUID | None = None
    operations: frozenset[str] = frozenset()
    actor: Actor = field(init=False, compare=False)
    """The caller as the author of a change."""
    principal: str = field(init=False, compare=False)
    """Who limits and budgets count: the actor, in words."""

    def __post_init__(self) -> None:
        """Say once who it is: every request asks several times. Raises NotAUser where it is nobody."""
        if self.system_actor_id is not None:
            actor = Actor("system_actors", self.system_actor_id)
        elif self.api_key_id is not None:
            actor = Actor("api_keys", self.api_key_id)
        else:
            actor = Actor("users", self.as_user())
        # A frozen class has no other way to keep what follows from its fields.
        object.__setattr__(self, "actor", actor)
        object.__setattr__(self, "principal", f"{actor.noun}:{actor.id}")

    def as_user(self) -> UUID:
        """Return the user's id; raises NotAUser for an API key."""
        if self.user_id is None:
            raise NotAUser
        return self.user_id

    def may(self, permission: Permission) -> bool:
        """Whether the caller's role has a permission, and a key may use it."""
        return permission in PERMISSIONS[self.role] and (self.api_key_id is None or permission not in NOT_FOR_KEYS)
