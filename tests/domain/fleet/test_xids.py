"""The table of XIDs, value by value, and the kernel's line in which they come."""

import pytest

from domain.fleet import XIDS, XidLine, explained, xid_in

TABLE = {
    13: ("Graphics engine exception", "RESTART_APP", "WORKFLOW_XID_13"),
    31: ("GPU memory page fault (MMU)", "RESTART_APP", "WORKFLOW_XID_31"),
    32: ("Bad push buffer", "RESTART_APP", "CHECK_APP/CUDA"),
    43: ("GPU stopped processing (channel reset)", "IGNORE", "CONTACT_SUPPORT"),
    44: ("Graphics fault during a context switch", "IGNORE", "CONTACT_SUPPORT"),
    45: ("Preemptive cleanup", "WORKFLOW_XID_45", "RESTART_FM alone; else as the other XID"),
    46: ("GPU timeout", "RESET_GPU", "CONTACT_SUPPORT"),
    48: ("Double-bit ECC error", "WORKFLOW_XID_48", "WORKFLOW_XID_48"),
    54: ("Auxiliary power not connected", "CHECK_MECHANICALS", "CONTACT_SUPPORT"),
    61: ("PMU breakpoint", "CONTACT_SUPPORT", "-"),
    62: ("PMU halt", "RESET_GPU", "CONTACT_SUPPORT"),
    63: ("Row remapping or page retirement", "IGNORE", "IGNORE"),
    64: ("Row remapping failed", "RESET_GPU", "CONTACT_SUPPORT"),
    69: ("Graphics engine class error", "RESTART_APP", "CHECK_APP/CUDA"),
    74: ("NVLink error", "WORKFLOW_NVLINK_ERR", "CONTACT_SUPPORT"),
    79: ("GPU has fallen off the bus", "RESTART_BM", "CONTACT_SUPPORT"),
    80: ("CRC mismatch", "RESTART_APP", "CHECK_APP/CUDA"),
    92: ("High rate of single-bit ECC errors", "IGNORE", "CONTACT_SUPPORT"),
    94: ("Contained memory error", "RESTART_APP", "IGNORE"),
    95: ("Uncontained memory error", "RESET_GPU", "IGNORE"),
    109: ("Context switch timeout", "RESET_GPU", "CONTACT_SUPPORT"),
    119: ("GSP RPC timeout", "RESET_GPU", "INVESTIGATE_SW"),
    120: ("GSP error", "RESET_GPU", "INVESTIGATE_SW"),
    140: ("Unrecovered ECC error", "RESET_GPU", "CONTACT_SUPPORT"),
    **dict.fromkeys(range(144, 151), ("NVLink 5 error", "WORKFLOW_NVLINK5_ERR", "WORKFLOW_NVLINK5_ERR")),
    154: ("The recovery action has changed", "XID_154", "INFORMATIONAL"),
    155: ("NVLink software error", "RESET_GPU", "VARIES"),
    156: ("Resource retirement", "RESET_GPU", "VARIES"),
    158: ("GPU fatal timeout", "RESET_GPU", "VARIES"),
    **dict.fromkeys(
        (157, 160, 161), ("A retirement, or one that failed", "IGNORE", "CONTACT_SUPPORT or INVESTIGATE_SW")
    ),
}


def test_every_number_has_its_meaning() -> None:
    assert {code: (each.meaning, each.immediate, each.investigate) for code, each in XIDS.items()} == TABLE


@pytest.mark.parametrize(
    ("code", "action"),
    [
        (13, "Fail the attempt and restart the engine; after three in an hour of different jobs, drain the GPU."),
        (48, "Stop, drain and reset the GPU; look for 63, 64, 94, 95, 171 or 172."),
        (63, "A remapping is pending: reset the idle GPU."),
        (64, "Drain the GPU now; it is a candidate for replacement."),
        (79, "The GPU is down and its leases expire: reboot the machine."),
        (94, "Fail that job only; reset the GPU when it is idle."),
        (95, "End every job on the GPU and reset it."),
        (119, "Drain and reset the GPU; check the driver's version."),
        (154, "Read again what the GPU says it needs."),
    ],
)
def test_a_number_says_what_is_done(code: int, action: str) -> None:
    assert explained(code).action == action


def test_an_unknown_number_is_said_to_be_one() -> None:
    told = explained(999)

    assert (told.code, told.meaning, told.immediate) == (999, "Not in the catalogue", "UNKNOWN")


@pytest.mark.parametrize(
    ("line", "xid"),
    [
        ("NVRM: Xid (PCI:0000:10:1c): 63, pid=1896, Row Remapper: New row", XidLine(63, "0000:10:1c", 1896)),
        (
            "NVRM: Xid (PCI:0000:3b:00): 13, pid='<unknown>', name=<unknown>, Graphics Exception",
            XidLine(13, "0000:3b:00"),
        ),
        ("NVRM: Xid (PCI:0000:3b:00): 31, pid='4711', name=python, Ch 00000008", XidLine(31, "0000:3b:00", 4711)),
        ("[12.3] NVRM: Xid (PCI:0000:D8:00): 79, GPU has fallen off the bus.", XidLine(79, "0000:D8:00")),
        ("NVRM: Xid (PCI:0000:3b:00): 154", XidLine(154, "0000:3b:00")),
        ("NVRM: GPU at PCI:0000:3b:00: GPU-00000000", None),
        ("NVRM: Xid (PCI:0000:3b:00): many", None),
        ("Xid 79", None),
        ("", None),
    ],
)
def test_a_line_of_the_kernel_is_read(line: str, xid: XidLine | None) -> None:
    assert xid_in(line) == xid
