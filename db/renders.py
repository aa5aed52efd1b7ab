"""How renders are stored: which files are a job's results. The files themselves are assets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import Index, Row, UniqueConstraint, delete, insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.assets.sweeping import swept
from db.assets.tables import assets
from db.engine import transaction
from db.errors import answering
from db.tables import belongs_to, created_at, prose, reference, tenant_link_table, whole
from domain.access import Actor
from domain.assets import LONGEST_KEY
from domain.errors import NotFound
from domain.renders import Asset

if TYPE_CHECKING:
    from db.unit import SqlUnit

render_outputs = tenant_link_table(
    "render_outputs",
    reference("job_id"),
    whole("position", least=1, nullable=False),
    reference("asset_id"),
    whole("attempt", least=1, nullable=False),
    created_at(),
    belongs_to("job_id", "jobs"),
    belongs_to("asset_id", "assets"),
    UniqueConstraint("tenant_id", "asset_id"),
    key=("job_id", "position"),
)

# What an attempt is about to put into the asset store. Rows go as soon as the files have names, or are swept.
render_files = tenant_link_table(
    "render_files",
    reference("job_id"),
    whole("attempt", least=1, nullable=False),
    prose("object_key", LONGEST_KEY, least=1),
    created_at(),
    belongs_to("job_id", "jobs"),
    # The sweep looks for what is left in whatever tenant.
    Index("ix_render_files_created_at", "created_at"),
    key=("job_id", "attempt", "object_key"),
)

LEFT: Final = text("select tenant_id, job_id, attempt, object_key from left_render_files(:before, :most)")


class SqlRenders:
    """The render store of one unit."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit

    async def add(self, asset: Asset) -> None:
        """Store a file."""
        await self._unit.add(assets, created_at=self._unit.now, **_values(asset))

    async def get(self, asset_id: UUID) -> Asset:
        """Return a file, whoever may see it; raises NotFound."""
        row = (
            (
                await self._unit.connection.execute(
                    select(assets).where(assets.c.tenant_id == self._unit.caller.tenant_id, assets.c.id == asset_id)
                )
            )
            .mappings()
            .one_or_none()
        )
        if row is None:
            raise NotFound
        return Asset(
            id=row["id"],
            object_key=row["object_key"],
            thumbnail_key=row["thumbnail_key"],
            content_type=row["content_type"],
            bytes=row["bytes"],
            width=row["width"],
            height=row["height"],
            created_by=Actor(row["created_by_noun"], row["created_by_id"]),
        )

    async def set_thumbnail(self, asset_id: UUID, thumbnail_key: str) -> None:
        """Store where the small picture of a file is."""
        await self._unit.change(assets, asset_id, thumbnail_key=thumbnail_key)

    async def has_outputs(self, job_id: UUID) -> bool:
        """Whether a job's results are kept already."""
        found = await self._unit.connection.execute(
            select(render_outputs.c.position)
            .where(render_outputs.c.tenant_id == self._unit.caller.tenant_id, render_outputs.c.job_id == job_id)
            .limit(1)
        )
        return found.one_or_none() is not None

    async def announce(self, job_id: UUID, attempt: int, object_keys: Sequence[str]) -> None:
        """Store what an attempt is about to put into the asset store."""
        of = {"tenant_id": self._unit.caller.tenant_id, "job_id": job_id, "attempt": attempt}
        await self._unit.connection.execute(
            insert(render_files),
            [{**of, "object_key": key, "created_at": self._unit.now} for key in object_keys],
        )

    async def add_outputs(self, job_id: UUID, attempt: int, files: Sequence[Asset]) -> None:
        """Store the results of an attempt, in their order; what it announced is announced no more."""
        tenant, now = self._unit.caller.tenant_id, self._unit.now
        await self._unit.connection.execute(
            delete(render_files).where(
                render_files.c.tenant_id == tenant, render_files.c.job_id == job_id, render_files.c.attempt == attempt
            )
        )
        for file in files:
            await self.add(file)
        await self._unit.connection.execute(
            insert(render_outputs),
            [
                {
                    "tenant_id": tenant, "job_id": job_id, "position": position, "asset_id": file.id,
                    "attempt": attempt, "created_at": now,
                }
                for position, file in enumerate(files, start=1)
            ],
        )  # fmt: skip


class SqlLeftFiles:
    """The port `LeftFiles` over PostgreSQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Read and write through `engine`."""
        self._engine = engine

    async def sweep(self, before: datetime, remove: Callable[[str], Awaitable[None]]) -> int:
        """Remove what is left from before a moment, each object before its row; return how many were announced.

        One that another process is sweeping is left to it.
        """
        return await swept(self._engine, LEFT, before, lambda row: self._sweep(row, remove))

    async def _sweep(self, row: Row[Any], remove: Callable[[str], Awaitable[None]]) -> bool:
        announced = (
            render_files.c.tenant_id == row.tenant_id,
            render_files.c.job_id == row.job_id,
            render_files.c.attempt == row.attempt,
            render_files.c.object_key == row.object_key,
        )
        with answering():
            async with transaction(self._engine, row.tenant_id) as connection:
                locked = await connection.execute(
                    select(render_files.c.object_key).where(*announced).with_for_update(skip_locked=True)
                )
                if locked.one_or_none() is None:
                    return False
                await remove(row.object_key)
                await connection.execute(delete(render_files).where(*announced))
        return True


def _values(asset: Asset) -> dict[str, object]:
    return {
        "id": asset.id, "object_key": asset.object_key, "thumbnail_key": asset.thumbnail_key,
        "content_type": asset.content_type, "bytes": asset.bytes, "width": asset.width, "height": asset.height,
        "created_by_noun": asset.created_by.noun, "created_by_id": asset.created_by.id,
    }  # fmt: skip
