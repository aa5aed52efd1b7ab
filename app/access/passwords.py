"""Argon2id, in threads of its own: the event loop never waits, and a flood of sign-ins takes bounded memory."""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError


class Argon2Passwords:
    """The port `Passwords`; each of its threads needs the hasher's memory, 64 MiB by default."""

    def __init__(self, hasher: PasswordHasher | None = None, *, threads: int = 2) -> None:
        """Hash with `hasher`, with RFC 9106's low-memory settings by default."""
        self._hasher = hasher or PasswordHasher()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """Return a new hash with its settings and its salt."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._hasher.hash, password)

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether the password is the hash's; an account without one takes as long, against a decoy."""
        if self._decoy is None:
            # For whoever comes first, or the first stranger would wait longer than others.
            self._decoy = await self.hash(secrets.token_urlsafe())
        return await self._matches(password, password_hash or self._decoy) and password_hash is not None

    async def replacement(self, password: str, password_hash: str) -> str | None:
        """Return a new hash for a password whose stored one was made with weaker settings."""
        return await self.hash(password) if self._hasher.check_needs_rehash(password_hash) else None

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _matches(self, password: str, password_hash: str) -> bool:
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, self._matches_now, password, password_hash
        )

    def _matches_now(self, password: str, password_hash: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
