"""Where the benchmarks keep what they make, and what every server has in common."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
BENCH: Final = ROOT / "bench"
PEERS: Final = BENCH / "peers"
RESULTS: Final = BENCH / "results"
OPERATIONS: Final = ROOT / "graph" / "operations"

HOST: Final = "127.0.0.1"
CONNECTIONS: Final = 8
"""How many connections the load generator keeps busy."""
POOL: Final = 4
"""How many connections to PostgreSQL each server has."""


def kept() -> Path:
    """Return the folder of databases and logs, which stay from run to run."""
    return Path(os.environ.get("VELOCITY_BENCH_DIR") or ROOT / "var" / "bench")
