"""Signatures over what clients carry and bring back: HMAC-SHA256 (RFC 2104), one key per purpose.

PostgreSQL signs with the same keys, by two `sha256` calls over their padded halves: see `db.reading.signing`.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import Final

BLOCK: Final = 64
ASSET_SIGNATURE: Final = 16
"""Bytes of a signature in the address of an asset."""
LONGEST_MOMENT: Final = 12
"""Digits of the latest second that an address may name."""


class SigningKey:
    """A key for one purpose, padded for both executions."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        """Derive the key from the installation's secret."""
        self._key = hashlib.sha256(f"{purpose}:".encode() + secret).digest()
        padded = self._key.ljust(BLOCK, b"\0")
        self.inner: Final = bytes(byte ^ 0x36 for byte in padded)
        self.outer: Final = bytes(byte ^ 0x5C for byte in padded)

    def sign(self, message: bytes, length: int) -> bytes:
        """Return the first `length` bytes of a message's HMAC."""
        return hmac.new(self._key, message, hashlib.sha256).digest()[:length]


class EventKey(SigningKey):
    """Signs positions in a tenant's event sequence."""

    def __init__(self, secret: bytes) -> None:
        """Derive the key from the installation's secret."""
        super().__init__(secret, "event")


class AssetKey(SigningKey):
    """Signs addresses of assets: `/assets/<object key>?expires=<second>&signature=<hex>`.

    Whoever holds such an address may fetch the asset until it expires, without signing in: browsers load pictures so.
    It expires on a full hour, one to two hours ahead, so that one address serves for an hour and caches can keep it.
    """

    def __init__(self, secret: bytes) -> None:
        """Derive the key from the installation's secret."""
        super().__init__(secret, "asset")

    def accepts(self, object_key: str, expires: str, signature: str, now: datetime) -> bool:
        """Whether we made this address, and it has not expired. `expires` and `signature` are as the client sent them.

        What is signed is the key and the second as text with a line feed between them; no key holds a line feed.
        """
        if not (expires.isascii() and expires.isdigit() and len(expires) <= LONGEST_MOMENT and signature.isascii()):
            return False
        ours = self.sign(f"{object_key}\n{expires}".encode(), ASSET_SIGNATURE).hex()
        return hmac.compare_digest(ours, signature) and now.timestamp() < int(expires)
