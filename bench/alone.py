"""PostgreSQL alone: pgbench sends the identical statement, prepared, on as many connections as every pool has."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from bench.dataset import Ground
from bench.load import Measured
from bench.places import POOL
from bench.servers import OPTIONS
from bench.statements import Statement, literal
from db.roles import APP
from db.server import DATABASE, programs

THREADS: Final = 1


def script(statement: Statement, path: Path) -> Path:
    """Write what pgbench runs: each client prepares the statement once, and executes it from then on."""
    arguments = ", ".join(literal(value) for value in statement.arguments)
    path.write_text(
        "\\if :prepared\n"
        f"EXECUTE asked({arguments});\n"
        "\\else\n"
        f"PREPARE asked AS {statement.sql};\n"
        "\\set prepared 1\n"
        "\\endif\n"
    )
    return path


def measures(ground: Ground, found: Mapping[str, Statement], folder: Path) -> dict[str, Callable[[float], Measured]]:
    """Return what measures each statement, by question."""
    scripts = {
        name: script(statement, folder / f"alone-{number}.sql")
        for number, (name, statement) in enumerate(found.items())
    }
    return {name: partial(measure, ground, prepared) for name, prepared in scripts.items()}


def measure(ground: Ground, prepared: Path, seconds: float) -> Measured:
    """Run a script for so long. Only rates and means are known: pgbench counts the round that prepares, too."""
    command = [str(programs() / "pgbench"), "-n", "-M", "simple", "-f", str(prepared), "-D", "prepared=0"]
    command += ["-c", str(POOL), "-j", str(THREADS), "-T", str(max(1, round(seconds)))]
    tenant = f"-c app.tenant_id={ground.dataset.tenant_id}"
    environment = {
        "PGHOST": str(ground.server.socket), "PGPORT": "5432", "PGUSER": APP, "PGDATABASE": DATABASE,
        "PGOPTIONS": f"{OPTIONS} {tenant}",
    }  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})
    rate = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
    mean = re.search(r"^latency average = ([0-9.]+)", done.stdout, re.MULTILINE)
    if done.returncode != 0 or rate is None or mean is None:
        raise RuntimeError(f"pgbench failed:\n{done.stdout}\n{done.stderr}")
    average = float(mean[1])
    return Measured(float(rate[1]), average, average, average)
