"""The edge of signing in and out: the only use cases that anybody may call."""

from __future__ import annotations

from domain import access
from domain.access import Caller, Login, SessionRefresh, SessionRevoke, SignedIn
from resolvers.context import Context
from resolvers.guard import public


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
