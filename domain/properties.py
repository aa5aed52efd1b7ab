"""Projects, properties and their media, in the names of the RESO Data Dictionary 2.0."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from domain.audit import AuditAction, Change
from domain.errors import Conflict, Invalid, Issue
from domain.reading import client_name
from domain.values import UNSET, Money, Unset, new_id

if TYPE_CHECKING:
    from domain.unit import Unit


class StandardStatus(Enum):
    """RESO StandardStatus."""

    ACTIVE = "ACTIVE"
    ACTIVE_UNDER_CONTRACT = "ACTIVE_UNDER_CONTRACT"
    CANCELED = "CANCELED"
    CLOSED = "CLOSED"
    COMING_SOON = "COMING_SOON"
    DELETE = "DELETE"
    EXPIRED = "EXPIRED"
    HOLD = "HOLD"
    INCOMPLETE = "INCOMPLETE"
    PENDING = "PENDING"
    WITHDRAWN = "WITHDRAWN"


class PropertyType(Enum):
    """RESO PropertyType."""

    BUSINESS_OPPORTUNITY = "BUSINESS_OPPORTUNITY"
    COMMERCIAL_LEASE = "COMMERCIAL_LEASE"
    COMMERCIAL_SALE = "COMMERCIAL_SALE"
    FARM = "FARM"
    LAND = "LAND"
    MANUFACTURED_IN_PARK = "MANUFACTURED_IN_PARK"
    RESIDENTIAL = "RESIDENTIAL"
    RESIDENTIAL_INCOME = "RESIDENTIAL_INCOME"
    RESIDENTIAL_LEASE = "RESIDENTIAL_LEASE"


class PropertySubType(Enum):
    """RESO PropertySubType, and VILLA, which the Gulf needs."""

    APARTMENT = "APARTMENT"
    CONDOMINIUM = "CONDOMINIUM"
    DUPLEX = "DUPLEX"
    SINGLE_FAMILY_RESIDENCE = "SINGLE_FAMILY_RESIDENCE"
    TOWNHOUSE = "TOWNHOUSE"
    VILLA = "VILLA"
    OFFICE = "OFFICE"
    RETAIL = "RETAIL"
    WAREHOUSE = "WAREHOUSE"
    MIXED_USE = "MIXED_USE"
    UNIMPROVED_LAND = "UNIMPROVED_LAND"


class AreaUnit(Enum):
    """RESO AreaUnits."""

    SQUARE_FEET = "SQUARE_FEET"
    SQUARE_METERS = "SQUARE_METERS"


class DevelopmentStatus(Enum):
    """RESO DevelopmentStatus."""

    PROPOSED = "PROPOSED"
    UNDER_CONSTRUCTION = "UNDER_CONSTRUCTION"
    COMPLETED = "COMPLETED"


class MediaCategory(Enum):
    """RESO MediaCategory."""

    PHOTO = "PHOTO"
    FLOOR_PLAN = "FLOOR_PLAN"
    VIDEO = "VIDEO"
    BRANDED_VIRTUAL_TOUR = "BRANDED_VIRTUAL_TOUR"
    UNBRANDED_VIRTUAL_TOUR = "UNBRANDED_VIRTUAL_TOUR"
    DOCUMENT = "DOCUMENT"


@dataclass(frozen=True, slots=True)
class Area:
    """A size with its unit."""

    value: float
    unit: AreaUnit


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


class ListingKeyTaken(Conflict):
    """Another property has this listing key."""


class PropertyArchived(Conflict):
    """An archived property does not change any more."""


class StatusNotAllowed(Conflict):
    """A property does not go there from its status."""


ON_THE_MARKET: Final = (StandardStatus.ACTIVE, StandardStatus.ACTIVE_UNDER_CONTRACT, StandardStatus.PENDING)
FINAL: Final = (StandardStatus.CLOSED, StandardStatus.DELETE)
BEFORE_THE_MARKET: Final = (StandardStatus.INCOMPLETE, StandardStatus.COMING_SOON)

LARGEST_AREA: Final = 10_000_000
LARGEST_COUNT: Final = 1_000
YEARS_BUILT: Final = (1000, 3000)
NEVER_NULL: Final = ("list_price", "property_type", "standard_status", "off_plan")
_COUNTRY: Final = re.compile("[A-Z]{2}")


def check_status(status: StandardStatus, wanted: StandardStatus) -> None:
    """Decide whether a property may go from one status to another.

    A closed or deleted listing is final: the next sale is a new listing. Only what is on the market is put under
    contract or closed. What has been offered is not incomplete or coming soon again, unless it is relisted from off the
    market. Everything else is the broker's to say.

    Raises StatusNotAllowed.
    """
    if wanted is status:
        return
    if status in FINAL:
        raise StatusNotAllowed(f"{status.name} is final: list it again as a new property.", field="standardStatus")
    if wanted in {*ON_THE_MARKET[1:], StandardStatus.CLOSED} and status not in ON_THE_MARKET:
        raise StatusNotAllowed(f"{wanted.name} follows ACTIVE, not {status.name}.", field="standardStatus")
    if wanted in BEFORE_THE_MARKET and status in ON_THE_MARKET:
        raise StatusNotAllowed(f"{status.name} has been offered: it is not {wanted.name}.", field="standardStatus")


def check_details(given: PropertyCreate | PropertyUpdate, living_area: Area | None) -> None:
    """Refuse values that no property has; raises Invalid with every issue. `living_area` is what will be known."""
    if issues := tuple(_issues(given, living_area)):
        raise Invalid(issues=issues)


def _issues(given: PropertyCreate | PropertyUpdate, living_area: Area | None) -> Iterator[Issue]:
    for name in NEVER_NULL:
        if getattr(given, name) is None:
            yield Issue(client_name(name), "A property always has this: leave it out instead of sending null.")
    if isinstance(given, PropertyCreate) and not given.listing_key.strip():
        yield Issue("listingKey", "A listing key is not empty.")
    for name in ("bedrooms_total", "bathrooms_total_integer"):
        yield from _range(name, getattr(given, name), 0, LARGEST_COUNT)
    yield from _range("year_built", given.year_built, *YEARS_BUILT)
    yield from _range("latitude", given.latitude, -90, 90)
    yield from _range("longitude", given.longitude, -180, 180)
    yield from _range("carpet_area", given.carpet_area, 0, LARGEST_AREA)
    if isinstance(given.living_area, Area) and not 0 <= given.living_area.value <= LARGEST_AREA:
        yield Issue("livingArea.value", f"This is from 0 to {LARGEST_AREA}.")
    if isinstance(given.country, str) and _COUNTRY.fullmatch(given.country) is None:
        yield Issue("country", "A country is two capital letters (ISO 3166-1), such as IN or AE.")
    if isinstance(given.carpet_area, float) and living_area is None:
        yield Issue("carpetArea", "A carpet area is in the unit of the living area, which is not known.")


def _range(name: str, value: float | Unset | None, least: float, most: float) -> Iterator[Issue]:
    # Written so that NaN fails it too.
    if isinstance(value, int | float) and not least <= value <= most:
        yield Issue(client_name(name), f"This is from {least} to {most}.")


async def create(unit: Unit, command: PropertyCreate) -> UUID:
    """List a property under a key of its own, and count it in its project."""
    check_details(command, command.living_area if isinstance(command.living_area, Area) else None)
    property_id = new_id()
    if isinstance(command.project_id, UUID):
        await unit.properties.count({command.project_id: 1})
    if not await unit.properties.add(property_id, command, unit.now):
        raise ListingKeyTaken(f"Another property has the listing key {command.listing_key!r}.", field="listingKey")
    _record(unit, AuditAction.CREATE, "PropertyCreated", property_id, tuple(given_values(command)))
    return property_id


async def update(unit: Unit, command: PropertyUpdate) -> UUID:
    """Change what is given; a new price or status takes its timestamp, and a new project its count."""
    found = await unit.properties.get_for_update(command.property_id)
    if found.archived:
        raise PropertyArchived
    living_area = found.living_area if command.living_area is UNSET else command.living_area
    check_details(command, living_area if isinstance(living_area, Area) else None)
    values = given_values(command)
    del values["property_id"]
    if isinstance(command.standard_status, StandardStatus):
        check_status(found.standard_status, command.standard_status)
        if command.standard_status is not found.standard_status:
            values["status_change_timestamp"] = unit.now
    if isinstance(command.list_price, Money) and command.list_price != found.list_price:
        values["price_change_timestamp"] = unit.now
    if command.living_area is None and found.carpet_area is not None:
        values["carpet_area"] = None
    if not values:
        return found.id
    if command.project_id is not UNSET and command.project_id != found.project_id:
        moved = {found.project_id: -1, command.project_id: 1}
        await unit.properties.count({project: by for project, by in moved.items() if isinstance(project, UUID)})
    await unit.properties.change(found.id, values, unit.now)
    _record(unit, AuditAction.UPDATE, "PropertyUpdated", found.id, tuple(values))
    return found.id


async def archive(unit: Unit, command: PropertyArchive) -> UUID:
    """Take a property out of use and out of its project's count. Asked again, it stays as it is."""
    found = await unit.properties.get_for_update(command.property_id)
    if found.archived:
        return found.id
    if found.project_id is not None:
        await unit.properties.count({found.project_id: -1})
    await unit.properties.archive(found.id, unit.now)
    _record(unit, AuditAction.ARCHIVE, "PropertyArchived", found.id, ("archived_at",))
    return found.id


def given_values(command: Details) -> dict[str, object]:
    """Return the fields of a command that were not left out."""
    named = ((field.name, getattr(command, field.name)) for field in dataclasses.fields(command))
    return {name: value for name, value in named if value is not UNSET}


def _record(unit: Unit, action: AuditAction, event: str, property_id: UUID, fields: tuple[str, ...]) -> None:
    unit.record(Change(action, event, "properties", property_id, tuple(client_name(name) for name in fields)))
