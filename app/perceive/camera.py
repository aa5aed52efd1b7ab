"""MediaPipe's FaceLandmarker over a camera, a video file or a picture. Pictures are looked at and forgotten."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Protocol

import structlog

from app.failures import CannotContinue

log = structlog.get_logger()

MODEL_URL: Final = (
    "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task"
)
MODEL_BYTES: Final = 3_758_596
MODEL_SHA256: Final = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
LEAST_MEDIAPIPE: Final = (1, 2)
INSTALL: Final = "`.venv/bin/python -m pip install --editable '.[perception]'`"

_PICTURES: Final = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
_REOPEN_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What was seen so many seconds after the start: 52 blend shapes, or None where there was no face."""

    seconds: float
    shapes: Mapping[str, float] | None


def missing(model: Path) -> list[str]:
    """Return what has to be installed or downloaded first, a sentence each."""
    lacks = []
    try:
        found = version("mediapipe")
    except PackageNotFoundError:
        found = ""
    if tuple(int(part) for part in found.split(".")[:2] if part.isdecimal()) < LEAST_MEDIAPIPE:
        state = f"MediaPipe {found} is too old" if found else "MediaPipe is not installed"
        lacks.append(f"{state}. Install the extra `perception`, in Velocity's folder: {INSTALL}.")
    if not model.is_file():
        lacks.append(
            f"There is no model at {model}. Download it: `curl -fLo {model} {MODEL_URL}`"
            f" ({MODEL_BYTES} bytes, SHA-256 {MODEL_SHA256})."
        )
    elif hashlib.sha256(model.read_bytes()).hexdigest() != MODEL_SHA256:
        lacks.append(
            f"{model} is not the model that this release was tried with: its SHA-256 is not {MODEL_SHA256}."
            f" Download it again: {MODEL_URL} ({MODEL_BYTES} bytes)."
        )
    return lacks


def check(model: Path, source: str) -> None:
    """Raise CannotContinue where something is missing."""
    if lacks := missing(model):
        raise CannotContinue(" ".join(lacks))
    if not source.isdecimal() and not Path(source).is_file():
        raise CannotContinue(f"{source} is neither a camera's number nor a file.")


def glimpses(
    model: Path, source: str, rate: float, stopped: Callable[[], bool], clock: Callable[[], float] = time.monotonic
) -> Iterator[Glimpse]:
    """Look at a source so many times a second until it ends or `stopped`; raises CannotContinue.

    A camera that is lost is opened again, and until then nobody is seen. A file is shown at its own pace.
    """
    import mediapipe  # noqa: PLC0415 only the agent has it

    last = -1
    with _landmarker(model) as landmarker:
        for seconds, picture in _pictures(source, rate, stopped, clock):
            if picture is None:
                yield Glimpse(seconds, None)
                continue
            # The tracker wants each time to be later than the one before.
            last = max(last + 1, int(seconds * 1000))
            image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=picture)
            faces = landmarker.detect_for_video(image, last).face_blendshapes
            yield Glimpse(seconds, _shapes(faces[0]) if faces else None)


class _Category(Protocol):
    category_name: str
    score: float


def _shapes(categories: Iterable[_Category]) -> dict[str, float]:
    return {each.category_name: min(1.0, max(0.0, each.score)) for each in categories}


@contextmanager
def _landmarker(model: Path) -> Iterator[Any]:
    from mediapipe.tasks.python import BaseOptions, vision  # noqa: PLC0415 only the agent has it

    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(model), delegate=BaseOptions.Delegate.CPU),
        running_mode=vision.RunningMode.VIDEO,
        num_faces=1,
        output_face_blendshapes=True,
    )
    with vision.FaceLandmarker.create_from_options(options) as landmarker:
        yield landmarker


def _pictures(
    source: str, rate: float, stopped: Callable[[], bool], clock: Callable[[], float]
) -> Iterator[tuple[float, Any]]:
    """Yield pictures in RGB with their seconds; None where the camera gave none."""
    import cv2  # noqa: PLC0415 it comes with MediaPipe

    path = Path(source)
    if path.suffix.lower() in _PICTURES:
        picture = cv2.imread(source)
        if picture is None:
            raise CannotContinue(f"{source} is no picture that can be read.")
        yield 0.0, cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        return
    live = source.isdecimal()
    start, due = clock(), 0.0
    while not stopped():
        capture = cv2.VideoCapture(int(source) if live else source)
        while not stopped() and capture.grab():
            seconds = clock() - start if live else capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if seconds < due:
                continue
            due = max(due, seconds - 1 / rate) + 1 / rate
            if not live:
                time.sleep(max(0.0, start + seconds - clock()))
            read, picture = capture.retrieve()
            yield seconds, cv2.cvtColor(picture, cv2.COLOR_BGR2RGB) if read else None
        capture.release()
        if not live:
            return
        log.warning("camera_lost", camera=int(source))
        yield clock() - start, None
        time.sleep(_REOPEN_SECONDS)
