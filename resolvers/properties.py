"""The edge of the property use cases."""

from __future__ import annotations

from uuid import UUID

from domain import properties
from domain.access import Permission
from resolvers.context import Context
from resolvers.guard import allow
from resolvers.performing import perform


@allow(Permission.PROPERTY_WRITE)
async def property_create(context: Context, command: properties.PropertyCreate, idempotency_key: str | None) -> UUID:
    """List a property."""
    return await perform(context, properties.create, command, idempotency_key)


@allow(Permission.PROPERTY_WRITE)
async def property_update(context: Context, command: properties.PropertyUpdate) -> UUID:
    """Change a property."""
    return await perform(context, properties.update, command)


@allow(Permission.PROPERTY_WRITE)
async def property_archive(context: Context, command: properties.PropertyArchive) -> UUID:
    """Take a property out of use."""
    return await perform(context, properties.archive, command)


@allow(Permission.PROPERTY_WRITE)
async def property_media_add(context: Context, command: properties.PropertyMediaAdd) -> UUID:
    """Show a file with a property."""
    return await perform(context, properties.add_media, command)


@allow(Permission.PROPERTY_WRITE)
async def property_media_remove(context: Context, command: properties.PropertyMediaRemove) -> properties.RemovedMedium:
    """Take a file from its property."""
    return await perform(context, properties.remove_media, command)
