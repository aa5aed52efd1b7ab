"""What machines say: throttle reasons by their bits, and PCI addresses as the kernel and NVML write them."""

import pytest

from domain.fleet import ALARMING, RecoveryAction, ThrottleReason, alarms, bus_key, throttle_reasons


def test_throttle_reasons_are_nvmls_bits() -> None:
    assert {reason.name: reason.value for reason in ThrottleReason} == {
        "GPU_IDLE": 0x1,
        "APPLICATIONS_CLOCKS_SETTING": 0x2,
        "SW_POWER_CAP": 0x4,
        "HW_SLOWDOWN": 0x8,
        "SYNC_BOOST": 0x10,
        "SW_THERMAL_SLOWDOWN": 0x20,
        "HW_THERMAL_SLOWDOWN": 0x40,
        "HW_POWER_BRAKE_SLOWDOWN": 0x80,
        "DISPLAY_CLOCK_SETTING": 0x100,
    }


@pytest.mark.parametrize(
    ("mask", "names"),
    [
        (0, []),
        (0x1, ["GPU_IDLE"]),
        (0x4 | 0x40, ["SW_POWER_CAP", "HW_THERMAL_SLOWDOWN"]),
        # A bit that a newer driver added.
        (0x400 | 0x80, ["HW_POWER_BRAKE_SLOWDOWN"]),
    ],
)
def test_a_mask_becomes_reasons(mask: int, names: list[str]) -> None:
    assert [reason.name for reason in throttle_reasons(mask)] == names


def test_a_power_cap_is_no_alarm() -> None:
    assert {reason.value for reason in ALARMING} == {0x8, 0x20, 0x40, 0x80}
    assert [reason.name for reason in alarms(throttle_reasons(0x1 | 0x4 | 0x20))] == ["SW_THERMAL_SLOWDOWN"]


def test_recovery_actions_are_nvmls_numbers() -> None:
    assert [action.name for action in RecoveryAction] == [
        "NONE", "GPU_RESET", "NODE_REBOOT", "DRAIN_P2P", "DRAIN_AND_RESET", "RECOVER_IMEX_DOMAIN", "BUS_RESET",
        "SYSTEM_REBOOT",
    ]  # fmt: skip
    assert [action.value for action in RecoveryAction] == list(range(8))


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("00000000:10:1C.0", "0000:10:1c"),
        ("0000:10:1c", "0000:10:1c"),
        ("0001:AF:00.1", "0001:af:00"),
        ("10:1c", "10:1c"),
    ],
)
def test_an_address_is_the_same_however_it_is_written(address: str, key: str) -> None:
    assert bus_key(address) == key
