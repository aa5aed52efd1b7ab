"""Projects, properties and their media, by their RESO names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

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
from graph.declaration import Node, by_id, column, connection, link, noun, root, value
from graph.inputs import optional
from graph.scalars import URL, Date, DateTime
from graph.values import Money

if TYPE_CHECKING:
    from graph.leads import PropertyInterest


@value("area", description="A size with its unit.")
class Area:
    """An area as clients see it."""

    value: float = column("How many.")
    unit: AreaUnit = column("Of what.")


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
