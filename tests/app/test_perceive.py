"""The agent beside a camera: what it says it lacks, what it sends, and with a model's path, what it sees.

With `VELOCITY_FACE_MODEL=face_landmarker.task` and MediaPipe installed the real landmarker runs; docs/qd.md says if
it ever ran.
"""

import importlib.util
import os
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter

from app.commands.perceive import Watch, perceive
from app.failures import CannotContinue
from app.perceive.camera import MODEL_BYTES, MODEL_SHA256, MODEL_URL, check, glimpses, missing
from app.perceive.sender import LONGEST_WAIT, wait, written
from domain.qd import BLEND_SHAPES, READ, Packet, RawPacket, parsed
from tests.faces import CALM, SMILING, START_AT

MODEL = Path(os.environ.get("VELOCITY_FACE_MODEL", ""))
INSTALLED = importlib.util.find_spec("mediapipe") is not None
needs_landmarker = pytest.mark.skipif(
    not (INSTALLED and MODEL.is_file()), reason="VELOCITY_FACE_MODEL names no model, or MediaPipe is not installed."
)


def drawing(path: Path, *, smiles: bool) -> Path:
    """Draw a face that the landmarker takes for one. It is nobody's."""
    picture = Image.new("RGB", (400, 400), (120, 130, 140))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((120, 300, 280, 400), fill=(60, 70, 110))
    draw.rectangle((170, 270, 230, 330), fill=(200, 160, 135))
    draw.ellipse((115, 50, 285, 310), fill=(70, 45, 35))
    draw.ellipse((125, 80, 275, 310), fill=(225, 185, 160))
    for x in (165, 235):
        draw.ellipse((x - 19, 164, x + 19, 184), fill=(250, 250, 250))
        draw.ellipse((x - 9, 164, x + 9, 183), fill=(70, 50, 40))
        draw.ellipse((x - 4, 169, x + 4, 178), fill=(5, 5, 5))
        draw.arc((x - 20, 162, x + 20, 190), 180, 360, fill=(60, 40, 30), width=3)
        draw.arc((x - 26, 142, x + 26, 172), 200, 340, fill=(60, 40, 30), width=6)
    draw.polygon([(195, 180), (205, 180), (216, 225), (184, 225)], fill=(212, 170, 145))
    for x in (184, 204):
        draw.ellipse((x, 216, x + 12, 228), fill=(170, 120, 105))
    draw.ellipse((190, 208, 210, 226), fill=(228, 188, 165))
    if smiles:
        draw.chord((165, 232, 235, 278), 10, 170, fill=(185, 70, 75))
        draw.chord((172, 240, 228, 268), 15, 165, fill=(245, 240, 235))
    else:
        draw.ellipse((172, 250, 228, 264), fill=(185, 90, 90))
    picture.filter(ImageFilter.GaussianBlur(2)).save(path)
    return path


def test_a_missing_model_is_named_with_what_to_download(tmp_path: Path) -> None:
    (line,) = [line for line in missing(tmp_path / "face.task") if "model" in line]

    for part in (f"curl -fLo {tmp_path / 'face.task'} {MODEL_URL}", f"{MODEL_BYTES} bytes", MODEL_SHA256):
        assert part in line


def test_another_model_is_refused(tmp_path: Path) -> None:
    model = tmp_path / "face.task"
    model.write_bytes(b"another")

    assert [line for line in missing(model) if f"{model} is not the model" in line and MODEL_SHA256 in line]


@pytest.mark.skipif(INSTALLED, reason="MediaPipe is installed.")
def test_without_mediapipe_the_extra_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        CannotContinue,
        match=r"MediaPipe is not installed\..*extra `perception`.*pip install --editable '\.\[perception\]'",
    ):
        check(tmp_path / "face.task", "0")


def test_a_face_is_sent_as_the_shapes_that_scoring_reads_and_nothing_else() -> None:
    sent = written(Packet(START_AT, 1_500, SMILING | {"mouthSmileLeft": 0.123456789}))

    assert sent.keys() == {"at", "videoMs", "face"}
    assert (sent["at"], sent["videoMs"]) == ("2026-11-21T09:00:00+00:00", 1_500)
    assert sent["face"].keys() == {"blendShapes"}
    assert tuple(sent["face"]["blendShapes"]) == READ
    assert sent["face"]["blendShapes"]["mouthSmileLeft"] == 0.1235
    assert parsed([RawPacket(START_AT, 1_500, sent["face"]["blendShapes"])], START_AT)


def test_nobody_is_sent_as_nobody() -> None:
    assert written(Packet(START_AT)) == {"at": "2026-11-21T09:00:00+00:00", "videoMs": None, "face": None}


def test_landmarks_are_never_sent() -> None:
    assert written(Packet(START_AT, None, None, ((0.5, 0.5, 0.0),) * 478))["face"] is None
    assert CALM.keys() > set(READ)


def test_waiting_grows_up_to_a_limit_and_heeds_the_server() -> None:
    assert wait(3, 7.0) == 7.0
    assert all(0.25 <= wait(1, None) <= 0.5 for _ in range(50))
    assert all(LONGEST_WAIT / 2 <= wait(tries, None) <= LONGEST_WAIT for tries in (6, 10, 10_000))


@needs_landmarker
async def test_an_agent_needs_a_key_and_either_a_consent_or_a_session(tmp_path: Path) -> None:
    picture = str(drawing(tmp_path / "face.png", smiles=True))
    for given, lack in (({"key": None}, "Give --key"), ({"key": "k"}, "Give --consent to begin a session")):
        with pytest.raises(CannotContinue, match=lack):
            await perceive(Watch(MODEL, picture, "http://127.0.0.1:9", **given))


@needs_landmarker
def test_the_landmarker_sees_who_smiles(tmp_path: Path) -> None:
    seen = {}
    for name, smiles in (("smiling", True), ("calm", False)):
        picture = drawing(tmp_path / f"{name}.png", smiles=smiles)
        check(MODEL, str(picture))
        (glimpse,) = glimpses(MODEL, str(picture), 10, lambda: False)
        assert glimpse.shapes is not None
        assert tuple(glimpse.shapes) == BLEND_SHAPES
        assert parsed([RawPacket(datetime.now(UTC), None, glimpse.shapes)], datetime.now(UTC))
        seen[name] = glimpse.shapes["mouthSmileLeft"]

    assert seen["smiling"] > 0.15
    assert seen["calm"] < 0.01


@needs_landmarker
def test_a_picture_without_a_face_shows_nobody(tmp_path: Path) -> None:
    Image.new("RGB", (400, 400), (120, 130, 140)).save(tmp_path / "wall.png")

    (glimpse,) = glimpses(MODEL, str(tmp_path / "wall.png"), 10, lambda: False)

    assert glimpse.shapes is None


@needs_landmarker
def test_a_video_is_looked_at_ten_times_a_second_at_its_own_pace(tmp_path: Path) -> None:
    import cv2  # noqa: PLC0415 it comes with MediaPipe

    faces = [cv2.imread(str(drawing(tmp_path / f"{smiles}.png", smiles=smiles))) for smiles in (True, False)]
    video = str(tmp_path / "visit.avi")
    writer = cv2.VideoWriter(video, cv2.VideoWriter_fourcc(*"MJPG"), 30, (400, 400))
    for number in range(60):
        writer.write(faces[number // 30])
    writer.release()
    start = time.monotonic()

    seen = list(glimpses(MODEL, video, 10, lambda: False))

    assert time.monotonic() - start > 1.8
    assert len(seen) == 20
    assert all(after.seconds > before.seconds for before, after in pairwise(seen))
    smiles = [glimpse.shapes["mouthSmileLeft"] for glimpse in seen if glimpse.shapes]
    assert min(smiles[2:9]) > 0.3
    assert max(smiles[12:]) < 0.1
