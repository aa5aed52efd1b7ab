"""What is done with uploads: announce them, take their bytes, consume them, and sweep what nobody consumed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from domain.assets.kinds import ACCEPTED, EXTENSIONS, MOST_OPEN, NEEDED, UploadPurpose, UploadState
from domain.assets.refusals import (
    PurposeDiffers,
    TooManyUploads,
    TypeNotAccepted,
    UploadAddressWrong,
    UploadDiffers,
    UploadExpired,
    UploadNotStored,
    UploadSpent,
    UploadTooLarge,
)
from domain.assets.store import Upload, UploadAddress, UploadCreate, UploadPorts, UploadRules, ViewerAvatarSet
from domain.audit import AuditAction, Change
from domain.errors import Invalid, NotAllowed, NotFound
from domain.values import new_id

if TYPE_CHECKING:
    from domain.unit import Unit


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
