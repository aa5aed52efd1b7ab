"""Signing in and out, and staying signed in."""

from __future__ import annotations

import strawberry

from domain import access as domain
from graph.access.types import User
from graph.context import Info
from graph.declaration import column, link, paid, payload, root
from graph.inputs import argument, unpacked
from graph.mutations import mutation
from graph.scalars import DateTime
from resolvers import access as resolve


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


@root
class AccessMutation:
    """Mutations of access."""

    @mutation("Sign in. The answer never says which part was wrong; too many failures have to wait.")
    async def login(self, info: Info, input: LoginInput) -> LoginPayload:
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
    async def session_refresh(self, info: Info, input: SessionRefreshInput) -> SessionRefreshPayload:
        """Go on."""
        refreshed = await resolve.session_refresh(info.context, unpacked(input, domain.SessionRefresh))
        return paid(
            SessionRefreshPayload,
            access_token=refreshed.access_token,
            refresh_token=refreshed.refresh_token,
            access_token_expires_at=refreshed.access_token_expires_at,
        )

    @mutation("Sign out: the refresh tokens of the session and the access tokens made from them end.")
    async def session_revoke(self, info: Info, input: SessionRevokeInput) -> SessionRevokePayload:
        """Sign out."""
        left = await resolve.session_revoke(info.context, unpacked(input, domain.SessionRevoke))
        return paid(SessionRevokePayload, viewer=left.user_id)
