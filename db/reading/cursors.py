"""Keyset cursors, signed: PostgreSQL makes them for the rows whose cursor is wanted, Python reads them back.

A cursor is base64 of `["noun","ORDER",value,"id"]` and the first 12 bytes of its HMAC-SHA256 (RFC 2104) over tenant and
text. In SQL the HMAC is two `sha256` calls over padded keys that are bound as parameters.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.reading.source import Ordering
from db.reading.writer import Alias, Writer
from domain.errors import Invalid

BLOCK: Final = 64
SIGNATURE: Final = 12


class CursorKey:
    """The key that signs cursors, padded for both executions."""

    def __init__(self, secret: bytes) -> None:
        """Derive a key of its own from the installation's secret."""
        self._key = hashlib.sha256(b"cursor:" + secret).digest()
        padded = self._key.ljust(BLOCK, b"\0")
        self.inner: Final = bytes(byte ^ 0x36 for byte in padded)
        self.outer: Final = bytes(byte ^ 0x5C for byte in padded)

    def sign(self, tenant_id: UUID, text: bytes) -> bytes:
        """Return the signature of a cursor's text for one tenant."""
        return hmac.new(self._key, str(tenant_id).encode() + text, hashlib.sha256).digest()[:SIGNATURE]


@dataclass(frozen=True, slots=True)
class Sort:
    """How a list of a noun is sorted: the order's name, its key, its direction."""

    noun: str
    order: str
    ordering: Ordering
    descending: bool


@dataclass(frozen=True, slots=True)
class Position:
    """A place in an order: the sort value as PostgreSQL printed it, and the id."""

    value: str
    id: UUID


def write(w: Writer, key: CursorKey, sort: Sort, t: Alias) -> str:
    """Write the cursor of row `t` as a text expression."""
    text = f"""concat('["{sort.noun}","{sort.order}",', to_json(({sort.ordering.sql(t)})::text), ',"', {t.id}, '"]')"""
    bytes_ = f"convert_to({text}, 'UTF8')"
    inner = f"sha256({w.bind(key.inner, 'bytea')} || convert_to({w.tenant}::text, 'UTF8') || {bytes_})"
    signature = f"substr(sha256({w.bind(key.outer, 'bytea')} || {inner}), 1, {SIGNATURE})"
    return f"translate(encode({bytes_} || {signature}, 'base64'), E'\\n', '')"


def read(key: CursorKey, tenant_id: UUID, sort: Sort, cursor: str, field: str) -> Position:
    """Read a client's cursor; raises Invalid when it was changed, or made by another list or order."""
    try:
        raw = base64.b64decode(cursor.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise Invalid("This cursor is not one of ours.", field=field) from None
    text, signature = raw[:-SIGNATURE], raw[-SIGNATURE:]
    if not hmac.compare_digest(signature, key.sign(tenant_id, text)):
        raise Invalid("This cursor is not one of ours.", field=field)
    made_by, made_for, value, row_id = json.loads(text)
    if (made_by, made_for) != (sort.noun, sort.order):
        raise Invalid(f"This cursor belongs to {made_by} ordered by {made_for}.", field=field)
    return Position(value, UUID(row_id))
