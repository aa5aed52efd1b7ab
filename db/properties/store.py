"""How properties are written."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from db.properties.source import PROPERTIES, PROPERTY_MEDIA
from db.properties.tables import projects, properties, property_media
from db.tables import money_values
from domain.errors import NotFound
from domain.properties import (
    Area,
    AreaUnit,
    Property,
    PropertyCreate,
    PropertyMedium,
    StandardStatus,
    given_values,
)
from domain.values import Money

if TYPE_CHECKING:
    from db.unit import SqlUnit

MONEY = ("list_price", "service_charge_per_area")


class SqlProperties:
    """The property store of one unit."""

    def __init__(self, unit: SqlUnit) -> None:
        """Write within `unit`."""
        self._unit = unit

    async def get_for_update(self, property_id: UUID) -> Property:
        """Return a property and lock its row; raises NotFound."""
        row = await self._unit.visible_row(PROPERTIES, property_id)
        size = row["living_area"]
        return Property(
            id=row["id"],
            project_id=row["project_id"],
            standard_status=StandardStatus[row["standard_status"]],
            list_price=Money(row["list_price_amount"], row["list_price_currency"]),
            living_area=None if size is None else Area(size, AreaUnit[row["living_area_units"]]),
            carpet_area=row["carpet_area"],
            archived=row["archived_at"] is not None,
        )

    async def add(self, property_id: UUID, command: PropertyCreate, now: datetime) -> bool:
        """Store a new property; False where another has its listing key."""
        added = await self._unit.connection.execute(
            insert(properties)
            .values(
                tenant_id=self._unit.caller.tenant_id, id=property_id, original_entry_timestamp=now,
                status_change_timestamp=now, created_at=now, updated_at=now, **_columns(given_values(command)),
            )
            .on_conflict_do_nothing(index_elements=["tenant_id", "listing_key"])
        )  # fmt: skip
        return added.rowcount == 1

    async def change(self, property_id: UUID, values: dict[str, object], now: datetime) -> None:
        """Store the values of these fields."""
        await self._unit.change(properties, property_id, updated_at=now, **_columns(values))

    async def archive(self, property_id: UUID, now: datetime) -> None:
        """Store that a property is out of use."""
        await self._unit.change(properties, property_id, archived_at=now, updated_at=now)

    async def count(self, changes: dict[UUID, int]) -> None:
        """Add to the property counts of projects, in the order of their ids so that two units cannot block each other.

        Raises NotFound naming `projectId` for a project that does not exist.
        """
        for project_id, by in sorted(changes.items()):
            counted = await self._unit.connection.execute(
                update(projects)
                .where(projects.c.tenant_id == self._unit.caller.tenant_id, projects.c.id == project_id)
                .values(property_count=projects.c.property_count + by)
            )
            if counted.rowcount != 1:
                raise NotFound(field="projectId")

    async def add_medium(self, medium: PropertyMedium, now: datetime) -> None:
        """Store a file of a locked property, the last one unless its order is given."""
        tenant = self._unit.caller.tenant_id
        following = (
            select(func.coalesce(func.max(property_media.c.order) + 1, 0))
            .where(property_media.c.tenant_id == tenant, property_media.c.property_id == medium.property_id)
            .scalar_subquery()
        )
        await self._unit.add(
            property_media, id=medium.id, property_id=medium.property_id, category=medium.category.name,
            object_key=medium.object_key, content_type=medium.content_type, bytes=medium.bytes, width=medium.width,
            height=medium.height, order=following if medium.order is None else medium.order, created_at=now,
        )  # fmt: skip

    async def remove_medium(self, media_id: UUID) -> tuple[UUID, str]:
        """Remove a file and return its property and object key; raises NotFound naming `mediaId`."""
        try:
            row = await self._unit.visible_row(PROPERTY_MEDIA, media_id)
        except NotFound:
            raise NotFound(field="mediaId") from None
        await self._unit.connection.execute(
            delete(property_media).where(
                property_media.c.tenant_id == self._unit.caller.tenant_id, property_media.c.id == media_id
            )
        )
        return row["property_id"], row["object_key"]


def _columns(values: dict[str, object]) -> dict[str, object]:
    """Return the columns that hold these fields: an enum is its name, an area or an amount has two columns."""
    columns: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, Money) or (value is None and name in MONEY):
            columns |= money_values(name, value)
        elif name == "living_area":
            size = value if isinstance(value, Area) else None
            columns |= {"living_area": size and size.value, "living_area_units": size and size.unit.name}
        else:
            columns[name] = value.name if isinstance(value, Enum) else value
    return columns
