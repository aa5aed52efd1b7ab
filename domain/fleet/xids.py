"""XIDs: what the driver's error numbers mean, what NVIDIA says to do, and what is done here.

From NVIDIA's "Analyzing Xid Errors with the Xid Catalog" for Ampere and newer. Buckets change with drivers: confirm
with the page for the installed one. What the GPU itself says it needs (`RecoveryAction`) counts more than this table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class XidMeaning:
    """One number: `immediate` and `investigate` are NVIDIA's buckets, `action` is what an operator does here."""

    code: int
    meaning: str
    immediate: str
    investigate: str
    action: str


@dataclass(frozen=True, slots=True)
class XidLine:
    """An XID as the kernel printed it: at which GPU's PCI address, and of which process if it says so."""

    code: int
    pci: str
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class XidSeen:
    """An XID of this machine. `entry` names the kernel's line, so that reading it twice counts once."""

    code: int
    pci: str
    at: datetime
    entry: str


_RESTART_ENGINE: Final = (
    "Fail the attempt and restart the engine; after three in an hour of different jobs, drain the GPU."
)
_DRAIN_RESET: Final = "Drain the GPU and reset it."
_NVLINK5: Final = "Check the links between Blackwell GPUs."
_APP_BUG: Final = "Look for the defect in the application or the driver."
_WATCH: Final = "Watch it."

_ROWS: Final = (
    ((13,), "Graphics engine exception", "RESTART_APP", "WORKFLOW_XID_13", _RESTART_ENGINE),
    ((31,), "GPU memory page fault (MMU)", "RESTART_APP", "WORKFLOW_XID_31", _RESTART_ENGINE),
    ((32,), "Bad push buffer", "RESTART_APP", "CHECK_APP/CUDA", _APP_BUG),
    ((43,), "GPU stopped processing (channel reset)", "IGNORE", "CONTACT_SUPPORT",
     "The application died: restart the engine and note the job."),
    ((44,), "Graphics fault during a context switch", "IGNORE", "CONTACT_SUPPORT", _WATCH),
    ((45,), "Preemptive cleanup", "WORKFLOW_XID_45", "RESTART_FM alone; else as the other XID",
     "Look for the XID beside it."),
    ((46,), "GPU timeout", "RESET_GPU", "CONTACT_SUPPORT", _DRAIN_RESET),
    ((48,), "Double-bit ECC error", "WORKFLOW_XID_48", "WORKFLOW_XID_48",
     "Stop, drain and reset the GPU; look for 63, 64, 94, 95, 171 or 172."),
    ((54,), "Auxiliary power not connected", "CHECK_MECHANICALS", "CONTACT_SUPPORT", "Have somebody look at it."),
    ((61,), "PMU breakpoint", "CONTACT_SUPPORT", "-", "Treat it as 62 on old GPUs."),
    ((62,), "PMU halt", "RESET_GPU", "CONTACT_SUPPORT", "Drain the GPU and reset it; often before 45, 119 or 154."),
    ((63,), "Row remapping or page retirement", "IGNORE", "IGNORE", "A remapping is pending: reset the idle GPU."),
    ((64,), "Row remapping failed", "RESET_GPU", "CONTACT_SUPPORT",
     "Drain the GPU now; it is a candidate for replacement."),
    ((69,), "Graphics engine class error", "RESTART_APP", "CHECK_APP/CUDA", _APP_BUG),
    ((74,), "NVLink error", "WORKFLOW_NVLINK_ERR", "CONTACT_SUPPORT", "Drain jobs of several GPUs; check the links."),
    ((79,), "GPU has fallen off the bus", "RESTART_BM", "CONTACT_SUPPORT",
     "The GPU is down and its leases expire: reboot the machine."),
    ((80,), "CRC mismatch", "RESTART_APP", "CHECK_APP/CUDA", _APP_BUG),
    ((92,), "High rate of single-bit ECC errors", "IGNORE", "CONTACT_SUPPORT",
     "Watch it; run DCGM level 3 in the next window."),
    ((94,), "Contained memory error", "RESTART_APP", "IGNORE", "Fail that job only; reset the GPU when it is idle."),
    ((95,), "Uncontained memory error", "RESET_GPU", "IGNORE", "End every job on the GPU and reset it."),
    ((109,), "Context switch timeout", "RESET_GPU", "CONTACT_SUPPORT", _DRAIN_RESET),
    ((119,), "GSP RPC timeout", "RESET_GPU", "INVESTIGATE_SW", "Drain and reset the GPU; check the driver's version."),
    ((120,), "GSP error", "RESET_GPU", "INVESTIGATE_SW", "Drain and reset the GPU; check the driver's version."),
    ((140,), "Unrecovered ECC error", "RESET_GPU", "CONTACT_SUPPORT", "End every job on the GPU and reset it."),
    (tuple(range(144, 151)), "NVLink 5 error", "WORKFLOW_NVLINK5_ERR", "WORKFLOW_NVLINK5_ERR", _NVLINK5),
    ((154,), "The recovery action has changed", "XID_154", "INFORMATIONAL",
     "Read again what the GPU says it needs."),
    ((155,), "NVLink software error", "RESET_GPU", "VARIES", _DRAIN_RESET),
    ((156,), "Resource retirement", "RESET_GPU", "VARIES", _DRAIN_RESET),
    ((158,), "GPU fatal timeout", "RESET_GPU", "VARIES", _DRAIN_RESET),
    ((157, 160, 161), "A retirement, or one that failed", "IGNORE", "CONTACT_SUPPORT or INVESTIGATE_SW", _WATCH),
)  # fmt: skip

XIDS: Final[Mapping[int, XidMeaning]] = MappingProxyType(
    {code: XidMeaning(code, *told) for codes, *told in _ROWS for code in codes}
)

_LINE: Final = re.compile(r"NVRM: Xid \(PCI:([0-9A-Fa-f:.]{1,20})\): (\d{1,6})(?:,|\s|$)(?:.*?\bpid='?(\d{1,10})'?)?")


def explained(code: int) -> XidMeaning:
    """Return what an XID means; of one that the table lacks, that it does."""
    unknown = XidMeaning(
        code, "Not in the catalogue", "UNKNOWN", "UNKNOWN", "Look it up in NVIDIA's catalogue for the installed driver."
    )
    return XIDS.get(code, unknown)


def xid_in(line: str) -> XidLine | None:
    """Return the XID of a line of the kernel's log, or None for any other line."""
    found = _LINE.search(line)
    if found is None:
        return None
    return XidLine(int(found[2]), found[1], int(found[3]) if found[3] else None)
