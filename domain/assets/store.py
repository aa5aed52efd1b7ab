"""What is kept of uploads, the commands that change them, and the ports that keep rows and bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from domain.assets.kinds import UploadPurpose, UploadState
from domain.signing import AssetKey


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
