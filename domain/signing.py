"""Signatures over what clients carry and bring back: HMAC-SHA256 (RFC 2104), one key per purpose.

PostgreSQL signs with the same keys, by two `sha256` calls over their padded halves: see `db.reading.signing`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.errors import Invalid

BLOCK: Final = 64
ASSET_SIGNATURE: Final = 16
"""Bytes of a signature in the address of an asset."""
CURSOR_SIGNATURE: Final = 12
"""Bytes of a signature in a cursor."""
UPLOAD: Final = "PUT"
"""What sets addresses of uploads apart from those of assets."""
LONGEST_MOMENT: Final = 12
"""Digits of the latest second that an address may name."""


class SigningKey:
    """A key for one purpose, padded for both executions. What earlier secrets signed is still ours."""

    def __init__(self, secret: bytes, purpose: str, *earlier: bytes) -> None:
        """Derive the key from the installation's secret, which signs, and from those before it."""
        self._key = hashlib.sha256(f"{purpose}:".encode() + secret).digest()
        padded = self._key.ljust(BLOCK, b"\0")
        self.inner: Final = bytes(byte ^ 0x36 for byte in padded)
        self.outer: Final = bytes(byte ^ 0x5C for byte in padded)

        self._earlier: Final = tuple(SigningKey(each, purpose) for each in earlier)

    def sign(self, message: bytes, length: int) -> bytes:
        """Return the first `length` bytes of a message's HMAC."""
        return hmac.new(self._key, message, hashlib.sha256).digest()[:length]

    def signed(self, message: bytes, signature: bytes, length: int) -> bool:
        """Whether this or an earlier key made a signature of `length` bytes."""
        keys = (self, *self._earlier)
        return any(hmac.compare_digest(key.sign(message, length), signature) for key in keys)


class EventKey(SigningKey):
    """Signs positions in a tenant's event sequence: base64 of `["event",<number>]` and 12 bytes of signature."""

    def __init__(self, secret: bytes, *earlier: bytes) -> None:
        """Derive the key from the installation's secrets, newest first."""
        super().__init__(secret, "event", *earlier)

    def cursor(self, tenant_id: UUID, position: int) -> str:
        """Return the cursor of a position, as PostgreSQL makes it too."""
        text = b'["event",%d]' % position
        signed = self.sign(str(tenant_id).encode() + text, CURSOR_SIGNATURE)
        return base64.b64encode(text + signed).decode()

    def position(self, tenant_id: UUID, cursor: str, field: str) -> int:
        """Read a client's cursor; raises Invalid when it is not one of ours for this tenant."""
        try:
            raw = base64.b64decode(cursor.encode("ascii"), validate=True)
        except (binascii.Error, UnicodeEncodeError):
            raise Invalid("This cursor is not one of ours.", field=field) from None
        text, given = raw[:-CURSOR_SIGNATURE], raw[-CURSOR_SIGNATURE:]
        if not self.signed(str(tenant_id).encode() + text, given, CURSOR_SIGNATURE):
            raise Invalid("This cursor is not one of ours.", field=field)
        return int(text.removeprefix(b'["event",').removesuffix(b"]"))


class AssetKey(SigningKey):
    """Signs addresses of assets: `/assets/<object key>?expires=<second>&signature=<hex>`.

    Whoever holds such an address may fetch the asset until it expires, without signing in: browsers load pictures so.
    It expires on a full hour, one to two hours ahead, so that one address serves for an hour and caches can keep it.
    """

    def __init__(self, secret: bytes, *earlier: bytes) -> None:
        """Derive the key from the installation's secrets, newest first."""
        super().__init__(secret, "asset", *earlier)

    def accepts(self, object_key: str, expires: str, signature: str, now: datetime) -> bool:
        """Whether we made this address, and it has not expired. `expires` and `signature` are as the client sent them.

        What is signed is the key and the second as text with a line feed between them; no key holds a line feed.
        """
        return self._made(object_key, expires, signature) and now.timestamp() < int(expires)

    def signed_upload(self, tenant_id: UUID, upload_id: UUID, expires: str, signature: str) -> bool:
        """Whether we made this address of an upload; it may have expired.

        What is signed begins with a line of its own, so that no address to fetch from is one to send to.
        """
        return self._made(f"{UPLOAD}\n{tenant_id}/{upload_id}", expires, signature)

    def _made(self, what: str, expires: str, signature: str) -> bool:
        if not (expires.isascii() and expires.isdigit() and len(expires) <= LONGEST_MOMENT):
            return False
        try:
            given = bytes.fromhex(signature)
        except ValueError:
            return False
        return self.signed(f"{what}\n{expires}".encode(), given, ASSET_SIGNATURE)
