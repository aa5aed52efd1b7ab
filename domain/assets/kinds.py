"""What an upload may be for and of which type, and what objects are called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Final

from domain.access import Permission


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
