"""Reading GPUs through NVML. These calls block, and hang where a GPU is gone: only `gpu.fleet.probe` runs them.

Names that CUDA 13 brought come first, and those that CUDA 14 removes behind them: a driver has either, or both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import pynvml

T = TypeVar("T")

MIB: Final = 1024 * 1024
FIELD_POWER_INSTANT: Final = 186
FIELD_RECOVERY_ACTION: Final = 230
ABSENT: Final = (pynvml.NVML_ERROR_FUNCTION_NOT_FOUND, pynvml.NVML_ERROR_DEPRECATED)
"""What a driver answers to a name that it does not have yet, or no more."""
GONE: Final = (pynvml.NVML_ERROR_GPU_IS_LOST, pynvml.NVML_ERROR_RESET_REQUIRED, pynvml.NVML_ERROR_UNKNOWN)
"""After one of these nothing else that is asked of the GPU answers."""


class GpuGone(Exception):
    """A GPU answers no more. The message is NVML's."""


class FieldUnknown(Exception):
    """The driver answered, and had nothing to say of a field that it does not know."""


def either(new: Callable[[], T], old: Callable[[], T]) -> T:
    """Call what a newer driver has, and what older ones have where it lacks that."""
    try:
        return new()
    except pynvml.NVMLError as error:
        if error.value not in ABSENT:
            raise
        return old()


def known(read: Callable[[], T]) -> T | None:
    """Return what a GPU says, None where it does not say it; raises GpuGone."""
    try:
        return read()
    except FieldUnknown:
        return None
    except pynvml.NVMLError as error:
        if error.value in GONE:
            raise GpuGone(str(error)) from error
        return None


def gpus() -> list[dict[str, Any]]:
    """Return every GPU of this machine as it is now, as JSON; raises NVMLError."""
    return [_gpu(position) for position in range(pynvml.nvmlDeviceGetCount())]


def driver() -> str | None:
    """Return the driver's version."""
    return known(pynvml.nvmlSystemGetDriverVersion)


def _gpu(position: int) -> dict[str, Any]:
    found: dict[str, Any] = {"uuid": None, "name": None, "pci": None, "problem": None}
    try:
        handle = pynvml.nvmlDeviceGetHandleByIndex(position)
        # The UUID is what a GPU is known by: positions move when another one is gone.
        found["uuid"] = known(lambda: pynvml.nvmlDeviceGetUUID(handle))
        found["name"] = known(lambda: pynvml.nvmlDeviceGetName(handle))
        found["pci"] = known(lambda: _text(pynvml.nvmlDeviceGetPciInfo(handle).busId))
        found |= _measured(handle)
    except (pynvml.NVMLError, GpuGone) as error:
        found["problem"] = f"The GPU at position {position} does not answer: {error}."
    return found


def _measured(handle: Any) -> dict[str, Any]:  # noqa: ANN401 -- NVML's handle is a ctypes pointer without a public type.
    memory = known(lambda: pynvml.nvmlDeviceGetMemoryInfo(handle))
    rates = known(lambda: pynvml.nvmlDeviceGetUtilizationRates(handle))
    return {
        "temperature_c": known(lambda: _temperature(handle)),
        "power_watts": known(lambda: _power(handle)),
        "utilization": None if rates is None else rates.gpu,
        "memory_used_mib": None if memory is None else memory.used // MIB,
        "memory_total_mib": None if memory is None else memory.total // MIB,
        "throttle": known(lambda: _throttle(handle)) or 0,
        "ecc_uncorrected": known(lambda: _uncorrected(handle)),
        "recovery": known(lambda: _field(handle, FIELD_RECOVERY_ACTION)),
        "processes": known(lambda: _processes(handle)) or [],
    }


def _temperature(handle: Any) -> int:  # noqa: ANN401 -- as above.
    sensor = pynvml.NVML_TEMPERATURE_GPU
    value: int = either(
        lambda: pynvml.nvmlDeviceGetTemperatureV(handle, sensor),
        lambda: pynvml.nvmlDeviceGetTemperature(handle, sensor),
    )
    return value


def _throttle(handle: Any) -> int:  # noqa: ANN401 -- as above.
    mask: int = either(
        lambda: pynvml.nvmlDeviceGetCurrentClocksEventReasons(handle),
        lambda: pynvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle),
    )
    return mask


def _power(handle: Any) -> float:  # noqa: ANN401 -- as above.
    """Return watts: the average that every GPU has, or the momentary value where that is all there is."""
    try:
        milliwatts: int = pynvml.nvmlDeviceGetPowerUsage(handle)
    except pynvml.NVMLError as error:
        if error.value not in (*ABSENT, pynvml.NVML_ERROR_NOT_SUPPORTED):
            raise
        milliwatts = _field(handle, FIELD_POWER_INSTANT)
    return milliwatts / 1000


def _uncorrected(handle: Any) -> int:  # noqa: ANN401 -- as above.
    """Return the uncorrected ECC errors of the GPU's whole life."""
    count: int = pynvml.nvmlDeviceGetTotalEccErrors(
        handle, pynvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, pynvml.NVML_AGGREGATE_ECC
    )
    return count


def _field(handle: Any, field: int) -> int:  # noqa: ANN401 -- as above.
    [answer] = pynvml.nvmlDeviceGetFieldValues(handle, [field])
    if answer.nvmlReturn == pynvml.NVML_ERROR_UNKNOWN:
        raise FieldUnknown
    if answer.nvmlReturn != pynvml.NVML_SUCCESS:
        raise pynvml.NVMLError(answer.nvmlReturn)
    value: int = answer.value.uiVal
    return value


def _processes(handle: Any) -> list[dict[str, Any]]:  # noqa: ANN401 -- as above.
    return [
        {
            "pid": each.pid,
            "name": _process_name(each.pid),
            "memory_mib": None if each.usedGpuMemory is None else each.usedGpuMemory // MIB,
        }
        for each in pynvml.nvmlDeviceGetComputeRunningProcesses(handle)
    ]


def _process_name(pid: int) -> str:
    """Return a program's name without its folder: a path tells more of the machine than anybody needs."""
    try:
        name = _text(pynvml.nvmlSystemGetProcessName(pid))
    except pynvml.NVMLError:
        # A process that has ended, or that this container does not see: no word on the GPU, whatever the error.
        name = ""
    return name.rsplit("/", 1)[-1][:100] or "unknown"


def _text(value: bytes | str) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
