"""Which object store this installation uses, and what an operator set about uploads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from app.outside.disk import DiskStore
from app.settings import Settings
from domain.assets import ObjectStore, UploadPurpose, UploadRules


@asynccontextmanager
async def object_store(settings: Settings) -> AsyncIterator[ObjectStore]:
    """Open the store and close it afterwards. What it lacks is said when it is used."""
    if settings.asset_store == "disk":
        yield DiskStore(settings.assets)
        return
    from app.outside.s3 import S3Store  # noqa: PLC0415 -- Amazon's tools are large, and most installations use a disk.

    store = S3Store(settings.asset_bucket, endpoint=settings.asset_endpoint, region=settings.asset_region)
    try:
        yield store
    finally:
        await store.close()


def upload_rules(settings: Settings) -> UploadRules:
    """Return the rules of uploads as they are set."""
    return UploadRules(
        lifetime=timedelta(seconds=settings.upload_seconds),
        most_bytes={
            UploadPurpose.AVATAR: settings.upload_avatar_bytes,
            UploadPurpose.PROPERTY_MEDIA: settings.upload_property_media_bytes,
            UploadPurpose.ROOM_PHOTO: settings.upload_room_photo_bytes,
            UploadPurpose.SCENE_MAP: settings.upload_scene_map_bytes,
        },
    )
