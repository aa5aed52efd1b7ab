"""What is refused of uploads."""

from __future__ import annotations

from domain.errors import Conflict, Invalid, NotAllowed


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
