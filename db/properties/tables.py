"""The tables of properties: projects, the properties in them, and their media, in RESO's names."""

from sqlalchemy import CheckConstraint, Column, Date, Integer, Text, UniqueConstraint

from db.tables import (
    belongs_to,
    belongs_to_tenant,
    created_at,
    enum_text,
    flag,
    hundredths,
    moment,
    money,
    number,
    ordered_by,
    prose,
    reference,
    tenant_table,
    updated_at,
    whole,
)
from domain.properties import (
    AreaUnit,
    DevelopmentStatus,
    MediaCategory,
    PropertySubType,
    PropertyType,
    StandardStatus,
)

# `property_count` counts the properties that are not archived. It is kept when a property changes.
projects = tenant_table(
    "projects",
    prose("name", 200, least=1),
    prose("city", 100, nullable=True),
    Column("country", Text, CheckConstraint("country ~ '^[A-Z]{2}$'", name="country_code")),
    prose("developer_name", 200, nullable=True),
    whole("property_count", nullable=False, default=0),
    created_at(),
    updated_at(),
    belongs_to_tenant(),
    UniqueConstraint("tenant_id", "name"),
    ordered_by("created_at"),
    ordered_by("name"),
)

properties = tenant_table(
    "properties",
    prose("listing_key", 255, least=1),
    reference("project_id", nullable=True),
    enum_text("standard_status", StandardStatus),
    enum_text("property_type", PropertyType),
    enum_text("property_sub_type", PropertySubType, nullable=True),
    *money("list_price", nullable=False),
    hundredths("list_price"),
    whole("bedrooms_total"),
    whole("bathrooms_total_integer"),
    number("living_area", least=0, most=10_000_000),
    enum_text("living_area_units", AreaUnit, nullable=True),
    prose("unparsed_address", 500, nullable=True),
    prose("city", 100, nullable=True),
    prose("state_or_province", 100, nullable=True),
    Column("country", Text, CheckConstraint("country ~ '^[A-Z]{2}$'", name="country_code")),
    number("latitude", least=-90, most=90),
    number("longitude", least=-180, most=180),
    prose("public_remarks", 4000, nullable=True),
    Column("year_built", Integer, CheckConstraint("year_built BETWEEN 1000 AND 3000", name="year_built_sane")),
    enum_text("development_status", DevelopmentStatus, nullable=True),
    moment("original_entry_timestamp"),
    moment("status_change_timestamp"),
    moment("price_change_timestamp", nullable=True),
    # What RESO lacks for India and the Gulf.
    flag("off_plan"),
    Column("handover_on", Date),
    prose("permit_number", 100, nullable=True),
    *money("service_charge_per_area"),
    number("carpet_area", least=0, most=10_000_000),
    moment("archived_at", nullable=True),
    created_at(),
    updated_at(),
    CheckConstraint("(living_area IS NULL) = (living_area_units IS NULL)", name="living_area_whole"),
    belongs_to_tenant(),
    belongs_to("project_id", "projects"),
    UniqueConstraint("tenant_id", "listing_key"),
    ordered_by("created_at"),
    ordered_by("list_price_hundredths"),
    ordered_by("standard_status", "created_at"),
    ordered_by("city", "created_at"),
    ordered_by("project_id", "created_at"),
)

# `order` is RESO's name. `object_key` names the bytes in the asset store; it stands in addresses as it is.
property_media = tenant_table(
    "property_media",
    reference("property_id"),
    enum_text("category", MediaCategory),
    prose("object_key", 500, least=1),
    prose("content_type", 100, least=1),
    whole("bytes", least=1, nullable=False),
    whole("width", least=1),
    whole("height", least=1),
    whole("order", nullable=False, default=0),
    created_at(),
    CheckConstraint(
        r"object_key ~ '^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*(\.[A-Za-z0-9]+)?$'", name="object_key_stands_in_addresses"
    ),
    belongs_to("property_id", "properties"),
    ordered_by("property_id", "order"),
    ordered_by("property_id", "created_at"),
)
