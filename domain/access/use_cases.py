"""Signing in and out, and keeping a session alive by tokens that are used once."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from domain.access.roles import Caller
from domain.access.sign_in import (
    Credentials,
    Login,
    SessionEnded,
    SessionFound,
    SessionRefresh,
    SessionRevoke,
    SignedIn,
    SignInPorts,
    SignInRefused,
    SignInThrottled,
    address_group,
    caller_of,
    normalised_email,
    retry_at,
    token_hash,
)
from domain.audit import AuditAction, Change
from domain.values import new_id

if TYPE_CHECKING:
    from domain.unit import Unit, Units

TOKEN_BYTES: Final = 32


async def sign_in(ports: SignInPorts, units: Units, command: Login, address: str) -> SignedIn:
    """Open a session for whoever knows the password.

    Raises SignInThrottled before anything is looked up, and SignInRefused alike for an unknown address, a wrong
    password and a user who is not active.
    """
    email, rules = normalised_email(command.email), ports.rules
    attempt = await ports.accounts.attempt(email, address_group(address), rules.window)
    waits = (
        retry_at(attempt.account_failures, rules.account_failures, rules.window),
        retry_at(attempt.address_failures, rules.address_failures, rules.window),
    )
    if until := max((wait for wait in waits if wait is not None), default=None):
        await ports.accounts.withdraw(attempt)
        whole = until.replace(microsecond=0) + timedelta(seconds=1)
        raise SignInThrottled(f"Too many sign-ins have failed. Try again at {whole.isoformat()}.")
    found = await ports.accounts.find(email)
    genuine = await ports.passwords.verify(command.password, found.password_hash if found else None)
    caller = await _caller(ports, found) if found is not None and genuine else None
    if found is None or caller is None:
        raise SignInRefused
    better = await ports.passwords.replacement(command.password, found.password_hash or "")
    async with units.write(caller) as unit:
        signed_in = await _open(ports, unit, caller)
        if better is not None:
            await unit.access.set_password_hash(caller.as_user(), better, unit.now)
    await ports.accounts.forgive(attempt)
    return signed_in


async def issue_token(ports: SignInPorts, units: Units, email: str, lifetime: timedelta) -> str:
    """Return an access token of a user for whoever runs the installation; raises SignInRefused."""
    found = await ports.accounts.find(normalised_email(email))
    caller = await _caller(ports, found) if found is not None else None
    if caller is None:
        raise SignInRefused("No active user has this e-mail address.")
    session_id = new_id()
    async with units.write(caller) as unit:
        await unit.access.open_session(session_id, caller.as_user(), unit.now)
        _record(unit, AuditAction.SIGN_IN, "UserSignedIn")
        return ports.tokens.sign(caller, session_id, unit.now, lifetime)


async def refresh(ports: SignInPorts, units: Units, command: SessionRefresh) -> SignedIn:
    """Exchange a refresh token for new tokens; raises SessionEnded.

    A token that was used before has been stolen, or its thief came first: either way its session ends.
    """
    found, caller = await _session(ports, command.refresh_token)
    async with units.write(caller) as unit:
        refreshed = await _rotate(ports, unit, caller, found)
    if refreshed is None:
        ports.callers.forget(found.session_id)
        raise SessionEnded
    return refreshed


async def revoke(ports: SignInPorts, units: Units, command: SessionRevoke) -> Caller:
    """End a session with all its tokens and return whose it was; raises SessionEnded."""
    found, caller = await _session(ports, command.refresh_token)
    async with units.write(caller) as unit:
        if not await unit.access.lock_session(found.session_id):
            raise SessionEnded
        await unit.access.end_session(found.session_id, unit.now, reused=False)
        _record(unit, AuditAction.SIGN_OUT, "UserSignedOut")
    ports.callers.forget(found.session_id)
    return caller


async def _caller(ports: SignInPorts, found: Credentials) -> Caller | None:
    standing = await ports.accounts.standing(found.tenant_id, found.user_id)
    return None if standing is None else caller_of(standing)


async def _session(ports: SignInPorts, token: str) -> tuple[SessionFound, Caller]:
    found = await ports.accounts.session_of(token_hash(token))
    standing = await ports.accounts.standing_in(found.tenant_id, found.session_id) if found is not None else None
    caller = caller_of(standing, found.session_id) if standing is not None and found is not None else None
    if found is None or caller is None:
        raise SessionEnded
    return found, caller


async def _open(ports: SignInPorts, unit: Unit, caller: Caller) -> SignedIn:
    session_id = new_id()
    await unit.access.open_session(session_id, caller.as_user(), unit.now)
    _record(unit, AuditAction.SIGN_IN, "UserSignedIn")
    return await _tokens(ports, unit, caller, session_id)


async def _rotate(ports: SignInPorts, unit: Unit, caller: Caller, found: SessionFound) -> SignedIn | None:
    """Spend the token; None ends the session, which has to be committed before it is refused."""
    if not await unit.access.lock_session(found.session_id):
        raise SessionEnded
    token = await unit.access.token(found.token_id)
    if token.used_at is not None:
        await unit.access.end_session(found.session_id, unit.now, reused=True)
        _record(unit, AuditAction.SIGN_OUT, "RefreshTokenReused", "refreshToken")
        return None
    if token.expires_at <= unit.now:
        raise SessionEnded
    await unit.access.spend(found.session_id, token.id, unit.now)
    return await _tokens(ports, unit, caller, found.session_id)


async def _tokens(ports: SignInPorts, unit: Unit, caller: Caller, session_id: UUID) -> SignedIn:
    rules, refresh_token = ports.rules, secrets.token_urlsafe(TOKEN_BYTES)
    await unit.access.add_token(session_id, token_hash(refresh_token), unit.now + rules.refresh_token, unit.now)
    return SignedIn(
        caller=replace(caller, session_id=session_id),
        access_token=ports.tokens.sign(caller, session_id, unit.now, rules.access_token),
        access_token_expires_at=(unit.now + rules.access_token).replace(microsecond=0),
        refresh_token=refresh_token,
    )


def _record(unit: Unit, action: AuditAction, event: str, *fields: str) -> None:
    unit.record(Change(action=action, event=event, noun="users", id=unit.caller.as_user(), fields=fields))
