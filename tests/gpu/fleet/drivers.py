"""NVIDIA's library as tests have it: built from `nvidia_ml.c`, found by the dynamic loader, changed by a file."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "nvidia_ml.c"


@dataclass(frozen=True, slots=True)
class Driver:
    """A folder with a `libnvidia-ml.so.1`, and the file that says how its GPUs are."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"LD_LIBRARY_PATH": str(self.folder), "FAKE_NVML": str(self.folder / "gpus")}

    def says(self, **numbers: int) -> None:
        """Let its GPUs be so from now on."""
        text = "".join(f"{name}={number}\n" for name, number in numbers.items())
        new = self.folder / "gpus.new"
        new.write_text(text)
        new.rename(self.folder / "gpus")


def built(folder: Path, *options: str) -> Driver:
    """Build the library; a machine without a C compiler skips the test."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler builds the stand-in for NVIDIA's library")
    out = folder / "libnvidia-ml.so.1"
    subprocess.run([compiler, "-shared", "-fPIC", "-Wall", "-Werror", *options, "-o", out, SOURCE], check=True)
    driver = Driver(folder)
    driver.says()
    return driver
