"""Tenants with their users and teams."""

from dataclasses import dataclass, field
from uuid import UUID

from argon2 import PasswordHasher
from asyncpg import Connection, Record

from domain.access import Caller, Role, normalised_email, secret_hash
from domain.access.operations import sha256_id
from domain.audit import GENESIS
from domain.values import new_id
from tests.factories.rows import insert


@dataclass(slots=True)
class Tenant:
    """A tenant with one user per role; `juniors` has a second junior outside the senior's team."""

    id: UUID
    users: dict[Role, UUID] = field(default_factory=dict)
    outsider: UUID = field(default_factory=new_id)
    """A junior in no team."""
    team: UUID = field(default_factory=new_id)

    def caller(self, role: Role = Role.ADMIN) -> Caller:
        """Return the user of a role as a caller; the senior's members are the senior and the junior."""
        user = self.users[role]
        members = (user, self.users[Role.JUNIOR_BROKER]) if role is Role.SENIOR_BROKER else (user,)
        return Caller(self.id, user, role, members)

    @property
    def outside(self) -> Caller:
        """The junior in no team as a caller, who owns nothing."""
        return Caller(self.id, self.outsider, Role.JUNIOR_BROKER, (self.outsider,))


async def tenant(owner: "Connection[Record]", *, name: str = "Test", currency: str = "INR") -> Tenant:
    """Make a tenant: an admin, a director, a senior leading a team with a junior, and a junior in no team."""
    made = Tenant(new_id())
    await insert(
        owner, "tenants", made.id, id=made.id, name=name, time_zone="Asia/Kolkata", currency=currency,
        high_value_amount=100_000_000, high_value_currency="INR",
    )  # fmt: skip
    await insert(owner, "tenant_heads", made.id, audit_hash=GENESIS)
    await insert(owner, "system_actors", made.id, id=new_id(), name="velocity", display_name="Velocity")
    for role in Role:
        made.users[role] = await user(owner, made, role=role)
    made.outsider = await user(owner, made, role=Role.JUNIOR_BROKER, name="Outsider")
    await insert(owner, "teams", made.id, id=made.team, name="Team")
    for role in (Role.SENIOR_BROKER, Role.JUNIOR_BROKER):
        await insert(owner, "team_members", made.id, team_id=made.team, user_id=made.users[role])
    return made


async def user(owner: "Connection[Record]", of: Tenant, *, role: Role, name: str | None = None) -> UUID:
    """Make an active user who cannot sign in by password."""
    user_id = new_id()
    await insert(
        owner, "users", of.id, id=user_id, full_name=name or role.name.title(), email=f"{user_id.hex}@test.example",
        role=role.name, status="ACTIVE",
    )  # fmt: skip
    return user_id


async def operation(owner: "Connection[Record]", of: Tenant, *, text: str, name: str, kind: str = "QUERY") -> UUID:
    """Register a document."""
    operation_id = new_id()
    await insert(
        owner, "persisted_operations", of.id, id=operation_id, document_id=sha256_id(text), name=name, kind=kind,
        text=text,
    )  # fmt: skip
    return operation_id


async def api_key(owner: "Connection[Record]", of: Tenant, *, secret: str = "", **values: object) -> UUID:
    """Make a junior's API key that is bound to nothing, unless told otherwise."""
    key_id = new_id()
    values = {
        "display_name": "Portal", "prefix": "vk_test0000", "role": "JUNIOR_BROKER",
        "secret_hash": secret_hash(secret or str(key_id)), "created_by_id": of.users[Role.ADMIN], **values,
    }  # fmt: skip
    await insert(owner, "api_keys", of.id, id=key_id, **values)
    return key_id


QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Settings far too weak for anything but a test."""


async def password(owner: "Connection[Record]", of: Tenant, user_id: UUID, *, email: str, secret: str) -> None:
    """Let a user sign in by password."""
    await insert(
        owner, "sign_ins", of.id, user_id=user_id, email_normalised=normalised_email(email),
        password_hash=QUICK.hash(secret),
    )  # fmt: skip
