"""Projects, properties and media."""

from uuid import UUID

from asyncpg import Connection, Record

from domain.values import new_id
from tests.factories.access import Tenant
from tests.factories.rows import insert


async def project(owner: "Connection[Record]", of: Tenant, *, name: str = "Marina Crest", **values: object) -> UUID:
    """Make a project."""
    project_id = new_id()
    await insert(owner, "projects", of.id, id=project_id, name=name, **values)
    return project_id


async def property_(owner: "Connection[Record]", of: Tenant, **values: object) -> UUID:
    """Make an active flat of two million dirhams, unless told otherwise; its project's count is left alone."""
    property_id = new_id()
    values = {
        "listing_key": f"K-{property_id.hex[-8:]}", "standard_status": "ACTIVE", "property_type": "RESIDENTIAL",
        "list_price_amount": 2_000_000, "list_price_currency": "AED", **values,
    }  # fmt: skip
    moment = await owner.fetchval("SELECT now()")
    await insert(
        owner, "properties", of.id, id=property_id, original_entry_timestamp=moment, status_change_timestamp=moment,
        **values,
    )  # fmt: skip
    return property_id


async def medium(owner: "Connection[Record]", of: Tenant, *, property_id: UUID, order: int, **values: object) -> UUID:
    """Make a picture of a property."""
    medium_id = new_id()
    values = {
        "category": "PHOTO", "object_key": f"{of.id}/{medium_id}.jpg", "content_type": "image/jpeg", "bytes": 10,
        "width": 4, "height": 3, **values,
    }  # fmt: skip
    await insert(owner, "property_media", of.id, id=medium_id, property_id=property_id, order=order, **values)
    return medium_id


async def interest(owner: "Connection[Record]", of: Tenant, **values: object) -> UUID:
    """Make a middling interest of a person in something."""
    interest_id = new_id()
    await insert(owner, "property_interests", of.id, id=interest_id, **{"level": "MEDIUM", **values})
    return interest_id
