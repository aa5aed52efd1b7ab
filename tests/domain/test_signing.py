"""Addresses of assets: what we made is accepted until it expires, and nothing else is."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.signing import AssetKey, SigningKey

KEY = AssetKey(b"secret")
EXPIRES = "1795258800"
BEFORE, AFTER = datetime.fromtimestamp(1795258799, UTC), datetime.fromtimestamp(1795258800, UTC)
SIGNATURE = KEY.sign(b"a/b.jpg\n" + EXPIRES.encode(), 16).hex()


def test_what_we_signed_is_accepted_until_it_expires() -> None:
    assert KEY.accepts("a/b.jpg", EXPIRES, SIGNATURE, BEFORE)
    assert not KEY.accepts("a/b.jpg", EXPIRES, SIGNATURE, AFTER)


@pytest.mark.parametrize(
    ("object_key", "expires", "signature"),
    [
        ("a/c.jpg", EXPIRES, SIGNATURE),
        ("a/b.jpg", "1795258801", SIGNATURE),
        ("a/b.jpg", " 1795258800", SIGNATURE),
        ("a/b.jpg", "١٧٩٥٢٥٨٨٠٠", SIGNATURE),
        ("a/b.jpg", "9" * 13, SIGNATURE),
        ("a/b.jpg", "", SIGNATURE),
        ("a/b.jpg", EXPIRES, ""),
        ("a/b.jpg", EXPIRES, SIGNATURE[:-1] + "g"),
        ("a/b.jpg", EXPIRES, "é" * 32),
    ],
)
def test_anything_else_is_refused(object_key: str, expires: str, signature: str) -> None:
    assert not KEY.accepts(object_key, expires, signature, BEFORE)


def test_an_address_to_send_to_is_none_to_fetch_from() -> None:
    tenant, upload = UUID(int=1), UUID(int=2)
    signature = KEY.sign(f"PUT\n{tenant}/{upload}\n{EXPIRES}".encode(), 16).hex()

    assert KEY.signed_upload(tenant, upload, EXPIRES, signature)
    assert not KEY.signed_upload(upload, tenant, EXPIRES, signature)
    assert not KEY.signed_upload(tenant, upload, "1795258801", signature)
    assert not KEY.accepts(f"{tenant}/{upload}", EXPIRES, signature, BEFORE)
    fetching = KEY.sign(f"{tenant}/{upload}\n{EXPIRES}".encode(), 16).hex()
    assert not KEY.signed_upload(tenant, upload, EXPIRES, fetching)


def test_another_secret_and_another_purpose_sign_otherwise() -> None:
    signed = {key.sign(b"x", 16) for key in (KEY, AssetKey(b"other"), SigningKey(b"secret", "cursor"))}

    assert len(signed) == 3


def test_what_an_earlier_secret_signed_is_still_ours() -> None:
    rotated = AssetKey(b"newer", b"secret")
    assert rotated.accepts("a/b.jpg", EXPIRES, SIGNATURE, BEFORE)
    assert rotated.sign(b"x", 16) == AssetKey(b"newer").sign(b"x", 16)
    assert not AssetKey(b"newest", b"newer").accepts("a/b.jpg", EXPIRES, SIGNATURE, BEFORE)


@pytest.mark.parametrize("length", [0, 1, 15, 17])
def test_a_part_of_a_signature_is_none(length: int) -> None:
    assert not KEY.signed(b"x", KEY.sign(b"x", 32)[:length], 16)
    assert KEY.signed(b"x", KEY.sign(b"x", 32)[:16], 16)
