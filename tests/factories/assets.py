"""Uploads, and pictures to upload."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from uuid import UUID

from asyncpg import Connection, Record
from PIL import Image, TiffImagePlugin

from domain.values import new_id
from tests.factories.access import Tenant
from tests.factories.rows import insert

GPS_INFO = 0x8825


async def upload(owner: "Connection[Record]", of: Tenant, *, user_id: UUID, **values: object) -> UUID:
    """Make a stored upload of a user's: an avatar of ten bytes that expires in an hour, unless told otherwise."""
    upload_id, now = new_id(), datetime.now(UTC)
    values = {
        "purpose": "AVATAR", "content_type": "image/png", "bytes": 10, "stored_bytes": 10, "state": "STORED",
        "object_key": f"uploads/{of.id}/{upload_id}.png", "stored_at": now, "expires_at": now + timedelta(hours=1),
        "created_by_noun": "users", "created_by_id": user_id, "width": 4, "height": 3, **values,
    }  # fmt: skip
    await insert(owner, "uploads", of.id, id=upload_id, **values)
    return upload_id


async def asset(owner: "Connection[Record]", of: Tenant, **values: object) -> UUID:
    """Make a file that is a node of the graph; `created_by_noun` and `created_by_id` say whose."""
    asset_id = new_id()
    given = {
        "object_key": f"renders/{asset_id}.png", "content_type": "image/png", "bytes": 10, "width": 4, "height": 3,
        **values,
    }  # fmt: skip
    await insert(owner, "assets", of.id, id=asset_id, **given)
    return asset_id


async def output(owner: "Connection[Record]", of: Tenant, *, job_id: UUID, position: int = 1, **values: object) -> UUID:
    """Make a result of a render."""
    asset_id = await asset(owner, of, **values)
    await insert(owner, "render_outputs", of.id, job_id=job_id, position=position, asset_id=asset_id, attempt=1)
    return asset_id


def picture(format_: str = "JPEG", size: tuple[int, int] = (40, 30), **options: object) -> bytes:
    """A picture whose left half is red and whose right half is blue."""
    image = Image.new("RGB", size, (200, 30, 30))
    image.paste((30, 30, 200), (size[0] // 2, 0, size[0], size[1]))
    file = BytesIO()
    image.save(file, format_, **options)
    return file.getvalue()


def telling_exif(orientation: int = 1) -> bytes:
    """EXIF as a telephone writes it: who owns it, when, how it was held, and where it stood."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x013B] = "Asha Rao"
    exif[0x9003] = "2026:11:02 09:00:00"
    degrees = TiffImagePlugin.IFDRational
    north = degrees(19), degrees(4), degrees(33)
    east = degrees(72), degrees(52), degrees(39)
    exif[GPS_INFO] = {1: "N", 2: north, 3: "E", 4: east}
    return exif.tobytes()
