"""Projects, properties and their media in the plain peer."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import strawberry
from asyncpg import Record
from strawberry import Private

from bench.plain.connections import Area, Connection, Info, Money, given, page
from bench.plain.rows import made


@strawberry.type
class Project:
    id: UUID
    name: str
    city: str | None
    developer_name: str | None


@strawberry.type
class Media:
    id: UUID
    category: str
    url: str
    order: int


@strawberry.type
class Property:
    id: UUID
    listing_key: str
    project_id: Private[UUID | None]
    list_price_amount: Private[str]
    list_price_currency: Private[str]
    standard_status: str = ""
    property_type: str = ""
    property_sub_type: str | None = None
    bedrooms_total: int | None = None
    bathrooms_total_integer: int | None = None
    living_area_: Private[float | None] = None
    living_area_units: Private[str] = ""
    city: str | None = None
    archived_at: datetime | None = None
    updated_at: datetime | None = None
    created_at: datetime | None = None

    @strawberry.field
    def list_price(self) -> Money:
        return Money(amount=self.list_price_amount, currency=self.list_price_currency)

    @strawberry.field
    def living_area(self) -> Area | None:
        if self.living_area_ is None:
            return None
        return Area(value=self.living_area_, unit=self.living_area_units)

    @strawberry.field
    async def project(self, info: Info) -> Project | None:
        return await given(info).one("projects_by_id", made(Project), self.project_id)

    @strawberry.field
    async def media(self, info: Info, first: int) -> Connection[Media]:
        return page(await given(info).many("media_of_properties", made(Media), "property_id", self.id, first), first)


BRIEF = made(Property, "id", "listing_key", "project_id", "list_price_amount", "list_price_currency")


def whole_property(row: Record) -> Property:
    return Property(**{("living_area_" if name == "living_area" else name): value for name, value in row.items()})
