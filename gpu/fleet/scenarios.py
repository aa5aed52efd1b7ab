"""Simulated machines, for an operator who asks for one: to show a page, to try an alarm, to train somebody.

Each number says that it is simulated, the GPU's name and UUID too. A scenario is a function of time, so that two looks
at the same moment see the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

from domain.fleet import (
    GpuProcess,
    GpuSample,
    HostSample,
    RecoveryAction,
    TelemetrySource,
    ThrottleReason,
    XidSeen,
)

UUID: Final = "GPU-SIMULATED-0000-0000-000000000001"
NAME: Final = "Simulated GPU"
PCI: Final = "00000000:10:1C.0"
TOTAL_MIB: Final = 81_559
PERIOD: Final = timedelta(minutes=5)
"""How long it takes until a scenario begins again."""
XID_AT: Final = timedelta(minutes=1)
"""When in its period a scenario's XID happens."""


class Scenario(Enum):
    """What is simulated."""

    IDLE = "IDLE"
    BUSY = "BUSY"
    THERMAL_THROTTLE = "THERMAL_THROTTLE"
    POWER_BRAKE = "POWER_BRAKE"
    MEMORY_PRESSURE = "MEMORY_PRESSURE"
    LEAKED_MEMORY = "LEAKED_MEMORY"
    ECC_ERRORS = "ECC_ERRORS"
    XID_79 = "XID_79"


@dataclass(frozen=True, slots=True)
class _Script:
    """How a GPU is at a point of the period, from 0 to 1, and which XID happens in it."""

    gpu: Callable[[float], GpuSample]
    xid: int | None = None


_ENGINE: Final = GpuProcess(4001, "vllm", 60_000)
_COMFY: Final = GpuProcess(4002, "comfyui", 12_000)
_IDLE: Final = GpuSample(
    uuid=UUID, name=NAME, pci=PCI, temperature_c=38, power_watts=70, utilization=0, memory_used_mib=600,
    memory_total_mib=TOTAL_MIB, throttle=(ThrottleReason.GPU_IDLE,), ecc_uncorrected=0, recovery=RecoveryAction.NONE,
)  # fmt: skip


def _swing(point: float, low: float, high: float) -> float:
    """Go from `low` to `high` and back once in a period."""
    return round(low + (high - low) * (1 - math.cos(2 * math.pi * point)) / 2, 1)


def _busy(point: float) -> GpuSample:
    return replace(
        _IDLE, temperature_c=_swing(point, 62, 71), power_watts=_swing(point, 480, 640),
        utilization=_swing(point, 82, 99), memory_used_mib=60_600, throttle=(ThrottleReason.SW_POWER_CAP,),
        processes=(_ENGINE,),
    )  # fmt: skip


def _hot(point: float) -> GpuSample:
    return replace(
        _busy(point), temperature_c=_swing(point, 86, 93), utilization=_swing(point, 40, 60),
        throttle=(ThrottleReason.SW_THERMAL_SLOWDOWN, ThrottleReason.HW_THERMAL_SLOWDOWN),
    )  # fmt: skip


def _braked(point: float) -> GpuSample:
    return replace(
        _busy(point), power_watts=_swing(point, 190, 210), utilization=100,
        throttle=(ThrottleReason.HW_SLOWDOWN, ThrottleReason.HW_POWER_BRAKE_SLOWDOWN),
    )  # fmt: skip


def _full(point: float) -> GpuSample:
    used = int(_swing(point, 79_800, 81_300))
    held = replace(_COMFY, memory_mib=used - 60_600)
    return replace(_busy(point), memory_used_mib=used, processes=(_ENGINE, held))


def _leaked(_point: float) -> GpuSample:
    return replace(_IDLE, memory_used_mib=41_200)


def _failing(point: float) -> GpuSample:
    worn = point >= XID_AT / PERIOD
    return replace(
        _busy(point), ecc_uncorrected=2 if worn else 0,
        recovery=RecoveryAction.DRAIN_AND_RESET if worn else RecoveryAction.NONE,
    )  # fmt: skip


_SCRIPTS: Final[Mapping[Scenario, _Script]] = {
    Scenario.IDLE: _Script(lambda _point: _IDLE),
    Scenario.BUSY: _Script(_busy),
    Scenario.THERMAL_THROTTLE: _Script(_hot),
    Scenario.POWER_BRAKE: _Script(_braked),
    Scenario.MEMORY_PRESSURE: _Script(_full),
    Scenario.LEAKED_MEMORY: _Script(_leaked),
    Scenario.ECC_ERRORS: _Script(_failing, xid=48),
    Scenario.XID_79: _Script(_busy, xid=79),
}


class SimulatedSensors:
    """Sensors of a machine that an operator made up."""

    def __init__(self, scenario: Scenario, clock: Callable[[], datetime]) -> None:
        """Play a scenario by a clock."""
        self._scenario = scenario
        self._clock = clock

    async def sample(self) -> HostSample:
        """Return the machine as the scenario has it now."""
        return simulated(self._scenario, self._clock())

    async def close(self) -> None:
        """Nothing was opened."""


def simulated(scenario: Scenario, at: datetime) -> HostSample:
    """Return the machine of a scenario at a moment."""
    point = _point(at)
    if scenario is Scenario.XID_79 and point >= XID_AT / PERIOD:
        # What has fallen off the bus is not there, and the driver says so.
        problem = "Simulated: the GPU at position 0 does not answer: GPU is lost."
        return HostSample(TelemetrySource.SIMULATED, at, driver="simulated", problem=problem)
    return HostSample(TelemetrySource.SIMULATED, at, (_SCRIPTS[scenario].gpu(point),), driver="simulated")


def simulated_xid(scenario: Scenario, at: datetime) -> XidSeen | None:
    """Return the last XID of a scenario up to a moment, None where it has none."""
    code = _SCRIPTS[scenario].xid
    if code is None:
        return None
    happened = _began(at) + XID_AT
    if happened > at:
        happened -= PERIOD
    return XidSeen(code, PCI, happened, f"simulated:{scenario.name}:{happened.isoformat()}")


def _began(at: datetime) -> datetime:
    since = at - datetime.fromtimestamp(0, UTC)
    return at - since % PERIOD


def _point(at: datetime) -> float:
    return (at - _began(at)) / PERIOD
