"""How uploads are written within a unit."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import RowMapping, func, select, update

from db.assets.source import UPLOADS
from db.assets.tables import uploads
from domain.assets import Upload, UploadPurpose, UploadState
from domain.errors import NotFound

if TYPE_CHECKING:
    from db.unit import SqlUnit


class SqlUploads:
    """The upload store of one unit."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit

    async def add(self, upload: Upload, now: datetime) -> None:
        """Store an announced upload as the caller's."""
        actor = self._unit.caller.actor
        await self._unit.add(
            uploads, id=upload.id, purpose=upload.purpose.name, content_type=upload.content_type,
            bytes=upload.announced, object_key=upload.object_key, state=upload.state.name,
            created_by_noun=actor.noun, created_by_id=actor.id, created_at=now, expires_at=upload.expires_at,
        )  # fmt: skip

    async def count_open(self) -> int:
        """Count the caller's uploads that are not consumed."""
        result = await self._unit.connection.execute(
            select(func.count()).where(
                uploads.c.tenant_id == self._unit.caller.tenant_id,
                uploads.c.created_by_id == self._unit.caller.actor.id,
                uploads.c.state != UploadState.CONSUMED.name,
            )
        )
        count: int = result.scalar_one()
        return count

    async def get_for_update(self, upload_id: UUID) -> Upload:
        """Return an upload of the caller's own and lock it; raises NotFound naming `uploadId`."""
        try:
            return upload_of(await self._unit.visible_row(UPLOADS, upload_id))
        except NotFound:
            raise NotFound(field="uploadId") from None

    async def consume(self, upload_id: UUID, now: datetime) -> None:
        """Store that an upload is in use."""
        await self._unit.change(uploads, upload_id, state=UploadState.CONSUMED.name, consumed_at=now)

    async def release(self, object_key: str, now: datetime) -> None:
        """Let an object that came by an upload be swept."""
        await self._unit.connection.execute(
            update(uploads)
            .where(uploads.c.tenant_id == self._unit.caller.tenant_id, uploads.c.object_key == object_key)
            .values(state=UploadState.STORED.name, consumed_at=None, expires_at=now)
        )


def upload_of(row: RowMapping) -> Upload:
    """Return a row as an upload."""
    return Upload(
        tenant_id=row["tenant_id"],
        id=row["id"],
        purpose=UploadPurpose[row["purpose"]],
        content_type=row["content_type"],
        announced=row["bytes"],
        object_key=row["object_key"],
        state=UploadState[row["state"]],
        expires_at=row["expires_at"],
        digest=row["digest"],
        stored_bytes=row["stored_bytes"],
        width=row["width"],
        height=row["height"],
    )
