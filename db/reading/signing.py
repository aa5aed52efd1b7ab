"""Signatures made by PostgreSQL, equal to those that `domain.signing` makes and checks."""

from __future__ import annotations

from db.reading.writer import Alias, Writer
from domain.signing import ASSET_SIGNATURE, UPLOAD, SigningKey

IN_AN_HOUR_OR_TWO = "(floor(extract(epoch from now()) / 3600)::bigint + 2) * 3600"


def signature(w: Writer, key: SigningKey, message: str, length: int) -> str:
    """Write the first `length` bytes of the HMAC of `message`, an expression that yields bytea."""
    inner = f"sha256({w.bind(key.inner, 'bytea')} || {message})"
    return f"substr(sha256({w.bind(key.outer, 'bytea')} || {inner}), 1, {length})"


def asset_address(w: Writer, object_key: str) -> str:
    """Write the signed address of the asset that the expression `object_key` names; it expires on a full hour."""
    message = f"convert_to(concat({object_key}, E'\\n', {IN_AN_HOUR_OR_TWO}), 'UTF8')"
    signed = f"encode({signature(w, w.asset_key, message, ASSET_SIGNATURE)}, 'hex')"
    return f"concat('/assets/', {object_key}, '?expires=', {IN_AN_HOUR_OR_TWO}, '&signature=', {signed})"


def upload_address(w: Writer, t: Alias) -> str:
    """Write the signed address that takes the bytes of the upload `t`, until the upload expires."""
    path = f"concat({t.tenant_id}, '/', {t.id})"
    expires = f"extract(epoch from {t.expires_at})::bigint"
    message = f"convert_to(concat('{UPLOAD}', E'\\n', {path}, E'\\n', {expires}), 'UTF8')"
    signed = f"encode({signature(w, w.asset_key, message, ASSET_SIGNATURE)}, 'hex')"
    return f"concat('/uploads/', {path}, '?expires=', {expires}, '&signature=', {signed})"
