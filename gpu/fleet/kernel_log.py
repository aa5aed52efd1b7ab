"""XIDs from the kernel's log: NVML tells only of those that happen while it is asked, the log also of those before.

Two ways to it: `/dev/kmsg`, which a container may be kept from, and the journal, which a machine may not have.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from domain.fleet import XidSeen, xid_in

KMSG: Final = Path("/dev/kmsg")
BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
JOURNAL: Final = (
    "journalctl", "--dmesg", "--follow", "--no-tail", "--boot", "--output=json",
    "--output-fields=MESSAGE,__REALTIME_TIMESTAMP,__CURSOR",
)  # fmt: skip
RECORD: Final = 8192
"""The kernel gives one record for each read, and none that is longer."""
OVERTAKEN: Final = 32
"""EPIPE: records were overwritten before they were read. The next read goes on with the oldest that is left."""


class LogUnreadable(Exception):
    """The kernel's log cannot be read here. The message says why."""


def kmsg_xid(record: str, boot_id: str, booted_at: datetime) -> XidSeen | None:
    """Return the XID of a record of `/dev/kmsg`: `priority,sequence,microseconds,flags;text`, None for any other."""
    head, separator, text = record.partition(";")
    fields = head.split(",")
    xid = xid_in(text.split("\n", 1)[0]) if separator else None
    if xid is None or len(fields) < 3 or not (fields[1].isdecimal() and fields[2].isdecimal()):  # noqa: PLR2004 -- the three are named above.
        return None
    at = booted_at + timedelta(microseconds=int(fields[2]))
    return XidSeen(xid.code, xid.pci, at, f"{boot_id}:{fields[1]}")


def journal_xid(line: str) -> XidSeen | None:
    """Return the XID of a line of `journalctl --output=json`, None for any other."""
    try:
        entry: dict[str, Any] = json.loads(line)
        text, at, cursor = entry["MESSAGE"], int(entry["__REALTIME_TIMESTAMP"]), str(entry["__CURSOR"])
    except (ValueError, KeyError, TypeError):
        return None
    # A message that is no text comes as a list of its bytes: it is not the driver's.
    xid = xid_in(text) if isinstance(text, str) else None
    return None if xid is None else XidSeen(xid.code, xid.pci, datetime.fromtimestamp(at / 1e6, UTC), cursor)


async def from_kmsg(path: Path = KMSG, boot: Path = BOOT) -> AsyncIterator[XidSeen]:
    """Yield the XIDs since the machine has booted, then those to come; raises LogUnreadable."""
    async with _opened(path) as (descriptor, readable):
        boot_id, booted_at = _boot(boot), datetime.now(UTC) - timedelta(seconds=time.monotonic())
        while True:
            try:
                record = os.read(descriptor, RECORD)
            except BlockingIOError:
                readable.clear()
                await readable.wait()
                continue
            except OSError as error:
                if error.errno == OVERTAKEN:
                    continue
                raise LogUnreadable(f"{path} cannot be read any more: {error.strerror}.") from error
            if not record:
                # A file ends; the kernel's log does not.
                return
            seen = kmsg_xid(record.decode(errors="replace"), boot_id, booted_at)
            if seen is not None:
                yield seen


async def from_journal(command: tuple[str, ...] = JOURNAL) -> AsyncIterator[XidSeen]:
    """Yield the XIDs since the machine has booted, then those to come; raises LogUnreadable where the journal ends."""
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL)
    except OSError as error:
        raise LogUnreadable(f"{command[0]} cannot be run: {error.strerror}.") from error
    try:
        lines = process.stdout
        while lines is not None:
            try:
                line = await lines.readline()
            except ValueError:
                # A line of more than 64 KiB, which no XID is.
                continue
            if not line:
                break
            seen = journal_xid(line.decode(errors="replace"))
            if seen is not None:
                yield seen
        raise LogUnreadable(f"{command[0]} has ended with {await process.wait()}.")
    finally:
        with suppress(ProcessLookupError):
            process.kill()


@asynccontextmanager
async def _opened(path: Path) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """Open a log without waiting for it; the event is set when there may be more to read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise LogUnreadable(f"{path} cannot be opened: {error.strerror}.") from error
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    set_: Callable[[], None] = readable.set
    try:
        loop.add_reader(descriptor, set_)
    except OSError:
        # A plain file is always readable.
        readable.set()
    try:
        yield descriptor, readable
    finally:
        with suppress(OSError):
            loop.remove_reader(descriptor)
        os.close(descriptor)


def _boot(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"
