"""Looks into uploaded files: a picture is decoded and written anew without its metadata, the others are checked.

Decoders are the part of a server that strangers' bytes reach first. So only the announced format's is asked, after the
picture's size is known, in a thread of a small pool that bounds how many pictures are in memory at once.
"""

from __future__ import annotations

import asyncio
import codecs
import csv
import io
import struct
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from PIL import Image, ImageOps

from app.assets.films import film
from domain.assets import Content, ContentRefused

FORMATS: Final[Mapping[str, str]] = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
OPTIONS: Final[Mapping[str, dict[str, object]]] = {
    "JPEG": {"quality": 92, "optimize": True},
    "PNG": {"optimize": False},
    "WEBP": {"quality": 92},
}
PLAIN_MODES: Final = {"JPEG": {"L", "RGB"}, "PNG": {"1", "L", "LA", "RGB", "RGBA"}, "WEBP": {"RGB", "RGBA"}}
LONGEST_SIDE: Final = 16_383
"""What the WebP format holds, and far more than a screen."""
SCENE_COLUMNS: Final = frozenset({"title", "start_ms", "end_ms"})
THUMBNAIL: Final = 480
"""The longer side of a thumbnail, in pixels."""
AT_ONCE: Final = 2
# What Pillow raises for files that are not what they say. It promises none of it.
BROKEN: Final = (
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    OSError,
    OverflowError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


class FileContents:
    """The port `ContentCheck`."""

    def __init__(self, most_pixels: int) -> None:
        """Refuse pictures of more than `most_pixels`."""
        self._most_pixels = most_pixels
        self._threads: Final = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="contents")

    def close(self) -> None:
        """Wait for what is being looked into."""
        self._threads.shutdown()

    async def check(self, content_type: str, content: bytes) -> Content:
        """Return what is kept of a file; raises ContentRefused where it is not of the type."""
        work: Callable[[bytes], Content]
        if content_type in FORMATS:
            work = self._picture(FORMATS[content_type])
        else:
            work = {"application/pdf": _pdf, "text/csv": _scenes, "video/mp4": film}[content_type]
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, content)

    async def thumbnail(self, content_type: str, content: bytes) -> bytes | None:
        """Return a small WebP of a picture that was checked before; None of what is no picture."""
        if content_type not in FORMATS:
            return None
        work = partial(thumbnail, content, FORMATS[content_type])
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _picture(self, format_: str) -> Callable[[bytes], Content]:
        return lambda content: picture(content, format_, self._most_pixels)


def picture(content: bytes, format_: str, most_pixels: int) -> Content:
    """Decode a still picture of one format and write it anew: upright, with its colour profile, and nothing else."""
    try:
        with Image.open(io.BytesIO(content), formats=[format_]) as opened:
            width, height = opened.size
            if width * height > most_pixels or max(width, height) > LONGEST_SIDE:
                raise ContentRefused(
                    f"The picture has {width} by {height} pixels; at most {most_pixels} are accepted,"
                    f" and {LONGEST_SIDE} a side."
                )
            if getattr(opened, "n_frames", 1) > 1:
                raise ContentRefused("A picture does not move.")
            profile = opened.info.get("icc_profile")
            upright = _plain(ImageOps.exif_transpose(opened), format_)
        file = io.BytesIO()
        kept = {"icc_profile": profile} if profile and upright.mode in {"L", "RGB", "RGBA"} else {}
        upright.save(file, format_, **OPTIONS[format_], **kept)
    except BROKEN as error:
        raise ContentRefused(f"The content is no {format_} picture, or it is damaged.") from error
    return Content(file.getvalue(), upright.width, upright.height)


def thumbnail(content: bytes, format_: str) -> bytes:
    """Write a picture small, as a WebP without metadata."""
    file = io.BytesIO()
    with Image.open(io.BytesIO(content), formats=[format_]) as opened:
        # A JPEG is decoded at about the size that is wanted.
        opened.draft("RGB", (2 * THUMBNAIL, 2 * THUMBNAIL))
        small = _plain(opened, "WEBP")
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    small.save(file, "WEBP", quality=80)
    return file.getvalue()


def _plain(image: Image.Image, format_: str) -> Image.Image:
    """Return the pixels alone, in a mode that the format can hold."""
    if image.mode in PLAIN_MODES[format_] and "transparency" not in image.info:
        plain = image.copy()
    else:
        sees_through = image.has_transparency_data and format_ != "JPEG"
        plain = image.convert("RGBA" if sees_through else "RGB")
    plain.info = {}
    return plain


def _pdf(content: bytes) -> Content:
    if not content.startswith(b"%PDF-") or b"%%EOF" not in content[-1024:]:
        raise ContentRefused("The content is no PDF document, or it is damaged.")
    return Content(content)


def _scenes(content: bytes) -> Content:
    """Check the encoding and the header of a scene map; its rows are for whoever reads them."""
    try:
        text = content.decode("utf-8-sig")
        header = next(csv.reader(io.StringIO(text)), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise ContentRefused("The content is no CSV in UTF-8.") from error
    if "\0" in text:
        raise ContentRefused("The content is no CSV in UTF-8.")
    if missing := SCENE_COLUMNS - {name.strip() for name in header}:
        raise ContentRefused(f"The CSV's first line lacks {', '.join(sorted(missing))}.")
    return Content(content.removeprefix(codecs.BOM_UTF8))
