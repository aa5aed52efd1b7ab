"""Makes the demo's videos: pictures that slowly come nearer, as WebM that any browser plays, the same on every run.

A lossy WebP picture is one key frame of VP8. So Pillow makes the frames, and only the container is written here: EBML
elements (RFC 8794) as Matroska (RFC 9559) names them, of which WebM takes a part.
"""

import hashlib
import struct
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Final

from PIL import Image

from app.demo.pictures import Picture, picture_book

WIDTH, HEIGHT = 320, 212
SCENE_MS: Final = 8_000
FRAME_MS: Final = 2_000
_NEARER: Final = 0.02
_TITLES: Final = ("The arrival", "The living room", "The master suite", "The plan", "The gardens", "The way home")
_NAMES: Final = ("A morning at the tower", "The villa and its pool", "From lobby to skyline")

_EBML, _SEGMENT, _INFO, _TRACKS, _CUES, _CLUSTER = (
    0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1F43B675,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reel:
    """A video with its scenes: titles, each SCENE_MS long."""

    title: str
    file: Picture
    scenes: tuple[str, ...]

    @property
    def duration_ms(self) -> int:
        return len(self.scenes) * SCENE_MS


@cache
def reels() -> tuple[Reel, ...]:
    """Return the three videos of the demo."""
    return tuple(_reel(number, name) for number, name in enumerate(_NAMES))


def files() -> tuple[Picture, ...]:
    """Return every file that the demo's assets are made of."""
    return (*picture_book().all(), *(reel.file for reel in reels()))


def _reel(number: int, name: str) -> Reel:
    book = picture_book()
    outside = book.villas if number == 1 else book.towers
    shots = (
        outside[number], book.rooms[number], book.rooms[number + 3], book.plans[number],
        book.villas[number], outside[number + 2],
    )  # fmt: skip
    frames = [_frame(shot, step * _NEARER) for shot in shots for step in range(SCENE_MS // FRAME_MS)]
    content = webm(frames, FRAME_MS, WIDTH, HEIGHT)
    digest = hashlib.sha256(content).hexdigest()
    file = Picture(f"videos/{digest[:2]}/{digest}.webm", content, "video/webm", WIDTH, HEIGHT)
    return Reel(name, file, _TITLES)


def _frame(picture: Picture, nearer: float) -> bytes:
    """Return a key frame of VP8 that shows a picture without a share of its edges."""
    with Image.open(BytesIO(picture.content)) as image:
        left, top = round(picture.width * nearer), round(picture.height * nearer)
        box = (left, top, picture.width - left, picture.height - top)
        small = image.convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR, box)
    file = BytesIO()
    small.save(file, "WEBP", quality=40, method=0)
    riff = file.getvalue()
    if riff[12:16] != b"VP8 ":
        raise ValueError("Pillow wrote no plain lossy WebP.")
    [size] = struct.unpack("<I", riff[16:20])
    return riff[20 : 20 + size]


def webm(frames: list[bytes], frame_ms: int, width: int, height: int) -> bytes:
    """Return a WebM of key frames, each shown for `frame_ms`, in which a player finds any of them at once."""
    head = _element(
        _EBML, _number(0x4286, 1), _number(0x42F7, 1), _number(0x42F2, 4), _number(0x42F3, 8),
        _element(0x4282, b"webm"), _number(0x4287, 2), _number(0x4285, 2),
    )  # fmt: skip
    duration = struct.pack(">d", float(len(frames) * frame_ms))
    info = _element(
        _INFO, _number(0x2AD7B1, 1_000_000), _element(0x4489, duration), _element(0x4D80, b"Velocity"),
        _element(0x5741, b"Velocity"),
    )  # fmt: skip
    video = _element(0xE0, _number(0xB0, width), _number(0xBA, height))
    track = _element(
        0xAE, _number(0xD7, 1), _number(0x73C5, 1), _number(0x9C, 0), _element(0x86, b"V_VP8"), _number(0x83, 1), video
    )
    tracks = _element(_TRACKS, track)
    clusters = [_cluster(number * frame_ms, frame) for number, frame in enumerate(frames)]
    # Where the clusters begin depends on the cues' size, but that does not depend on where they begin.
    first = len(info) + len(tracks) + len(_cues(clusters, frame_ms, 0))
    return head + _element(_SEGMENT, info, tracks, _cues(clusters, frame_ms, first), *clusters)


def _cluster(at: int, frame: bytes) -> bytes:
    # Track 1, at the cluster's own time, a key frame.
    block = _element(0xA3, b"\x81\x00\x00\x80", frame)
    return _element(_CLUSTER, _number(0xE7, at), block)


def _cues(clusters: list[bytes], frame_ms: int, first: int) -> bytes:
    points, position = [], first
    for number, cluster in enumerate(clusters):
        place = _element(0xB7, _number(0xF7, 1), _element(0xF1, position.to_bytes(8, "big")))
        points.append(_element(0xBB, _number(0xB3, number * frame_ms), place))
        position += len(cluster)
    return _element(_CUES, *points)


def _number(name: int, value: int) -> bytes:
    return _element(name, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def _element(name: int, *content: bytes) -> bytes:
    """Return an element: its name, its size in eight bytes, its content."""
    size = sum(map(len, content))
    return name.to_bytes((name.bit_length() + 7) // 8, "big") + (size | 1 << 56).to_bytes(8, "big") + b"".join(content)
