"""The object store: one suite for both adapters, and what each says when it cannot be reached."""

import asyncio
import os
import socket
from pathlib import Path

import pytest

from app.assets.objects import object_store, upload_rules
from app.outside.disk import PIECE, DiskStore
from app.outside.s3 import S3Store
from app.settings import Settings
from domain.assets import ObjectStore, UploadPurpose
from domain.errors import Unavailable
from tests.buckets import CREDENTIALS, BucketServer

LONG = os.urandom(3 * PIECE + 17)


async def content(store: ObjectStore, key: str, first: int, last: int) -> bytes:
    return b"".join([piece async for piece in store.read(key, first, last)])


async def test_what_is_put_is_read(store: ObjectStore) -> None:
    await store.put("uploads/a/b.jpg", LONG, "image/jpeg")
    assert await store.size("uploads/a/b.jpg") == len(LONG)
    assert await content(store, "uploads/a/b.jpg", 0, len(LONG) - 1) == LONG


@pytest.mark.parametrize(
    ("first", "last"), [(0, 0), (5, 5), (PIECE - 1, PIECE), (1, len(LONG) - 2), (len(LONG) - 1, len(LONG) - 1)]
)
async def test_a_part_is_read_alone(store: ObjectStore, first: int, last: int) -> None:
    await store.put("part.bin", LONG, "application/octet-stream")
    assert await content(store, "part.bin", first, last) == LONG[first : last + 1]


async def test_an_object_is_there_or_not(store: ObjectStore) -> None:
    assert await store.size("missing/one.png") is None
    await store.put("missing/one.png", b"now", "image/png")
    assert await store.size("missing/one.png") == 3
    assert await store.size("missing") is None
    await store.delete("missing/one.png")
    await store.delete("missing/one.png")
    assert await store.size("missing/one.png") is None


async def test_the_same_again_is_the_same(store: ObjectStore) -> None:
    await asyncio.gather(*(store.put("same/one.csv", LONG, "text/csv") for _ in range(5)))
    assert await content(store, "same/one.csv", 0, len(LONG) - 1) == LONG


@pytest.mark.parametrize(
    "key", ["../private", "/etc/passwd", "a//b", "a/../b", "a/./b", ".hidden", "a/.b", "a\0b", "a\nb", "", "a/", "é"]
)
async def test_what_is_no_key_reaches_no_store(store: ObjectStore, key: str) -> None:
    for ask in (store.put(key, b"x", "text/csv"), store.size(key), store.delete(key), content(store, key, 0, 0)):
        with pytest.raises(ValueError, match="no key"):
            await ask


async def test_nothing_of_a_failed_write_stays(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "taken.png").mkdir()
    store = DiskStore(tmp_path / "assets")
    with pytest.raises(Unavailable, match="The asset folder cannot be written: Is a directory"):
        await store.put("taken.png", b"x", "image/png")
    assert [path.name for path in (tmp_path / "assets").rglob("*")] == ["taken.png"]


async def test_a_bucket_that_is_not_named_is_said(tmp_path: Path) -> None:
    async with object_store(Settings(data_dir=tmp_path, asset_store="s3")) as store:
        message = "The asset store is s3, and VELOCITY_ASSET_BUCKET names no bucket."
        with pytest.raises(Unavailable) as checked:
            store.check()
        with pytest.raises(Unavailable) as used:
            await store.put("a.png", b"x", "image/png")
    assert (checked.value.message, used.value.message) == (message, message)


async def test_a_store_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    store = S3Store("any", endpoint=f"http://127.0.0.1:{port}", region="us-east-1")
    for ask in (store.size("a.png"), store.put("a.png", b"x", "image/png"), content(store, "a.png", 0, 0)):
        with pytest.raises(Unavailable) as unreachable:
            await ask
        assert unreachable.value.message == "The asset store does not answer (EndpointConnectionError)."
    await store.close()


async def test_a_bucket_that_is_missing_is_said(buckets: BucketServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    store = S3Store("nobody-made-it", endpoint=buckets.endpoint, region="us-east-1")
    with pytest.raises(Unavailable) as missing:
        await store.put("a.png", b"x", "image/png")
    assert missing.value.message == "The asset store's bucket nobody-made-it refused: NoSuchBucket."
    await store.close()


async def test_missing_credentials_are_said(
    buckets: BucketServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    store = S3Store("any", endpoint=buckets.endpoint, region="us-east-1")
    with pytest.raises(Unavailable) as missing:
        await store.size("a.png")
    assert missing.value.message == "The asset store has no credentials: set AWS_ACCESS_KEY_ID and its secret."
    await store.close()


def test_the_rules_are_what_was_set() -> None:
    rules = upload_rules(Settings(upload_avatar_bytes=7, upload_seconds=60))
    assert (rules.most_bytes[UploadPurpose.AVATAR], rules.lifetime.total_seconds()) == (7, 60)
    assert set(rules.most_bytes) == set(UploadPurpose)
