"""Look-ups that come before there is a caller: who signs in, whose session it is, and how often it failed.

What crosses tenants goes through definer functions that answer ids; the rest is read as the tenant they name.
Attempts belong to no tenant: they are keyed hashes, so the table tells nobody who tried to sign in from where.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from asyncpg import Record
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.errors import answering
from db.reading.reads import Fetch
from domain.access import Attempt, Credentials, Role, SessionFound, Standing, UserStatus
from domain.values import new_id

STANDING: Final = """
select u.id, u.role, u.status, array(
    select distinct other.user_id from team_members mine
    join team_members other on other.tenant_id = mine.tenant_id and other.team_id = mine.team_id
    where mine.tenant_id = u.tenant_id and mine.user_id = u.id
) as team
from users u where u.tenant_id = $1 and u.id = """
OF_USER: Final = STANDING + "$2"
OF_SESSION: Final = STANDING + "(select user_id from sessions where tenant_id = $1 and id = $2 and revoked_at is null)"

COUNTED: Final = text("""
with mine as (
    insert into sign_in_attempts (id, account_hash, address_hash, succeeded, attempted_at)
    values (:id, :account, :address, false, :now)
)
delete from sign_in_attempts where attempted_at < :since
""")
FAILURES: Final = text("""
select account_hash = :account as of_account, address_hash = :address as of_address, attempted_at
from sign_in_attempts a
where (account_hash = :account or address_hash = :address) and id <> :id and attempted_at >= :since and not succeeded
  and not exists (
    select from sign_in_attempts s
    where s.account_hash = a.account_hash and s.succeeded and s.attempted_at >= a.attempted_at
  )
order by attempted_at
""")


class SqlAccounts:
    """The port `Accounts` over PostgreSQL."""

    def __init__(self, pool: Fetch, engine: AsyncEngine, key: bytes, clock: Callable[[], datetime]) -> None:
        """Read through `pool`, count through `engine`; `key` hides whom the attempts were about."""
        self._pool = pool
        self._engine = engine
        self._key = hashlib.sha256(b"sign-in-attempt:" + key).digest()
        self._clock = clock

    async def attempt(self, email: str, address: str, window: timedelta) -> Attempt:
        """Count a try, then look what came before: of many at once, none sees fewer than the limit allows."""
        now, attempt_id = self._clock(), new_id()
        values = {
            "id": attempt_id, "account": self._hidden("account", email), "address": self._hidden("address", address),
            "now": now, "since": now - window,
        }  # fmt: skip
        with answering():
            async with self._engine.begin() as connection:
                await connection.execute(COUNTED, values)
            async with self._engine.connect() as connection:
                rows = (await connection.execute(FAILURES, values)).all()
        return Attempt(
            attempt_id,
            tuple(row.attempted_at for row in rows if row.of_account),
            tuple(row.attempted_at for row in rows if row.of_address),
        )

    async def withdraw(self, attempt: Attempt) -> None:
        """Uncount a try that was refused unread."""
        with answering():
            async with self._engine.begin() as connection:
                await connection.execute(text("delete from sign_in_attempts where id = :id"), {"id": attempt.id})

    async def forgive(self, attempt: Attempt) -> None:
        """Turn a try into a success, which ends the account's row of failures."""
        statement = text("update sign_in_attempts set succeeded = true where id = :id")
        with answering():
            async with self._engine.begin() as connection:
                await connection.execute(statement, {"id": attempt.id})

    async def find(self, email: str) -> Credentials | None:
        """Return what is stored under a normalised e-mail address."""
        rows = await self._pool.fetch(None, "select tenant_id, user_id, password_hash from sign_in_user($1)", email)
        return Credentials(*rows[0]) if rows else None

    async def standing(self, tenant_id: UUID, user_id: UUID) -> Standing | None:
        """Return what a user is now."""
        return _standing(tenant_id, await self._pool.fetch(tenant_id, OF_USER, tenant_id, user_id))

    async def standing_in(self, tenant_id: UUID, session_id: UUID) -> Standing | None:
        """Return what the user of a session is now; None once the session has ended."""
        return _standing(tenant_id, await self._pool.fetch(tenant_id, OF_SESSION, tenant_id, session_id))

    async def session_of(self, token_hash: bytes) -> SessionFound | None:
        """Return where a refresh token belongs, used or not."""
        rows = await self._pool.fetch(
            None, "select tenant_id, session_id, token_id from refresh_session($1)", token_hash
        )
        return SessionFound(*rows[0]) if rows else None

    def _hidden(self, kind: str, value: str) -> bytes:
        return hmac.digest(self._key, f"{kind}:{value}".encode("utf-8", "replace"), "sha256")


def _standing(tenant_id: UUID, rows: list[Record]) -> Standing | None:
    if not rows:
        return None
    [row] = rows
    return Standing(tenant_id, row["id"], Role[row["role"]], UserStatus[row["status"]], tuple(row["team"]))
