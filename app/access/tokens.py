"""Access tokens: JWTs signed with the newest of the installation's keys and verified with any of them.

The keys are words, newest first: from the environment, or a line each in a file of the data folder. A rotation puts a
new one in front and keeps the one before it, so that what it signed stays good until it expires.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey

from domain.access import Caller, Claims, TokenInvalid
from domain.values import new_id

ALGORITHM: Final = "HS256"
KIND: Final = "at+jwt"
SHORTEST: Final = 32


class WeakKey(ValueError):
    """A signing key has fewer than 32 characters."""


def signing_keys(text: str) -> tuple[str, ...]:
    """Return the keys of a text, newest first; raises WeakKey."""
    keys = tuple(text.split())
    if not keys or any(len(key) < SHORTEST for key in keys):
        raise WeakKey(f"A signing key has at least {SHORTEST} characters; several are separated by spaces or lines.")
    return keys


def rotate(path: Path) -> None:
    """Put a new key in front of the newest one, which goes on verifying; processes sign with it once restarted."""
    newest = signing_keys(path.read_text(encoding="utf-8"))[0]
    replacement = path.with_suffix(".new")
    handle = os.open(replacement, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{secrets.token_urlsafe(SHORTEST)}\n{newest}\n")
    replacement.replace(path)


class JwtTokens:
    """The port `Tokens`."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        """Sign with the first of `keys`, verify with all."""
        self._newest: Final = _key(keys[0])
        self._all: Final = KeySet([_key(word) for word in keys])

    def sign(self, caller: Caller, session_id: UUID, now: datetime, lifetime: timedelta) -> str:
        """Return a token that says who its bearer is."""
        claims = {
            "sub": str(caller.user_id),
            "tid": str(caller.tenant_id),
            "sid": str(session_id),
            "role": caller.role.name,
            "iat": int(now.timestamp()),
            "exp": int((now + lifetime).timestamp()),
            "jti": str(new_id()),
        }
        return jwt.encode({"alg": ALGORITHM, "kid": self._newest.kid, "typ": KIND}, claims, self._newest)

    def verify(self, token: str) -> Claims:
        """Return what a token says; raises TokenInvalid."""
        try:
            decoded = jwt.decode(token, self._all, algorithms=[ALGORITHM])
            claims = decoded.claims
            if decoded.header.get("typ") != KIND:
                raise TokenInvalid
            return Claims(
                tenant_id=UUID(claims["tid"]),
                user_id=UUID(claims["sub"]),
                session_id=UUID(claims["sid"]),
                expires_at=datetime.fromtimestamp(claims["exp"], UTC),
            )
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            raise TokenInvalid from None


def _key(word: str) -> OctKey:
    """Make a key that is used for nothing but tokens; its `kid` tells nothing about it."""
    secret = hashlib.sha256(b"access-token:" + word.encode()).digest()
    return OctKey.import_key(secret, {"kid": hashlib.sha256(secret).hexdigest()[:16], "alg": ALGORITHM, "use": "sig"})
