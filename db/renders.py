"""How renders are stored: which files are a job's results. The files themselves are assets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import UniqueConstraint, insert, select

from db.assets.tables import assets
from db.tables import belongs_to, created_at, reference, tenant_link_table, whole
from domain.access import Actor
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

    async def add_outputs(self, job_id: UUID, attempt: int, files: Sequence[Asset]) -> None:
        """Store the results of an attempt, in their order."""
        tenant, now = self._unit.caller.tenant_id, self._unit.now
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


def _values(asset: Asset) -> dict[str, object]:
    return {
        "id": asset.id, "object_key": asset.object_key, "thumbnail_key": asset.thumbnail_key,
        "content_type": asset.content_type, "bytes": asset.bytes, "width": asset.width, "height": asset.height,
        "created_by_noun": asset.created_by.noun, "created_by_id": asset.created_by.id,
    }  # fmt: skip
