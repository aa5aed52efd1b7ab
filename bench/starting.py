"""How long the product takes to start where it was started before, and what it then holds in memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from bench.documents import Question
from bench.load import Target
from bench.places import HOST, ROOT
from bench.servers import GENEROUS, PATIENCE, ask, free_port

STARTS = 3
SETTLED = 3.0
"""Seconds after which nothing of the start goes on any more."""


def second_start(data_dir: Path, token: Path, question: Question, folder: Path) -> tuple[float, float]:
    """Return seconds from the command to the first answer, PostgreSQL's start among them, and idle memory in MB."""
    body = folder / "start.json"
    body.write_bytes(question.body())
    found = [_once(data_dir, token, body, folder) for _ in range(STARTS)]
    return median(seconds for seconds, _ in found), median(held for _, held in found)


def _once(data_dir: Path, token: Path, body: Path, folder: Path) -> tuple[float, float]:
    port = free_port()
    environment = {**os.environ, **GENEROUS, "VELOCITY_DATA_DIR": str(data_dir), "VELOCITY_PORT": str(port)}
    command = [str(Path(sys.executable).parent / "velocity"), "serve"]
    target = Target(f"http://{HOST}:{port}/graphql", body, token)
    with (folder / "start.log").open("wb") as log:
        started = time.monotonic()
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            while True:
                try:
                    ask(target)
                    break
                except OSError:
                    if process.poll() is not None or time.monotonic() - started > PATIENCE:
                        raise
                    time.sleep(0.01)
            seconds = time.monotonic() - started
            time.sleep(SETTLED)
            status = Path(f"/proc/{process.pid}/status").read_text()
            held = dict(line.split(":", 1) for line in status.splitlines())["VmRSS"]
            return seconds, int(held.split()[0]) / 1000
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
