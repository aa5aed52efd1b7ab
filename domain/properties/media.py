"""What a property is shown with: uploaded pictures, plans and documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from domain.assets import DOCUMENTS, UploadPurpose, consume
from domain.audit import AuditAction, Change
from domain.errors import Invalid
from domain.properties.kinds import MediaCategory
from domain.properties.store import PropertyMediaAdd, PropertyMediaRemove, PropertyMedium, RemovedMedium
from domain.properties.use_cases import PropertyArchived
from domain.values import new_id

if TYPE_CHECKING:
    from domain.unit import Unit

DOCUMENT_CATEGORIES: Final = frozenset({MediaCategory.DOCUMENT, MediaCategory.FLOOR_PLAN})
PICTURE_CATEGORIES: Final = frozenset(MediaCategory) - {MediaCategory.DOCUMENT, MediaCategory.VIDEO}
LARGEST_ORDER: Final = 1_000_000


class CategoryDiffers(Invalid):
    """A file of this type is not of that category."""


def check_category(category: MediaCategory, content_type: str) -> None:
    """Refuse a file for what it cannot be, such as a picture as a video; raises CategoryDiffers."""
    possible = DOCUMENT_CATEGORIES if content_type in DOCUMENTS else PICTURE_CATEGORIES
    if category not in possible:
        raise CategoryDiffers(f"A file of type {content_type} is no {category.name}.", field="category")


async def add_media(unit: Unit, command: PropertyMediaAdd) -> UUID:
    """Show an uploaded file with a property; raises NotFound, PropertyArchived and what `consume` raises."""
    if command.order is not None and not 0 <= command.order <= LARGEST_ORDER:
        raise Invalid(f"This is from 0 to {LARGEST_ORDER}.", field="order")
    found = await unit.properties.get_for_update(command.property_id)
    if found.archived:
        raise PropertyArchived
    upload = await consume(unit, command.upload_id, UploadPurpose.PROPERTY_MEDIA)
    check_category(command.category, upload.content_type)
    medium = PropertyMedium(
        id=new_id(),
        property_id=found.id,
        category=command.category,
        object_key=upload.object_key,
        content_type=upload.content_type,
        bytes=upload.stored_bytes or upload.announced,
        width=upload.width,
        height=upload.height,
        order=command.order,
    )
    await unit.properties.add_medium(medium, unit.now)
    _record(unit, "PropertyMediaAdded", found.id)
    return medium.id


async def remove_media(unit: Unit, command: PropertyMediaRemove) -> RemovedMedium:
    """Take a file from its property, and let it go where it came by an upload; raises NotFound."""
    property_id, object_key = await unit.properties.remove_medium(command.media_id)
    await unit.assets.release(object_key, unit.now)
    _record(unit, "PropertyMediaRemoved", property_id)
    return RemovedMedium(command.media_id, property_id)


def _record(unit: Unit, event: str, property_id: UUID) -> None:
    unit.record(Change(AuditAction.UPDATE, event, "properties", property_id, ("media",)))
