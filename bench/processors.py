"""How much processor time processes have used: what a request costs, however many others work on the machine."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

TICKS: Final = os.sysconf("SC_CLK_TCK")
# In /proc/N/stat, counted from behind the name, which is in parentheses and may hold spaces.
USER, SYSTEM = 11, 12


def used(processes: Iterable[int]) -> float:
    """Return the seconds that these processes have used; those that have ended count nothing."""
    total = 0
    for process in processes:
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[USER]) + int(fields[SYSTEM])
    return total / TICKS


def working_in(folder: Path) -> list[int]:
    """Return the processes that work in a folder, as every process of PostgreSQL does in its cluster."""
    found = []
    for directory in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if directory.readlink() == folder:
                found.append(int(directory.parent.name))
        except OSError:
            continue
    return found


def busy() -> float:
    """Return the seconds that all processors of the machine have worked, for whomever."""
    user, nice, system, _idle, _waiting, *others = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + sum(others)) / TICKS
