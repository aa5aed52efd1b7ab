"""GPUs read through NVIDIA's own bindings from a library with NVML's C interface, in the probe that production runs."""

import os
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.fleet import GpuProcess, GpuSample, HostSample, RecoveryAction, TelemetrySource, ThrottleReason
from gpu.fleet.nvml import NvmlSensors
from tests.gpu.fleet.drivers import Driver, built

AT = datetime(2026, 11, 21, 18, tzinfo=UTC)
UUID = "GPU-00000000-0000-0000-0000-00000000000"

Watch = Callable[..., NvmlSensors]


@pytest.fixture
async def watch() -> AsyncIterator[Watch]:
    """Make sensors on a driver; they are closed in the end."""
    made: list[NvmlSensors] = []

    def watching(driver: Driver, **options: float) -> NvmlSensors:
        made.append(NvmlSensors(lambda: AT, environment=driver.environment, **options))
        return made[-1]

    yield watching
    for each in made:
        await each.close()


async def test_a_gpu_says_everything(tmp_path: Path, watch: Watch) -> None:
    driver = built(tmp_path)
    driver.says(
        temperature=71, milliwatts=612_500, utilization=97, used_mib=70_000, clocks=0x40 | 0x4, ecc=3, recovery=4,
        processes=2,
    )  # fmt: skip

    told = await watch(driver).sample()

    assert told == HostSample(
        TelemetrySource.NVML,
        AT,
        (
            GpuSample(
                uuid=f"{UUID}0",
                name="NVIDIA H100 80GB HBM3",
                pci="00000000:10:1C.0",
                temperature_c=71,
                power_watts=612.5,
                utilization=97,
                memory_used_mib=70_000,
                memory_total_mib=81_559,
                throttle=(ThrottleReason.SW_POWER_CAP, ThrottleReason.HW_THERMAL_SLOWDOWN),
                ecc_uncorrected=3,
                recovery=RecoveryAction.DRAIN_AND_RESET,
                processes=(GpuProcess(4000, "engine-4000", 2048), GpuProcess(4001, "engine-4001", None)),
            ),
        ),
        driver="580.95.05",
    )


@pytest.mark.parametrize(
    ("options", "celsius", "reasons"),
    [
        # Both names: the new one is called.
        ([], 71, (ThrottleReason.HW_SLOWDOWN,)),
        # The new names are missing: NVMLError_FunctionNotFound.
        (["-DOLDER"], 41, (ThrottleReason.GPU_IDLE,)),
        # The old names answer that they are gone, and nobody asks them.
        (["-DNEWER"], 71, (ThrottleReason.HW_SLOWDOWN,)),
    ],
)
async def test_new_names_come_first_and_old_ones_stand_in(
    options: list[str], celsius: float, reasons: tuple[ThrottleReason, ...], tmp_path: Path, watch: Watch
) -> None:
    driver = built(tmp_path, *options)
    driver.says(temperature=71, clocks=0x8)

    [gpu] = (await watch(driver).sample()).gpus

    assert (gpu.temperature_c, gpu.throttle) == (celsius, reasons)


async def test_a_driver_that_has_neither_name_leaves_the_number_out(tmp_path: Path, watch: Watch) -> None:
    [gpu] = (await watch(built(tmp_path, "-DOLDER", "-DNEWER")).sample()).gpus

    assert (gpu.temperature_c, gpu.throttle, gpu.power_watts) == (None, (), 68.25)


async def test_what_a_gpu_does_not_support_is_left_out(tmp_path: Path, watch: Watch) -> None:
    driver = built(tmp_path)
    driver.says(ecc=-1, power=0, instant=45_000)

    [gpu] = (await watch(driver).sample()).gpus

    # No ECC, no recovery action; the momentary power stands in for the average.
    assert (gpu.ecc_uncorrected, gpu.recovery, gpu.power_watts, gpu.problem) == (None, None, 45, None)


async def test_what_the_driver_does_not_know_says_nothing_of_the_gpu(tmp_path: Path, watch: Watch) -> None:
    """A process of another container, and a field of a newer driver: the error is the one of a GPU that is gone."""
    driver = built(tmp_path)
    driver.says(temperature=50, processes=1, nameless=1, fieldless=1, recovery=0)

    [gpu] = (await watch(driver).sample()).gpus

    assert (gpu.temperature_c, gpu.recovery, gpu.problem) == (50, None, None)
    assert gpu.processes == (GpuProcess(4000, "unknown", 2048),)


async def test_samples_follow_the_gpu(tmp_path: Path, watch: Watch) -> None:
    driver = built(tmp_path)
    sensors = watch(driver)
    driver.says(used_mib=900)
    first = await sensors.sample()
    driver.says(used_mib=40_000, gpus=2)
    second = await sensors.sample()

    assert [gpu.memory_used_mib for gpu in first.gpus] == [900]
    assert [(gpu.uuid, gpu.memory_used_mib) for gpu in second.gpus] == [(f"{UUID}0", 40_000), (f"{UUID}1", 40_000)]


async def test_a_lost_gpu_is_said_and_the_others_go_on(tmp_path: Path, watch: Watch) -> None:
    driver = built(tmp_path)
    driver.says(gpus=2, lost=0)

    told = await watch(driver).sample()

    assert [gpu.uuid for gpu in told.gpus] == [f"{UUID}1"]
    assert (told.source, told.problem) == (
        TelemetrySource.NVML, "The GPU at position 0 does not answer: GPU is lost.",
    )  # fmt: skip


async def test_a_hung_call_is_survived_and_said(tmp_path: Path, watch: Watch) -> None:
    driver = built(tmp_path)
    sensors = watch(driver, answer_seconds=3, ask_again_seconds=0)
    before = await sensors.sample()
    process = sensors._process
    assert process is not None
    driver.says(hangs=0)
    hung = await sensors.sample()
    ended = process.returncode
    driver.says(temperature=50)
    after = await sensors.sample()

    assert before.source is TelemetrySource.NVML
    assert (hung.source, hung.gpus, hung.problem) == (
        TelemetrySource.NONE, (), "NVML has not answered for 3 seconds: the GPU or its driver hangs.",
    )  # fmt: skip
    assert ended == -9
    assert [gpu.temperature_c for gpu in after.gpus] == [50]


async def test_a_driver_that_hung_is_left_alone_for_a_while(tmp_path: Path, watch: Watch) -> None:
    driver = built(tmp_path)
    driver.says(hangs=0)
    sensors = watch(driver, answer_seconds=0.5)
    hung = await sensors.sample()
    again = await sensors.sample()

    assert again == hung
    assert sensors._process is None


async def test_a_probe_that_dies_is_said_and_started_again(tmp_path: Path, watch: Watch) -> None:
    driver = built(tmp_path)
    sensors = watch(driver, ask_again_seconds=0)
    await sensors.sample()
    process = sensors._process
    assert process is not None
    process.kill()
    await process.wait()
    died = await sensors.sample()
    after = await sensors.sample()

    assert died.source is TelemetrySource.NONE
    assert died.problem is not None
    assert died.problem.startswith("The NVML probe has ended: ")
    assert after.source is TelemetrySource.NVML


async def test_no_driver_is_no_gpu_and_no_problem(tmp_path: Path, watch: Watch) -> None:
    driver = built(tmp_path)
    driver.says(driver=0)

    assert await watch(driver).sample() == HostSample(TelemetrySource.NONE, AT)


async def test_a_driver_without_gpus_is_no_gpu(tmp_path: Path, watch: Watch) -> None:
    driver = built(tmp_path)
    driver.says(gpus=0)

    assert await watch(driver).sample() == HostSample(TelemetrySource.NONE, AT, driver="580.95.05")


async def test_no_library_is_no_gpu_and_no_problem(tmp_path: Path) -> None:
    """The bindings' own error, from the loader of this machine, where it has no NVIDIA library."""
    environment = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    sensors = NvmlSensors(lambda: AT, environment=environment | {"LD_LIBRARY_PATH": str(tmp_path)})
    told = await sensors.sample()
    await sensors.close()

    if told.source is TelemetrySource.NVML:
        pytest.skip("this machine has a GPU")
    assert told == HostSample(TelemetrySource.NONE, AT)
