"""The sensors of a machine with NVIDIA GPUs: a probe in a process of its own, and a watchdog that ends it."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from domain.fleet import (
    GpuProcess,
    GpuSample,
    HostSample,
    RecoveryAction,
    TelemetrySource,
    throttle_reasons,
)

ROOT: Final = Path(__file__).parents[2]
ANSWER_SECONDS: Final = 10.0
"""How long one sample may take; a healthy GPU takes milliseconds, the first one after a boot some seconds."""
ASK_AGAIN_SECONDS: Final = 300.0
"""How long a machine without a driver is left alone, and how long one whose driver hung."""
DRIVER_NOT_LOADED, LIBRARY_NOT_FOUND, GPU_NOT_FOUND = 9, 12, 28
NO_GPU: Final = frozenset({DRIVER_NOT_LOADED, LIBRARY_NOT_FOUND, GPU_NOT_FOUND})
"""NVML's numbers that say that there is no GPU here, which is no fault. `pynvml` itself is for the probe alone."""
KNOWN_RECOVERY: Final = frozenset(action.value for action in RecoveryAction)
LONGEST_LINE: Final = 4 * 1024 * 1024


class NvmlSensors:
    """Samples through a probe that it starts, watches and ends."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        answer_seconds: float = ANSWER_SECONDS,
        ask_again_seconds: float = ASK_AGAIN_SECONDS,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Wait `answer_seconds` for an answer, and `ask_again_seconds` before a driver that gave none is asked again.

        `environment` replaces this process's own for the probe.
        """
        self._clock = clock
        self._answer_seconds = answer_seconds
        self._ask_again_seconds = ask_again_seconds
        self._environment = environment
        self._process: Process | None = None
        self._quiet: tuple[float, str | None] | None = None
        """Until when nothing is asked, and what is said meanwhile."""

    async def sample(self) -> HostSample:
        """Return the machine's GPUs now, NONE where there are none, and why where the driver does not answer."""
        if self._quiet is not None and time.monotonic() < self._quiet[0]:
            return HostSample(TelemetrySource.NONE, self._clock(), problem=self._quiet[1])
        self._quiet = None
        try:
            async with asyncio.timeout(self._answer_seconds):
                answer = await self._asked()
        except TimeoutError:
            problem = f"NVML has not answered for {self._answer_seconds:g} seconds: the GPU or its driver hangs."
            return await self._left_alone(problem)
        except (OSError, ValueError) as error:
            return await self._left_alone(f"The NVML probe has ended: {error}")
        if "error" in answer:
            missing = answer["error"] in NO_GPU
            return await self._left_alone(None if missing else f"NVML does not answer: {answer['message']}.")
        # One that does not say its UUID cannot be told from the others: the machine says what is wrong with it.
        gpus = tuple(_sampled(each) for each in answer["gpus"] if each["uuid"])
        source = TelemetrySource.NVML if answer["gpus"] else TelemetrySource.NONE
        problems = [each["problem"] for each in answer["gpus"] if each["problem"]]
        return HostSample(source, self._clock(), gpus, answer["driver"], " ".join(problems) or None)

    async def close(self) -> None:
        """End the probe."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        # A process that hangs in the kernel ends when the driver lets it, which nobody waits for.
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await process.wait()

    async def _asked(self) -> Any:  # noqa: ANN401 -- it is JSON.
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "gpu.fleet.probe", stdin=PIPE, stdout=PIPE, stderr=asyncio.subprocess.DEVNULL,
                cwd=ROOT, env=self._environment, limit=LONGEST_LINE,
            )  # fmt: skip
        asked, answers = self._process.stdin, self._process.stdout
        if asked is None or answers is None:
            raise ValueError("it has no pipes.")
        asked.write(b"\n")
        await asked.drain()
        line = await answers.readline()
        if not line:
            raise ValueError("it said nothing.")
        return json.loads(line)

    async def _left_alone(self, problem: str | None) -> HostSample:
        """End the probe and ask nothing for a while."""
        await self.close()
        self._quiet = (time.monotonic() + self._ask_again_seconds, problem)
        return HostSample(TelemetrySource.NONE, self._clock(), problem=problem)


def _sampled(read: Mapping[str, Any]) -> GpuSample:
    recovery = read.get("recovery")
    return GpuSample(
        uuid=read["uuid"],
        name=read["name"] or "unknown",
        pci=read["pci"],
        temperature_c=read.get("temperature_c"),
        power_watts=read.get("power_watts"),
        utilization=read.get("utilization"),
        memory_used_mib=read.get("memory_used_mib"),
        memory_total_mib=read.get("memory_total_mib"),
        throttle=throttle_reasons(read.get("throttle", 0)),
        ecc_uncorrected=read.get("ecc_uncorrected"),
        recovery=RecoveryAction(recovery) if recovery in KNOWN_RECOVERY else None,
        processes=tuple(
            GpuProcess(each["pid"], each["name"], each["memory_mib"]) for each in read.get("processes", ())
        ),
        problem=read["problem"],
    )
