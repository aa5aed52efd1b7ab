"""Showing uploaded files with a property, and taking them away."""

from __future__ import annotations

import strawberry

from domain import properties as domain
from domain.properties import MediaCategory
from graph import ids
from graph.context import Info
from graph.declaration import column, link, paid, payload, root
from graph.inputs import argument, optional, unpacked
from graph.mutations import mutation
from graph.properties.types import Property, PropertyMedia
from resolvers import properties as resolve


@strawberry.input(description="A file to show with a property.")
class PropertyMediaAddInput:
    """A file."""

    property_id: strawberry.ID = argument("Which property; it is not archived.", of="properties")
    upload_id: strawberry.ID = argument("An upload of yours for PROPERTY_MEDIA, sent already.", of="uploads")
    category: MediaCategory = argument("What it shows; a PDF is a DOCUMENT or a FLOOR_PLAN.")
    order: int | None = optional("Its place among the others, lowest first; left out, it comes last.")


@strawberry.input(description="A file to take from its property.")
class PropertyMediaRemoveInput:
    """A removal."""

    media_id: strawberry.ID = argument("Which file.", of="property_media")


@payload("The file that was added.")
class PropertyMediaAddPayload:
    """The answer of propertyMediaAdd."""

    media: PropertyMedia = link("The file.")


@payload("The file was removed.")
class PropertyMediaRemovePayload:
    """The answer of propertyMediaRemove."""

    removed_id: strawberry.ID = column("What the file's id was.")
    property: Property = link("The property that it was taken from.")


@root
class PropertyMediaMutation:
    """Mutations of the files of properties."""

    @mutation("Show an uploaded file with a property.")
    async def property_media_add(self, info: Info, input: PropertyMediaAddInput) -> PropertyMediaAddPayload:
        """Add a file."""
        added = await resolve.property_media_add(info.context, unpacked(input, domain.PropertyMediaAdd))
        return paid(PropertyMediaAddPayload, media=added)

    @mutation("Take a file from its property. Addresses of it that were given out end soon.")
    async def property_media_remove(self, info: Info, input: PropertyMediaRemoveInput) -> PropertyMediaRemovePayload:
        """Remove a file."""
        removed = await resolve.property_media_remove(info.context, unpacked(input, domain.PropertyMediaRemove))
        return paid(
            PropertyMediaRemovePayload,
            removed_id=ids.printed("property_media", removed.media_id),
            property=removed.property_id,
        )
