"""XIDs as the kernel prints them, from a pipe that gives one record for each read, and from a journal's own words."""

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.fleet import XidSeen
from gpu.fleet.kernel_log import LogUnreadable, from_journal, from_kmsg, journal_xid, kmsg_xid

BOOTED = datetime(2026, 11, 21, 6, tzinfo=UTC)
RECORD = "4,1234,5678901,-;NVRM: Xid (PCI:0000:10:1c): 63, pid=1896, Row Remapper: New row marked for remapping"
ENTRY = (
    '{"MESSAGE":"NVRM: Xid (PCI:0000:3b:00): 79, GPU has fallen off the bus.",'
    '"__REALTIME_TIMESTAMP":"1795240800000000","__CURSOR":"s=1;i=2"}'
)
SEEN = XidSeen(79, "0000:3b:00", datetime(2026, 11, 21, 6, tzinfo=UTC), "s=1;i=2")


def test_a_record_is_read_with_its_moment() -> None:
    assert kmsg_xid(RECORD, "boot", BOOTED) == XidSeen(
        63, "0000:10:1c", BOOTED + timedelta(microseconds=5_678_901), "boot:1234"
    )


@pytest.mark.parametrize(
    "record",
    [
        "6,1,2,-;usb 1-1: new device",
        "NVRM: Xid (PCI:0000:10:1c): 63, pid=1896",
        "4;NVRM: Xid (PCI:0000:10:1c): 63",
        "4,a,b,-;NVRM: Xid (PCI:0000:10:1c): 63",
        # What comes below the first line are the record's own words about itself.
        "6,1,2,-;usb\n SUBSYSTEM=NVRM: Xid (PCI:0000:10:1c): 63",
        "",
    ],
)
def test_other_records_are_passed_by(record: str) -> None:
    assert kmsg_xid(record, "boot", BOOTED) is None


def test_an_entry_of_the_journal_is_read() -> None:
    assert journal_xid(ENTRY) == SEEN


@pytest.mark.parametrize(
    "line",
    ["", "{", "[]", '{"MESSAGE":"NVRM: Xid (PCI:0000:3b:00): 79"}', ENTRY.replace("Xid", "Yid"),
     '{"MESSAGE":[78,86],"__REALTIME_TIMESTAMP":"1","__CURSOR":"s"}'],
)  # fmt: skip
def test_other_entries_are_passed_by(line: str) -> None:
    assert journal_xid(line) is None


async def test_the_log_is_followed(tmp_path: Path) -> None:
    boot = tmp_path / "boot_id"
    boot.write_text("0e9c\n")
    # A pipe in packet mode gives what was written at once to one read, as the kernel's log does.
    reading, writing = os.pipe2(os.O_DIRECT)
    seen = from_kmsg(Path(f"/proc/self/fd/{reading}"), boot)
    try:
        for number, code in enumerate((79, 48)):
            os.write(writing, b"6,1,2,-;usb 1-1: new device")
            os.write(writing, f"4,{number},99,-;NVRM: Xid (PCI:0000:10:1c): {code}, pid=1".encode())
            found = await anext(seen)
            assert (found.code, found.entry) == (code, f"0e9c:{number}")
        # Nothing more is there, and whoever waits blocks nobody.
        waiting = asyncio.ensure_future(anext(seen))
        os.write(writing, b"4,7,99,-;NVRM: Xid (PCI:0000:10:1c): 13, pid=1")
        assert (await waiting).code == 13
    finally:
        await seen.aclose()  # type: ignore[attr-defined]  # it is a generator.
        os.close(reading)
        os.close(writing)


async def test_a_log_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(LogUnreadable, match=r"kmsg cannot be opened: No such file or directory\."):
        await anext(from_kmsg(tmp_path / "kmsg"))


async def test_a_journal_is_followed_until_it_ends() -> None:
    lines = f"print('x' * 70000); print('''{ENTRY}'''); print('rest'); raise SystemExit(3)"
    seen = from_journal((sys.executable, "-c", lines))

    assert [await anext(seen)] == [SEEN]
    with pytest.raises(LogUnreadable, match=r"has ended with 3\."):
        await anext(seen)


async def test_a_machine_without_a_journal_says_so(tmp_path: Path) -> None:
    with pytest.raises(LogUnreadable, match="cannot be run: No such file or directory"):
        await anext(from_journal((str(tmp_path / "journalctl"),)))
