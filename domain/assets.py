"""Assets: files that clients upload and fetch. An upload is announced, its bytes arrive, and a use case consumes it.

The noun that needs the file consumes it, as `properties` does. Users are part of `access`, on which everything here
stands, so their avatars are set here.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from domain.access import Permission
from domain.audit import AuditAction, Change
from domain.errors import Conflict, Invalid, NotAllowed, NotFound
from domain.signing import AssetKey
from domain.values import new_id

if TYPE_CHECKING:
    from domain.unit import Unit


class UploadPurpose(Enum):
    """What an upload is for; it decides who may send it, of which type and how large."""

    AVATAR = "AVATAR"
    PROPERTY_MEDIA = "PROPERTY_MEDIA"
    ROOM_PHOTO = "ROOM_PHOTO"
    SCENE_MAP = "SCENE_MAP"


class UploadState(Enum):
    """How far an upload is."""

    ANNOUNCED = "ANNOUNCED"
    STORED = "STORED"
    CONSUMED = "CONSUMED"


class UploadAddressWrong(NotAllowed):
    """The address was not made here, or it has been changed."""


class UploadExpired(Conflict):
    """The upload has expired. Create another."""


class UploadTooLarge(Invalid):
    """There are more bytes than were announced or are accepted."""


class UploadIncomplete(Invalid):
    """Fewer bytes came than were announced."""


class TypeNotAccepted(Invalid):
    """The content type is not accepted here."""


class ContentRefused(Invalid):
    """The content is not what was announced."""


class UploadDiffers(Conflict):
    """Something else was uploaded here before. Create another upload."""


class TooManyUploads(Conflict):
    """Too many uploads are open. Use them, or wait until they expire."""


class UploadNotStored(Conflict):
    """The bytes of this upload have not arrived yet."""


class UploadSpent(Conflict):
    """The upload was used already. Create another."""


class PurposeDiffers(Invalid):
    """The upload was announced for another purpose."""


PICTURES: Final = frozenset({"image/jpeg", "image/png", "image/webp"})
FILMS: Final = frozenset({"video/mp4", "video/webm"})
"""Nobody uploads them: renders make some, and the catalogue may name others."""
DOCUMENTS: Final = frozenset({"application/pdf"})
TABLES: Final = frozenset({"text/csv"})
ACCEPTED: Final[Mapping[UploadPurpose, frozenset[str]]] = {
    UploadPurpose.AVATAR: PICTURES,
    UploadPurpose.PROPERTY_MEDIA: PICTURES | DOCUMENTS,
    UploadPurpose.ROOM_PHOTO: PICTURES,
    UploadPurpose.SCENE_MAP: TABLES,
}
EXTENSIONS: Final[Mapping[str, str]] = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "application/pdf": "pdf",
    "text/csv": "csv",
    "video/mp4": "mp4",
    "video/webm": "webm",
}
NEEDED: Final[Mapping[UploadPurpose, Permission]] = {UploadPurpose.PROPERTY_MEDIA: Permission.PROPERTY_WRITE}
"""What a purpose needs beyond being signed in."""

MOST_OPEN: Final = 50
"""How many uploads that nothing has consumed an actor may have at a time."""
OBJECT_KEY: Final = r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*(\.[A-Za-z0-9]+)?$"
"""A key stands in addresses as it is, and names a file: it holds nothing that needs escaping, and no dots but one."""
LONGEST_KEY: Final = 500
_OBJECT_KEY: Final = re.compile(OBJECT_KEY.removesuffix("$") + r"\Z")


def is_object_key(key: str) -> bool:
    """Whether a text may name an object."""
    return len(key) <= LONGEST_KEY and _OBJECT_KEY.match(key) is not None


@dataclass(frozen=True, slots=True)
class UploadRules:
    """How long an upload is open, and how many bytes each purpose takes."""

    lifetime: timedelta = timedelta(hours=1)
    grace: timedelta = timedelta(minutes=5)
    """How long an expired upload is kept: clocks differ, and a request may be under way."""
    most_bytes: Mapping[UploadPurpose, int] = field(
        default_factory=lambda: {
            UploadPurpose.AVATAR: 5_000_000,
            UploadPurpose.PROPERTY_MEDIA: 25_000_000,
            UploadPurpose.ROOM_PHOTO: 25_000_000,
            UploadPurpose.SCENE_MAP: 5_000_000,
        }
    )


@dataclass(frozen=True, slots=True)
class UploadCreate:
    """A file that will be sent."""

    purpose: UploadPurpose
    content_type: str
    bytes: int


@dataclass(frozen=True, slots=True)
class ViewerAvatarSet:
    """A picture of the caller."""

    upload_id: UUID


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload as its rules see it: `announced` bytes are to come; `digest` is the SHA-256 of those accepted."""

    tenant_id: UUID
    id: UUID
    purpose: UploadPurpose
    content_type: str
    announced: int
    object_key: str
    state: UploadState
    expires_at: datetime
    digest: bytes | None = None
    stored_bytes: int | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class UploadAddress:
    """An upload's address as a client sent it."""

    tenant_id: UUID
    id: UUID
    expires: str
    signature: str


@dataclass(frozen=True, slots=True)
class Content:
    """What is kept of a file: its bytes without metadata, and the size of a picture in pixels."""

    content: bytes
    width: int | None = None
    height: int | None = None


class UploadStore(Protocol):
    """Uploads of the unit's tenant."""

    async def add(self, upload: Upload, now: datetime) -> None:
        """Store an announced upload as the caller's."""

    async def count_open(self) -> int:
        """Count the caller's uploads that are not consumed."""

    async def get_for_update(self, upload_id: UUID) -> Upload:
        """Return an upload of the caller's own and lock it; raises NotFound naming `uploadId`."""

    async def consume(self, upload_id: UUID, now: datetime) -> None:
        """Store that an upload is in use, so that it outlives its address."""

    async def release(self, object_key: str, now: datetime) -> None:
        """Let an object that came by an upload be swept. Objects that did not are left alone: they may be shared."""


class Receipts(Protocol):
    """Uploads where nobody is signed in: an address is all that whoever sends bytes has."""

    async def find(self, tenant_id: UUID, upload_id: UUID) -> Upload | None:
        """Return an upload of whatever caller."""

    async def claim(self, upload: Upload, digest: bytes) -> bool:
        """Bind an upload to the SHA-256 of its bytes; False where it is bound to another or is gone."""

    async def settle(self, upload: Upload, kept: Content, now: datetime) -> bool:
        """Store that the bytes have arrived; False where the upload is gone."""

    async def sweep(self, before: datetime, remove: Callable[[str], Awaitable[None]]) -> int:
        """Remove what expired before a moment unconsumed, each object before its row; return how many."""


class ContentCheck(Protocol):
    """Looks into files, beside the event loop."""

    async def check(self, content_type: str, content: bytes) -> Content:
        """Return what is kept of a file; raises ContentRefused where it is not of the type."""

    async def thumbnail(self, content_type: str, content: bytes) -> bytes | None:
        """Return a small WebP of a picture that was checked before; None of what is no picture."""


class ObjectStore(Protocol):
    """Keeps bytes under keys. What stands under a key never changes. Every call may raise Unavailable."""

    async def put(self, key: str, content: bytes, content_type: str) -> None:
        """Store an object: whole, or not at all."""

    async def size(self, key: str) -> int | None:
        """Return how many bytes an object has; None where there is none."""

    def read(self, key: str, first: int, last: int) -> AsyncIterator[bytes]:
        """Yield the bytes `first` to `last`, both inclusive, in pieces."""

    async def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""

    def check(self) -> None:
        """Raise Unavailable where something is not configured, naming it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadPorts:
    """Everything that uploads need beside a unit."""

    objects: ObjectStore
    receipts: Receipts
    contents: ContentCheck
    key: AssetKey
    rules: UploadRules


async def create(unit: Unit, command: UploadCreate, rules: UploadRules) -> UUID:
    """Announce an upload; raises NotAllowed, TypeNotAccepted, UploadTooLarge, Invalid or TooManyUploads."""
    purpose = command.purpose
    needed = NEEDED.get(purpose)
    if needed is not None and not unit.caller.may(needed):
        raise NotAllowed(f"Your role, {unit.caller.role.name}, lacks {needed.name}.", field="purpose")
    if purpose is UploadPurpose.AVATAR:
        unit.caller.as_user()
    if command.content_type not in ACCEPTED[purpose]:
        accepted = ", ".join(sorted(ACCEPTED[purpose]))
        raise TypeNotAccepted(f"{purpose.name} takes {accepted}.", field="contentType")
    if command.bytes < 1:
        raise Invalid("A file has at least one byte.", field="bytes")
    if command.bytes > rules.most_bytes[purpose]:
        raise UploadTooLarge(f"{purpose.name} takes at most {rules.most_bytes[purpose]} bytes.", field="bytes")
    if await unit.assets.count_open() >= MOST_OPEN:
        raise TooManyUploads
    upload_id = new_id()
    upload = Upload(
        tenant_id=unit.caller.tenant_id,
        id=upload_id,
        purpose=purpose,
        content_type=command.content_type,
        announced=command.bytes,
        object_key=f"uploads/{unit.caller.tenant_id}/{upload_id}.{EXTENSIONS[command.content_type]}",
        state=UploadState.ANNOUNCED,
        expires_at=unit.now.replace(microsecond=0) + rules.lifetime,
    )
    await unit.assets.add(upload, unit.now)
    return upload_id


async def admit(ports: UploadPorts, address: UploadAddress, content_type: str, now: datetime) -> Upload:
    """Return the upload that an address stands for, before its bytes are read.

    Raises UploadAddressWrong, UploadExpired, NotFound or TypeNotAccepted. Nothing is looked up for a wrong address.
    """
    if not ports.key.signed_upload(address.tenant_id, address.id, address.expires, address.signature):
        raise UploadAddressWrong
    if now.timestamp() >= int(address.expires):
        raise UploadExpired
    upload = await ports.receipts.find(address.tenant_id, address.id)
    if upload is None:
        raise NotFound
    if content_type != upload.content_type:
        raise TypeNotAccepted(f"{upload.content_type} was announced.", field="contentType")
    return upload


async def keep(ports: UploadPorts, upload: Upload, content: bytes, digest: bytes, now: datetime) -> Upload:
    """Check what arrived and keep it. The same bytes again are the same answer; raises UploadDiffers for others.

    The digest is claimed before anything is stored, so that of two that come at once only one reaches the store.
    Raises ContentRefused, with nothing kept.
    """
    if upload.digest not in {None, digest}:
        raise UploadDiffers
    if upload.state is UploadState.ANNOUNCED:
        kept = await ports.contents.check(upload.content_type, content)
        if not await ports.receipts.claim(upload, digest):
            raise UploadDiffers
        await ports.objects.put(upload.object_key, kept.content, upload.content_type)
        if not await ports.receipts.settle(upload, kept, now):
            await ports.objects.delete(upload.object_key)
            raise NotFound
    found = await ports.receipts.find(upload.tenant_id, upload.id)
    if found is None:
        raise NotFound
    return found


async def consume(unit: Unit, upload_id: UUID, purpose: UploadPurpose) -> Upload:
    """Take a stored upload of the caller's own into use, in the caller's unit.

    Raises NotFound, PurposeDiffers, UploadNotStored, UploadSpent or UploadExpired, each naming `uploadId`.
    """
    upload = await unit.assets.get_for_update(upload_id)
    if upload.purpose is not purpose:
        raise PurposeDiffers(f"This upload is for {upload.purpose.name}, not for {purpose.name}.", field="uploadId")
    if upload.state is UploadState.CONSUMED:
        raise UploadSpent(field="uploadId")
    if upload.expires_at <= unit.now:
        raise UploadExpired(field="uploadId")
    if upload.state is UploadState.ANNOUNCED:
        raise UploadNotStored(field="uploadId")
    await unit.assets.consume(upload_id, unit.now)
    return upload


async def set_avatar(unit: Unit, command: ViewerAvatarSet) -> UUID:
    """Show a picture as the caller's, and let the one before it go; raises NotAUser and what `consume` raises."""
    user_id = unit.caller.as_user()
    upload = await consume(unit, command.upload_id, UploadPurpose.AVATAR)
    replaced = await unit.access.set_avatar(user_id, upload.object_key, unit.now)
    if replaced is not None:
        await unit.assets.release(replaced, unit.now)
    unit.record(Change(AuditAction.UPDATE, "UserUpdated", "users", user_id, ("avatarUrl",)))
    return user_id


async def sweep(ports: UploadPorts, now: datetime) -> int:
    """Remove every upload that expired unconsumed, with its object; return how many there were."""
    return await ports.receipts.sweep(now - ports.rules.grace, ports.objects.delete)
