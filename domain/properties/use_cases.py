"""Listing, changing and archiving properties."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from uuid import UUID

from domain.audit import AuditAction, Change
from domain.errors import Conflict, Invalid, Issue
from domain.properties.kinds import Area, StandardStatus
from domain.properties.store import Details, PropertyArchive, PropertyCreate, PropertyUpdate
from domain.reading import client_name
from domain.values import UNSET, Money, Unset, new_id

if TYPE_CHECKING:
    from domain.unit import Unit


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
        raise ListingKeyTaken("Another property has this listing key.", field="listingKey")
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
