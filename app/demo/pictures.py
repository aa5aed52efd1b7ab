"""Draws the demo's pictures: facades, rooms and floor plans, a few kilobytes each, the same on every run."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Final

from PIL import Image, ImageDraw

from app.demo.chance import generator, likely, pick, whole

WIDTH, HEIGHT = 640, 426
_HORIZON: Final = 340

Colour = tuple[int, int, int]
_SKIES: Final[tuple[tuple[Colour, Colour], ...]] = (
    ((120, 170, 214), (226, 236, 242)),
    ((238, 178, 128), (252, 226, 196)),
    ((92, 120, 168), (196, 206, 226)),
    ((168, 200, 220), (244, 240, 230)),
)
_STONES: Final[tuple[Colour, ...]] = (
    (214, 204, 190), (232, 228, 220), (176, 166, 154), (198, 180, 160), (150, 158, 168),
)  # fmt: skip
_GLASS: Final[tuple[Colour, ...]] = ((74, 98, 120), (96, 120, 132), (58, 74, 92), (120, 142, 150))
_WALLS: Final[tuple[Colour, ...]] = ((240, 236, 228), (226, 220, 208), (218, 224, 222), (236, 226, 214))
_FLOORS: Final[tuple[Colour, ...]] = ((196, 160, 120), (214, 204, 192), (150, 116, 84), (228, 222, 212))
_FABRICS: Final[tuple[Colour, ...]] = ((92, 104, 96), (168, 140, 116), (70, 84, 110), (188, 176, 160), (130, 78, 66))
_GREENS: Final[tuple[Colour, ...]] = ((86, 118, 78), (108, 138, 90), (70, 100, 72))
_INK: Final = (52, 56, 62)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, or a moving one. `key` is its place in the asset folder, named after its SHA-256."""

    key: str
    content: bytes
    content_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class PictureBook:
    towers: tuple[Picture, ...]
    villas: tuple[Picture, ...]
    rooms: tuple[Picture, ...]
    plans: tuple[Picture, ...]

    def all(self) -> tuple[Picture, ...]:
        return self.towers + self.villas + self.rooms + self.plans


@cache
def picture_book() -> PictureBook:
    """Return the 24 pictures of the demo."""
    return PictureBook(
        towers=tuple(_draw(_tower, number) for number in range(7)),
        villas=tuple(_draw(_villa, number) for number in range(4)),
        rooms=tuple(_draw(_room, number) for number in range(7)),
        plans=tuple(_draw(_plan, number) for number in range(6)),
    )


def store(folder: Path, pictures: Iterable[Picture]) -> None:
    """Write the files that are not there yet under `folder`."""
    for picture in pictures:
        path = folder / picture.key
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture.content)


def _draw(painter: Callable[[ImageDraw.ImageDraw, Random], None], number: int) -> Picture:
    # Drawn with a palette, a file is small without a search for its best colours.
    image = Image.new("P", (WIDTH, HEIGHT), (255, 255, 255))
    painter(ImageDraw.Draw(image), generator("picture", painter.__name__, number))
    file = BytesIO()
    image.save(file, "PNG", compress_level=9)
    content = file.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    return Picture(f"media/{digest[:2]}/{digest}.png", content, "image/png", WIDTH, HEIGHT)


def _sky(draw: ImageDraw.ImageDraw, random: Random) -> None:
    top, bottom = pick(random, _SKIES)
    bands = 24
    for band in range(bands):
        share = band / bands
        low, high = _HORIZON * band // bands, _HORIZON * (band + 1) // bands
        draw.rectangle((0, low, WIDTH, high), fill=_mixed(top, bottom, share))
    draw.rectangle((0, _HORIZON, WIDTH, HEIGHT), fill=pick(random, _GREENS))


def _mixed(first: Colour, second: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _tower(draw: ImageDraw.ImageDraw, random: Random) -> None:
    _sky(draw, random)
    stone, glass = pick(random, _STONES), pick(random, _GLASS)
    left = whole(random, 90, 150)
    for _ in range(whole(random, 1, 3)):
        width, top = whole(random, 110, 170), whole(random, 24, 110)
        _block(draw, random, (left, top, left + width, _HORIZON + 14), stone, glass)
        left += width + whole(random, 16, 50)
    _trees(draw, random)


def _block(
    draw: ImageDraw.ImageDraw, random: Random, box: tuple[int, int, int, int], stone: Colour, glass: Colour
) -> None:
    """Draw one building with its rows of windows and decks."""
    left, top, right, bottom = box
    draw.rectangle(box, fill=stone)
    storey, bay = whole(random, 13, 18), whole(random, 16, 26)
    lit = (246, 220, 160)
    for y in range(top + 8, bottom - storey, storey):
        for x in range(left + 7, right - bay + 4, bay):
            fill = lit if likely(random, 0.12) else glass
            draw.rectangle((x, y, x + bay - 6, y + storey - 6), fill=fill)
        draw.line((left - 3, y + storey - 4, right + 3, y + storey - 4), fill=_mixed(stone, (255, 255, 255), 0.5))
    draw.rectangle((left + 12, top - 10, right - 12, top), fill=_mixed(stone, (60, 60, 60), 0.3))


def _trees(draw: ImageDraw.ImageDraw, random: Random) -> None:
    for _ in range(whole(random, 9, 16)):
        x, size = whole(random, 0, WIDTH), whole(random, 12, 30)
        base = _HORIZON + whole(random, 2, 26)
        draw.rectangle((x - 2, base - size // 2, x + 2, base), fill=(96, 76, 58))
        draw.ellipse((x - size // 2, base - size - 8, x + size // 2, base - size // 3), fill=pick(random, _GREENS))


def _villa(draw: ImageDraw.ImageDraw, random: Random) -> None:
    _sky(draw, random)
    stone, glass = pick(random, _STONES), pick(random, _GLASS)
    left, right, ground = whole(random, 90, 140), whole(random, 480, 550), _HORIZON + 12
    upper = ground - whole(random, 150, 180)
    draw.rectangle((left, ground - 84, right, ground), fill=stone)
    pale = _mixed(stone, (255, 255, 255), 0.3)
    draw.rectangle((left + 60, upper, right - whole(random, 60, 140), ground - 84), fill=pale)
    draw.rectangle((left + 44, upper - 10, right - 40, upper), fill=_mixed(stone, (40, 40, 40), 0.4))
    for x in range(left + 14, right - 60, whole(random, 64, 82)):
        draw.rectangle((x, ground - 70, x + 46, ground - 8), fill=glass)
    for x in range(left + 78, right - 200, 74):
        draw.rectangle((x, upper + 16, x + 50, ground - 98), fill=glass)
    pool = (whole(random, 150, 240), ground + 22, whole(random, 380, 470), ground + 58)
    draw.rounded_rectangle(pool, 12, fill=(112, 178, 196), outline=(230, 230, 224), width=4)
    _trees(draw, random)


def _room(draw: ImageDraw.ImageDraw, random: Random) -> None:
    wall, floor, glass = pick(random, _WALLS), pick(random, _FLOORS), pick(random, _SKIES)
    draw.rectangle((0, 0, WIDTH, 290), fill=wall)
    draw.polygon(((0, 290), (WIDTH, 290), (WIDTH, HEIGHT), (0, HEIGHT)), fill=floor)
    for x in range(-200, WIDTH + 200, 56):
        draw.line((WIDTH // 2 + (x - WIDTH // 2) // 2, 290, x, HEIGHT), fill=_mixed(floor, (40, 30, 20), 0.2))
    panes, width = whole(random, 3, 5), whole(random, 82, 100)
    start = whole(random, 40, 120)
    for pane in range(panes):
        x = start + pane * (width + 8)
        for band in range(10):
            y = 46 + band * 22
            draw.rectangle((x, y, x + width, y + 22), fill=_mixed(glass[0], glass[1], band / 10))
        draw.rectangle((x, 46, x + width, 266), outline=_INK, width=3)
    _furniture(draw, random, floor)


def _furniture(draw: ImageDraw.ImageDraw, random: Random, floor: Colour) -> None:
    fabric = pick(random, _FABRICS)
    left = whole(random, 70, 160)
    draw.ellipse((left - 50, 340, left + 380, 420), fill=_mixed(floor, (255, 255, 255), 0.45))
    draw.rounded_rectangle((left, 262, left + 280, 330), 14, fill=fabric)
    draw.rounded_rectangle((left - 14, 296, left + 294, 366), 14, fill=_mixed(fabric, (0, 0, 0), 0.15))
    for x in range(left + 16, left + 240, 88):
        draw.rounded_rectangle((x, 270, x + 72, 316), 8, fill=_mixed(fabric, (255, 255, 255), 0.35))
    draw.rectangle((left + 90, 372, left + 220, 384), fill=_mixed(floor, (30, 20, 10), 0.5))
    lamp = whole(random, 500, 590)
    draw.line((lamp, 200, lamp, 352), fill=_INK, width=4)
    draw.polygon(((lamp - 26, 200), (lamp + 26, 200), (lamp + 16, 160), (lamp - 16, 160)), fill=(250, 232, 190))


def _plan(draw: ImageDraw.ImageDraw, random: Random) -> None:
    """Draw a floor plan by splitting a rectangle into rooms."""
    rooms: list[tuple[int, int, int, int]] = [(60, 50, WIDTH - 60, HEIGHT - 50)]
    for _ in range(whole(random, 6, 10)):
        rooms.sort(key=lambda room: (room[0] - room[2]) * (room[3] - room[1]))
        rooms += _split(random, rooms.pop(0))
    for room in rooms:
        paper = pick(random, ((250, 248, 244), (244, 240, 232), (238, 242, 244)))
        draw.rectangle(room, fill=paper, outline=_INK, width=3)
        left, top, right, bottom = room
        if likely(random, 0.8):
            door = whole(random, left + 8, max(left + 9, right - 40))
            draw.rectangle((door, bottom - 2, door + 26, bottom + 2), fill=(250, 248, 244))
            draw.arc((door - 26, bottom - 28, door + 26, bottom + 24), 270, 360, fill=_INK)
        middle = ((left + right) // 2, (top + bottom) // 2)
        draw.rectangle((middle[0] - 22, middle[1] - 12, middle[0] + 22, middle[1] + 12), outline=(150, 150, 150))
    draw.rectangle((60, 50, WIDTH - 60, HEIGHT - 50), outline=_INK, width=7)


def _split(random: Random, room: tuple[int, int, int, int]) -> list[tuple[int, int, int, int]]:
    left, top, right, bottom = room
    share = whole(random, 38, 62)
    if right - left > bottom - top:
        middle = left + (right - left) * share // 100
        return [(left, top, middle, bottom), (middle, top, right, bottom)]
    middle = top + (bottom - top) * share // 100
    return [(left, top, right, middle), (left, middle, right, bottom)]
