"""Listing, changing and archiving properties."""

from __future__ import annotations

import strawberry

from domain import properties as domain
from domain.properties import AreaUnit, DevelopmentStatus, PropertySubType, PropertyType, StandardStatus
from graph.context import Info
from graph.declaration import link, paid, payload, root
from graph.inputs import MoneyInput, argument, key_of, once, optional, unpacked
from graph.mutations import mutation
from graph.properties.types import Property
from graph.scalars import Date
from resolvers import properties as resolve


@strawberry.input(description="A size with its unit.")
class AreaInput:
    """An area as clients send it."""

    value: float = argument("How many; not negative.")
    unit: AreaUnit = argument("Of what.")


@strawberry.input(description="A property to list.")
class PropertyCreateInput:
    """A new property."""

    listing_key: str = argument(
        "RESO ListingKey: its key in the listing system; no other property has it.", longest=255
    )
    list_price: MoneyInput = argument("RESO ListPrice, with its currency.")
    property_type: PropertyType = argument("RESO PropertyType.")
    standard_status: StandardStatus | None = optional("RESO StandardStatus; ACTIVE, if left out.")
    project_id: strawberry.ID | None = optional("The development it belongs to.", of="projects")
    property_sub_type: PropertySubType | None = optional("RESO PropertySubType.")
    bedrooms_total: int | None = optional("RESO BedroomsTotal.")
    bathrooms_total_integer: int | None = optional("RESO BathroomsTotalInteger.")
    living_area: AreaInput | None = optional("RESO LivingArea and LivingAreaUnits.", into=domain.Area)
    unparsed_address: str | None = optional("RESO UnparsedAddress.", longest=500)
    city: str | None = optional("RESO City.", longest=100)
    state_or_province: str | None = optional("RESO StateOrProvince.", longest=100)
    country: str | None = optional("RESO Country: ISO 3166-1, two letters.", longest=2)
    latitude: float | None = optional("RESO Latitude, in degrees.")
    longitude: float | None = optional("RESO Longitude, in degrees.")
    public_remarks: str | None = optional("RESO PublicRemarks.", longest=4000)
    year_built: int | None = optional("RESO YearBuilt.")
    development_status: DevelopmentStatus | None = optional("RESO DevelopmentStatus.")
    off_plan: bool | None = optional("Ours: sold before it is built.")
    handover_on: Date | None = optional("Ours: when the buyer gets the keys.")
    permit_number: str | None = optional("Ours: the regulator's number.", longest=100)
    service_charge_per_area: MoneyInput | None = optional("Ours: upkeep a year, for each unit of living area.")
    carpet_area: float | None = optional("Ours: what lies within the walls, in the unit of the living area.")
    idempotency_key: str | None = once()


@strawberry.input(description="What changes about a property; what is left out stays, null empties it.")
class PropertyUpdateInput:
    """A change."""

    property_id: strawberry.ID = argument("Which property.", of="properties")
    list_price: MoneyInput | None = optional("RESO ListPrice, with its currency; never null.")
    property_type: PropertyType | None = optional("RESO PropertyType; never null.")
    standard_status: StandardStatus | None = optional("RESO StandardStatus; the status rules decide. Never null.")
    project_id: strawberry.ID | None = optional("The development it belongs to.", of="projects")
    property_sub_type: PropertySubType | None = optional("RESO PropertySubType.")
    bedrooms_total: int | None = optional("RESO BedroomsTotal.")
    bathrooms_total_integer: int | None = optional("RESO BathroomsTotalInteger.")
    living_area: AreaInput | None = optional(
        "RESO LivingArea and LivingAreaUnits; null empties the carpet area too.", into=domain.Area
    )
    unparsed_address: str | None = optional("RESO UnparsedAddress.", longest=500)
    city: str | None = optional("RESO City.", longest=100)
    state_or_province: str | None = optional("RESO StateOrProvince.", longest=100)
    country: str | None = optional("RESO Country: ISO 3166-1, two letters.", longest=2)
    latitude: float | None = optional("RESO Latitude, in degrees.")
    longitude: float | None = optional("RESO Longitude, in degrees.")
    public_remarks: str | None = optional("RESO PublicRemarks.", longest=4000)
    year_built: int | None = optional("RESO YearBuilt.")
    development_status: DevelopmentStatus | None = optional("RESO DevelopmentStatus.")
    off_plan: bool | None = optional("Ours: sold before it is built; never null.")
    handover_on: Date | None = optional("Ours: when the buyer gets the keys.")
    permit_number: str | None = optional("Ours: the regulator's number.", longest=100)
    service_charge_per_area: MoneyInput | None = optional("Ours: upkeep a year, for each unit of living area.")
    carpet_area: float | None = optional("Ours: what lies within the walls, in the unit of the living area.")


@strawberry.input(description="A property to take out of use.")
class PropertyArchiveInput:
    """An archiving."""

    property_id: strawberry.ID = argument("Which property.", of="properties")


@payload("The property that was listed.")
class PropertyCreatePayload:
    """The answer of propertyCreate."""

    property: Property = link("The new property.")


@payload("The property that was changed.")
class PropertyUpdatePayload:
    """The answer of propertyUpdate."""

    property: Property = link("The property, as it is now.")


@payload("The property that was archived.")
class PropertyArchivePayload:
    """The answer of propertyArchive."""

    property: Property = link("The property, archived since the first time that this was asked.")


@root
class PropertyMutation:
    """Mutations of properties."""

    @mutation("List a property under a key of its own.")
    async def property_create(self, info: Info, input: PropertyCreateInput) -> PropertyCreatePayload:
        """List a property."""
        made = await resolve.property_create(
            info.context, unpacked(input, domain.PropertyCreate), key_of(input.idempotency_key)
        )
        return paid(PropertyCreatePayload, property=made)

    @mutation("Change a property that is not archived.")
    async def property_update(self, info: Info, input: PropertyUpdateInput) -> PropertyUpdatePayload:
        """Change a property."""
        changed = await resolve.property_update(info.context, unpacked(input, domain.PropertyUpdate))
        return paid(PropertyUpdatePayload, property=changed)

    @mutation("Take a property out of use. Nothing that points to it is lost.")
    async def property_archive(self, info: Info, input: PropertyArchiveInput) -> PropertyArchivePayload:
        """Archive a property."""
        archived = await resolve.property_archive(info.context, unpacked(input, domain.PropertyArchive))
        return paid(PropertyArchivePayload, property=archived)
