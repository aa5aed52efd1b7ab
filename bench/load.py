"""The load: wrk where the machine has it, else autocannon, which costs more of the processors that it shares."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.peers import node
from bench.places import BENCH, PEERS

AUTOCANNON: Final = PEERS / "node_modules" / "autocannon" / "autocannon.js"
TIMEOUT: Final = 60


@dataclass(frozen=True, slots=True)
class Measured:
    """One cell of the table. `failed` counts requests that were not answered with 200."""

    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    failed: int = 0
    requests: int = 0
    server_us: float = 0
    """Processor time that the server took for a request, in microseconds; a crowded machine hardly changes it."""
    database_us: float = 0
    """The same of PostgreSQL's processes."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked over and over: a body and a token lie in files."""

    url: str
    body: Path
    token: Path | None = None


def generator() -> str:
    """Return the load generator's name and version."""
    wrk = shutil.which("wrk")
    if wrk is None:
        return f"autocannon {json.loads((AUTOCANNON.parent / 'package.json').read_text())['version']}"
    said = subprocess.run([wrk, "-v"], capture_output=True, text=True, check=False).stdout
    return " ".join(said.split()[:2])


def measure(target: Target, *, connections: int, seconds: float) -> Measured:
    """Keep `connections` busy for so long."""
    if shutil.which("wrk") is None:
        return _autocannon(target, connections, seconds)
    environment = {"BENCH_BODY": str(target.body)}
    if target.token is not None:
        environment["BENCH_TOKEN"] = str(target.token)
    # wrk takes whole seconds, and never fewer than one.
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", f"--timeout={TIMEOUT}s"]
    said = _said([*command, "-s", str(BENCH / "load.lua"), target.url], environment)
    found = re.search(r"^MEASURED (.*)$", said, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"wrk said nothing of what it measured:\n{said}")
    return Measured(**json.loads(found[1]))


def _autocannon(target: Target, connections: int, seconds: float) -> Measured:
    headers = ["content-type=application/json"]
    if target.token is not None:
        headers.append(f"authorization=Bearer {target.token.read_text().strip()}")
    command = [str(node()), str(AUTOCANNON), "--json", "-c", str(connections), "-d", str(max(1, round(seconds)))]
    command += ["-t", str(TIMEOUT), "-m", "POST", "-i", str(target.body)]
    said = _said([*command, *(part for header in headers for part in ("-H", header)), target.url], {})
    found = json.loads(said)
    latency = found["latency"]
    return Measured(
        found["requests"]["total"] / found["duration"],
        latency["p50"],
        # There is no 95th: the next one that it has is stricter.
        latency["p97_5"],
        latency["p99"],
        found["non2xx"] + found["errors"] + found["timeouts"],
        found["requests"]["total"],
    )


def _said(command: list[str], environment: Mapping[str, str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **environment}).stdout
