"""The edge of access: signing in and out, which anybody may try, and API keys, which are for administrators."""

from __future__ import annotations

from uuid import UUID

from domain import access
from domain.access import Caller, IssuedKey, Login, Permission, SecretShownOnce, SessionRefresh, SessionRevoke, SignedIn
from domain.unit import Unit
from resolvers.context import Context
from resolvers.guard import allow, public
from resolvers.performing import perform


@public
async def login(context: Context, command: Login) -> SignedIn:
    """Open a session; the rest of the operation is its user's."""
    opened = await access.sign_in(context.sign_in, context.units, command, context.address)
    context.caller_or_none = opened.caller
    return opened


@public
async def session_refresh(context: Context, command: SessionRefresh) -> SignedIn:
    """Go on with a session."""
    return await access.refresh(context.sign_in, context.units, command)


@public
async def session_revoke(context: Context, command: SessionRevoke) -> Caller:
    """End a session; what is left of the operation still knows whose it was."""
    left = await access.revoke(context.sign_in, context.units, command)
    context.caller_or_none = left
    return left


@allow(Permission.SETTINGS_WRITE)
async def api_key_create(context: Context, command: access.ApiKeyCreate, idempotency_key: str | None) -> IssuedKey:
    """Make a key. Nothing keeps its secret, so a request that is sent again makes no second key, but gets no secret."""
    issued = access.issue()

    async def create(unit: Unit, command: access.ApiKeyCreate) -> UUID:
        return await access.create_key(unit, command, issued)

    if await perform(context, create, command, idempotency_key) != issued.id:
        raise SecretShownOnce(field="idempotencyKey")
    return issued


@allow(Permission.SETTINGS_WRITE)
async def api_key_rotate(context: Context, command: access.ApiKeyRotate) -> IssuedKey:
    """Give a key another secret; this process asks again what the one before it is worth."""
    issued = await perform(context, access.rotate_key, command)
    context.sign_in.callers.forget_key(issued.id)
    return issued


@allow(Permission.SETTINGS_WRITE)
async def api_key_revoke(context: Context, command: access.ApiKeyRevoke) -> UUID:
    """End a key, in this process at once."""
    revoked = await perform(context, access.revoke_key, command)
    context.sign_in.callers.forget_key(revoked)
    return revoked
