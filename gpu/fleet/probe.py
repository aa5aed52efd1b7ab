"""`python -m gpu.fleet.probe`: samples this machine's GPUs, one line of JSON for each line that it is sent.

A process of its own, because NVML can hang for ever when a GPU has fallen off the bus, and nothing in Python ends a
thread that hangs in a library. Whoever started this one ends it.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import pynvml

from gpu.fleet import devices


def main() -> None:
    """Answer until the other end closes."""
    started = False
    for _ in sys.stdin:
        try:
            if not started:
                pynvml.nvmlInit()
                started = True
            answer: dict[str, Any] = {"driver": devices.driver(), "gpus": devices.gpus()}
        except pynvml.NVMLError as error:
            answer = {"error": error.value, "message": str(error)}
        except devices.GpuGone as error:
            answer = {"error": pynvml.NVML_ERROR_GPU_IS_LOST, "message": str(error)}
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
