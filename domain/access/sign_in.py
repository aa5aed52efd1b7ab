"""What signing in needs: its ports, its limits, and its refusals, none of which tells which part was wrong."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Protocol
from uuid import UUID

from domain.access.roles import Caller, Role, UserStatus
from domain.errors import NotAllowed, Unauthenticated


class SignInRefused(NotAllowed):
    """The e-mail address or the password is wrong."""


class SignInThrottled(NotAllowed):
    """Too many sign-ins have failed. Try again later."""


class SessionEnded(NotAllowed):
    """The session has ended. Sign in again."""


class TokenInvalid(Unauthenticated):
    """The access token is not valid. Sign in again."""


class TokenExpired(Unauthenticated):
    """The access token has expired. Refresh it."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who says they are whom."""

    email: str
    password: str


@dataclass(frozen=True, slots=True)
class SessionRefresh:
    """A refresh token to be exchanged for new ones."""

    refresh_token: str


@dataclass(frozen=True, slots=True)
class SessionRevoke:
    """A refresh token whose session ends."""

    refresh_token: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a client keeps. The refresh token is shown here once; only its hash is stored."""

    caller: Caller
    access_token: str
    access_token_expires_at: datetime
    refresh_token: str


@dataclass(frozen=True, slots=True)
class SignInRules:
    """How long tokens are good, and how many failures are borne within a window."""

    access_token: timedelta = timedelta(minutes=10)
    refresh_token: timedelta = timedelta(days=30)
    window: timedelta = timedelta(minutes=15)
    account_failures: int = 5
    address_failures: int = 50


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is stored under an e-mail address. Without a hash nobody signs in by password."""

    tenant_id: UUID
    user_id: UUID
    password_hash: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a user is at this moment; `team` are the users of all their teams."""

    tenant_id: UUID
    user_id: UUID
    role: Role
    status: UserStatus
    team: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class SessionFound:
    """Where a refresh token belongs."""

    tenant_id: UUID
    session_id: UUID
    token_id: UUID


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One token of a session's family."""

    id: UUID
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try to sign in, already counted, and the failures before it within the window, oldest first."""

    id: UUID
    account_failures: tuple[datetime, ...]
    address_failures: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified access token says."""

    tenant_id: UUID
    user_id: UUID
    session_id: UUID
    expires_at: datetime


class Accounts(Protocol):
    """Look-ups that come before there is a caller."""

    async def attempt(self, email: str, address: str, window: timedelta) -> Attempt:
        """Count a try as a failure until it is forgiven."""

    async def withdraw(self, attempt: Attempt) -> None:
        """Uncount a try that was refused unread: a locked account does not stay locked for being tried."""

    async def forgive(self, attempt: Attempt) -> None:
        """Turn a try into a success, which ends the account's row of failures."""

    async def find(self, email: str) -> Credentials | None:
        """Return what is stored under a normalised e-mail address."""

    async def standing(self, tenant_id: UUID, user_id: UUID) -> Standing | None:
        """Return what a user is now."""

    async def standing_in(self, tenant_id: UUID, session_id: UUID) -> Standing | None:
        """Return what the user of a session is now; None once the session has ended."""

    async def session_of(self, token_hash: bytes) -> SessionFound | None:
        """Return where a refresh token belongs, used or not."""


class Passwords(Protocol):
    """Hashes passwords, slowly and beside the event loop."""

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether the password is the hash's; as slow without a hash as with one."""

    async def replacement(self, password: str, password_hash: str) -> str | None:
        """Return a new hash for a password whose stored one was made with weaker settings."""


class Tokens(Protocol):
    """Signs and verifies access tokens."""

    def sign(self, caller: Caller, session_id: UUID, now: datetime, lifetime: timedelta) -> str:
        """Return a token that says who its bearer is."""

    def verify(self, token: str) -> Claims:
        """Return what a token says; raises TokenInvalid. Whether it has expired is for the reader to see."""


class Callers(Protocol):
    """Turns access tokens and API keys into callers."""

    @property
    def forgotten(self) -> int:
        """How often something was to be forgotten: who has trusted a caller for a while asks again when it moves."""

    async def caller_for(self, token: str) -> Caller:
        """Return who bears an access token or an API key; raises TokenInvalid, TokenExpired or ApiKeyRefused."""

    def forget(self, session_id: UUID) -> None:
        """Trust nothing that is remembered of a session."""

    def forget_key(self, key_id: UUID) -> None:
        """Trust nothing that is remembered of an API key."""


class AccessStore(Protocol):
    """Sessions of the unit's tenant."""

    async def open_session(self, session_id: UUID, user_id: UUID, now: datetime) -> None:
        """Store a session, and that its user was seen."""

    async def add_token(self, session_id: UUID, hashed: bytes, expires_at: datetime, now: datetime) -> None:
        """Store the hash of a session's next refresh token."""

    async def lock_session(self, session_id: UUID) -> bool:
        """Lock a session against others; whether it is still alive."""

    async def token(self, token_id: UUID) -> RefreshToken:
        """Return a refresh token of a locked session; raises NotFound."""

    async def spend(self, session_id: UUID, token_id: UUID, now: datetime) -> None:
        """Mark a refresh token as used, and its session and user as alive."""

    async def end_session(self, session_id: UUID, now: datetime, *, reused: bool) -> None:
        """End a session, and say whether because a token was used twice."""

    async def set_password_hash(self, user_id: UUID, password_hash: str, now: datetime) -> None:
        """Replace a user's password hash."""

    async def set_avatar(self, user_id: UUID, object_key: str, now: datetime) -> str | None:
        """Store where a user's picture lies, and return where the one before it lay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPorts:
    """Everything that signing in needs beside a unit."""

    accounts: Accounts
    passwords: Passwords
    tokens: Tokens
    callers: Callers
    rules: SignInRules


def caller_of(standing: Standing, session_id: UUID | None = None) -> Caller | None:
    """Return an active user as a caller: a senior's members are self and the teams', anybody else's only self."""
    if standing.status is not UserStatus.ACTIVE:
        return None
    team = standing.team if standing.role is Role.SENIOR_BROKER else ()
    others = tuple(member for member in team if member != standing.user_id)
    return Caller(standing.tenant_id, standing.user_id, standing.role, (standing.user_id, *others), session_id)


def normalised_email(email: str) -> str:
    """Return the form in which an e-mail address signs in, whatever its capitals."""
    return unicodedata.normalize("NFKC", email).strip().lower()


def token_hash(token: str) -> bytes:
    """Return what is stored of a refresh token: it is random, so one round of SHA-256 is enough."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def address_group(address: str) -> str:
    """Return what failures are counted under: a whole /64 of IPv6, since one client has all of it."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Address(int(parsed) >> 64 << 64)) + "/64"


def retry_at(failures: Sequence[datetime], most: int, window: timedelta) -> datetime | None:
    """Return when another try is allowed, or None for now: `failures` are those of the window, oldest first."""
    return failures[-most] + window if len(failures) >= most else None
