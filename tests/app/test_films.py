"""A film loses what was written beside it, and not a byte of it moves."""

import pytest

from app.assets.films import film
from domain.assets import Content, ContentRefused

SECRET = b"prompt: a secret"


def box(kind: bytes, content: bytes = b"", *, long: bool = False) -> bytes:
    if long:
        return b"\0\0\0\1" + kind + (len(content) + 16).to_bytes(8) + content
    return (len(content) + 8).to_bytes(4) + kind + content


def track(width: int, height: int, *inside: bytes) -> bytes:
    header = bytes(76) + (width << 16).to_bytes(4) + (height << 16).to_bytes(4)
    return box(b"trak", box(b"tkhd", header) + box(b"mdia", b"".join(inside)))


FRAMES = box(b"mdat", b"frames")
START = box(b"ftyp", b"isom\0\0\0\0")


def test_a_film_loses_its_metadata_wherever_it_is() -> None:
    written = START + box(
        b"moov", track(1280, 704, box(b"udta", SECRET)) + track(0, 0) + box(b"udta", box(b"meta", SECRET))
    )
    written += FRAMES + box(b"uuid", SECRET, long=True) + box(b"free", SECRET)
    kept = film(written)
    assert (kept.width, kept.height, len(kept.content)) == (1280, 704, len(written))
    assert SECRET not in kept.content
    # Every box is where it was, and nothing but those of metadata has changed.
    assert kept.content.index(FRAMES) == written.index(FRAMES)
    assert film(kept.content) == kept


def test_a_film_without_metadata_stays_as_it_is() -> None:
    written = START + box(b"moov", track(64, 48)) + FRAMES
    assert film(written) == Content(written, 64, 48)


def test_the_last_box_may_reach_to_the_end() -> None:
    written = START + box(b"moov") + b"\0\0\0\0mdatframes"
    assert film(written) == Content(written, None, None)


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"RIFF....WEBP",
        START,
        START + FRAMES,
        box(b"moov") + START + FRAMES,
        START + box(b"moov", b"\0\0\0\x20udta") + FRAMES,
        START + box(b"moov") + FRAMES[:-1],
        START + box(b"moov", b"\0\0\0\4udta") + FRAMES,
        START + box(b"moov", box(b"free") * 10_001) + FRAMES,
    ],
    ids=["empty", "webp", "no-film", "no-head", "not-first", "beyond", "cut-off", "too-small", "too-many"],
)
def test_what_is_no_film_is_refused(written: bytes) -> None:
    with pytest.raises(ContentRefused, match=r"^The content is no MP4 film, or it is damaged.$"):
        film(written)
