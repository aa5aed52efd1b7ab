"""The first rows of a demo tenant: the tenant itself, its users and teams, its projects, properties and media."""

from datetime import datetime
from random import Random
from typing import Final

from app.demo import history
from app.demo.chance import between, days, generator, identifier, likely, pick, whole
from app.demo.deals import TAGS
from app.demo.pictures import Picture, PictureBook
from app.demo.places import City
from app.demo.projects import Market, Unit, build_market, development_status
from app.demo.rows import Batch
from app.demo.team import Firm
from app.demo.world import World
from domain.access import Actor
from domain.properties import AreaUnit, MediaCategory, PropertyType
from domain.threads import Channel, MessageProvider

_FEWEST_UNITS_OF_A_CITY: Final = 8


def build_markets(
    slug: str, cities: tuple[City, ...], units: int, now: datetime
) -> tuple[dict[str, Market], list[Unit]]:
    """Return the inventory by city code, and every unit. Few units make do with the first few cities."""
    used = cities[: max(1, min(len(cities), units // _FEWEST_UNITS_OF_A_CITY))]
    shares = sum(city.share for city in used)
    markets: dict[str, Market] = {}
    every: list[Unit] = []
    taken: set[str] = set()
    for city in used:
        count = max(4, round(units * city.share / shares))
        random = generator(slug, "market", city.code)
        markets[city.code], made = build_market(random, city, count, now, taken)
        every += made
    return markets, every


def write_firm(batch: Batch, firm: Firm, password_hash: str) -> None:
    """Add the tenant, everybody who works there, and its settings. All users share one password."""
    plan, founded = firm.plan, firm.founded_at
    batch.add(
        "tenants", id=firm.id, name=plan.name, time_zone=plan.time_zone, currency=plan.currency,
        high_value_amount=plan.high_value, high_value_currency=plan.currency, created_at=founded, updated_at=founded,
    )  # fmt: skip
    batch.add("system_actors", id=firm.robot, name="importer", display_name="Import", created_at=founded)
    for user in firm.users:
        batch.add(
            "users", id=user.id, full_name=user.full_name, email=user.email, role=user.role.name,
            status=user.status.name, last_seen_at=user.last_seen_at, created_at=user.joined_at,
            updated_at=user.joined_at,
        )  # fmt: skip
        password = password_hash if user.last_seen_at else None
        batch.add(
            "sign_ins", user_id=user.id, email_normalised=user.email, password_hash=password, updated_at=user.joined_at
        )
    for team in firm.teams:
        batch.add("teams", id=team.id, name=team.name, created_at=founded)
        for member in (team.senior, *team.juniors):
            batch.add("team_members", team_id=team.id, user_id=member.id, created_at=member.joined_at)
    if plan.has_provider:
        batch.add(
            "provider_settings", channel=Channel.WHATSAPP.name, provider=MessageProvider.MOCK.name, updated_at=founded
        )
    random = generator(plan.slug, "tags")
    for name, description in TAGS.items():
        batch.add("tags", id=identifier(random, founded), name=name, description=description, created_at=founded)


def note_sign_ins(world: World) -> None:
    """Remember when the users signed in lately."""
    random = generator(world.firm.plan.slug, "sign-ins")
    for user in world.firm.users:
        if user.last_seen_at:
            for _ in range(whole(random, 1, 4)):
                at = user.last_seen_at - days(between(random, 0, 9))
                world.recent.note(at, Actor("users", user.id), history.signed_in(user.id))


def write_inventory(batch: Batch, world: World, book: PictureBook, slug: str) -> None:
    """Add projects, properties and their pictures."""
    random = generator(slug, "inventory")
    for market in world.markets.values():
        for project in market.projects:
            count = sum(unit.project is project and unit.archived_at is None for unit in world.units)
            batch.add(
                "projects", id=project.id, name=project.name, city=project.city.name, country=project.city.country,
                developer_name=project.developer, property_count=count, created_at=project.listed_at,
                updated_at=project.listed_at,
            )  # fmt: skip
    for unit in world.units:
        _property(batch, random, unit, world.now)
        _media(batch, random, unit, book)


def _property(batch: Batch, random: Random, unit: Unit, now: datetime) -> None:
    project, city = unit.project, unit.project.city
    locality = project.locality
    batch.add(
        "properties", id=unit.id, listing_key=unit.listing_key, project_id=project.id,
        standard_status=unit.status.name, property_type=PropertyType.RESIDENTIAL.name,
        property_sub_type=unit.kind.name, list_price_amount=unit.price, list_price_currency=city.currency,
        bedrooms_total=unit.bedrooms, bathrooms_total_integer=unit.bedrooms + whole(random, 0, 2),
        living_area=float(unit.area), living_area_units=AreaUnit.SQUARE_FEET.name,
        unparsed_address=f"{unit.label}, {project.name}, {locality.name}, {city.name}", city=city.name,
        state_or_province=project.state, country=city.country,
        latitude=round(locality.latitude + between(random, -0.004, 0.004), 6),
        longitude=round(locality.longitude + between(random, -0.004, 0.004), 6), public_remarks=unit.remarks,
        year_built=project.handover_on.year if project.completed else None,
        development_status=development_status(project, now).name, original_entry_timestamp=unit.listed_at,
        status_change_timestamp=unit.changed_at,
        price_change_timestamp=unit.changed_at if likely(random, 0.4) else None, off_plan=not project.completed,
        handover_on=project.handover_on, permit_number=project.permit, service_charge_per_area_amount=unit.charge,
        service_charge_per_area_currency=city.currency, carpet_area=float(unit.carpet), archived_at=unit.archived_at,
        created_at=unit.listed_at, updated_at=unit.changed_at,
    )  # fmt: skip


def _media(batch: Batch, random: Random, unit: Unit, book: PictureBook) -> None:
    """Give a property two or three pictures and a floor plan. Properties share pictures by their content."""
    facades = book.villas if unit.villa else book.towers
    pictures: list[tuple[MediaCategory, Picture]] = [
        (MediaCategory.PHOTO, facades[unit.project.number % len(facades)]),
        (MediaCategory.PHOTO, pick(random, book.rooms)),
    ]
    if likely(random, 0.5):
        pictures.append((MediaCategory.PHOTO, pick(random, book.rooms)))
    pictures.append((MediaCategory.FLOOR_PLAN, book.plans[unit.bedrooms % len(book.plans)]))
    for order, (category, picture) in enumerate(pictures):
        batch.add(
            "property_media", id=identifier(random, unit.listed_at), property_id=unit.id, category=category.name,
            object_key=picture.key, content_type=picture.content_type, bytes=len(picture.content),
            width=picture.width, height=picture.height, order=order, created_at=unit.listed_at,
        )  # fmt: skip
