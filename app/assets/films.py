"""MP4 without what a program wrote beside the film: its boxes of metadata are blanked in place.

Nothing moves, since other boxes say at which byte of the file each frame is. The frames themselves are not decoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from domain.assets import Content, ContentRefused

CONTAINERS: Final = frozenset({b"moov", b"trak", b"mdia", b"minf", b"moof", b"traf"})
BLANKED: Final = frozenset({b"udta", b"meta", b"uuid", b"free", b"skip", b"cprt", b"XMP_", b"id32"})
"""Users' data, metadata of every kind, boxes of nobody's, and what was blanked by whoever wrote the film."""
HEAD: Final = 8
LONG_HEAD: Final = 16
TRACK_HEADERS: Final = frozenset({84, 96})
"""Bytes of a track's header, by its version; the last eight are width and height, as 16.16 numbers."""
MOST_BOXES: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Box:
    """A box: `content` up to `end` are what is in it."""

    kind: bytes
    start: int
    content: int
    end: int


def film(content: bytes) -> Content:
    """Return an MP4 film without its metadata, and its size in pixels; raises ContentRefused where it is none."""
    blanked = bytearray(content)
    boxes = list(_boxes(content, 0, len(content)))
    kinds = [box.kind for box in boxes]
    if not boxes or kinds[0] != b"ftyp" or not {b"moov", b"mdat"} <= {*kinds}:
        raise _broken()
    sizes = [size for box in boxes for size in _blank(content, blanked, box)]
    width, height = max(sizes, default=(None, None))
    return Content(bytes(blanked), width, height)


def _blank(content: bytes, blanked: bytearray, box: _Box) -> Iterator[tuple[int, int]]:
    """Blank what is metadata in a box, and yield the size of each picture track."""
    if box.kind in BLANKED:
        blanked[box.start + 4 : box.start + HEAD] = b"free"
        blanked[box.content : box.end] = bytes(box.end - box.content)
    elif box.kind in CONTAINERS:
        for inner in _boxes(content, box.content, box.end):
            yield from _blank(content, blanked, inner)
    elif box.kind == b"tkhd" and box.end - box.content in TRACK_HEADERS:
        width, height = (int.from_bytes(content[at : at + 2]) for at in (box.end - 8, box.end - 4))
        # A track of sound has no size.
        if width and height:
            yield width, height


def _boxes(content: bytes, start: int, end: int) -> Iterator[_Box]:
    """Yield the boxes between two places, which they fill."""
    for _ in range(MOST_BOXES):
        if start == end:
            return
        head = HEAD
        size = int.from_bytes(content[start : start + 4])
        if size == 1:
            head, size = LONG_HEAD, int.from_bytes(content[start + HEAD : start + LONG_HEAD])
        elif size == 0:
            size = end - start
        if size < head or start + size > end:
            raise _broken()
        yield _Box(content[start + 4 : start + HEAD], start, start + head, start + size)
        start += size
    raise _broken()


def _broken() -> ContentRefused:
    return ContentRefused("The content is no MP4 film, or it is damaged.")
