"""Properties and their media as rules see them, what is asked about them, and the port that keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from domain.properties.kinds import (
    Area,
    DevelopmentStatus,
    MediaCategory,
    PropertySubType,
    PropertyType,
    StandardStatus,
)
from domain.values import UNSET, Money, Unset


@dataclass(frozen=True, slots=True)
class Property:
    """A property, as far as its rules need to know it."""

    id: UUID
    project_id: UUID | None
    standard_status: StandardStatus
    list_price: Money
    living_area: Area | None
    carpet_area: float | None
    archived: bool


@dataclass(frozen=True, slots=True)
class Details:
    """What may be known about a property; what is UNSET stays, or is absent from a new one."""

    project_id: UUID | Unset | None = UNSET
    property_sub_type: PropertySubType | Unset | None = UNSET
    bedrooms_total: int | Unset | None = UNSET
    bathrooms_total_integer: int | Unset | None = UNSET
    living_area: Area | Unset | None = UNSET
    unparsed_address: str | Unset | None = UNSET
    city: str | Unset | None = UNSET
    state_or_province: str | Unset | None = UNSET
    country: str | Unset | None = UNSET
    latitude: float | Unset | None = UNSET
    longitude: float | Unset | None = UNSET
    public_remarks: str | Unset | None = UNSET
    year_built: int | Unset | None = UNSET
    development_status: DevelopmentStatus | Unset | None = UNSET
    off_plan: bool | Unset | None = UNSET
    handover_on: date | Unset | None = UNSET
    permit_number: str | Unset | None = UNSET
    service_charge_per_area: Money | Unset | None = UNSET
    carpet_area: float | Unset | None = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyCreate(Details):
    """A property to list."""

    listing_key: str
    list_price: Money
    property_type: PropertyType
    standard_status: StandardStatus = StandardStatus.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyUpdate(Details):
    """What changes about a property."""

    property_id: UUID
    list_price: Money | Unset | None = UNSET
    property_type: PropertyType | Unset | None = UNSET
    standard_status: StandardStatus | Unset | None = UNSET


@dataclass(frozen=True, slots=True)
class PropertyArchive:
    """A property to take out of use."""

    property_id: UUID


@dataclass(frozen=True, slots=True)
class PropertyMediaAdd:
    """A file to show with a property; it comes last unless its order is given."""

    property_id: UUID
    upload_id: UUID
    category: MediaCategory
    order: int | None = None


@dataclass(frozen=True, slots=True)
class PropertyMediaRemove:
    """A file that is shown no more."""

    media_id: UUID


@dataclass(frozen=True, slots=True)
class PropertyMedium:
    """A file of a property; without an order it comes last."""

    id: UUID
    property_id: UUID
    category: MediaCategory
    object_key: str
    content_type: str
    bytes: int
    width: int | None
    height: int | None
    order: int | None


@dataclass(frozen=True, slots=True)
class RemovedMedium:
    """A file that was taken from a property."""

    media_id: UUID
    property_id: UUID


class PropertyStore(Protocol):
    """Properties and projects of the unit's tenant."""

    async def get_for_update(self, property_id: UUID) -> Property:
        """Return a property and lock its row; raises NotFound."""

    async def add(self, property_id: UUID, command: PropertyCreate, now: datetime) -> bool:
        """Store a new property; False where another has its listing key. Raises NotFound for an unknown project."""

    async def change(self, property_id: UUID, values: dict[str, object], now: datetime) -> None:
        """Store the values of these fields; raises NotFound for an unknown project."""

    async def archive(self, property_id: UUID, now: datetime) -> None:
        """Store that a property is out of use."""

    async def count(self, changes: dict[UUID, int]) -> None:
        """Add to the property counts of projects; raises NotFound naming `projectId` for one that does not exist."""

    async def add_medium(self, medium: PropertyMedium, now: datetime) -> None:
        """Store a file of a locked property."""

    async def remove_medium(self, media_id: UUID) -> tuple[UUID, str]:
        """Remove a file and return its property and object key; raises NotFound naming `mediaId`."""
