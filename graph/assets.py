"""Uploads as clients see them: announce a file, send it to an address, and name it where it belongs."""

from __future__ import annotations

import strawberry

from domain import assets as domain
from domain.assets import UploadPurpose, UploadState
from graph.access import User
from graph.context import Info
from graph.declaration import Node, column, link, noun, paid, payload, root, value
from graph.enums import described
from graph.inputs import argument, key_of, once, unpacked
from graph.mutations import mutation
from graph.scalars import URL, DateTime
from resolvers import assets as resolve

described(
    UploadPurpose,
    "What an upload is for; it decides who may send it, of which type and how large.",
    AVATAR="A picture of yourself: JPEG, PNG or WebP.",
    PROPERTY_MEDIA="A picture (JPEG, PNG or WebP) or a PDF of a property.",
    ROOM_PHOTO="A photograph of a room to be furnished: JPEG, PNG or WebP.",
    SCENE_MAP="The scenes of a video: CSV in UTF-8 with the columns title, start_ms and end_ms.",
)
described(
    UploadState,
    "How far an upload is.",
    ANNOUNCED="Its bytes have not arrived.",
    STORED="Its bytes are here, and wait to be used.",
    CONSUMED="It is in use, and cannot be used again.",
)


@value("http_headers", description="A header of an HTTP request.")
class HttpHeader:
    """A header."""

    name: str = column("Its name, in small letters.")
    value: str = column("Its value.")


@noun("uploads", prefix="upload", description="A file that you announced. Nobody else sees it until you use it.")
class Upload(Node):
    """An upload."""

    purpose: UploadPurpose = column("What it is for.")
    content_type: str = column("Its media type, as announced.")
    bytes: int = column("How many bytes it has, as announced.")
    url: URL = column("Where to PUT exactly these bytes, without signing in. The same bytes may be sent again.")
    headers: list[HttpHeader] = column("What to send along.")
    state: UploadState = column("How far it is.")
    created_at: DateTime = column("When it was announced.")
    expires_at: DateTime = column("When the address ends, and the upload too unless it is in use by then.")


@noun("assets", prefix="asset", description="A file, such as a photograph of a room or a picture made of it.")
class Asset(Node):
    """An asset."""

    url: URL = column("Where to fetch it without signing in; for an hour or two.")
    thumbnail_url: URL | None = column("Where a small picture of it is; null where there is none.")
    content_type: str = column("Its media type.")
    width: int | None = column("Its width in pixels, where it has one.")
    height: int | None = column("Its height in pixels, where it has one.")


@strawberry.input(description="A file that will be sent.")
class UploadCreateInput:
    """An announcement."""

    purpose: UploadPurpose = argument("What it is for.")
    content_type: str = argument("Its media type, such as image/jpeg.", longest=100)
    bytes: int = argument("Its exact size.")
    idempotency_key: str | None = once()


@strawberry.input(description="A picture of yourself.")
class ViewerAvatarSetInput:
    """An avatar."""

    upload_id: strawberry.ID = argument("An upload of yours for AVATAR, sent already.", of="uploads")


@payload("The upload that was announced.")
class UploadCreatePayload:
    """The answer of uploadCreate."""

    upload: Upload = link("Where to send it, and until when.")


@payload("Your picture was set.")
class ViewerAvatarSetPayload:
    """The answer of viewerAvatarSet."""

    viewer: User = link("You, with your new picture.")


@root
class AssetMutation:
    """Mutations of assets."""

    @mutation("Announce a file: step one of every upload. PUT the bytes to its address, then use the upload's id.")
    async def upload_create(self, info: Info, input: UploadCreateInput) -> UploadCreatePayload:
        """Announce an upload."""
        made = await resolve.upload_create(
            info.context, unpacked(input, domain.UploadCreate), key_of(input.idempotency_key)
        )
        return paid(UploadCreatePayload, upload=made)

    @mutation("Set your own picture. The one before it is removed.")
    async def viewer_avatar_set(self, info: Info, input: ViewerAvatarSetInput) -> ViewerAvatarSetPayload:
        """Set the avatar."""
        user = await resolve.viewer_avatar_set(info.context, unpacked(input, domain.ViewerAvatarSet))
        return paid(ViewerAvatarSetPayload, viewer=user)
