"""How projects, properties and their media are read. Everybody in the tenant sees all of them."""

from __future__ import annotations

from db.properties.tables import projects, properties, property_media
from db.reading.conditions import contains
from db.reading.fields import boolean, date, enum, integer, money, number, text, time, value
from db.reading.signing import asset_address
from db.reading.source import Computed, Filter, Link, Ordering, source
from db.reading.writer import Alias, Writer
from db.visibility import everyone
from domain.properties import MediaCategory


def _photos(w: Writer, t: Alias) -> str:
    media = w.alias(property_media)
    return (
        f"(select count(*) from property_media {media.name} where {media.tenant_id} = {w.tenant}"
        f" and {media.property_id} = {t.id} and {media.category} = '{MediaCategory.PHOTO.name}')"
    )


def _found(_w: Writer, t: Alias, words: str) -> str:
    searched = (t.listing_key, t.unparsed_address, t.city, t.public_remarks)
    return contains(f"lower(concat_ws(E'\\n', {', '.join(searched)}))", words)


def _named(_w: Writer, t: Alias, words: str) -> str:
    searched = (t.column("name"), t.developer_name, t.city)
    return contains(f"lower(concat_ws(E'\\n', {', '.join(searched)}))", words)


PROJECTS = source(
    "projects",
    projects,
    prefix="project",
    visible=everyone,
    default_order=("CREATED_AT", True),
    columns={
        "name": text("name"),
        "city": text("city", null=True),
        "country": text("country", null=True),
        "developer_name": text("developer_name", null=True),
        "property_count": integer("property_count"),
        "created_at": time("created_at"),
        "updated_at": time("updated_at"),
    },
    links={"properties": Link("properties", remote="project_id")},
    orders={
        "CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz"),
        "NAME": Ordering(lambda t: t.column("name"), "text"),
    },
    filters={
        "city": Filter("text", lambda _w, t, value: f"{t.city} = {value}"),
        "search": Filter("text", _named),
    },
)

PROPERTIES = source(
    "properties",
    properties,
    prefix="property",
    visible=everyone,
    default_order=("CREATED_AT", True),
    columns={
        "listing_key": text("listing_key"),
        "standard_status": enum("standard_status"),
        "property_type": enum("property_type"),
        "property_sub_type": enum("property_sub_type", null=True),
        "list_price": money("list_price"),
        "bedrooms_total": integer("bedrooms_total", null=True),
        "bathrooms_total_integer": integer("bathrooms_total_integer", null=True),
        "living_area": value(
            {"value": number("living_area"), "unit": enum("living_area_units")},
            null=lambda t: f"{t.living_area} is null",
        ),
        "unparsed_address": text("unparsed_address", null=True),
        "city": text("city", null=True),
        "state_or_province": text("state_or_province", null=True),
        "country": text("country", null=True),
        "latitude": number("latitude", null=True),
        "longitude": number("longitude", null=True),
        "public_remarks": text("public_remarks", null=True),
        "year_built": integer("year_built", null=True),
        "development_status": enum("development_status", null=True),
        "photos_count": integer(Computed(_photos)),
        "original_entry_timestamp": time("original_entry_timestamp"),
        "status_change_timestamp": time("status_change_timestamp"),
        "price_change_timestamp": time("price_change_timestamp", null=True),
        "off_plan": boolean("off_plan"),
        "handover_on": date("handover_on", null=True),
        "permit_number": text("permit_number", null=True),
        "service_charge_per_area": money("service_charge_per_area", null=True),
        "carpet_area": number("carpet_area", null=True),
        "archived_at": time("archived_at", null=True),
        "created_at": time("created_at"),
        "updated_at": time("updated_at"),
    },
    links={
        "project": Link("projects", local="project_id"),
        "media": Link("property_media", remote="property_id"),
        "property_interests": Link("property_interests", remote="property_id"),
    },
    orders={
        "CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz"),
        "LIST_PRICE": Ordering(lambda t: t.list_price_hundredths, "bigint"),
    },
    filters={
        "standard_statuses": Filter("text[]", lambda _w, t, value: f"{t.standard_status} = any({value})"),
        "property_types": Filter("text[]", lambda _w, t, value: f"{t.property_type} = any({value})"),
        "city": Filter("text", lambda _w, t, value: f"{t.city} = {value}"),
        "project_id": Filter("uuid", lambda _w, t, value: f"{t.project_id} = {value}"),
        "archived": Filter("boolean", lambda _w, t, value: f"({t.archived_at} is not null) = {value}"),
        "search": Filter("text", _found),
    },
)

PROPERTY_MEDIA = source(
    "property_media",
    property_media,
    prefix="propertymedia",
    visible=everyone,
    default_order=("ORDER", False),
    columns={
        "category": enum("category"),
        "url": text(Computed(lambda w, t: asset_address(w, t.object_key))),
        "content_type": text("content_type"),
        "width": integer("width", null=True),
        "height": integer("height", null=True),
        "order": integer("order"),
        "created_at": time("created_at"),
    },
    links={"property": Link("properties", local="property_id")},
    orders={
        "ORDER": Ordering(lambda t: t.order, "integer"),
        "CREATED_AT": Ordering(lambda t: t.created_at, "timestamptz"),
    },
)
