"""What `velocity api-key` does: an administrator's keys, from a shell of the machine that serves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

from app.failures import CannotContinue
from app.ports import Ports, alone
from app.settings import Settings
from db.access.keys import ListedKey, SqlApiKeyLookup
from db.unit import utc_now
from domain.access import (
    ApiKeyCreate,
    ApiKeyRevoke,
    ApiKeyRotate,
    Caller,
    IssuedKey,
    Permission,
    Role,
    caller_of,
    create_key,
    issue,
    normalised_email,
    revoke_key,
    rotate_key,
)

PREFIX = "apikey_"


async def created(
    settings: Settings, email: str, *, name: str, role: Role, operations: list[str], lifetime: timedelta | None
) -> str:
    """Make a key that sends the named operations, and show it once; raises CannotContinue or a DomainError."""
    async with _administrator(settings, email) as (opened, caller):
        found = await SqlApiKeyLookup(opened.pool, opened.engine).operations(caller.tenant_id, operations)
        if missing := [each for each in operations if each not in found]:
            raise CannotContinue(f"Not registered: {', '.join(missing)}. `velocity operations list` says what is.")
        issued = issue()
        async with opened.units.write(caller) as unit:
            expires = None if lifetime is None else unit.now + lifetime
            await create_key(unit, ApiKeyCreate(name, role, list(found.values()), expires), issued)
        return _shown(issued)


async def listed(settings: Settings, email: str) -> str:
    """Return the tenant's keys, a line for each."""
    async with _administrator(settings, email) as (opened, caller):
        keys = await SqlApiKeyLookup(opened.pool, opened.engine).listed(caller.tenant_id)
    return "\n".join(_line(each, utc_now()) for each in keys) or "There are no API keys."


async def rotated(settings: Settings, email: str, key: str, overlap: timedelta) -> str:
    """Give a key another secret, and show it once; raises CannotContinue or a DomainError."""
    async with _administrator(settings, email) as (opened, caller), opened.units.write(caller) as unit:
        return _shown(await rotate_key(unit, ApiKeyRotate(_key_id(key), int(overlap.total_seconds()))))


async def revoked(settings: Settings, email: str, key: str) -> str:
    """End a key; raises CannotContinue or a DomainError."""
    async with _administrator(settings, email) as (opened, caller), opened.units.write(caller) as unit:
        ended = await revoke_key(unit, ApiKeyRevoke(_key_id(key)))
    return f"{PREFIX}{ended} is revoked. A process that trusts it asks again within {settings.recheck_seconds:g} s."


@asynccontextmanager
async def _administrator(settings: Settings, email: str) -> AsyncIterator[tuple[Ports, Caller]]:
    """Act as an administrator, whose name the audit trail will show."""
    async with alone(settings) as (_, opened):
        accounts = opened.sign_in.accounts
        known = await accounts.find(normalised_email(email))
        standing = None if known is None else await accounts.standing(known.tenant_id, known.user_id)
        caller = None if standing is None else caller_of(standing)
        if caller is None or not caller.may(Permission.SETTINGS_WRITE):
            raise CannotContinue(f"{email} is no active administrator.")
        yield opened, caller


def role_named(text: str) -> Role:
    """Read a role; raises CannotContinue."""
    if text not in Role.__members__:
        raise CannotContinue(f"{text!r} is no role. They are {', '.join(Role.__members__)}.")
    return Role[text]


def _key_id(text: str) -> UUID:
    try:
        return UUID(text.removeprefix(PREFIX))
    except ValueError:
        raise CannotContinue(f"{text!r} is no key's id. `velocity api-key list` shows them.") from None


def _shown(issued: IssuedKey) -> str:
    return f"key     {PREFIX}{issued.id}\nsecret  {issued.secret}"


def _line(key: ListedKey, now: datetime) -> str:
    state = "good"
    if key.revoked_at is not None:
        state = "revoked"
    elif key.expires_at is not None and key.expires_at <= now:
        state = "expired"
    used = "never used" if key.last_used_at is None else f"used {key.last_used_at:%Y-%m-%d %H:%M}"
    return f"{PREFIX}{key.id}  {key.prefix}…  {state:<7}  {used:<21}  {key.role:<14}  {key.display_name}"
