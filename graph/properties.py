"""Projects and properties as clients see them, by their RESO names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain import properties as domain
from domain.access import Permission
from domain.properties import (
    AreaUnit,
    DevelopmentStatus,
    MediaCategory,
    PropertySubType,
    PropertyType,
    StandardStatus,
)
from graph.connections import Connection
from graph.context import Info
from graph.declaration import Node, by_id, column, connection, link, noun, paid, payload, root, value
from graph.enums import described
from graph.inputs import MoneyInput, argument, optional, unpacked
from graph.mutations import mutation
from graph.problems import Problems
from graph.scalars import URL, Date, DateTime
from graph.values import Money
from resolvers import properties as resolve

if TYPE_CHECKING:
    from graph.leads import PropertyInterest

described(
    StandardStatus,
    "RESO StandardStatus: where a listing stands.",
    ACTIVE="On the market.",
    ACTIVE_UNDER_CONTRACT="An offer was accepted; others are still taken.",
    CANCELED="The listing agreement was cancelled.",
    CLOSED="Sold. Final.",
    COMING_SOON="Will be on the market.",
    DELETE="The listing was made in error. Final.",
    EXPIRED="The listing agreement ran out.",
    HOLD="Off the market for a while.",
    INCOMPLETE="Not all that a listing needs is known.",
    PENDING="An offer was accepted; others are no longer taken.",
    WITHDRAWN="Taken off the market; the agreement still runs.",
)
described(
    PropertyType,
    "RESO PropertyType: what is for sale or to let.",
    BUSINESS_OPPORTUNITY="A business.",
    COMMERCIAL_LEASE="Commercial space to let.",
    COMMERCIAL_SALE="Commercial space for sale.",
    FARM="A farm.",
    LAND="Land.",
    MANUFACTURED_IN_PARK="A manufactured home in a park.",
    RESIDENTIAL="A home for sale.",
    RESIDENTIAL_INCOME="A home that is let and for sale.",
    RESIDENTIAL_LEASE="A home to let.",
)
described(
    PropertySubType,
    "RESO PropertySubType, and VILLA, which the Gulf needs.",
    APARTMENT="A flat.",
    CONDOMINIUM="A flat that is owned by itself.",
    DUPLEX="A home on two floors.",
    SINGLE_FAMILY_RESIDENCE="A house for one family.",
    TOWNHOUSE="A house in a row.",
    VILLA="A house on its own plot. Ours.",
    OFFICE="An office.",
    RETAIL="A shop.",
    WAREHOUSE="A warehouse.",
    MIXED_USE="Several uses in one.",
    UNIMPROVED_LAND="Land without buildings.",
)
described(AreaUnit, "RESO AreaUnits.", SQUARE_FEET="Square feet.", SQUARE_METERS="Square metres.")
described(
    DevelopmentStatus,
    "RESO DevelopmentStatus: how far it is built.",
    PROPOSED="Planned.",
    UNDER_CONSTRUCTION="Being built.",
    COMPLETED="Built.",
)
described(
    MediaCategory,
    "RESO MediaCategory: what a file shows.",
    PHOTO="A picture.",
    FLOOR_PLAN="A floor plan.",
    VIDEO="A video.",
    BRANDED_VIRTUAL_TOUR="A virtual tour that names the broker.",
    UNBRANDED_VIRTUAL_TOUR="A virtual tour that names nobody.",
    DOCUMENT="A document, such as a brochure.",
)


@value("area", description="A size with its unit.")
class Area:
    """An area as clients see it."""

    value: float = column("How many.")
    unit: AreaUnit = column("Of what.")


@strawberry.input(description="A size with its unit.")
class AreaInput:
    """An area as clients send it."""

    value: float = argument("How many; not negative.")
    unit: AreaUnit = argument("Of what.")


@strawberry.input(description="Which projects; every entry narrows the list.")
class ProjectFilter:
    """The filter of project lists."""

    city: str | None = optional("In this city, spelled exactly so.", longest=100)
    search: str | None = optional("Part of the name, the developer's name or the city.", longest=100)


@strawberry.input(description="Which properties; every entry narrows the list.")
class PropertyFilter:
    """The filter of property lists."""

    standard_statuses: list[StandardStatus] | None = optional("Stands in one of these statuses.")
    property_types: list[PropertyType] | None = optional("Is of one of these types.")
    city: str | None = optional("In this city, spelled exactly so.", longest=100)
    project_id: strawberry.ID | None = optional("Belongs to this project.", of="projects")
    archived: bool | None = optional("Only archived ones, or only those in use; left out, both.")
    search: str | None = optional("Part of the listing key, the address, the city or the remarks.", longest=100)


@noun(
    "projects",
    prefix="project",
    description="A development that properties belong to.",
    filter=ProjectFilter,
    orders={"CREATED_AT": "When it was added.", "NAME": "Its name."},
)
class Project(Node):
    """A project."""

    name: str = column("Its name.")
    city: str | None = column("Where it stands.")
    country: str | None = column("ISO 3166-1, two letters.")
    developer_name: str | None = column("Who builds it.")
    property_count: int = column("How many of its properties are not archived; kept when they change.")
    created_at: DateTime = column("When it was added.")
    updated_at: DateTime = column("When it last changed.")
    properties: Connection[Property] = connection("Its properties, newest first.")


@noun(
    "properties",
    prefix="property",
    description="A home that is, was or will be for sale. Fields are RESO's unless they say that they are ours.",
    filter=PropertyFilter,
    orders={"CREATED_AT": "When it was added.", "LIST_PRICE": "The amount of its price, whatever the currency."},
)
class Property(Node):
    """A property."""

    listing_key: str = column("RESO ListingKey: its key in the listing system; no two properties share one.")
    standard_status: StandardStatus = column("RESO StandardStatus: where the listing stands.")
    property_type: PropertyType = column("RESO PropertyType.")
    property_sub_type: PropertySubType | None = column("RESO PropertySubType.")
    list_price: Money = column("RESO ListPrice, with the currency that RESO lacks.")
    bedrooms_total: int | None = column("RESO BedroomsTotal.")
    bathrooms_total_integer: int | None = column("RESO BathroomsTotalInteger: full and half bathrooms.")
    living_area: Area | None = column("RESO LivingArea and LivingAreaUnits.")
    unparsed_address: str | None = column("RESO UnparsedAddress: the address as it is written.")
    city: str | None = column("RESO City.")
    state_or_province: str | None = column("RESO StateOrProvince; an emirate in the Gulf.")
    country: str | None = column("RESO Country: ISO 3166-1, two letters.")
    latitude: float | None = column("RESO Latitude, in degrees.")
    longitude: float | None = column("RESO Longitude, in degrees.")
    public_remarks: str | None = column("RESO PublicRemarks: what may be said of it to anybody.")
    year_built: int | None = column("RESO YearBuilt.")
    development_status: DevelopmentStatus | None = column("RESO DevelopmentStatus: how far it is built.")
    photos_count: int = column("RESO PhotosCount: how many pictures it has.")
    original_entry_timestamp: DateTime = column("RESO OriginalEntryTimestamp: when it was first listed here.")
    status_change_timestamp: DateTime = column("RESO StatusChangeTimestamp: when it came to its status.")
    price_change_timestamp: DateTime | None = column("RESO PriceChangeTimestamp: when its price last changed.")
    off_plan: bool = column("Ours: sold before it is built.")
    handover_on: Date | None = column("Ours: when the buyer gets the keys.")
    permit_number: str | None = column(
        "Ours: the regulator's number, such as RERA's, without which none may advertise."
    )
    service_charge_per_area: Money | None = column("Ours: what the upkeep costs a year, for each unit of living area.")
    carpet_area: float | None = column("Ours: what lies within the walls, in the unit of the living area.")
    archived_at: DateTime | None = column("Ours: when it was taken out of use.")
    created_at: DateTime = column("When it was added.")
    updated_at: DateTime = column("When it last changed.")
    project: Project | None = link("The development it belongs to.")
    media: Connection[PropertyMedia] = connection("Its pictures, plans and documents, by `order`.")
    property_interests: Connection[PropertyInterest] = connection("Who wants it, newest first, as far as you may see.")


@noun(
    "property_media",
    prefix="propertymedia",
    description="A file that shows or describes a property.",
    orders={"CREATED_AT": "When it was added.", "ORDER": "Its place among the others."},
)
class PropertyMedia(Node):
    """A file of a property."""

    category: MediaCategory = column("RESO MediaCategory: what it shows.")
    url: URL = column("RESO MediaURL: where to fetch it without signing in; expires in one to two hours.")
    content_type: str = column("Its media type, such as image/jpeg.")
    width: int | None = column("In pixels.")
    height: int | None = column("In pixels.")
    order: int = column("RESO Order: its place among the others, lowest first.")
    created_at: DateTime = column("When it was added.")
    property: Property = link("What it shows.")


@root
class PropertyQuery:
    """Root fields that read properties."""

    property: Property | None = by_id("One property, or null.", Permission.PROPERTY_READ)
    properties: Connection[Property] = connection("Properties, newest first.", Permission.PROPERTY_READ)
    project: Project | None = by_id("One project, or null.", Permission.PROPERTY_READ)
    projects: Connection[Project] = connection("Projects, newest first.", Permission.PROPERTY_READ)


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
    idempotency_key: str | None = optional("Same key and input: same answer, one effect.", longest=200)


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


PropertyCreateResult = Annotated[
    PropertyCreatePayload | Problems,
    strawberry.union("PropertyCreateResult", description="What propertyCreate answers."),
]
PropertyUpdateResult = Annotated[
    PropertyUpdatePayload | Problems,
    strawberry.union("PropertyUpdateResult", description="What propertyUpdate answers."),
]
PropertyArchiveResult = Annotated[
    PropertyArchivePayload | Problems,
    strawberry.union("PropertyArchiveResult", description="What propertyArchive answers."),
]


@root
class PropertyMutation:
    """Mutations of properties."""

    @mutation("List a property under a key of its own.")
    async def property_create(self, info: Info, input: PropertyCreateInput) -> PropertyCreateResult:
        """List a property."""
        made = await resolve.property_create(
            info.context, unpacked(input, domain.PropertyCreate), input.idempotency_key or None
        )
        return paid(PropertyCreatePayload, property=made)

    @mutation("Change a property that is not archived.")
    async def property_update(self, info: Info, input: PropertyUpdateInput) -> PropertyUpdateResult:
        """Change a property."""
        changed = await resolve.property_update(info.context, unpacked(input, domain.PropertyUpdate))
        return paid(PropertyUpdatePayload, property=changed)

    @mutation("Take a property out of use. Nothing that points to it is lost.")
    async def property_archive(self, info: Info, input: PropertyArchiveInput) -> PropertyArchiveResult:
        """Archive a property."""
        archived = await resolve.property_archive(info.context, unpacked(input, domain.PropertyArchive))
        return paid(PropertyArchivePayload, property=archived)
