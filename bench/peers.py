"""The peers from npm: installed by their lock file, with a Node.js that all of them can run on."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

from bench.places import PEERS

MODULES: Final = PEERS / "node_modules"
OLDEST_NODE: Final = 22
"""What PostGraphile 5 needs. The packages that npm's `node` is made of bring it where the system's is older."""
SHOWN: Final = ("mercurius", "graphql-jit", "fastify", "postgraphile", "grafast", "pg", "graphql", "autocannon")


def install() -> None:
    """Install what the lock file says, unless that is there already; raises SystemExit without npm."""
    lock, done = PEERS / "package-lock.json", MODULES / ".installed"
    if done.exists() and done.read_text() == lock.read_text():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("The peers are installed with npm (Node.js 20 or newer), which is missing.")
    subprocess.run([npm, "--prefix", str(PEERS), "ci", "--loglevel=error"], check=True)
    done.write_text(lock.read_text())


@cache
def node() -> Path:
    """Return the Node.js that runs the peers; raises SystemExit where there is none."""
    installed = sorted(MODULES.glob("node-*/bin/node"))
    found = [*installed, *(Path(path) for path in (shutil.which("node"),) if path is not None)]
    for path in found:
        if int(_version(path).split(".")[0]) >= OLDEST_NODE:
            return path
    raise SystemExit(f"The peers need Node.js {OLDEST_NODE} or newer, and npm has none for this kind of machine.")


def _version(path: Path) -> str:
    said = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=True).stdout
    return said.strip().removeprefix("v")


def versions() -> dict[str, str]:
    """Return the versions of what the peers are made of."""
    packages = {name: json.loads((MODULES / name / "package.json").read_text())["version"] for name in SHOWN}
    return {"node": _version(node()), **packages}
