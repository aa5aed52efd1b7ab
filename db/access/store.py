"""How sessions and their tokens are written."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select, update

from db.access.tables import refresh_tokens, sessions, sign_ins, users
from domain.access import RefreshToken
from domain.errors import NotFound
from domain.values import new_id

if TYPE_CHECKING:
    from db.unit import SqlUnit


class SqlAccess:
    """The access store of one unit."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit

    async def open_session(self, session_id: UUID, user_id: UUID, now: datetime) -> None:
        """Store a session, and that its user was seen."""
        await self._unit.add(sessions, id=session_id, user_id=user_id, created_at=now, last_used_at=now)
        await self._unit.change(users, user_id, last_seen_at=now)

    async def add_token(self, session_id: UUID, hashed: bytes, expires_at: datetime, now: datetime) -> None:
        """Store the hash of a session's next refresh token."""
        await self._unit.add(
            refresh_tokens, id=new_id(), session_id=session_id, token_hash=hashed, created_at=now, expires_at=expires_at
        )

    async def lock_session(self, session_id: UUID) -> bool:
        """Lock a session against others; whether it is still alive."""
        result = await self._unit.connection.execute(
            select(sessions.c.id)
            .where(
                sessions.c.tenant_id == self._unit.caller.tenant_id,
                sessions.c.id == session_id,
                sessions.c.revoked_at.is_(None),
            )
            .with_for_update()
        )
        return result.one_or_none() is not None

    async def token(self, token_id: UUID) -> RefreshToken:
        """Return a refresh token of a locked session; raises NotFound."""
        result = await self._unit.connection.execute(
            select(refresh_tokens.c.id, refresh_tokens.c.expires_at, refresh_tokens.c.used_at).where(
                refresh_tokens.c.tenant_id == self._unit.caller.tenant_id, refresh_tokens.c.id == token_id
            )
        )
        row = result.one_or_none()
        if row is None:
            raise NotFound
        return RefreshToken(row.id, row.expires_at, row.used_at)

    async def spend(self, session_id: UUID, token_id: UUID, now: datetime) -> None:
        """Mark a refresh token as used, and its session and user as alive."""
        await self._unit.change(refresh_tokens, token_id, used_at=now)
        await self._unit.change(sessions, session_id, last_used_at=now)
        await self._unit.change(users, self._unit.caller.as_user(), last_seen_at=now)

    async def end_session(self, session_id: UUID, now: datetime, *, reused: bool) -> None:
        """End a session, and say whether because a token was used twice."""
        await self._unit.change(sessions, session_id, revoked_at=now, reuse_detected_at=now if reused else None)

    async def set_password_hash(self, user_id: UUID, password_hash: str, now: datetime) -> None:
        """Replace a user's password hash."""
        await self._unit.connection.execute(
            update(sign_ins)
            .where(sign_ins.c.tenant_id == self._unit.caller.tenant_id, sign_ins.c.user_id == user_id)
            .values(password_hash=password_hash, updated_at=now)
        )

    async def set_avatar(self, user_id: UUID, object_key: str, now: datetime) -> str | None:
        """Store where a user's picture lies, and return where the one before it lay."""
        result = await self._unit.connection.execute(
            select(users.c.avatar_key)
            .where(users.c.tenant_id == self._unit.caller.tenant_id, users.c.id == user_id)
            .with_for_update()
        )
        replaced: str | None = result.scalar_one()
        await self._unit.change(users, user_id, avatar_key=object_key, updated_at=now)
        return replaced
