"""Uploads where nobody is signed in: bytes that arrive at an address, and the sweep over every tenant.

The sweep learns from a definer function which uploads have expired; each is then removed as its own tenant.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.assets.store import upload_of
from db.assets.sweeping import swept
from db.assets.tables import uploads
from db.engine import transaction
from db.errors import answering
from domain.assets import Content, Upload, UploadState

EXPIRED: Final = text("select tenant_id, upload_id from expired_uploads(:before, :most)")


class SqlReceipts:
    """The port `Receipts` over PostgreSQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Read and write through `engine`."""
        self._engine = engine

    async def find(self, tenant_id: UUID, upload_id: UUID) -> Upload | None:
        """Return an upload of whatever caller."""
        async with self._as(tenant_id) as connection:
            result = await connection.execute(
                select(uploads).where(uploads.c.tenant_id == tenant_id, uploads.c.id == upload_id)
            )
            row = result.mappings().one_or_none()
        return None if row is None else upload_of(row)

    async def claim(self, upload: Upload, digest: bytes) -> bool:
        """Bind an upload to the SHA-256 of its bytes; False where it is bound to another or is gone."""
        async with self._as(upload.tenant_id) as connection:
            result = await connection.execute(
                update(uploads)
                .where(
                    uploads.c.tenant_id == upload.tenant_id,
                    uploads.c.id == upload.id,
                    uploads.c.digest.is_(None) | (uploads.c.digest == digest),
                )
                .values(digest=digest)
            )
        return result.rowcount == 1

    async def settle(self, upload: Upload, kept: Content, now: datetime) -> bool:
        """Store that the bytes have arrived; False where the upload is gone."""
        async with self._as(upload.tenant_id) as connection:
            held = uploads.c.tenant_id == upload.tenant_id, uploads.c.id == upload.id
            await connection.execute(
                update(uploads)
                .where(*held, uploads.c.state == UploadState.ANNOUNCED.name)
                .values(
                    state=UploadState.STORED.name, stored_at=now, stored_bytes=len(kept.content), width=kept.width,
                    height=kept.height,
                )
            )  # fmt: skip
            return (await connection.execute(select(uploads.c.id).where(*held))).one_or_none() is not None

    async def sweep(self, before: datetime, remove: Callable[[str], Awaitable[None]]) -> int:
        """Remove what expired before a moment unconsumed, each object before its row; return how many.

        One that another process is sweeping is left to it.
        """
        return await swept(
            self._engine, EXPIRED, before, lambda row: self._sweep(row.tenant_id, row.upload_id, before, remove)
        )

    async def _sweep(
        self, tenant_id: UUID, upload_id: UUID, before: datetime, remove: Callable[[str], Awaitable[None]]
    ) -> bool:
        expired = (
            uploads.c.tenant_id == tenant_id,
            uploads.c.id == upload_id,
            uploads.c.state != UploadState.CONSUMED.name,
            uploads.c.expires_at < before,
        )
        async with self._as(tenant_id) as connection:
            result = await connection.execute(
                select(uploads.c.object_key).where(*expired).with_for_update(skip_locked=True)
            )
            object_key = result.scalar_one_or_none()
            if object_key is None:
                return False
            await remove(object_key)
            await connection.execute(delete(uploads).where(*expired))
        return True

    @asynccontextmanager
    async def _as(self, tenant_id: UUID) -> AsyncIterator[AsyncConnection]:
        """Open a transaction of one tenant; what happens in it is translated as in a unit."""
        with answering():
            async with transaction(self._engine, tenant_id) as connection:
                yield connection
