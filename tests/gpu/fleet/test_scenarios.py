"""Simulated machines: every number says that it is one, and each scenario shows what it is named for."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.fleet import RecoveryAction, TelemetrySource, ThrottleReason, XidSeen, alarms
from gpu.fleet.scenarios import PCI, PERIOD, Scenario, SimulatedSensors, simulated, simulated_xid

START = datetime(2026, 11, 21, 18, tzinfo=UTC)
HALF = START + PERIOD / 2
XID = START + timedelta(minutes=1)


@pytest.mark.parametrize("scenario", Scenario)
@pytest.mark.parametrize("part", range(10))
def test_nothing_simulated_is_taken_for_measured(scenario: Scenario, part: int) -> None:
    told = simulated(scenario, START + part * PERIOD / 10)

    assert told.source is TelemetrySource.SIMULATED
    assert told.driver == "simulated"
    for gpu in told.gpus:
        assert gpu.uuid.startswith("GPU-SIMULATED-")
        assert gpu.name == "Simulated GPU"
        assert 0 <= (gpu.memory_used_mib or 0) <= (gpu.memory_total_mib or 0) == 81_559


def test_idle_is_idle() -> None:
    [gpu] = simulated(Scenario.IDLE, HALF).gpus

    assert (gpu.utilization, gpu.temperature_c, gpu.memory_used_mib, gpu.throttle) == (
        0, 38, 600, (ThrottleReason.GPU_IDLE,),
    )  # fmt: skip


def test_busy_swings_without_an_alarm() -> None:
    [low] = simulated(Scenario.BUSY, START).gpus
    [high] = simulated(Scenario.BUSY, HALF).gpus

    assert (low.utilization, low.power_watts, low.temperature_c) == (82, 480, 62)
    assert (high.utilization, high.power_watts, high.temperature_c) == (99, 640, 71)
    assert alarms(high.throttle) == []


@pytest.mark.parametrize(
    ("scenario", "reasons"),
    [
        (Scenario.THERMAL_THROTTLE, ["SW_THERMAL_SLOWDOWN", "HW_THERMAL_SLOWDOWN"]),
        (Scenario.POWER_BRAKE, ["HW_SLOWDOWN", "HW_POWER_BRAKE_SLOWDOWN"]),
    ],
)
def test_throttling_alarms(scenario: Scenario, reasons: list[str]) -> None:
    [gpu] = simulated(scenario, HALF).gpus

    assert [reason.name for reason in alarms(gpu.throttle)] == reasons


def test_memory_is_nearly_full_by_two_programs() -> None:
    [gpu] = simulated(Scenario.MEMORY_PRESSURE, HALF).gpus

    assert gpu.memory_used_mib == 81_300
    assert [(each.name, each.memory_mib) for each in gpu.processes] == [("vllm", 60_000), ("comfyui", 20_700)]


def test_leaked_memory_has_no_program() -> None:
    [gpu] = simulated(Scenario.LEAKED_MEMORY, HALF).gpus

    assert (gpu.memory_used_mib, gpu.processes) == (41_200, ())


def test_ecc_errors_ask_for_a_reset_once_they_happen() -> None:
    [before] = simulated(Scenario.ECC_ERRORS, START).gpus
    [after] = simulated(Scenario.ECC_ERRORS, XID).gpus

    assert (before.ecc_uncorrected, before.recovery) == (0, RecoveryAction.NONE)
    assert (after.ecc_uncorrected, after.recovery) == (2, RecoveryAction.DRAIN_AND_RESET)
    assert simulated_xid(Scenario.ECC_ERRORS, XID) == XidSeen(48, PCI, XID, f"simulated:ECC_ERRORS:{XID.isoformat()}")


def test_xid_79_takes_the_gpu_away() -> None:
    assert [gpu.problem for gpu in simulated(Scenario.XID_79, START).gpus] == [None]
    told = simulated(Scenario.XID_79, XID)
    assert (told.gpus, told.problem) == ((), "Simulated: the GPU at position 0 does not answer: GPU is lost.")
    last = simulated_xid(Scenario.XID_79, START)
    assert last is not None
    assert (last.code, last.at) == (79, XID - PERIOD)


@pytest.mark.parametrize("scenario", [each for each in Scenario if each not in {Scenario.ECC_ERRORS, Scenario.XID_79}])
def test_other_scenarios_have_no_xid(scenario: Scenario) -> None:
    assert simulated_xid(scenario, HALF) is None


async def test_sensors_play_by_their_clock() -> None:
    sensors = SimulatedSensors(Scenario.BUSY, lambda: HALF)

    assert await sensors.sample() == simulated(Scenario.BUSY, HALF)
