"""What machines say of themselves: GPUs as they are at a moment, and where each number comes from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, Protocol
from uuid import UUID

from domain.fleet.xids import XidSeen

STALE_AFTER: Final = timedelta(seconds=30)
"""A machine that has said nothing for so long says nothing about the present, unless it is set otherwise."""


class HostStatus(Enum):
    """Whether a machine says something about the present."""

    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"


class TelemetrySource(Enum):
    """Where a number comes from. It stands beside each of them, so that none is taken for another."""

    NVML = "NVML"
    SIMULATED = "SIMULATED"
    NONE = "NONE"


class ThrottleReason(Enum):
    """Why a GPU's clocks are lower than they could be: the bits of NVML's mask."""

    GPU_IDLE = 0x1
    APPLICATIONS_CLOCKS_SETTING = 0x2
    SW_POWER_CAP = 0x4
    HW_SLOWDOWN = 0x8
    SYNC_BOOST = 0x10
    SW_THERMAL_SLOWDOWN = 0x20
    HW_THERMAL_SLOWDOWN = 0x40
    HW_POWER_BRAKE_SLOWDOWN = 0x80
    DISPLAY_CLOCK_SETTING = 0x100


ALARMING: Final = frozenset(
    {
        ThrottleReason.HW_SLOWDOWN,
        ThrottleReason.SW_THERMAL_SLOWDOWN,
        ThrottleReason.HW_THERMAL_SLOWDOWN,
        ThrottleReason.HW_POWER_BRAKE_SLOWDOWN,
    }
)
"""Reasons that something is wrong. A power cap is how a GPU works at full load, and idling is no fault."""


class RecoveryAction(Enum):
    """What a GPU says it needs before it works again: NVML's field 230, which counts more than any XID."""

    NONE = 0
    GPU_RESET = 1
    NODE_REBOOT = 2
    DRAIN_P2P = 3
    DRAIN_AND_RESET = 4
    RECOVER_IMEX_DOMAIN = 5
    BUS_RESET = 6
    SYSTEM_REBOOT = 7


def throttle_reasons(mask: int) -> tuple[ThrottleReason, ...]:
    """Return the reasons whose bits are set, lowest first. Bits that no reason has are left out."""
    return tuple(reason for reason in ThrottleReason if mask & reason.value)


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """A program that computes on a GPU. What it uses is not known inside some containers."""

    pid: int
    name: str
    memory_mib: int | None


@dataclass(frozen=True, slots=True)
class GpuSample:
    """One GPU at one moment. What it does not say is None; `problem` says why it says nothing at all."""

    uuid: str
    name: str
    pci: str | None = None
    temperature_c: float | None = None
    power_watts: float | None = None
    utilization: float | None = None
    """How much of the last moments it computed, in percent."""
    memory_used_mib: int | None = None
    memory_total_mib: int | None = None
    throttle: tuple[ThrottleReason, ...] = ()
    ecc_uncorrected: int | None = None
    recovery: RecoveryAction | None = None
    processes: tuple[GpuProcess, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class HostSample:
    """One machine at one moment. `problem` says what keeps its telemetry from being whole."""

    source: TelemetrySource
    at: datetime
    gpus: tuple[GpuSample, ...] = ()
    driver: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine as it tells itself from others: `key` stays when its name changes."""

    key: str
    hostname: str


class Sensors(Protocol):
    """What samples the machine that it runs on."""

    async def sample(self) -> HostSample:
        """Return how the machine is now. It answers in bounded time, and says so where the driver does not."""

    async def close(self) -> None:
        """Leave nothing behind."""


class HostReports(Protocol):
    """Where machines report. None of it is a tenant's."""

    async def claim(self, machine: Machine, reporter: UUID, at: datetime, silent: timedelta) -> UUID | None:
        """Return the machine's id for the process that samples it; None where another does and was not silent.

        `silent` is also for how long from now on the machine counts as ONLINE.
        """

    async def store(self, host_id: UUID, reporter: UUID, sample: HostSample) -> None:
        """Store a sample as the present, and as part of its minute; nothing where another process samples by now."""

    async def store_xids(self, host_id: UUID, source: TelemetrySource, seen: Sequence[XidSeen]) -> int:
        """Store the XIDs that are not stored yet; return how many those were."""

    async def forget(self, before: datetime) -> None:
        """Remove minutes and XIDs from before a moment, and what machines and workers were not heard of since."""


def bus_key(pci: str) -> str:
    """Return a PCI address as the kernel and NVML both mean it: `0000:10:1c` for `00000000:10:1C.0`."""
    parts = pci.strip().lower().split(".", 1)[0].split(":")
    if len(parts) != len(("domain", "bus", "device")):
        return pci.strip().lower()
    domain, bus, device = parts
    return f"{domain[-4:].zfill(4)}:{bus.zfill(2)}:{device.zfill(2)}"


def alarms(reasons: Iterable[ThrottleReason]) -> Sequence[ThrottleReason]:
    """Return the reasons that something is wrong."""
    return [reason for reason in reasons if reason in ALARMING]
