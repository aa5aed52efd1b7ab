"""Keyset cursors, signed: PostgreSQL makes them for the rows whose cursor is wanted, Python reads them back.

A cursor is base64 of `["noun","ORDER",value,"id"]` and the first 12 bytes of its HMAC-SHA256 (RFC 2104) over tenant and
text. In SQL the HMAC is two `sha256` calls over padded keys that are bound as parameters.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from uuid import UUID

from db.reading.signing import signature
from db.reading.source import Ordering
from db.reading.writer import Alias, Writer
from domain.errors import Invalid
from domain.signing import CURSOR_SIGNATURE, SigningKey


class CursorKey(SigningKey):
    """The key that signs cursors."""

    def __init__(self, secret: bytes, *earlier: bytes) -> None:
        """Derive the key from the installation's secrets, newest first."""
        super().__init__(secret, "cursor", *earlier)


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
    return signed_text(w, key, text)


def signed_text(w: Writer, key: SigningKey, text: str) -> str:
    """Write base64 of a text expression with its signature for the caller's tenant."""
    bytes_ = f"convert_to({text}, 'UTF8')"
    signed = signature(w, key, f"convert_to({w.tenant}::text, 'UTF8') || {bytes_}", CURSOR_SIGNATURE)
    return f"translate(encode({bytes_} || {signed}, 'base64'), E'\\n', '')"


def read(key: CursorKey, tenant_id: UUID, sort: Sort, cursor: str, field: str) -> Position:
    """Read a client's cursor; raises Invalid when it was changed, or made by another list or order."""
    made_by, made_for, value, row_id = _verified(key, tenant_id, cursor, field)
    if (made_by, made_for) != (sort.noun, sort.order):
        raise Invalid(f"This cursor belongs to {made_by} ordered by {made_for}.", field=field)
    return Position(value, UUID(row_id))


def _verified(key: SigningKey, tenant_id: UUID, cursor: str, field: str) -> list[str]:
    try:
        raw = base64.b64decode(cursor.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise Invalid("This cursor is not one of ours.", field=field) from None
    text, given = raw[:-CURSOR_SIGNATURE], raw[-CURSOR_SIGNATURE:]
    if not key.signed(str(tenant_id).encode() + text, given, CURSOR_SIGNATURE):
        raise Invalid("This cursor is not one of ours.", field=field)
    parts: list[str] = json.loads(text)
    return parts
