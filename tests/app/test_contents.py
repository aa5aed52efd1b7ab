"""What is kept of a file: a picture without what it tells beside itself, and nothing that is not what it says."""

import struct
import zlib
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from app.assets.contents import FileContents
from domain.assets import ContentRefused
from tests.comfy.nodes import FILM
from tests.factories.assets import GPS_INFO, picture, telling_exif

MOST = 1_000_000


@pytest.fixture
async def contents() -> AsyncIterator[FileContents]:
    made = FileContents(MOST)
    yield made
    made.close()


def opened(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
async def test_a_picture_loses_what_it_tells(contents: FileContents, format_: str) -> None:
    sent = picture(format_, exif=telling_exif())
    assert opened(sent).getexif().get_ifd(GPS_INFO)[1] == "N"
    assert b"Asha Rao" in sent

    kept = await contents.check(f"image/{format_.lower()}", sent)

    image = opened(kept.content)
    assert (image.format, image.size, kept.width, kept.height) == (format_, (40, 30), 40, 30)
    assert dict(image.getexif()) == {}
    assert b"Asha Rao" not in kept.content
    assert b"Exif" not in kept.content


async def test_a_picture_is_turned_upright_before_its_orientation_is_lost(contents: FileContents) -> None:
    # 6: the camera was turned, and the picture is to be turned a quarter clockwise.
    kept = await contents.check("image/jpeg", picture(exif=telling_exif(orientation=6)))
    image = opened(kept.content).convert("RGB")
    assert (image.size, kept.width, kept.height) == ((30, 40), 30, 40)
    red, blue = image.getpixel((15, 2)), image.getpixel((15, 37))
    assert isinstance(red, tuple)
    assert isinstance(blue, tuple)
    assert red[0] > 150 > red[2]
    assert blue[2] > 150 > blue[0]


async def test_text_and_comments_are_lost_and_the_colour_profile_stays(contents: FileContents) -> None:
    words = PngImagePlugin.PngInfo()
    words.add_text("Author", "Asha Rao")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    told: dict[str, dict[str, Any]] = {"PNG": {"pnginfo": words}, "JPEG": {"comment": b"Asha Rao"}}
    for format_, options in told.items():
        sent = picture(format_, icc_profile=profile, **options)
        assert b"Asha Rao" in sent
        kept = await contents.check(f"image/{format_.lower()}", sent)
        assert b"Asha Rao" not in kept.content
        assert opened(kept.content).info["icc_profile"] == profile


async def test_every_mode_can_be_kept(contents: FileContents) -> None:
    modes = {"JPEG": ["L", "RGB", "CMYK"], "PNG": ["1", "L", "LA", "P", "I;16", "RGBA"], "WEBP": ["RGB", "RGBA"]}
    for format_, listed in modes.items():
        for mode in listed:
            file = BytesIO()
            Image.new(mode, (4, 3)).save(file, format_)
            kept = await contents.check(f"image/{format_.lower()}", file.getvalue())
            assert (opened(kept.content).size, kept.width) == ((4, 3), 4), mode


async def test_what_is_seen_through_stays_so(contents: FileContents) -> None:
    image, file = Image.new("P", (4, 3)), BytesIO()
    image.save(file, "PNG", transparency=0)
    kept = await contents.check("image/png", file.getvalue())
    assert opened(kept.content).convert("RGBA").getpixel((0, 0)) == (0, 0, 0, 0)


def huge_png(width: int, height: int) -> bytes:
    """A PNG of few bytes that says it has many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((1001, 1000), "The picture has 1001 by 1000 pixels; at most 1000000 are accepted, and 16383 a side."),
        ((1, 16_384), "The picture has 1 by 16384 pixels; at most 1000000 are accepted, and 16383 a side."),
        # Beyond Pillow's own two limits, where it warns and where it refuses.
        ((10_000, 10_000), "The content is no PNG picture, or it is damaged."),
        ((50_000, 50_000), "The content is no PNG picture, or it is damaged."),
    ],
)
async def test_a_bomb_is_refused_undecoded(contents: FileContents, size: tuple[int, int], message: str) -> None:
    with pytest.raises(ContentRefused) as refused:
        await contents.check("image/png", huge_png(*size))
    assert refused.value.message == message


@pytest.mark.parametrize(
    ("content_type", "content", "message"),
    [
        ("image/jpeg", b"<svg onload='alert(1)'/>", "The content is no JPEG picture, or it is damaged."),
        ("image/jpeg", picture("PNG"), "The content is no JPEG picture, or it is damaged."),
        ("image/jpeg", picture()[:400], "The content is no JPEG picture, or it is damaged."),
        ("image/png", picture("PNG")[:60], "The content is no PNG picture, or it is damaged."),
        ("image/webp", b"RIFF\0\0\0\0WEBP", "The content is no WEBP picture, or it is damaged."),
        ("application/pdf", b"MZ", "The content is no PDF document, or it is damaged."),
        ("application/pdf", b"%PDF-1.7\n", "The content is no PDF document, or it is damaged."),
        ("text/csv", b"\xff\xfe\0", "The content is no CSV in UTF-8."),
        ("text/csv", b"title,start_ms,end_ms\n\0", "The content is no CSV in UTF-8."),
        ("text/csv", b"title,start\n", "The CSV's first line lacks end_ms, start_ms."),
        ("text/csv", b"", "The CSV's first line lacks end_ms, start_ms, title."),
    ],
)
async def test_what_is_not_what_it_says_is_refused(
    contents: FileContents, content_type: str, content: bytes, message: str
) -> None:
    with pytest.raises(ContentRefused) as refused:
        await contents.check(content_type, content)
    assert refused.value.message == message


async def test_a_picture_that_moves_is_refused(contents: FileContents) -> None:
    frames = [Image.new("RGB", (4, 3), colour) for colour in ((1, 2, 3), (200, 100, 0))]
    for format_ in ("PNG", "WEBP"):
        file = BytesIO()
        frames[0].save(file, format_, save_all=True, append_images=frames[1:])
        with pytest.raises(ContentRefused, match="A picture does not move"):
            await contents.check(f"image/{format_.lower()}", file.getvalue())


async def test_documents_and_tables_are_kept_as_they_are(contents: FileContents) -> None:
    document = b"%PDF-1.7\n1 0 obj\nendobj\ntrailer\n%%EOF\n"
    table = "title,start_ms,end_ms,note\nKüche,0,1500,\n".encode()
    assert (await contents.check("application/pdf", document)).content == document
    assert (await contents.check("text/csv", b"\xef\xbb\xbf" + table)).content == table


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
async def test_a_thumbnail_is_a_small_webp_of_the_same_shape(contents: FileContents, format_: str) -> None:
    made = await contents.thumbnail(f"image/{format_.lower()}", picture(format_, size=(960, 640), exif=telling_exif()))
    assert made is not None
    image = opened(made)
    assert (image.format, image.size) == ("WEBP", (480, 320))
    assert b"Asha Rao" not in made


async def test_a_small_picture_grows_no_larger_in_its_thumbnail(contents: FileContents) -> None:
    made = await contents.thumbnail("image/png", picture("PNG"))
    assert made is not None
    assert opened(made).size == (40, 30)


async def test_what_is_no_picture_has_no_thumbnail(contents: FileContents) -> None:
    assert await contents.thumbnail("video/mp4", b"film") is None


async def test_a_film_is_kept_without_its_metadata(contents: FileContents) -> None:
    kept = await contents.check("video/mp4", FILM)
    assert (len(kept.content), kept.content[-4:]) == (len(FILM), b"film")
    assert b"secret" not in kept.content
